//! How a profile writes what is ours: [`IdForm`] for the ids of tokens, [`Precision`] for times.

use std::str::FromStr;

use uuid::Uuid;

use crate::domain::{credential, id::TokenId};

/// How many base-62 digits hold the 128 bits of an id.
const DIGITS: usize = 22;

/// How the ids of tokens are written: a prefix and the UUID, in one of three ways. Each can be read
/// back, so that nothing has to be kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct IdForm {
    prefix: String,
    spelling: Spelling,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Spelling {
    /// `019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001`.
    Uuid,
    /// The same without hyphens.
    Hex,
    /// 22 digits and letters.
    Base62,
}

/// The text is no form of ids.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "expected `<uuid>`, `<hex>` or `<base62>`, with at most 16 letters, digits, `_` and `-` in front"
)]
pub(super) struct NotAForm;

impl FromStr for IdForm {
    type Err = NotAForm;

    fn from_str(text: &str) -> Result<Self, NotAForm> {
        let spellings = [
            ("<uuid>", Spelling::Uuid),
            ("<hex>", Spelling::Hex),
            ("<base62>", Spelling::Base62),
        ];
        let (prefix, spelling) = spellings
            .into_iter()
            .find_map(|(end, spelling)| Some((text.strip_suffix(end)?, spelling)))
            .ok_or(NotAForm)?;
        let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if prefix.len() > 16 || !prefix.bytes().all(is_part) {
            return Err(NotAForm);
        }
        Ok(Self {
            prefix: prefix.to_owned(),
            spelling,
        })
    }
}

impl IdForm {
    /// The id, which the wire writes as a UUID, in this form.
    pub(super) fn written(&self, id: &str) -> String {
        let uuid = id.parse().unwrap_or(Uuid::nil());
        let prefix = &self.prefix;
        match self.spelling {
            Spelling::Uuid => format!("{prefix}{uuid}"),
            Spelling::Hex => format!("{prefix}{}", uuid.simple()),
            Spelling::Base62 => format!("{prefix}{}", base62(uuid.as_u128())),
        }
    }

    /// The id that `text` is in this form. What is none is nobody's id, and looked up as such: so
    /// it is refused as one that is not there.
    pub(super) fn read(&self, text: &str) -> TokenId {
        let rest = text.strip_prefix(&*self.prefix).unwrap_or_default();
        let uuid = match self.spelling {
            Spelling::Uuid | Spelling::Hex => Uuid::try_parse(rest).ok(),
            Spelling::Base62 => number(rest).map(Uuid::from_u128),
        };
        let id = TokenId::from(uuid.unwrap_or(Uuid::nil()));
        // One spelling alone.
        if self.written(&id.to_string()) == text {
            id
        } else {
            Uuid::nil().into()
        }
    }
}

fn base62(mut number: u128) -> String {
    let mut digits = [b'0'; DIGITS];
    for place in digits.iter_mut().rev() {
        let digit = usize::try_from(number % 62).unwrap_or_default();
        *place = credential::DIGITS[digit];
        number /= 62;
    }
    digits.map(char::from).iter().collect()
}

fn number(text: &str) -> Option<u128> {
    text.bytes().try_fold(0u128, |number, byte| {
        let digit = credential::DIGITS.iter().position(|d| *d == byte)?;
        number
            .checked_mul(62)?
            .checked_add(u128::try_from(digit).ok()?)
    })
}

/// How exactly times are written: RFC 3339, UTC, `Z`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Precision {
    Seconds,
    Milliseconds,
}

/// The text is no precision.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected `seconds` or `milliseconds`")]
pub(super) struct NotAPrecision;

impl FromStr for Precision {
    type Err = NotAPrecision;

    fn from_str(text: &str) -> Result<Self, NotAPrecision> {
        match text {
            "seconds" => Ok(Self::Seconds),
            "milliseconds" => Ok(Self::Milliseconds),
            _ => Err(NotAPrecision),
        }
    }
}

impl Precision {
    /// A time, which the wire writes with milliseconds, with this precision. What is cut off is not
    /// rounded: nothing is told to happen later than it did.
    pub(super) fn written(self, time: &str) -> String {
        match (self, time.split_once('.')) {
            (Self::Seconds, Some((seconds, _))) => format!("{seconds}Z"),
            (Self::Seconds | Self::Milliseconds, _) => time.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_reads_back_what_it_writes() {
        let id = TokenId::fresh();
        for form in ["<uuid>", "tok_<base62>", "<hex>", "key-<uuid>"] {
            let form: IdForm = form.parse().unwrap();
            let text = form.written(&id.to_string());
            assert_eq!(form.read(&text), id, "{text}");
        }
    }

    #[test]
    fn what_is_no_id_is_nobodys() {
        let nobody = TokenId::from(Uuid::nil());
        let id = TokenId::fresh();
        let forms = ["<uuid>", "tok_<base62>", "<hex>"].map(|form| form.parse::<IdForm>().unwrap());
        for form in &forms {
            let text = form.written(&id.to_string());
            for wrong in [
                "",
                "é",
                &text[1..],
                &format!("{text}0"),
                &format!("{text} "),
                &text.to_uppercase(),
                "tok_zzzzzzzzzzzzzzzzzzzzzz",
                "tok_0",
            ] {
                assert_eq!(form.read(wrong), nobody, "{wrong}");
            }
        }
    }

    #[test]
    fn a_wrong_form_is_refused() {
        for text in [
            "",
            "uuid",
            "<UUID>",
            "tok <uuid>",
            "tok_<base64>",
            "a23456789_1234567<hex>",
        ] {
            assert_eq!(text.parse::<IdForm>(), Err(NotAForm), "{text}");
        }
        assert_eq!("minutes".parse::<Precision>(), Err(NotAPrecision));
    }

    #[test]
    fn a_time_is_cut_and_not_rounded() {
        let time = "2027-01-15T08:00:00.999Z";
        assert_eq!(Precision::Seconds.written(time), "2027-01-15T08:00:00Z");
        assert_eq!(Precision::Milliseconds.written(time), time);
    }

    proptest! {
        #[test]
        fn any_number_reads_back(value: u128) {
            prop_assert_eq!(number(&base62(value)), Some(value));
        }
    }
}
