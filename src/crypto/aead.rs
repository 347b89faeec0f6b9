//! Seals and opens bytes with associated data: XChaCha20-Poly1305. Does not know where keys come
//! from.

use chacha20poly1305::{
    Key, KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use zeroize::Zeroizing;

use super::random;

const NONCE: usize = 24;

/// Seals `plain` so that only the same `key` and the same `bound` open it. The answer is a fresh
/// random nonce and the ciphertext with its tag.
///
/// # Panics
///
/// For more than 256 GiB, which no value has.
pub fn seal(key: &[u8; 32], bound: &[u8], plain: &[u8]) -> Vec<u8> {
    let nonce = random::bytes::<NONCE>();
    let payload = Payload {
        msg: plain,
        aad: bound,
    };
    let sealed = XChaCha20Poly1305::new(&Key::from(*key))
        .encrypt(&XNonce::from(*nonce), payload)
        .expect("a value is far shorter than the 256 GiB that the cipher can seal");
    [nonce.as_slice(), &sealed].concat()
}

/// Opens what [`seal`] made, or answers `None`: another key, another binding, or altered bytes.
pub fn open(key: &[u8; 32], bound: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, msg) = sealed.split_first_chunk::<NONCE>()?;
    let payload = Payload { msg, aad: bound };
    XChaCha20Poly1305::new(&Key::from(*key))
        .decrypt(&XNonce::from(*nonce), payload)
        .ok()
        .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    #[test]
    fn opens_what_it_sealed() {
        let sealed = seal(&KEY, b"row 1", b"value");
        assert_eq!(open(&KEY, b"row 1", &sealed).unwrap().as_slice(), b"value");
    }

    #[test]
    fn opens_nothing_for_another_key_row_or_byte() {
        let mut sealed = seal(&KEY, b"row 1", b"value");
        assert!(open(&[8; 32], b"row 1", &sealed).is_none());
        assert!(open(&KEY, b"row 2", &sealed).is_none());
        *sealed.last_mut().unwrap() ^= 1;
        assert!(open(&KEY, b"row 1", &sealed).is_none());
        assert!(open(&KEY, b"row 1", b"short").is_none());
    }

    #[test]
    fn the_same_value_is_never_sealed_alike() {
        assert_ne!(seal(&KEY, b"", b"value"), seal(&KEY, b"", b"value"));
    }
}
