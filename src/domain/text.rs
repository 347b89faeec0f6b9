//! What every text from outside must be before it is kept: normalized, and with nothing in it that
//! cannot be seen.

use std::ffi::OsStr;

use unicode_normalization::UnicodeNormalization as _;

use super::sighting;

/// A text that cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TextError {
    /// Nothing but spaces.
    #[error("it is empty")]
    Empty,
    /// More characters than there is room for.
    #[error("it is longer than {0} characters")]
    TooLong(usize),
    /// A token's value inside, by its checksum.
    #[error(
        "it holds a token's value, which would be kept in the clear; if it is a live one, revoke that token"
    )]
    Value,
    /// A control, bidirectional or invisible character, by its code point.
    #[error("it contains U+{0:04X}, which cannot be seen")]
    Unseen(u32),
}

/// `text` trimmed and in NFC, if it has 1 to `longest` characters and all of them can be seen.
pub fn clean(text: &str, longest: usize) -> Result<String, TextError> {
    let text: String = text.trim().nfc().collect();
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.chars().count() > longest {
        return Err(TextError::TooLong(longest));
    }
    if sighting::holds_value(&text) {
        return Err(TextError::Value);
    }
    match text.chars().find(|&c| is_unseen(c)) {
        Some(unseen) => Err(TextError::Unseen(unseen.into())),
        None => Ok(text),
    }
}

/// Whether `c` is a control character, steers the direction of writing, or leaves no mark: Unicode
/// 16's categories Cc, Cf, Zl, Zp and Co, its `Default_Ignorable_Code_Point`s, what stands for an
/// object, and the blank of Braille.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x00AD | 0x034F | 0x0600..=0x0605 | 0x061C | 0x06DD | 0x070F | 0x0890..=0x0891
            | 0x08E2 | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
            | 0x2028..=0x202E | 0x2060..=0x206F | 0x2800 | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF
            | 0xE000..=0xF8FF | 0xFFA0 | 0xFFF0..=0xFFFC | 0xFFFE..=0xFFFF | 0x110BD | 0x110CD | 0x13430..=0x1343F
            | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF
            | 0xF0000..=0x10_FFFF)
}

/// `text` with everything in it that cannot be seen written out as `\u{..}`, for a terminal.
pub fn escaped(text: &str) -> String {
    if !text.chars().any(is_unseen) {
        return text.to_owned();
    }
    text.chars().fold(String::new(), |mut out, c| {
        if is_unseen(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
        out
    })
}

/// `word`, or a path, as a POSIX shell reads it back.
pub fn quoted(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref().display().to_string();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+:@%,=".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn trims_and_normalizes() {
        assert_eq!(clean("  Cafe\u{301} ", 10), Ok("Caf\u{e9}".into()));
    }

    #[test]
    fn every_way_to_be_wrong_has_its_error() {
        assert_eq!(clean(" \t ", 10), Err(TextError::Empty));
        assert_eq!(clean("eleven chars", 11), Err(TextError::TooLong(11)));
        for unseen in [
            '\u{1b}',
            '\u{202e}',
            '\u{200b}',
            '\u{2066}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            let text = format!("a{unseen}b");
            assert_eq!(clean(&text, 10), Err(TextError::Unseen(unseen.into())));
            assert!(!escaped(&text).contains(unseen));
        }
    }

    #[test]
    fn a_quoted_word_survives_a_shell() {
        assert_eq!(quoted("/plain"), "/plain");
        assert_eq!(quoted(Path::new("/a b/$c")), "'/a b/$c'");
        assert_eq!(quoted("/ann's"), r"'/ann'\''s'");
        assert_eq!(quoted(""), "''");
    }

    proptest! {
        #[test]
        fn what_was_cleaned_stays_as_it_is(text in ".{0,40}") {
            if let Ok(clean_text) = clean(&text, 40) {
                prop_assert_eq!(clean(&clean_text, 40), Ok(clean_text.clone()));
                prop_assert_eq!(escaped(&clean_text), clean_text);
            }
        }
    }
}
