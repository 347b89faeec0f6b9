//! A folder that is held open, in which nobody but its owner moves files.

use std::{
    ffi::{OsStr, OsString},
    fs::{File, Metadata, OpenOptions},
    io::{self, ErrorKind},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{MetadataExt as _, OpenOptionsExt as _},
    },
    path::{Path, PathBuf},
};

#[cfg(all(target_os = "linux", target_env = "gnu"))]
use nix::errno::Errno;
use nix::{
    dir::{Dir, Entry},
    fcntl::{self, AtFlags, OFlag},
    sys::stat::{self, Mode},
    unistd::{Gid, Group, UnlinkatFlags, User, geteuid, unlinkat},
};

use super::{failed, refused};
use crate::domain::text::quoted;

/// A folder that is held open, so that nobody puts another one in its place meanwhile.
pub(in crate::cli) struct Folder {
    pub(super) held: File,
    path: PathBuf,
}

impl Folder {
    /// The folder of `path`, in which nobody else can move a file of ours, and the file's name.
    pub(in crate::cli) fn of(path: &Path) -> io::Result<(Self, OsString)> {
        let shown = path.display();
        let Some(name) = path.file_name() else {
            return Err(refused(format!("`{shown}` is not the name of a file")));
        };
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            Some(_) | None => Path::new("."),
        };
        let open = OpenOptions::new()
            .read(true)
            .custom_flags((OFlag::O_DIRECTORY | OFlag::O_CLOEXEC).bits())
            .open(folder)
            .map_err(|error| {
                if error.kind() == ErrorKind::NotFound {
                    let folder = quoted(folder);
                    refused(format!(
                        "`{shown}` has no folder to stand in; make it first: mkdir -p {folder}"
                    ))
                } else {
                    failed(path, &error)
                }
            })?;
        let found = open.metadata()?;
        let folder = Self {
            held: open,
            path: folder.to_owned(),
        };
        folder.check(&found)?;
        Ok((folder, name.to_owned()))
    }

    fn check(&self, found: &Metadata) -> io::Result<()> {
        let shown = self.path.display();
        let (owner, me) = (found.uid(), geteuid().as_raw());
        if owner != me && owner != 0 {
            return Err(refused(format!(
                "the folder `{shown}` belongs to user {owner}, who could put another file in its \
                 place; name a file in a folder of yours"
            )));
        }
        let is_open = found.mode() & 0o002 != 0
            || found.mode() & 0o020 != 0 && !is_of_one(Gid::from_raw(found.gid()));
        let is_sticky = found.mode() & 0o1000 != 0;
        if is_open && !is_sticky {
            return Err(refused(format!(
                "others may write to the folder `{shown}` (mode {:04o}), and put another file in \
                 its place; close it: chmod go-w {}",
                found.mode() & 0o7777,
                quoted(&self.path)
            )));
        }
        Ok(())
    }

    /// Makes an empty file for its owner alone. A link is something that is there, too.
    pub(in crate::cli) fn make(&self, name: &OsStr) -> io::Result<File> {
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        Ok(fcntl::openat(&self.held, name, flags, mode)?.into())
    }

    /// Opens what is there, to look at it. It waits for nobody at the other end of a pipe.
    pub(super) fn open(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        Ok(fcntl::openat(&self.held, name, flags, Mode::empty())?.into())
    }

    /// The names of all that is in it.
    pub(super) fn list(&self) -> io::Result<Vec<OsString>> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        // Opened anew: the one that is held has a place of its own in the list.
        let mut open = Dir::openat(&self.held, ".", flags, Mode::empty())?;
        let name = |entry: nix::Result<Entry>| {
            let entry = entry?;
            Ok(OsStr::from_bytes(entry.file_name().to_bytes()).to_owned())
        };
        open.iter().map(name).collect()
    }

    /// Whether `file` has that name here.
    pub(super) fn names(&self, name: &OsStr, file: &File) -> bool {
        let named = stat::fstatat(&self.held, name, AtFlags::AT_SYMLINK_NOFOLLOW);
        match (named, stat::fstat(file)) {
            (Ok(named), Ok(ours)) => (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino),
            (Err(_), _) | (_, Err(_)) => false,
        }
    }

    /// Takes `file` away again, if it still has that name.
    pub(in crate::cli) fn remove(&self, name: &OsStr, file: &File) {
        if self.names(name, file) {
            // What cannot be taken away is empty, or a draft for its owner alone.
            let _ = unlinkat(&self.held, name, UnlinkatFlags::NoRemoveDir);
        }
    }

    /// Gives what is named `from` the name `to`, in the place of what has that name.
    pub(super) fn replace(&self, from: &OsStr, to: &OsStr) -> nix::Result<()> {
        fcntl::renameat(&self.held, from, &self.held, to)
    }

    /// Gives what is named `from` the name `to`, unless something has that name: where the system
    /// can tell. Elsewhere it is as [`Self::replace`].
    pub(super) fn place(&self, from: &OsStr, to: &OsStr) -> nix::Result<()> {
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        {
            let flags = fcntl::RenameFlags::RENAME_NOREPLACE;
            let placed = fcntl::renameat2(&self.held, from, &self.held, to, flags);
            // An old kernel, or a file system that does not know the flag.
            if placed != Err(Errno::ENOSYS) && placed != Err(Errno::EINVAL) {
                return placed;
            }
        }
        self.replace(from, to)
    }

    /// A power cut must not take the name of a file whose text is on the disk.
    pub(in crate::cli) fn sync(&self) -> io::Result<()> {
        self.held.sync_all()
    }
}

/// Whether nobody but whoever runs this is in the group: many systems give every user one of their
/// own, and let it write to all that they make.
fn is_of_one(group: Gid) -> bool {
    let (Ok(Some(user)), Ok(Some(group))) = (User::from_uid(geteuid()), Group::from_gid(group))
    else {
        return false;
    };
    user.gid == group.gid
        && user.name == group.name
        && group.mem.iter().all(|name| *name == user.name)
}
