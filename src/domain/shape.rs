//! [`Shape`]: what a value looks like that is made for the clients of somebody else's API, such as
//! `acme_<32 hex>`. It tells nothing of a value.
//!
//! A value of such a shape has no checksum, and is looked up. One that would be taken for ours, and
//! so refused by a checksum that it has not, is no shape.

use std::{fmt, str::FromStr};

use zeroize::Zeroizing;

use super::credential::{self, VISIBLE_DIGITS};

/// How many bytes of chance are enough for any shape: what is no digit is left out.
pub const CHANCE: usize = 256;

/// The longest of what may stand in front of the digits.
const LONGEST_PREFIX: usize = 32;

/// The most digits.
const MOST_DIGITS: usize = 128;

/// A prefix, and how many digits of which alphabet stand behind it: at least 128 random bits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shape {
    prefix: String,
    digits: usize,
    alphabet: Alphabet,
}

/// Which digits a value consists of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Alphabet {
    /// `0` to `9` and `a` to `f`: 4 bits each.
    Hex,
    /// Digits and letters: not quite 6 bits each.
    Base62,
}

/// The text describes no shape.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ShapeError {
    /// It is not written as one is.
    #[error(
        "expected a prefix and how many digits come behind it, such as `acme_<32 hex>` or \
         `acme_<43 base62>`"
    )]
    Spelling,
    /// What stands in front.
    #[error("a prefix is at most {LONGEST_PREFIX} letters, digits, `_`, `-` and `.`")]
    Prefix,
    /// So few digits that they could be guessed.
    #[error("it has fewer than 128 random bits; take at least `<32 hex>` or `<22 base62>`")]
    Guessable,
    /// More digits than anybody needs.
    #[error("it has more than {MOST_DIGITS} digits")]
    TooLong,
    /// A checksum would be looked for in it.
    #[error(
        "its values would be taken for Keywright's own, and refused by their checksum; choose \
         another prefix or another number of digits"
    )]
    Ours,
}

impl Shape {
    /// What stands in front of the digits.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// How many characters are shown of a value, for people to recognize it: the prefix and four
    /// digits.
    pub fn visible(&self) -> usize {
        self.prefix.len() + VISIBLE_DIGITS
    }

    /// Whether a value of this shape stands anywhere in `text`.
    pub fn stands_in(&self, text: &str) -> bool {
        let is_value = |rest: &str| {
            let digits = rest.strip_prefix(&*self.prefix).unwrap_or_default();
            let digits = digits.bytes().take(self.digits);
            digits
                .filter(|b| self.alphabet.digits().contains(b))
                .count()
                == self.digits
        };
        let mut places = text.char_indices();
        places.any(|(at, _)| is_value(&text[at..]))
    }

    /// The value that comes of this `chance`: the same of the same.
    pub(super) fn filled(&self, chance: &[u8; CHANCE]) -> Zeroizing<String> {
        let digits = self.alphabet.digits();
        let count = u8::try_from(digits.len()).unwrap_or(u8::MAX);
        // The bytes behind the last whole multiple would make some digits likelier than others.
        let fair = |byte: &&u8| u16::from(**byte) < 256 / u16::from(count) * u16::from(count);
        // Reserved whole, so that growing leaves no copy behind.
        let mut value = Zeroizing::new(String::with_capacity(self.prefix.len() + self.digits));
        value.push_str(&self.prefix);
        let drawn = chance.iter().cycle().filter(fair).take(self.digits);
        value.extend(drawn.map(|byte| char::from(digits[usize::from(byte % count)])));
        value
    }
}

impl Alphabet {
    fn digits(self) -> &'static [u8] {
        match self {
            Self::Hex => b"0123456789abcdef",
            Self::Base62 => credential::DIGITS,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Base62 => "base62",
        }
    }

    /// The fewest digits that hold 128 bits.
    fn fewest(self) -> usize {
        match self {
            Self::Hex => 32,
            Self::Base62 => 22,
        }
    }
}

impl FromStr for Shape {
    type Err = ShapeError;

    fn from_str(text: &str) -> Result<Self, ShapeError> {
        let parts = text
            .strip_suffix('>')
            .and_then(|text| text.split_once('<'))
            .and_then(|(prefix, digits)| Some((prefix, digits.split_once(' ')?)));
        let (prefix, (count, alphabet)) = parts.ok_or(ShapeError::Spelling)?;
        let alphabet = match alphabet {
            "hex" => Alphabet::Hex,
            "base62" => Alphabet::Base62,
            _ => return Err(ShapeError::Spelling),
        };
        let is_plain = count.bytes().all(|b| b.is_ascii_digit()) && !count.starts_with('0');
        let digits: usize = match count.parse() {
            Ok(digits) if is_plain => digits,
            Ok(_) | Err(_) => return Err(ShapeError::Spelling),
        };
        let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        if prefix.len() > LONGEST_PREFIX || !prefix.bytes().all(is_part) {
            return Err(ShapeError::Prefix);
        }
        if digits < alphabet.fewest() {
            return Err(ShapeError::Guessable);
        }
        if digits > MOST_DIGITS {
            return Err(ShapeError::TooLong);
        }
        let shape = Self {
            prefix: prefix.to_owned(),
            digits,
            alphabet,
        };
        // All of them look alike to whoever looks at their shape.
        let any = shape.filled(&[0; CHANCE]);
        if credential::is_ours(&any) || credential::is_malformed(&any) {
            return Err(ShapeError::Ours);
        }
        Ok(shape)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            prefix,
            digits,
            alphabet,
        } = self;
        write!(f, "{prefix}<{digits} {}>", alphabet.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_has_the_shape_that_was_asked_for() {
        for (text, digits) in [
            ("spote_<32 hex>", "0123456789abcdef"),
            ("spedy_pat_<48 hex>", "0123456789abcdef"),
            ("<64 hex>", "0123456789abcdef"),
            ("a-b.C_<22 base62>", "digits and letters"),
            (
                "a23456789_123456789_123456789_12<32 hex>",
                "0123456789abcdef",
            ),
        ] {
            let shape: Shape = text.parse().unwrap();
            let value = shape.filled(&[7; CHANCE]);
            let behind = value.strip_prefix(shape.prefix()).unwrap();
            assert_eq!(behind.len(), shape.digits);
            assert!(behind.chars().all(|c| match shape.alphabet {
                Alphabet::Hex => digits.contains(c),
                Alphabet::Base62 => c.is_ascii_alphanumeric(),
            }));
            assert!(!credential::is_malformed(&value), "{text}");
            assert_eq!(shape.to_string(), text);
        }
    }

    #[test]
    fn every_digit_is_as_likely_as_the_next() {
        // Those that would make some digits likelier come first.
        let all: Vec<u8> = (248..=255).chain(0..248).collect();
        let chance: &[u8; CHANCE] = all.as_slice().try_into().unwrap();
        for (text, times) in [("<128 hex>", 8), ("<124 base62>", 2)] {
            let value = text.parse::<Shape>().unwrap().filled(chance);
            for digit in text.parse::<Shape>().unwrap().alphabet.digits() {
                let found = value.bytes().filter(|b| b == digit).count();
                assert_eq!(found, times, "{}", char::from(*digit));
            }
        }
    }

    #[test]
    fn every_way_to_be_wrong_has_its_error() {
        for (text, error) in [
            ("", ShapeError::Spelling),
            ("acme_", ShapeError::Spelling),
            ("acme_<32>", ShapeError::Spelling),
            ("acme_<32 octal>", ShapeError::Spelling),
            ("acme_<032 hex>", ShapeError::Spelling),
            ("acme_<+32 hex>", ShapeError::Spelling),
            ("acme_<32 hex>_x", ShapeError::Spelling),
            ("acme <32 hex>", ShapeError::Prefix),
            ("acmé_<32 hex>", ShapeError::Prefix),
            (
                "a23456789_123456789_123456789_123<32 hex>",
                ShapeError::Prefix,
            ),
            ("acme_<31 hex>", ShapeError::Guessable),
            ("acme_<21 base62>", ShapeError::Guessable),
            ("acme_<129 hex>", ShapeError::TooLong),
            ("kw_pat_<48 hex>", ShapeError::Ours),
            ("kw_cli_<43 base62>", ShapeError::Ours),
            ("acme_pat_<49 base62>", ShapeError::Ours),
        ] {
            assert_eq!(text.parse::<Shape>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_value_is_found_wherever_it_stands() {
        let shape: Shape = "acme_<32 hex>".parse().unwrap();
        let value = shape.filled(&[9; CHANCE]);
        for text in [value.to_string(), format!("my é{}!", *value)] {
            assert!(shape.stands_in(&text), "{text}");
        }
        for text in ["", "acme_", "acme_é", "my acme_0123 token", &value[1..]] {
            assert!(!shape.stands_in(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_shape_reads_back_what_it_writes(
            prefix in "[a-zA-Z0-9_.-]{0,32}", digits in 20usize..130, hex: bool,
        ) {
            let alphabet = if hex { "hex" } else { "base62" };
            let text = format!("{prefix}<{digits} {alphabet}>");
            if let Ok(shape) = text.parse::<Shape>() {
                prop_assert_eq!(shape.to_string(), text);
                prop_assert!(!credential::is_malformed(&shape.filled(&[1; CHANCE])));
            }
        }
    }
}
