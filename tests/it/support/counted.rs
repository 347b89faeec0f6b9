//! [`counted`]: the one word that a process with an empty environment still gets.

use std::{env, process::Command};

/// Where a program that was built by `scripts/coverage` leaves what it counted. Without it, its
/// counts are lost, and a file lies in the folder that it ran in.
const COUNTS: &str = "LLVM_PROFILE_FILE";

/// Lets `command` count, too, when these tests are counted.
pub(crate) fn counted(command: &mut Command) -> &mut Command {
    if let Some(counts) = env::var_os(COUNTS) {
        command.env(COUNTS, counts);
    }
    command
}
