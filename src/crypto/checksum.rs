//! CRC-32, for typing errors alone: it proves nothing about who wrote a text.

/// The CRC-32 of `bytes`, as zlib, gzip and PNG have it.
pub fn crc32(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_common_crc_32() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
