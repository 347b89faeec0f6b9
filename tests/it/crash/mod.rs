//! What was acknowledged is there, what was revoked is dead, what was paid was paid once: after
//! processes were killed, and after the power went.
//!
//! `CRASH_ROUNDS` says for how long: a quick run is one round, and not every step of it is tried.

mod again;
mod kill;
mod ledger;
mod load;
mod power;

/// How many rounds there are to be.
fn rounds() -> usize {
    set("CRASH_ROUNDS").map_or(1, |rounds| rounds.try_into().unwrap())
}

/// What a variable of this name says.
pub(crate) fn set(name: &str) -> Option<u64> {
    std::env::var_os(name)?.to_str()?.parse().ok()
}

/// What a run has done, for whoever reads along.
#[expect(clippy::print_stderr, reason = "a run tells what it has tried")]
pub(crate) fn tell(text: &str) {
    eprintln!("{text}");
}
