//! The one binary: hands the arguments to [`keywright::cli`], and ends as it says.

use std::{process::ExitCode, time::Duration};

/// A request allocates and frees on the thread that reads it and on the one that looks it up, which
/// costs the C library's allocator a quarter of all the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The store has threads of its own; for what is left, a second one would only be one to wake.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a process that can start no thread can do nothing");
    let code = runtime.block_on(keywright::cli::run(std::env::args_os()));
    // Reading a terminal or a file blocks a thread that nobody waits for any more.
    runtime.shutdown_timeout(Duration::from_millis(100));
    code
}
