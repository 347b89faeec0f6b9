//! The signals that a run hands on to its child, and survives itself: so that the child's end, and
//! the end of its token with it, is always seen.

use std::{
    fs::{self, File},
    future::poll_fn,
    io,
    task::Poll,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, getpgrp, tcgetpgrp},
};
use tokio::signal::unix::{self, SignalKind};

/// Those that are handed on.
const HANDED_ON: [Signal; 7] = [
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGWINCH,
];

/// Signals that are caught from here on, and end us no more.
pub(super) struct Signals(Vec<(Signal, unix::Signal)>);

impl Signals {
    /// Catches them, but for those that whoever started us wants to be ignored, as `nohup` does: the
    /// child goes on to ignore them.
    pub(super) fn catch() -> io::Result<Self> {
        let ignored = ignored();
        let wanted = HANDED_ON.into_iter();
        let wanted = wanted.filter(|signal| ignored >> (*signal as i32 - 1) & 1 == 0);
        let streams = wanted.map(|signal| {
            let stream = unix::signal(SignalKind::from_raw(signal as i32))?;
            Ok((signal, stream))
        });
        Ok(Self(streams.collect::<io::Result<_>>()?))
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Signal {
        poll_fn(|context| {
            let ready = self.0.iter_mut().find_map(|(signal, stream)| {
                stream.poll_recv(context).is_ready().then_some(*signal)
            });
            ready.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// Which signals are ignored, a bit each. Where nothing tells, none is.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}

/// Hands `signal` on to `child`, unless it has had it already: a terminal sends what is typed, and
/// its new size, to the whole group of processes in its foreground, of which the child is one. A
/// signal has no sender here, so that one of these kinds that somebody sends to us alone in that
/// place is taken for the terminal's; to end the run from outside, send SIGTERM.
pub(super) fn hand_on(signal: Signal, child: u32) {
    let of_a_terminal = [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGWINCH].contains(&signal);
    if of_a_terminal && is_in_foreground() {
        return;
    }
    if let Ok(child) = i32::try_from(child)
        && let Err(error) = kill(Pid::from_raw(child), signal)
    {
        tracing::warn!(%error, %signal, "a signal could not be handed on");
    }
}

/// Whether we are in the group to which our terminal sends what is typed.
fn is_in_foreground() -> bool {
    let Ok(terminal) = File::open("/dev/tty") else {
        return false;
    };
    tcgetpgrp(&terminal).is_ok_and(|group| group == getpgrp())
}
