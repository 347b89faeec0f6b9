//! [`IdempotencyKey`]: what makes a call harmless to repeat.

use chrono::Duration;

use super::sighting;

/// How long a key is kept.
pub const LIFE: Duration = Duration::hours(24);

/// 1 to 255 visible ASCII characters, chosen by the caller.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IdempotencyKey(String);

/// The text is no key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "expected 1 to 255 visible ASCII characters without spaces, such as a UUID, and no token's value"
)]
pub struct NotAKey;

impl IdempotencyKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for IdempotencyKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let fits = (1..=255).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_graphic())
            && !sighting::holds_value(text);
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAKey)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_and_not_endless() {
        assert!("0190-a".parse::<IdempotencyKey>().is_ok());
        for text in ["", "a b", "é", &"x".repeat(256)] {
            assert_eq!(text.parse::<IdempotencyKey>(), Err(NotAKey));
        }
    }
}
