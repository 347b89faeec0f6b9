//! Times as they are written: RFC 3339, UTC, `Z`, milliseconds.

use chrono::SecondsFormat;

use crate::domain::clock::Time;

/// The time as text.
pub fn rfc3339(at: Time) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The time as text, if there is one.
pub fn maybe(at: Option<Time>) -> Option<String> {
    at.map(rfc3339)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::from_millis;

    #[test]
    fn has_milliseconds_and_a_z() {
        let at = from_millis(1_800_000_000_120);
        assert_eq!(rfc3339(at), "2027-01-15T08:00:00.120Z");
    }
}
