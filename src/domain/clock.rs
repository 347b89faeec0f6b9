//! The one clock of the house: the system's, or one that a test sets.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, Utc};

/// A moment, UTC, in whole milliseconds: the precision that is kept, compared and shown.
pub type Time = DateTime<Utc>;

/// Tells the time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// A clock that stands until it is set. Milliseconds since 1970.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `at`.
    pub fn fixed(at: Time) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.timestamp_millis())))
    }

    /// Sets a fixed clock on by `by`. The system's clock does not heed it.
    pub fn advance(&self, by: chrono::Duration) {
        match self {
            Self::System => {}
            Self::Fixed(millis) => {
                millis.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
            }
        }
    }

    /// This moment.
    #[expect(clippy::disallowed_methods, reason = "the one clock of the house")]
    pub fn now(&self) -> Time {
        let millis = match self {
            Self::System => Utc::now().timestamp_millis(),
            Self::Fixed(millis) => millis.load(Ordering::SeqCst),
        };
        from_millis(millis)
    }
}

/// The time as it is written everywhere: RFC 3339, UTC, `Z`, milliseconds.
pub fn rfc3339(at: Time) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// The moment that the store keeps as `millis`.
pub fn from_millis(millis: i64) -> Time {
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_stands_until_it_is_set() {
        let clock = Clock::fixed(from_millis(1_800_000_000_000));
        let seen = clock.now();
        assert_eq!(clock.now(), seen);
        clock.advance(chrono::Duration::days(1));
        assert_eq!(clock.now() - seen, chrono::Duration::days(1));
    }

    #[test]
    fn a_time_is_written_with_milliseconds_and_a_z() {
        assert_eq!(
            rfc3339(from_millis(1_800_000_000_120)),
            "2027-01-15T08:00:00.120Z"
        );
    }

    #[test]
    fn the_time_has_whole_milliseconds() {
        assert_eq!(Clock::System.now().timestamp_subsec_nanos() % 1_000_000, 0);
    }
}
