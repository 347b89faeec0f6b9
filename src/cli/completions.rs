//! `keywright completions`: what completes these commands in a shell, from the definition that also
//! parses them. It needs no store.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{args::Keywright, error::Failure, output, token::written};

/// Prints the completions for `shell`.
pub(super) fn run(shell: Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Keywright::command(), "keywright", &mut text);
    written(output::write(&String::from_utf8_lossy(&text)))
}
