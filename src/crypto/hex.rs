//! Hexadecimal digits. Small letters alone, so that one value has one spelling.

use zeroize::Zeroizing;

/// `bytes` as hexadecimal digits, in small letters.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// The `N` bytes that `text` writes, if it does; wiped when dropped.
pub fn unhex<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    let text = text.as_bytes();
    if text.len() != 2 * N {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = Zeroizing::new([0; N]);
    for (place, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *place = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_writes() {
        let bytes = [0, 1, 15, 16, 255];
        assert_eq!(hex(&bytes), "00010f10ff");
        assert_eq!(unhex::<5>("00010f10ff").as_deref(), Some(&bytes));
    }

    #[test]
    fn another_spelling_is_refused() {
        for text in ["", "0", "000", "0g", "0F", "é"] {
            assert_eq!(unhex::<1>(text), None, "{text}");
        }
    }
}
