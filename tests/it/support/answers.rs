//! What stands in an answer.

use keywright::authority::{Delivered, Error, Minted};

/// The value in an answer.
pub(crate) fn value(minted: &Minted) -> String {
    match &minted.delivered {
        Delivered::Value(value) => value.expose().to_owned(),
        other @ (Delivered::Claim { .. } | Delivered::Before) => {
            panic!("there is no value in {other:?}")
        }
    }
}

/// The same value with another last digit, and so a checksum that does not fit.
pub(crate) fn mistyped(value: &str) -> String {
    let (most, last) = value.split_at(value.len() - 1);
    format!("{most}{}", if last == "x" { "y" } else { "x" })
}

/// The claim code in an answer.
pub(crate) fn code(minted: &Minted) -> String {
    match &minted.delivered {
        Delivered::Claim { code, .. } => code.expose(),
        other @ (Delivered::Value(_) | Delivered::Before) => {
            panic!("there is no code in {other:?}")
        }
    }
}

/// What a refusal says.
pub(crate) fn why<T>(refused: Result<T, Error>) -> String {
    match refused {
        Ok(_) => panic!("it was not refused"),
        Err(error) => error.to_string(),
    }
}
