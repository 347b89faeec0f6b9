//! [`Label`]: what a person calls a token, or another thing of theirs.

use std::fmt;

use super::text::{self, TextError};

/// The most characters that a label may have.
pub const LONGEST: usize = 200;

/// A name for people: 1 to 200 characters, trimmed, in NFC, all of them visible. The same label
/// may stand twice. It is data: nothing in it is ever followed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Label(String);

impl Label {
    /// Trims, normalizes and keeps `text`.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        text::clean(text, LONGEST).map(Self)
    }

    /// The label as the store kept it. One that was edited behind our back stays harmless: what
    /// cannot be seen in it is written out.
    pub fn from_kept(kept: &str) -> Self {
        Self(text::escaped(kept))
    }

    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hundred_characters_fit_and_one_more_does_not() {
        assert!(Label::parse(&"é".repeat(200)).is_ok());
        assert_eq!(Label::parse(&"é".repeat(201)), Err(TextError::TooLong(200)));
    }
}
