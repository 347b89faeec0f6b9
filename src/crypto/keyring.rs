//! A master key with its id, and the text that a key file holds. Does not know the database.

use std::{fmt, str::FromStr};

use zeroize::Zeroizing;

use super::{
    digest,
    hex::{hex, unhex},
    random,
};

/// The first line of a key file. Never change it: every key file that exists begins with it.
const TITLE: &str = "keywright vault key 1";

/// Names a key without saying anything of it: 16 hexadecimal digits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyId(String);

/// A master key. Wiped when dropped; shows its id alone.
pub struct MasterKey {
    id: KeyId,
    key: Zeroizing<[u8; 32]>,
}

/// Why a text is no key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// It does not begin as a key file does.
    #[error("it is not a keywright key file")]
    Title,
    /// A line is missing, cut short or not hexadecimal.
    #[error("it is cut short or damaged")]
    Damaged,
    /// The lines do not belong together.
    #[error("its check value does not fit its key")]
    Check,
}

impl KeyId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl MasterKey {
    /// A key that nobody has.
    pub fn generate() -> Self {
        Self {
            id: KeyId(hex(random::bytes::<8>().as_slice())),
            key: random::bytes(),
        }
    }

    /// Which key this is.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The key itself, for a cipher.
    pub fn expose(&self) -> &[u8; 32] {
        &self.key
    }

    /// The text of its file. Wiped when dropped.
    pub fn to_text(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(hex(self.key.as_slice()));
        let check = hex(&self.check());
        Zeroizing::new(format!(
            "{TITLE}\nid {}\nkey {}\ncheck {check}\n",
            self.id, *key
        ))
    }

    fn check(&self) -> [u8; 8] {
        let digest = digest::Fields::new(TITLE)
            .text(self.id.as_str())
            .bytes(self.key.as_slice())
            .finish();
        let mut check = [0; 8];
        check.copy_from_slice(&digest[..8]);
        check
    }
}

impl FromStr for MasterKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut lines = text.lines();
        if lines.next() != Some(TITLE) {
            return Err(KeyError::Title);
        }
        let mut field = |name: &str| {
            let (found, value) = lines.next()?.split_once(' ')?;
            (found == name).then_some(value)
        };
        let id = field("id").and_then(unhex::<8>).ok_or(KeyError::Damaged)?;
        let key = field("key")
            .and_then(unhex::<32>)
            .ok_or(KeyError::Damaged)?;
        let check = field("check")
            .and_then(unhex::<8>)
            .ok_or(KeyError::Damaged)?;
        let read = Self {
            id: KeyId(hex(id.as_slice())),
            key,
        };
        if digest::equal(&read.check(), check.as_slice()) {
            Ok(read)
        } else {
            Err(KeyError::Check)
        }
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_wrote() {
        let key = MasterKey::generate();
        let read: MasterKey = key.to_text().parse().unwrap();
        assert_eq!(read.id(), key.id());
        assert_eq!(read.expose(), key.expose());
    }

    #[test]
    fn every_way_to_be_wrong_is_told_apart() {
        let text = MasterKey::generate().to_text();
        let other = MasterKey::generate().to_text();
        let line = |text: &str, n: usize| text.lines().nth(n).unwrap().to_owned();
        let wrong = |text: &str| text.parse::<MasterKey>().unwrap_err();

        assert_eq!(wrong(""), KeyError::Title);
        assert_eq!(wrong("password"), KeyError::Title);
        assert_eq!(wrong(&text[..text.len() / 2]), KeyError::Damaged);
        assert_eq!(wrong(&text.replace("key ", "kee ")), KeyError::Title);
        let mixed = text.replace(&line(&text, 2), &line(&other, 2));
        assert_eq!(wrong(&mixed), KeyError::Check);
    }

    #[test]
    fn shows_its_id_alone() {
        let key = MasterKey::generate();
        assert_eq!(format!("{key:?}"), format!("MasterKey({})", key.id()));
    }
}
