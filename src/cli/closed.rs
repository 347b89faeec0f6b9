//! Closes this process to other programs of the same user: on Linux no debugger reads its memory, no
//! `/proc/PID/environ` shows its token, and no core of it is written. A command that it starts is
//! open again, as it would be without us.

/// Closes it, on Linux. Elsewhere the system's own rules stand.
#[cfg(target_os = "linux")]
pub(super) fn close() -> nix::Result<()> {
    nix::sys::prctl::set_dumpable(false)
}

/// Closes it, on Linux. Elsewhere the system's own rules stand.
#[cfg(not(target_os = "linux"))]
pub(super) fn close() -> nix::Result<()> {
    Ok(())
}
