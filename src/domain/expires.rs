//! [`Expires`]: an expiry as it is asked for, and how long things last, as people write it.

use std::str::FromStr;

use chrono::{DateTime, Duration};

use super::clock::{self, Time};

/// What a token lives for when nothing is said.
pub const USUAL: Duration = Duration::days(90);

/// An expiry as it is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expires {
    /// Never, in so many words.
    Never,
    /// So long after the token is made.
    After(Duration),
    /// At that moment.
    At(Time),
}

/// The text is no expiry.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ExpiresError {
    /// Neither a duration nor a time.
    #[error(
        "expected a duration such as `15m`, `12h` or `90d`, a time such as `2027-01-01T00:00:00Z`, or `never`"
    )]
    Spelling,
    /// Beyond what a calendar holds.
    #[error("it is too far away")]
    TooFar,
    /// Not after now.
    #[error("it is in the past")]
    Past,
}

/// The text is no duration.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a duration such as `30s`, `15m`, `12h` or `90d`")]
pub struct NotADuration;

impl Expires {
    /// The moment that is meant by a token made at `now`; `None` is never.
    pub fn resolve(self, now: Time) -> Result<Option<Time>, ExpiresError> {
        let end = match self {
            Self::Never => return Ok(None),
            Self::After(life) => now.checked_add_signed(life).ok_or(ExpiresError::TooFar)?,
            Self::At(end) => end,
        };
        match end {
            end if end <= now => Err(ExpiresError::Past),
            // RFC 3339, section 5.6: a year has four digits.
            end if end.timestamp_millis() >= 253_402_300_800_000 => Err(ExpiresError::TooFar),
            end => Ok(Some(end)),
        }
    }
}

impl FromStr for Expires {
    type Err = ExpiresError;

    fn from_str(text: &str) -> Result<Self, ExpiresError> {
        let text = text.trim();
        if text == "never" {
            return Ok(Self::Never);
        }
        if let Ok(life) = duration(text) {
            return Ok(Self::After(life));
        }
        let end = DateTime::parse_from_rfc3339(text).map_err(|_| ExpiresError::Spelling)?;
        Ok(Self::At(clock::from_millis(end.timestamp_millis())))
    }
}

/// A moment in the past, as it is asked for: itself, or so long ago.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Since {
    /// So long ago.
    Ago(Duration),
    /// Then.
    At(Time),
}

/// The text is no moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a time such as `2027-01-01T00:00:00Z`, or how long ago, such as `24h`")]
pub struct NotAMoment;

impl Since {
    /// The moment that is meant at `now`.
    pub fn resolve(self, now: Time) -> Time {
        match self {
            Self::Ago(long) => now.checked_sub_signed(long).unwrap_or(Time::MIN_UTC),
            Self::At(then) => then,
        }
    }
}

impl FromStr for Since {
    type Err = NotAMoment;

    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        if let Ok(long) = duration(text) {
            return Ok(Self::Ago(long));
        }
        let then = DateTime::parse_from_rfc3339(text.trim()).map_err(|_| NotAMoment)?;
        Ok(Self::At(clock::from_millis(then.timestamp_millis())))
    }
}

/// Reads `30s`, `15m`, `12h` or `90d`.
pub fn duration(text: &str) -> Result<Duration, NotADuration> {
    let text = text.trim();
    let (count, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or(NotADuration)?;
    if count.is_empty() || count.len() > 9 || !count.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NotADuration);
    }
    let count: i64 = count.parse().map_err(|_| NotADuration)?;
    match unit {
        "s" => Duration::try_seconds(count),
        "m" => Duration::try_minutes(count),
        "h" => Duration::try_hours(count),
        "d" => Duration::try_days(count),
        _ => None,
    }
    .ok_or(NotADuration)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Time {
        clock::from_millis(1_800_000_000_000)
    }

    #[test]
    fn durations_times_and_never_are_read() {
        let read = |text: &str| text.parse::<Expires>().unwrap().resolve(noon()).unwrap();
        assert_eq!(read("never"), None);
        assert_eq!(read("15m"), Some(noon() + Duration::minutes(15)));
        assert_eq!(read("12h"), Some(noon() + Duration::hours(12)));
        assert_eq!(read("90d"), Some(noon() + Duration::days(90)));
        assert_eq!(
            read("2027-06-01T02:00:00+02:00"),
            read("2027-06-01T00:00:00.000Z")
        );
    }

    #[test]
    fn every_way_to_be_wrong_has_its_error() {
        for text in [
            "",
            "tomorrow",
            "-1d",
            "1.5h",
            "d",
            "90",
            "90 d",
            "1000000000s",
            "2027-01-01",
            "９d",
        ] {
            assert_eq!(
                text.parse::<Expires>(),
                Err(ExpiresError::Spelling),
                "{text}"
            );
        }
        let end = |text: &str| text.parse::<Expires>().unwrap().resolve(noon());
        assert_eq!(end("0s"), Err(ExpiresError::Past));
        assert_eq!(end("2020-01-01T00:00:00Z"), Err(ExpiresError::Past));
        assert_eq!(end("999999999d"), Err(ExpiresError::TooFar));
        assert_eq!(end("9999999d"), Err(ExpiresError::TooFar));
    }

    #[test]
    fn a_moment_in_the_past_is_read() {
        let read = |text: &str| text.parse::<Since>().unwrap().resolve(noon());
        assert_eq!(read("24h"), noon() - Duration::hours(24));
        assert_eq!(
            read(" 2027-01-01T02:00:00+02:00"),
            read("2027-01-01T00:00:00Z")
        );
        assert_eq!(read("2027-01-15T07:59:59.000Z"), read("1s"));
        assert_eq!("yesterday".parse::<Since>(), Err(NotAMoment));
    }
}
