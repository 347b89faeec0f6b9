//! [`SecretValue`] and [`Sealed`]: the one kind of value that can be shown again.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

/// A CLI token's value, opened. Wiped when dropped.
pub struct SecretValue(SecretString);

/// A CLI token's value as it is kept: a nonce and a ciphertext, and which key opens it.
#[derive(Clone, Eq, PartialEq)]
pub struct Sealed {
    /// The id of the key.
    pub key_id: String,
    /// The nonce and the ciphertext.
    pub bytes: Vec<u8>,
}

impl SecretValue {
    /// Keeps `value` from being shown.
    pub fn new(value: &str) -> Self {
        Self(SecretString::from(value))
    }

    /// The value itself. Every caller of this is a place to review.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue([redacted])")
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed(with key {})", self.key_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_shows_itself() {
        let sealed = Sealed {
            key_id: "k".into(),
            bytes: vec![222, 173],
        };
        let shown = format!("{:?} {sealed:?}", SecretValue::new("hush"));
        assert_eq!(shown, "SecretValue([redacted]) Sealed(with key k)");
    }
}
