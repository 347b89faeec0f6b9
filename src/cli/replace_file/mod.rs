//! A file that is replaced as a whole: whoever reads it finds what stood there or what is new, and
//! never a half.
//!
//! What is new is written beside it, for its owner alone from the first byte, and takes its name
//! when it is on the disk. A link is never followed, and what belongs to somebody else is left
//! alone.

mod folder;
mod temporary;
#[cfg(test)]
mod tests;

use std::{
    ffi::{OsStr, OsString},
    fs::{File, Metadata, Permissions},
    io::{self, ErrorKind, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use nix::{errno::Errno, unistd::geteuid};
use zeroize::Zeroizing;

use crate::domain::text::quoted;
pub(super) use folder::Folder;

/// For its owner alone.
const PRIVATE: u32 = 0o600;

/// No file that people write by hand is longer.
const LONGEST: u64 = 16 << 20;

/// Who may do what with what takes the place of a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Access {
    /// Its owner alone may read and write it.
    Private,
    /// Whoever might before; its owner alone, if nothing was there.
    AsBefore,
}

/// What is to take the place of a file. Dropped unpublished, it leaves what stood there.
pub(super) struct Draft {
    path: PathBuf,
    folder: Folder,
    name: OsString,
    there: Option<There>,
    temporary: OsString,
    file: File,
}

/// What stands there.
pub(super) struct There {
    /// What is in it.
    pub(super) text: Zeroizing<Vec<u8>>,
    found: Metadata,
}

impl Draft {
    /// Looks at what stands at `path`, if anything does, and makes room beside it.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let (folder, name) = Folder::of(path)?;
        let there = look(&folder, &name, path)?;
        let (temporary, file) = temporary::make(&folder, path)?;
        temporary::clear(&folder, &file);
        Ok(Self {
            path: path.to_owned(),
            folder,
            name,
            there,
            temporary,
            file,
        })
    }

    /// What stands there, if anything does.
    pub(super) fn there(&self) -> Option<&There> {
        self.there.as_ref()
    }

    /// Puts `text` in the place of what stood there, if that is still as it was.
    pub(super) fn publish(mut self, text: &[u8], access: Access) -> io::Result<()> {
        let stood = self.there.as_ref().map(|there| &there.found);
        let mode = match (access, &self.there) {
            (Access::AsBefore, Some(there)) => there.mode(),
            (Access::AsBefore, None) | (Access::Private, _) => PRIVATE,
        };
        self.file.write_all(text)?;
        if let Some(stood) = stood
            && stood.gid() != self.file.metadata()?.gid()
            && let Err(error) = fchown(&self.file, None, Some(stood.gid()))
            && mode & 0o070 != 0
        {
            return Err(refused(format!(
                "`{}` cannot stay with its group {}: {error}; give it another: chgrp {} {}",
                self.path.display(),
                stood.gid(),
                nix::unistd::getegid(),
                quoted(&self.path)
            )));
        }
        self.file.set_permissions(Permissions::from_mode(mode))?;
        self.file.sync_all()?;
        let now = match self.folder.open(&self.name) {
            Ok(now) => Some(now.metadata()?),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(failed(&self.path, &error)),
        };
        if now.as_ref().map(state) != stood.map(state) {
            return Err(self.changed());
        }
        self.take_place()?;
        self.folder.sync()
    }

    /// Takes the place of what stood there. What came there since we last looked is left alone if
    /// nothing stood there before.
    fn take_place(&self) -> io::Result<()> {
        let taken = match &self.there {
            Some(_) => self.folder.replace(&self.temporary, &self.name),
            None => self.folder.place(&self.temporary, &self.name),
        };
        taken.map_err(|errno| {
            if errno == Errno::EEXIST {
                self.changed()
            } else if errno == Errno::ENOENT {
                refused(format!(
                    "what was written for `{}` was taken away in the meantime; try again",
                    self.path.display()
                ))
            } else {
                errno.into()
            }
        })
    }

    fn changed(&self) -> io::Error {
        refused(format!(
            "`{}` was changed in the meantime, and is left as it is; try again",
            self.path.display()
        ))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Once it was published, nothing of that name is there.
        self.folder.remove(&self.temporary, &self.file);
    }
}

impl There {
    /// Who may do what with it.
    pub(super) fn mode(&self) -> u32 {
        self.found.mode() & 0o777
    }
}

/// What tells that a file is another one than it was, or was written to.
fn state(found: &Metadata) -> (u64, u64, u64, i64, i64) {
    (
        found.dev(),
        found.ino(),
        found.size(),
        found.ctime(),
        found.ctime_nsec(),
    )
}

fn look(folder: &Folder, name: &OsStr, path: &Path) -> io::Result<Option<There>> {
    let shown = path.display();
    let file = match folder.open(name) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if is_link(&error) => {
            return Err(refused(format!(
                "`{shown}` is a symbolic link, and is not followed; name the file that it leads to"
            )));
        }
        // A socket opens for nobody.
        Err(error) if error.raw_os_error() == Some(Errno::ENXIO as i32) => {
            return Err(no_file(path));
        }
        Err(error) => return Err(failed(path, &error)),
    };
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(no_file(path));
    }
    let me = geteuid();
    if found.uid() != me.as_raw() {
        return Err(refused(format!(
            "`{shown}` belongs to user {}, not to user {me} who runs this; run keywright as its \
             owner, or name another file",
            found.uid()
        )));
    }
    if found.nlink() > 1 {
        return Err(refused(format!(
            "`{shown}` has {} names (hard links), and would part from the others; remove those, \
             or name another file",
            found.nlink()
        )));
    }
    if found.size() > LONGEST {
        return Err(refused(format!(
            "`{shown}` is longer than {} MiB; name another file",
            LONGEST >> 20
        )));
    }
    // Reserved whole, so that growing leaves no copy behind.
    let room = usize::try_from(found.size()).unwrap_or_default() + 1;
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    file.take(LONGEST).read_to_end(&mut text)?;
    Ok(Some(There { text, found }))
}

fn is_link(error: &io::Error) -> bool {
    // FreeBSD says EMLINK where the others say ELOOP.
    [Errno::ELOOP, Errno::EMLINK]
        .iter()
        .any(|errno| error.raw_os_error() == Some(*errno as i32))
}

fn no_file(path: &Path) -> io::Error {
    let shown = path.display();
    refused(format!("`{shown}` is not a file; name another"))
}

fn refused(why: String) -> io::Error {
    io::Error::other(why)
}

/// What the operating system said of `path`.
fn failed(path: &Path, error: &io::Error) -> io::Error {
    let why = format!(
        "`{}` cannot be written: {error}; name another",
        path.display()
    );
    io::Error::new(error.kind(), why)
}
