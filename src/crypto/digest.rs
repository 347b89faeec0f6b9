//! SHA-256, whole or field by field, and equality that takes the same time for every input.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// The digest of `bytes`.
pub fn sha256(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

/// Whether `a` and `b` are the same, in a time that depends on their lengths alone.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// A digest over fields, each with its length before it, so that no two lists of fields run
/// together into the same bytes. The order and the kinds of the fields are part of what is kept:
/// changing them makes every digest that was stored wrong.
#[derive(Clone)]
pub struct Fields(Sha256);

impl Fields {
    /// Starts with `purpose`, so that digests made for one thing never fit another.
    pub fn new(purpose: &str) -> Self {
        Self(Sha256::new()).text(purpose)
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update([1]);
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, number: i64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// Adds what may be missing: nothing and an empty field differ.
    #[must_use]
    pub fn maybe<T>(mut self, field: Option<T>, add: impl FnOnce(Self, T) -> Self) -> Self {
        if let Some(field) = field {
            add(self, field)
        } else {
            self.0.update([0]);
            self
        }
    }

    /// The digest of all of them.
    pub fn finish(self) -> Digest {
        self.0.finalize().into()
    }
}

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fields(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::hex::hex;

    #[test]
    fn digests_as_fips_180_4_does() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&sha256(b"abc")), expected);
    }

    #[test]
    fn fields_do_not_run_together() {
        let one = Fields::new("t").text("ab").text("c").finish();
        let other = Fields::new("t").text("a").text("bc").finish();
        assert_ne!(one, other);
    }

    #[test]
    fn nothing_is_not_an_empty_field() {
        let none = Fields::new("t").maybe(None, Fields::text).finish();
        let empty = Fields::new("t").maybe(Some(""), Fields::text).finish();
        assert_ne!(none, empty);
    }

    #[test]
    fn equality_is_equality() {
        assert!(equal(b"abc", b"abc"));
        assert!(!equal(b"abc", b"abd"));
        assert!(!equal(b"abc", b"ab"));
    }
}
