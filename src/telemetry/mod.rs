//! What is logged, and where: to standard error, always. Knows no domain type, so that no value
//! can be handed to it by name.

use tracing::{Level, Metadata};
use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// The text says nothing about what is to be logged.
#[derive(Debug, thiserror::Error)]
#[error(
    "expected a level (`error`, `warn`, `info`, `debug`, `trace`) or targets with levels, such as `keywright=debug`"
)]
pub struct NotAFilter;

/// Logs what `wanted` says from now on; by default warnings and errors.
pub fn start(wanted: Option<&str>, colours: bool) -> Result<(), NotAFilter> {
    let targets: Targets = match wanted {
        Some(text) => text.parse().map_err(|_| NotAFilter)?,
        None => Targets::new().with_default(LevelFilter::WARN),
    };
    let is_wanted = move |event: &Metadata<'_>| {
        is_harmless(event.target(), *event.level())
            && targets.would_enable(event.target(), event.level())
    };
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .with_filter(filter_fn(is_wanted));
    // A second start, as in tests, keeps the first.
    drop(tracing_subscriber::registry().with(lines).try_init());
    Ok(())
}

/// rmcp logs whole requests and answers at its lower levels, revealed values among them, and at
/// `warn` what the client calls its requests. No setting lets those through.
fn is_harmless(target: &str, level: Level) -> bool {
    let is_rmcp = target == "rmcp" || target.starts_with("rmcp::");
    !is_rmcp || level <= Level::ERROR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rmcp_says_of_requests_is_never_logged() {
        assert!(!is_harmless("rmcp::service", Level::INFO));
        assert!(!is_harmless("rmcp", Level::TRACE));
        assert!(!is_harmless("rmcp::service", Level::WARN));
        assert!(is_harmless("rmcp::service", Level::ERROR));
        assert!(is_harmless("keywright::mcp", Level::TRACE));
    }
}
