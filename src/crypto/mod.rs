//! Bytes in, bytes out: which primitive serves which need. Knows no token and no person.
//!
//! - random bytes: the operating system's generator ([`random`])
//! - prints of tokens, the audit chain, digests of rows: SHA-256, FIPS 180-4 ([`digest`])
//! - typing errors in a token: CRC-32, ISO 3309 ([`checksum`])
//! - sealed values: XChaCha20-Poly1305, RFC 8439 with draft-irtf-cfrg-xchacha-03 ([`aead`])
//! - the master key and its file's text ([`keyring`])

pub mod aead;
pub mod checksum;
pub mod digest;
pub mod hex;
pub mod keyring;
pub mod random;
