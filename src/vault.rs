//! Seals values, and opens them for the holder of a permit to reveal. Binds each value to its
//! row. Never makes a key where something is sealed with another.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use zeroize::Zeroizing;

use crate::{
    authz::{Action, Permit},
    crypto::{
        aead,
        keyring::{KeyError, MasterKey},
    },
    domain::{
        cli_token::{Sealed, SecretValue},
        id::TokenId,
        text::quoted,
        token::Owner,
    },
};

/// Nothing longer is a key file.
const LONGEST: u64 = 4096;

/// Holds the way to the master key, and the key once it was needed.
#[derive(Debug)]
pub struct Vault {
    path: PathBuf,
    key: Mutex<Option<Arc<MasterKey>>>,
}

/// What a sealed value belongs to. It opens in no other place, and not as an older generation.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The store.
    pub instance: &'a str,
    /// The token.
    pub token: TokenId,
    /// Whose the token is.
    pub owner: Owner,
    /// Which of its values.
    pub generation: u32,
}

/// Why a value was not sealed or opened. Each says how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something is sealed, and there is no key.
    #[error(
        "the vault key `{0}` is missing, and there are values sealed with it; put the file back, or name it with `--key-file`"
    )]
    Missing(PathBuf),
    /// The file is there and no key is in it.
    #[error("the vault key `{0}` cannot be used: {1}; put the right file back")]
    Damaged(PathBuf, #[source] KeyError),
    /// The file is not safely ours.
    #[error("the vault key `{path}` {why}", path = .0.display(), why = .1)]
    Exposed(PathBuf, String),
    /// Another key sealed it.
    #[error("this value was sealed with the vault key {needed}, and `{path}` holds {held}; put the right file back", path = .path.display())]
    WrongKey {
        /// Where the key is.
        path: PathBuf,
        /// The id of the key that sealed it.
        needed: String,
        /// The id of the key that is there.
        held: String,
    },
    /// The right key, and the value does not open: it was altered or moved.
    #[error("the sealed value was altered or moved to another row")]
    Altered,
    /// A permit for something else.
    #[error("this permit opens nothing")]
    WrongPermit,
    /// The file cannot be read or written.
    #[error("the vault key `{path}` cannot be read or written: {source}", path = .0.display(), source = .1)]
    Io(PathBuf, #[source] io::Error),
}

impl Vault {
    /// A vault whose key is, or will be, in the file at `path`. Nothing is read yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            key: Mutex::default(),
        }
    }

    /// Where the key is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The id of the key that is there, if one is.
    pub fn key_id(&self) -> Result<Option<String>, Error> {
        Ok(self.key()?.map(|key| key.id().to_string()))
    }

    /// Seals `value` for its row. Where there is no key, one is made if nothing is sealed yet, which
    /// `has_sealed` is asked for.
    pub fn seal<E: From<Error>>(
        &self,
        value: &str,
        binding: Binding<'_>,
        has_sealed: impl FnOnce() -> Result<bool, E>,
    ) -> Result<Sealed, E> {
        let key = match self.key()? {
            Some(key) => key,
            None if has_sealed()? => return Err(Error::Missing(self.path.clone()).into()),
            None => self.make()?,
        };
        let bound = binding.bytes(key.id().as_str());
        Ok(Sealed {
            key_id: key.id().as_str().to_owned(),
            bytes: aead::seal(key.expose(), &bound, value.as_bytes()),
        })
    }

    /// Opens a sealed value for the holder of a permit to reveal it.
    pub fn open(
        &self,
        permit: &Permit<'_>,
        sealed: &Sealed,
        binding: Binding<'_>,
    ) -> Result<SecretValue, Error> {
        let (Action::RevealUserToken(_) | Action::RevealAppEnvToken(_)) = permit.action() else {
            return Err(Error::WrongPermit);
        };
        let key = self
            .key()?
            .ok_or_else(|| Error::Missing(self.path.clone()))?;
        if key.id().as_str() != sealed.key_id {
            return Err(Error::WrongKey {
                path: self.path.clone(),
                needed: sealed.key_id.clone(),
                held: key.id().to_string(),
            });
        }
        let bound = binding.bytes(&sealed.key_id);
        let opened = aead::open(key.expose(), &bound, &sealed.bytes).ok_or(Error::Altered)?;
        let text = std::str::from_utf8(&opened).map_err(|_| Error::Altered)?;
        Ok(SecretValue::new(text))
    }

    fn key(&self) -> Result<Option<Arc<MasterKey>>, Error> {
        let mut held = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            *held = self.read()?.map(Arc::new);
        }
        Ok(held.clone())
    }

    fn read(&self) -> Result<Option<MasterKey>, Error> {
        let io = |error| Error::Io(self.path.clone(), error);
        match fs::symlink_metadata(&self.path) {
            Ok(found) if found.is_symlink() => {
                return Err(self.exposed("is a symbolic link; put the file itself there"));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        }
        let no_link = nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_NONBLOCK;
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(no_link.bits())
            .open(&self.path)
            .map_err(io)?;
        let found = file.metadata().map_err(io)?;
        if !found.is_file() {
            return Err(self.exposed("is not a file; put the right one back"));
        }
        let me = nix::unistd::geteuid();
        if found.uid() != me.as_raw() {
            return Err(self.exposed(&format!(
                "belongs to user {}, not to user {me} who runs this; run keywright as its owner",
                found.uid()
            )));
        }
        if found.mode() & 0o077 != 0 {
            let path = quoted(&self.path);
            return Err(self.exposed(&format!(
                "can be read by others; mend it with: chmod 600 {path}"
            )));
        }
        let mut read = Zeroizing::new(String::with_capacity(4096));
        io::Read::by_ref(&mut file)
            .take(LONGEST)
            .read_to_string(&mut read)
            .map_err(|_| Error::Damaged(self.path.clone(), KeyError::Damaged))?;
        let key = read
            .parse()
            .map_err(|why| Error::Damaged(self.path.clone(), why))?;
        Ok(Some(key))
    }

    /// Makes a key, whole or not at all: it is written under another name and then linked to its
    /// own, which fails if a key is there by then.
    fn make(&self) -> Result<Arc<MasterKey>, Error> {
        let io = |error| Error::Io(self.path.clone(), error);
        let key = MasterKey::generate();
        let new = self.path.with_extension(format!("{}.new", key.id()));
        let written = (|| {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&new)?;
            file.write_all(key.to_text().as_bytes())?;
            file.sync_all()?;
            match fs::hard_link(&new, &self.path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Ok(()) | Err(_) => {}
            }
            if let Some(folder) = self.path.parent().filter(|p| !p.as_os_str().is_empty()) {
                File::open(folder)?.sync_all()?;
            }
            Ok(())
        })();
        drop(fs::remove_file(&new));
        written.map_err(io)?;
        self.key()?.ok_or_else(|| Error::Missing(self.path.clone()))
    }

    fn exposed(&self, why: &str) -> Error {
        Error::Exposed(self.path.clone(), why.to_owned())
    }
}

impl Binding<'_> {
    /// The associated data, every part with its length before it. Never an engine's row number:
    /// values must open after a move to another engine. Never change it: nothing would open.
    fn bytes(&self, key_id: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [
            "keywright sealed value 1",
            self.instance,
            &self.token.to_string(),
            &self.owner.word(),
            &self.generation.to_string(),
            key_id,
        ] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
        bytes
    }
}
