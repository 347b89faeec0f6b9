//! A file that is replaced as a whole: whoever reads it finds what stood there or what is new, and
//! never a half.
//!
//! What is new is written beside it, for its owner alone from the first byte, and takes its name
//! when it is on the disk. A link is never followed, and what belongs to somebody else is left
//! alone.

use std::{
    ffi::{OsStr, OsString},
    fs::{File, Metadata, OpenOptions, Permissions},
    io::{self, ErrorKind, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{self, AtFlags, OFlag},
    sys::stat::{self, Mode},
    unistd::{Gid, Group, UnlinkatFlags, User, geteuid, unlinkat},
};
use zeroize::Zeroizing;

use crate::{
    crypto::{hex, random},
    domain::text::quoted,
};

/// For its owner alone.
const PRIVATE: u32 = 0o600;

/// No file that people write by hand is longer.
const LONGEST: u64 = 16 << 20;

/// A folder that is held open, so that nobody puts another one in its place meanwhile.
pub(super) struct Folder {
    open: File,
    path: PathBuf,
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

impl Folder {
    /// The folder of `path`, in which nobody else can move a file of ours, and the file's name.
    pub(super) fn of(path: &Path) -> io::Result<(Self, OsString)> {
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
                    let folder = quoted(&folder.display().to_string());
                    refused(format!(
                        "`{shown}` has no folder to stand in; make it first: mkdir -p {folder}"
                    ))
                } else {
                    failed(path, &error)
                }
            })?;
        let found = open.metadata()?;
        let folder = Self {
            open,
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
                quoted(&self.path.display().to_string())
            )));
        }
        Ok(())
    }

    /// Makes an empty file for its owner alone. A link is something that is there, too.
    pub(super) fn make(&self, name: &OsStr) -> io::Result<File> {
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        Ok(fcntl::openat(&self.open, name, flags, mode)?.into())
    }

    /// Opens what is there, to look at it. It waits for nobody at the other end of a pipe.
    fn open(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        Ok(fcntl::openat(&self.open, name, flags, Mode::empty())?.into())
    }

    /// Takes `file` away again, if it still has that name.
    pub(super) fn remove(&self, name: &OsStr, file: &File) {
        let named = stat::fstatat(&self.open, name, AtFlags::AT_SYMLINK_NOFOLLOW);
        if let (Ok(named), Ok(ours)) = (named, stat::fstat(file))
            && (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino)
        {
            // What cannot be taken away is empty, or a draft for its owner alone.
            let _ = unlinkat(&self.open, name, UnlinkatFlags::NoRemoveDir);
        }
    }

    /// A power cut must not take the name of a file whose text is on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.open.sync_all()
    }
}

impl Draft {
    /// Looks at what stands at `path`, if anything does, and makes room beside it.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let (folder, name) = Folder::of(path)?;
        let there = look(&folder, &name, path)?;
        let temporary = OsString::from(format!(
            ".keywright-{}",
            hex::hex(random::bytes::<8>().as_slice())
        ));
        let file = folder
            .make(&temporary)
            .map_err(|error| failed(path, &error))?;
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

    /// Puts `text` in the place of what stood there, if that is still as it was: with `mode`, or
    /// with the mode that stood there, or for its owner alone.
    pub(super) fn publish(mut self, text: &[u8], mode: Option<u32>) -> io::Result<()> {
        let stood = self.there.as_ref().map(|there| &there.found);
        let mode = mode
            .or_else(|| stood.map(|stood| stood.mode() & 0o777))
            .unwrap_or(PRIVATE);
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
                quoted(&self.path.display().to_string())
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
            return Err(refused(format!(
                "`{}` was changed in the meantime, and is left as it is; try again",
                self.path.display()
            )));
        }
        let folder = &self.folder.open;
        fcntl::renameat(
            folder,
            self.temporary.as_os_str(),
            folder,
            self.name.as_os_str(),
        )?;
        self.folder.sync()
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

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{chown, symlink},
    };

    use tempfile::TempDir;

    use super::*;

    /// A folder with the file `it` in it, and its path.
    fn folder(text: &str, mode: u32) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    fn names(folder: &TempDir) -> Vec<OsString> {
        let files = fs::read_dir(folder.path()).unwrap();
        files.map(|file| file.unwrap().file_name()).collect()
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o777
    }

    fn why(path: &Path) -> String {
        Draft::of(path).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_keeps_its_mode() {
        let (folder, path) = folder("old", 0o640);
        let before = fs::metadata(&path).unwrap().ino();

        let draft = Draft::of(&path).unwrap();
        assert_eq!(draft.there().unwrap().text.as_slice(), b"old");
        draft.publish(b"new", None).unwrap();

        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!((mode(&path), names(&folder).len()), (0o640, 1));
        assert_ne!(fs::metadata(&path).unwrap().ino(), before);
    }

    #[test]
    fn a_mode_that_is_given_counts_more_than_the_one_that_stood_there() {
        let (_folder, path) = folder("old", 0o644);
        Draft::of(&path)
            .unwrap()
            .publish(b"new", Some(0o600))
            .unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_file_that_is_not_there_is_made_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it");

        let draft = Draft::of(&path).unwrap();
        assert!(draft.there().is_none() && !path.exists());
        draft.publish(b"new", None).unwrap();

        assert_eq!(
            (fs::read(&path).unwrap(), mode(&path)),
            (b"new".into(), 0o600)
        );
    }

    #[test]
    fn a_draft_that_is_dropped_leaves_what_stood_there_and_nothing_else() {
        let (folder, path) = folder("old", 0o600);
        let draft = Draft::of(&path).unwrap();
        assert_eq!(names(&folder).len(), 2);
        let beside = fs::read_dir(folder.path())
            .unwrap()
            .map(|file| file.unwrap().path());
        assert!(beside.into_iter().all(|path| mode(&path) == 0o600));

        drop(draft);

        assert_eq!(
            (fs::read(&path).unwrap(), names(&folder)),
            (b"old".into(), vec!["it".into()])
        );
    }

    #[test]
    fn what_was_changed_in_the_meantime_is_left_as_it_is() {
        let (folder, path) = folder("old", 0o600);
        let draft = Draft::of(&path).unwrap();
        fs::write(&path, "newer").unwrap();

        let why = draft.publish(b"new", None).unwrap_err().to_string();

        assert!(why.ends_with("was changed in the meantime, and is left as it is; try again"));
        assert_eq!(
            (fs::read(&path).unwrap(), names(&folder).len()),
            (b"newer".into(), 1)
        );
    }

    #[test]
    fn what_came_to_stand_there_in_the_meantime_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it");
        let draft = Draft::of(&path).unwrap();
        symlink("/dev/null", &path).unwrap();

        assert!(draft.publish(b"new", None).is_err());

        assert!(path.is_symlink());
        assert_eq!(names(&folder).len(), 1);
    }

    #[test]
    fn what_is_no_file_of_ones_own_is_left_alone() {
        let (folder, path) = folder("old", 0o600);
        let at = |name: &str| folder.path().join(name);
        symlink("it", at("link")).unwrap();
        symlink("nothing", at("dangling")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        nix::unistd::mkfifo(&at("pipe"), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let before = names(&folder).len();

        assert!(why(&at("link")).contains("is a symbolic link, and is not followed"));
        assert!(why(&at("dangling")).contains("is a symbolic link, and is not followed"));
        for name in ["folder", "pipe", "socket"] {
            assert!(
                why(&at(name)).contains("is not a file; name another"),
                "{name}"
            );
        }
        assert!(why(&at("none/it")).contains("make it first: mkdir -p"));
        assert!(why(Path::new("..")).contains("is not the name of a file"));
        fs::hard_link(&path, at("other")).unwrap();
        assert!(why(&path).contains("has 2 names"));
        assert_eq!(names(&folder).len(), before + 1);
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused_unless_it_is_sticky() {
        let (folder, path) = folder("old", 0o600);
        let open = |mode| fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();

        if geteuid().is_root() {
            // Only the administrator can give it to any group.
            chown(folder.path(), None, Some(4711)).unwrap();
            open(0o770);
            assert!(why(&path).contains("close it: chmod go-w "));
        }
        for mode in [0o777, 0o702] {
            open(mode);
            assert!(why(&path).contains("close it: chmod go-w "), "{mode:o}");
        }

        open(0o1777);
        Draft::of(&path).unwrap().publish(b"new", None).unwrap();
    }

    #[test]
    fn a_file_or_folder_of_somebody_else_is_refused() {
        if !geteuid().is_root() {
            // Only the administrator can give files away.
            return;
        }
        let (folder, path) = folder("old", 0o600);

        chown(&path, Some(4711), None).unwrap();
        assert!(why(&path).contains("belongs to user 4711, not to user 0 who runs this"));

        chown(&path, Some(0), None).unwrap();
        chown(folder.path(), Some(4711), None).unwrap();
        assert!(why(&path).contains("belongs to user 4711, who could put another file"));
    }

    #[test]
    fn a_file_keeps_its_group() {
        if !geteuid().is_root() {
            // Only the administrator can give it to any group.
            return;
        }
        let (_folder, path) = folder("old", 0o640);
        chown(&path, None, Some(4711)).unwrap();

        Draft::of(&path).unwrap().publish(b"new", None).unwrap();

        let now = fs::metadata(&path).unwrap();
        assert_eq!((now.gid(), now.mode() & 0o777), (4711, 0o640));
    }
}
