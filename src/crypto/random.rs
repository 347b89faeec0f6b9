//! Bytes from the operating system. Nothing here is seeded, buffered or repeatable.

use rand::{TryRng as _, rngs::SysRng};
use zeroize::Zeroizing;

/// `N` bytes that nobody can guess, wiped when dropped.
///
/// # Panics
///
/// Where the operating system has no random numbers to give.
pub fn bytes<const N: usize>() -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    SysRng
        .try_fill_bytes(bytes.as_mut_slice())
        .expect("without the operating system's generator no token is safe to make");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_draws_are_the_same() {
        assert_ne!(bytes::<32>(), bytes::<32>());
    }
}
