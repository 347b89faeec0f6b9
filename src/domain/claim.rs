//! [`Claim`] and [`ClaimCode`]: a person's one-time pick-up of a value, and what they type for it.

use std::{fmt, str::FromStr};

use chrono::Duration;
use secrecy::{ExposeSecret as _, SecretString};

use super::{actor::Actor, clock::Time, id::TokenId};
use crate::crypto::{digest, random};

/// How long a claim waits for its person.
pub const LIFE: Duration = Duration::minutes(10);

/// After how long an unclaimed token is swept.
pub const SWEPT_AFTER: Duration = Duration::hours(24);

/// Crockford's base 32: no I, L, O or U.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 12;

/// Twelve digits in groups of four: 60 random bits. Kept as a hash, like a token.
pub struct ClaimCode(SecretString);

/// The only form in which a code is kept.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct HashedCode(digest::Digest);

/// The text is no code. (It is not repeated: it may be a value gone astray.)
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a claim code is twelve letters and digits, such as `7K3M-Q9TX-2BWF`")]
pub struct NotACode;

/// A pick-up that waits, or has happened.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The print of its code.
    pub code: HashedCode,
    /// Whose value it is for.
    pub token: TokenId,
    /// Who asked for the value to be made.
    pub opened_by: Actor,
    /// When.
    pub opened_at: Time,
    /// Until when it waits.
    pub expires_at: Time,
    /// How long the value before it stays good after the pick-up.
    pub overlap: Duration,
    /// When it was picked up.
    pub used_at: Option<Time>,
}

impl ClaimCode {
    /// A code that nobody has.
    pub fn generate() -> Self {
        let text: String = random::bytes::<LENGTH>()
            .iter()
            .map(|byte| char::from(DIGITS[usize::from(byte % 32)]))
            .collect();
        Self(text.into())
    }

    /// The print to keep.
    pub fn hashed(&self) -> HashedCode {
        HashedCode(
            digest::Fields::new("keywright claim code 1")
                .text(self.0.expose_secret())
                .finish(),
        )
    }

    /// The code as a person reads it. Every caller of this is a place to review.
    pub fn expose(&self) -> String {
        let code = self.0.expose_secret();
        format!("{}-{}-{}", &code[..4], &code[4..8], &code[8..])
    }
}

impl FromStr for ClaimCode {
    type Err = NotACode;

    /// Forgives what people do: small letters, other separators, O for 0, I and L for 1.
    fn from_str(text: &str) -> Result<Self, NotACode> {
        let mut code = String::with_capacity(LENGTH);
        for typed in text.chars().filter(|c| !matches!(c, '-' | ' ')) {
            let digit = match typed.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            if !u8::try_from(digit).is_ok_and(|d| DIGITS.contains(&d)) || code.len() == LENGTH {
                return Err(NotACode);
            }
            code.push(digit);
        }
        match code.len() {
            LENGTH => Ok(Self(code.into())),
            _ => Err(NotACode),
        }
    }
}

impl HashedCode {
    /// The print as the store kept it.
    pub fn from_kept(print: digest::Digest) -> Self {
        Self(print)
    }

    /// The print as the store keeps it.
    pub fn as_bytes(&self) -> &digest::Digest {
        &self.0
    }
}

impl fmt::Debug for ClaimCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimCode([redacted])")
    }
}

impl fmt::Debug for HashedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashedCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = ClaimCode::generate();
        let shown = code.expose();
        assert_eq!(shown.len(), 14);
        for typed in [shown.clone(), shown.to_lowercase(), shown.replace('-', " ")] {
            let read: ClaimCode = typed.parse().unwrap();
            assert_eq!(read.hashed(), code.hashed());
        }
        let likely = "o0ii-llll-2bwf".parse::<ClaimCode>().unwrap();
        assert_eq!(likely.expose(), "0011-1111-2BWF");
    }

    #[test]
    fn every_digit_is_drawn_in_every_place() {
        let mut drawn = vec![BTreeSet::new(); LENGTH];
        for _ in 0..1_000 {
            let code = ClaimCode::generate();
            let digits = code.0.expose_secret().bytes();
            drawn.iter_mut().zip(digits).for_each(|(place, digit)| {
                place.insert(digit);
            });
        }
        assert!(drawn.iter().all(|place| place.len() == DIGITS.len()));
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in ["", "7K3M", "7K3M-Q9TX-2BWU", "7K3M-Q9TX-2BWF-0", "kw_pat_x"] {
            assert_eq!(text.parse::<ClaimCode>().unwrap_err(), NotACode, "{text}");
        }
    }

    #[test]
    fn does_not_show_itself() {
        let code = ClaimCode::generate();
        let shown = format!("{code:?} {:?}", code.hashed());
        assert_eq!(shown, "ClaimCode([redacted]) HashedCode(..)");
    }
}
