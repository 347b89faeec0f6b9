//! The token that an MCP session presents: one from the environment, or one in a file that is read
//! anew at every call.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use nix::fcntl::OFlag;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::{error::Failure, output};
use crate::{
    authz::Credential,
    config::env,
    domain::{credential::LONGEST, scope::Scopes, text::quoted},
    mcp::Presents,
};

/// Where the token of a session comes from.
pub(super) enum SessionToken {
    /// From nowhere: every call is refused.
    None,
    /// From the environment: the same for ever.
    Value(SecretString),
    /// From a file, as it is at each call.
    File(PathBuf),
}

impl SessionToken {
    /// What the environment says.
    pub(super) fn from_environment() -> Result<Self, Failure> {
        let (value, file) = (env::read(&env::TOKEN), env::read(&env::TOKEN_FILE));
        match (value, file) {
            (Some(_), Some(_)) => Err(Failure::Misuse(format!(
                "`{}` and `{}` are both set: give one of the two",
                env::TOKEN.name,
                env::TOKEN_FILE.name
            ))),
            (Some(value), None) => Ok(Self::Value(value.into())),
            (None, Some(path)) => {
                let path = PathBuf::from(path);
                Ok(Self::File(std::path::absolute(&path).unwrap_or(path)))
            }
            (None, None) => Ok(Self::None),
        }
    }

    /// The file, if it comes from one.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::None | Self::Value(_) => None,
        }
    }

    /// What a session presents with each call, `narrowed` to these scopes.
    pub(super) fn presents(self, narrowed: Option<Scopes>) -> Presents {
        match self {
            Self::None => Credential::Nobody.into(),
            Self::Value(value) => bearer(value.expose_secret(), narrowed).into(),
            Self::File(path) => {
                warn_if_open_to_others(&path);
                let was_readable = AtomicBool::new(true);
                Presents::anew(move || match read(&path) {
                    Ok(text) => {
                        was_readable.store(true, Ordering::Relaxed);
                        bearer(&text, narrowed.clone())
                    }
                    Err(error) => {
                        // Told once, and again when it has been mended and breaks anew.
                        if was_readable.swap(false, Ordering::Relaxed) {
                            tracing::warn!(
                                path = %path.display(), %error,
                                "the token file cannot be read; calls are refused until it can"
                            );
                        }
                        Credential::Nobody
                    }
                })
            }
        }
    }
}

fn bearer(text: &str, narrowed: Option<Scopes>) -> Credential {
    Credential::bearer(text.trim(), narrowed)
}

/// The text of a token file. Links are followed, since secrets are often mounted as such.
pub(super) fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let file = open(path)?;
    let mut text = Zeroizing::new(String::with_capacity(LONGEST + 2));
    let read = file.take(LONGEST as u64 + 2).read_to_string(&mut text)?;
    if read > LONGEST + 1 {
        return Err(io::Error::other("it is too long for a token"));
    }
    Ok(text)
}

/// Opens a regular file, and waits for none that is not.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

pub(super) fn warn_if_open_to_others(path: &Path) {
    let mode = open(path)
        .and_then(|file| file.metadata())
        .map(|file| file.mode());
    if mode.is_ok_and(|mode| mode & 0o077 != 0) {
        output::tell(&format!(
            "warning: others on this machine can read the token in `{}`; make it yours alone: \
             chmod 600 {}",
            path.display(),
            quoted(path)
        ));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use nix::{sys::stat::Mode, unistd::mkfifo};

    use super::*;

    #[test]
    fn a_token_file_is_read_as_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "one\n").unwrap();
        assert_eq!(*read(&path).unwrap(), "one\n");

        fs::write(&path, "two").unwrap();

        assert_eq!(*read(&path).unwrap(), "two");
    }

    #[test]
    fn what_is_no_token_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let (long, pipe) = (folder.path().join("long"), folder.path().join("pipe"));
        fs::write(&long, "x".repeat(LONGEST + 2)).unwrap();
        mkfifo(&pipe, Mode::S_IRWXU).unwrap();

        for path in [&long, &pipe, folder.path(), &folder.path().join("none")] {
            assert!(read(path).is_err(), "{}", path.display());
        }
    }
}
