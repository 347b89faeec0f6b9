//! [`PlainToken`], [`HashedToken`] and [`TokenPrefix`]: a value, its print, and what may be shown
//! of it. Neither of the first two shows itself.
//!
//! A value of ours is `<brand>_<kind>_<43 base-62 digits><6 base-62 digits>`: 256 random bits, and
//! the CRC-32 of everything before it, so that a typing error is refused without a look-up and a
//! scanner can tell a real one from noise.

use std::{fmt, str::FromStr, sync::Arc};

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::{
    shape::{CHANCE, Shape},
    text,
    token::{Format, Kind},
};
use crate::crypto::{checksum, digest, random};

const RANDOM_DIGITS: usize = 43;
const CHECK_DIGITS: usize = 6;
/// How many digits of a value may be shown.
pub(super) const VISIBLE_DIGITS: usize = 4;

/// How many digits stand behind the kind.
pub(super) const RANDOM_AND_CHECK_DIGITS: usize = RANDOM_DIGITS + CHECK_DIGITS;

pub(crate) const DIGITS: &[u8; 62] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// No token, ours or imported, is longer. What is longer is refused before it is hashed.
pub const LONGEST: usize = 4096;

/// What every value of ours begins with. Tokens of an older brand stay valid.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Brand(Arc<str>);

/// The text is no brand.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a brand is 1 to 16 lower-case letters and digits, begins with a letter, and is no kind of token"
)]
pub struct NotABrand;

/// A value in the clear, wiped when dropped. It lives from its making until its answer is written.
pub struct PlainToken {
    value: SecretString,
    shape: Option<Shape>,
}

/// The only form in which a value that is never shown again is kept: SHA-256 of the whole string.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct HashedToken(digest::Digest);

/// What may be shown of a value for people to recognize it: brand, kind and four digits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenPrefix(String);

impl Default for Brand {
    fn default() -> Self {
        Self("kw".into())
    }
}

impl FromStr for Brand {
    type Err = NotABrand;

    fn from_str(text: &str) -> Result<Self, NotABrand> {
        if is_brand(text) && text.parse::<Kind>().is_err() {
            Ok(Self(text.into()))
        } else {
            Err(NotABrand)
        }
    }
}

impl PlainToken {
    /// A value that nobody has.
    pub fn generate(brand: &Brand, kind: Kind) -> Self {
        // Reserved whole, so that growing leaves no copy behind.
        let mut text = Zeroizing::new(String::with_capacity(
            brand.0.len() + 5 + RANDOM_AND_CHECK_DIGITS,
        ));
        text.push_str(&brand.0);
        text.push('_');
        text.push_str(kind.as_str());
        text.push('_');
        text.push_str(&base62(&random::bytes::<32>()));
        let check = checked(&text);
        text.push_str(&check);
        Self {
            value: SecretString::from(text.as_str()),
            shape: None,
        }
    }

    /// The value of another product's shape that comes of this chance: the same of the same, so
    /// that a transaction may run twice.
    pub fn shaped(shape: &Shape, chance: &[u8; CHANCE]) -> Self {
        Self {
            value: SecretString::from(shape.filled(chance).as_str()),
            shape: Some(shape.clone()),
        }
    }

    /// A value that was made elsewhere, to be sealed here.
    pub fn imported(value: &str) -> Self {
        Self {
            value: SecretString::from(value),
            shape: None,
        }
    }

    /// Who made it, and what it looks like. Do not ask it of one that was made elsewhere.
    pub fn format(&self) -> Format {
        self.shape.clone().map_or(Format::Keywright, Format::Shaped)
    }

    /// The print to keep.
    pub fn hashed(&self) -> HashedToken {
        HashedToken::of(self.expose())
    }

    /// What may be shown of it. Do not ask it of one that was made elsewhere.
    pub fn prefix(&self) -> TokenPrefix {
        match &self.shape {
            None => prefix_of(self.expose()),
            Some(shape) => {
                let shown = self.expose().get(..shape.visible());
                TokenPrefix(shown.unwrap_or_default().to_owned())
            }
        }
    }

    /// The value itself. Every caller of this is a place to review.
    pub fn expose(&self) -> &str {
        self.value.expose_secret()
    }
}

impl HashedToken {
    /// The print of what someone presents.
    pub fn of(plain: &str) -> Self {
        Self(digest::sha256(plain.as_bytes()))
    }

    /// The print as the store kept it.
    pub fn from_kept(print: digest::Digest) -> Self {
        Self(print)
    }

    /// The print as the store keeps it.
    pub fn as_bytes(&self) -> &digest::Digest {
        &self.0
    }
}

impl TokenPrefix {
    /// The prefix as the store kept it. One that was edited behind our back stays harmless: what
    /// cannot be seen in it is written out.
    pub fn from_kept(kept: &str) -> Self {
        Self(text::escaped(kept))
    }

    /// The prefix as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainToken([redacted])")
    }
}

impl fmt::Debug for HashedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashedToken(..)")
    }
}

/// Whether `presented` cannot be a token: empty, endless, or of our own shape with a checksum that
/// does not fit. Such a text is refused without a look-up. Other shapes are looked up, for they may
/// be older than ours.
pub fn is_malformed(presented: &str) -> bool {
    if presented.is_empty() || presented.len() > LONGEST {
        return true;
    }
    if !is_ours(presented) {
        // Cut short, or with something behind it.
        let kind = presented
            .strip_prefix(&*Brand::default().0)
            .and_then(|rest| rest.strip_prefix('_'))
            .and_then(|rest| rest.split_once('_'));
        return kind.is_some_and(|(kind, _)| kind.parse::<Kind>().is_ok());
    }
    let (body, check) = presented.split_at(presented.len() - CHECK_DIGITS);
    checked(body) != check
}

/// Whether `text` is a value of ours, of whatever brand, and nothing else.
pub fn is_value(text: &str) -> bool {
    is_ours(text) && !is_malformed(text)
}

/// `text` with everything in it that could be a value of ours cut down to its visible prefix, for
/// words that repeat what somebody typed.
pub fn without_values(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((_, digits)) = kinds_in(rest).next() {
        let (before, digits) = rest.split_at(rest.len() - digits.len());
        shown.push_str(before);
        let end = digits.find(|c: char| !c.is_ascii_alphanumeric());
        let (run, after) = digits.split_at(end.unwrap_or(digits.len()));
        // Fewer are no value, and no part of one that gives it away.
        if run.len() >= 2 * VISIBLE_DIGITS {
            shown.push_str(&run[..VISIBLE_DIGITS]);
            shown.push_str("[redacted]");
        } else {
            shown.push_str(run);
        }
        rest = after;
    }
    shown.push_str(rest);
    shown
}

/// What may be shown of a value of our shape. Do not ask it of another.
pub(super) fn prefix_of(value: &str) -> TokenPrefix {
    let shown = value.len().saturating_sub(RANDOM_AND_CHECK_DIGITS) + VISIBLE_DIGITS;
    TokenPrefix(value.get(..shown).unwrap_or_default().to_owned())
}

/// Where in `text` a kind of token stands between `_` and `_`, and what comes behind it, in order.
pub(super) fn kinds_in(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices('_').filter_map(move |(at, _)| {
        let behind = &text[at + 1..];
        let digits = [Kind::Pat, Kind::Cli]
            .iter()
            .find_map(|kind| behind.strip_prefix(kind.as_str())?.strip_prefix('_'))?;
        Some((at, digits))
    })
}

/// Whether `text` has the shape of a value of ours, whatever its checksum.
pub(super) fn is_ours(text: &str) -> bool {
    let mut parts = text.splitn(3, '_');
    let (Some(brand), Some(kind), Some(digits)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    is_brand(brand)
        && kind.parse::<Kind>().is_ok()
        && digits.len() == RANDOM_AND_CHECK_DIGITS
        && digits.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_brand(text: &str) -> bool {
    (1..=16).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

fn checked(body: &str) -> String {
    let mut check = checksum::crc32(body.as_bytes());
    let mut digits = [b'0'; CHECK_DIGITS];
    for place in digits.iter_mut().rev() {
        *place = DIGITS[(check % 62) as usize];
        check /= 62;
    }
    digits.map(char::from).iter().collect()
}

/// 256 bits as 43 digits, the most significant first.
fn base62(bytes: &[u8; 32]) -> Zeroizing<String> {
    let mut number = Zeroizing::new(*bytes);
    let mut digits = Zeroizing::new([b'0'; RANDOM_DIGITS]);
    for place in digits.iter_mut().rev() {
        // Long division by 62, a byte at a time.
        let mut rest: u16 = 0;
        for byte in number.iter_mut() {
            let part = rest << 8 | u16::from(*byte);
            *byte = u8::try_from(part / 62).expect("a rest below 62 leaves a quotient below 256");
            rest = part % 62;
        }
        *place = DIGITS[usize::from(rest)];
    }
    Zeroizing::new(digits.iter().copied().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fresh() -> PlainToken {
        PlainToken::generate(&Brand::default(), Kind::Pat)
    }

    #[test]
    fn a_fresh_value_has_its_shape_and_its_checksum() {
        let token = fresh();
        let digits = token.expose().strip_prefix("kw_pat_").unwrap();
        assert_eq!(digits.len(), 49);
        assert!(digits.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert!(!is_malformed(token.expose()));
    }

    #[test]
    fn a_value_is_told_from_what_only_looks_like_one() {
        let brand = "acme".parse().unwrap();
        let token = PlainToken::generate(&brand, Kind::Cli);
        let value = token.expose();
        assert!(is_value(value));
        for text in [
            &value[1..],
            &value[..50],
            &format!("{value}\n"),
            "",
            "hunter2",
        ] {
            assert!(!is_value(text), "{text}");
        }
    }

    #[test]
    fn all_256_bits_are_in_it() {
        assert_eq!(*base62(&[0; 32]), "0".repeat(43));
        assert_eq!(
            *base62(&[255; 32]),
            "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1"
        );
        assert_ne!(*base62(&[255; 32]), *base62(&[254; 32]));
    }

    #[test]
    fn the_prefix_is_brand_kind_and_four_digits() {
        let token = PlainToken::generate(&"acme".parse().unwrap(), Kind::Cli);
        let prefix = token.prefix();
        assert_eq!(prefix.as_str().len(), "acme_cli_".len() + 4);
        assert!(token.expose().starts_with(prefix.as_str()));
    }

    #[test]
    fn a_value_of_another_shape_is_told_by_its_beginning() {
        let shape: Shape = "spote_<32 hex>".parse().unwrap();
        let token = PlainToken::shaped(&shape, &[200; CHANCE]);
        let other = PlainToken::shaped(&shape, &random::bytes());

        assert_eq!(token.prefix().as_str(), "spote_8888");
        assert_eq!(token.format(), Format::Shaped(shape));
        assert_ne!(token.expose(), other.expose());
        assert_eq!(format!("{token:?}"), "PlainToken([redacted])");
    }

    #[test]
    fn does_not_show_itself() {
        let token = fresh();
        let shown = format!("{token:?} {:?}", token.hashed());
        assert_eq!(shown, "PlainToken([redacted]) HashedToken(..)");
    }

    #[test]
    fn noise_is_refused_and_other_shapes_are_looked_up() {
        for noise in [
            "",
            "kw_pat_",
            "kw_pat_abc",
            "kw_cli_!",
            &"x".repeat(LONGEST + 1),
        ] {
            assert!(is_malformed(noise), "{noise}");
        }
        for other in [
            "spote_a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4",
            "spedy_pat_abc123def456",
            "x",
            &"x".repeat(LONGEST),
        ] {
            assert!(!is_malformed(other), "{other}");
        }
    }

    #[test]
    fn nothing_of_a_value_is_left_wherever_it_stands() {
        let token = fresh();
        let value = token.expose();
        for text in [
            value.to_owned(),
            format!("my {value}!"),
            format!("x_{value}"),
            format!("{value}_x"),
            format!("https://host/?t={value}&x=1"),
        ] {
            assert!(!without_values(&text).contains(&value[11..]), "{text}");
        }
    }

    #[test]
    fn a_brand_is_short_and_plain() {
        for text in ["", "KW", "1a", "a_b", "abcdefghijklmnopq"] {
            assert_eq!(text.parse::<Brand>(), Err(NotABrand), "{text}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_noticed(at in 0usize..56, by in 1u8..62) {
            let token = fresh();
            let mut typed = token.expose().as_bytes().to_vec();
            if let Some(digit) = DIGITS.iter().position(|d| *d == typed[at]) {
                typed[at] = DIGITS[(digit + usize::from(by)) % 62];
                let typed = String::from_utf8(typed).unwrap();
                // A wrong kind makes it another shape, which no row has.
                prop_assert!(is_malformed(&typed) || typed.split('_').nth(1) != Some("pat") || !is_brand(typed.split('_').next().unwrap()));
            }
        }
    }

    #[test]
    fn words_that_repeat_a_value_are_cut_down_to_its_prefix() {
        let value = PlainToken::generate(&Brand::default(), Kind::Cli);
        let text = format!("no `{}`, no {}\n", value.expose(), value.expose());
        let prefix = value.prefix();
        let shown = format!("no `{0}[redacted]`, no {0}[redacted]\n", prefix.as_str());
        assert_eq!(without_values(&text), shown);
        for harmless in [
            "",
            "a `snake_case` word",
            "kw_pat_abcd",
            "kw_pat_abcd012",
            "set_cli_token é",
            "a_pat_on_the_shoulder",
        ] {
            assert_eq!(without_values(harmless), harmless);
        }
    }
}
