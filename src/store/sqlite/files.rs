//! The folder and the files of a store on disk: made for one user alone, and refused otherwise.
//!
//! Everything here happens before SQLite opens the file, or beside it: closing any descriptor of
//! a database file drops the locks that SQLite holds on it in this process.

use std::{
    cell::Cell,
    ffi::OsString,
    fs::{self, DirBuilder, Metadata, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    ops::Range,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use nix::{fcntl::OFlag, unistd::geteuid};

use crate::{domain::text::quoted, store::Error};

/// A folder and a file that only their owner may use.
const FOLDER: u32 = 0o700;
const FILE: u32 = 0o600;

/// How long anybody waits in the [`Line`] before trying without.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long whoever came last naps in the [`Line`], and whoever has stood there for as long as usual.
/// A look costs some microseconds; of eight busy processes the worst create in a hundred takes 10 ms
/// so, and 19 ms where all nap alike.
const LONGEST: Duration = Duration::from_micros(1200);
const SHORTEST: Duration = Duration::from_micros(60);

/// How long it is taken to be usual to stand there, before anybody has: what eight busy processes
/// wait for each other on a fast disk.
const AT_FIRST: Duration = Duration::from_millis(5);

/// One at a time makes a new file in this process: the descriptor it was made with must be closed
/// again before anybody has SQLite open the file.
static MAKING: Mutex<()> = Mutex::new(());

/// A store file that was found in order.
#[derive(Debug)]
pub(super) struct Place(PathBuf);

/// Where the processes that want to write stand in line: a lock on a file beside the store.
///
/// It is held only until the write lock is. So whoever has just committed and wants to write again
/// finds somebody in line and waits, where SQLite alone would let it go first, time after time: of
/// eight busy processes the slowest does 0.9 of what the fastest does, not 0.3. It is a courtesy:
/// without it writes are as right, and less fair.
///
/// Whoever stands there looks again after a nap, the sooner the longer it has stood, compared with
/// the last times: else the order is a lottery, and somebody always loses it.
#[derive(Debug)]
pub(super) struct Line {
    file: fs::File,
    /// How long it stood there the last times that somebody was in front.
    usual: Cell<Duration>,
}

/// Being the next. Given up when dropped.
pub(super) struct Turn<'line>(Option<&'line fs::File>);

/// Finds or makes the folder and the files of the store at `path`, and refuses them if they are
/// not for this user alone.
pub(super) fn prepare(path: &Path, create: bool) -> Result<(Place, Line), Error> {
    // Collecting drops a slash at the end and dots within, which would hide a link.
    let path: PathBuf = std::path::absolute(path)
        .map_err(|error| unavailable(path, error))?
        .components()
        .collect();
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Error::Refused(format!(
            "`{}` is not the name of a file; give the store's whole path",
            path.display()
        )));
    };
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if create {
        make_folder(folder)?;
    }
    check_folder(folder, &path)?;
    check_file_system(folder)?;
    // Links further up are the administrator's affair, and SQLite follows none.
    let folder = fs::canonicalize(folder).map_err(|error| unavailable(folder, error))?;
    let store = folder.join(name);

    if find(&store)?.is_none() && !create {
        return Err(absent(&store));
    }
    if create {
        make_file(&store)?;
    }
    for end in ["", "-wal", "-shm", "-journal", ".lock"] {
        check_file(&beside(&store, end))?;
    }
    let line = Line::open(&beside(&store, ".lock"))?;
    Ok((Place(store), line))
}

impl Place {
    /// The file, by a path with no link in it.
    pub(super) fn store(&self) -> &Path {
        &self.0
    }

    /// A power cut must not take the name of a file whose rows were promised, nor that of a folder
    /// above it: whoever made any of them may have been killed before it was on the disk.
    pub(super) fn sync(&self) -> Result<(), Error> {
        let mut own = true;
        for folder in self.0.ancestors().skip(1) {
            match fs::File::open(folder).and_then(|folder| folder.sync_all()) {
                Ok(()) => {}
                // Where we may not even look, or nobody writes, we have made nothing.
                Err(error) if !own && is_foreign(error.kind()) => break,
                Err(error) => return Err(unavailable(folder, error)),
            }
            own = false;
        }
        Ok(())
    }

    /// What a process had written to the log when it was killed is found there as committed, and
    /// answered for, even if it never came to the disk. SQLite locks nothing in the log, so that
    /// closing a descriptor of it harms nobody.
    pub(super) fn sync_log(&self) -> Result<(), Error> {
        let path = beside(&self.0, "-wal");
        fs::File::open(&path)
            .and_then(|log| log.sync_data())
            .map_err(|error| unavailable(&path, error))
    }

    /// `error`, if it is a refusal, with the file that it is about.
    pub(super) fn about(&self, error: Error) -> Error {
        match error {
            Error::Refused(why) => {
                Error::Refused(format!("cannot open `{}`: {why}", self.0.display()))
            }
            Error::Unavailable(_) | Error::Corrupt(_) | Error::Conflict => error,
        }
    }
}

impl Line {
    fn open(path: &Path) -> Result<Self, Error> {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE)
            .custom_flags(OFlag::O_NOFOLLOW.bits())
            .open(path)
            .map(|file| Self {
                file,
                usual: Cell::new(AT_FIRST),
            })
            .map_err(|error| refused(path, error))
    }

    /// Waits to be the next, but never for long: whoever is in front may have been stopped there.
    pub(super) fn wait(&self) -> Turn<'_> {
        let since = Instant::now();
        let usual = self.usual.get();
        loop {
            let stood = since.elapsed();
            match self.file.try_lock() {
                Ok(()) => {
                    // Where nobody is in front, nothing is learnt of how long it takes.
                    if stood > SHORTEST {
                        self.usual.set((usual + stood) / 2);
                    }
                    return Turn(Some(&self.file));
                }
                Err(TryLockError::WouldBlock) if stood < PATIENCE => {
                    let left = 1.0 - stood.div_duration_f64(usual).min(1.0);
                    let most = LONGEST.mul_f64(left).max(SHORTEST);
                    nap(most / 2..most);
                }
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => return Turn(None),
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(file) = self.0
            && let Err(error) = file.unlock()
        {
            tracing::warn!(%error, "the line of those who want to write is stuck");
        }
    }
}

/// Sleeps for a while, at random, so that nobody who waits is ahead of the others.
pub(super) fn nap(range: Range<Duration>) {
    thread::sleep(rand::random_range(range));
}

/// Makes the folder and those above it that are missing.
fn make_folder(folder: &Path) -> Result<(), Error> {
    let missing: Vec<_> = folder
        .ancestors()
        .take_while(|folder| !folder.exists() && !folder.is_symlink())
        .collect();
    for folder in missing.into_iter().rev() {
        match DirBuilder::new().mode(FOLDER).create(folder) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(refused(folder, error)),
        }
    }
    Ok(())
}

/// Makes an empty file for this user alone, from its first byte on, if there is none.
fn make_file(path: &Path) -> Result<(), Error> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(refused(path, error)),
    }
}

fn check_folder(folder: &Path, store: &Path) -> Result<(), Error> {
    let Some(found) = find(folder)? else {
        return Err(absent(store));
    };
    let shown = folder.display();
    let own = format!(
        "give the store a folder of its own, such as `{}`",
        folder.join("keywright").join("store.db").display()
    );
    if found.is_symlink() {
        return Err(Error::Refused(format!(
            "the store's folder `{shown}` is a symbolic link; name the folder that it leads to"
        )));
    }
    if !found.is_dir() {
        return Err(Error::Refused(format!("`{shown}` is not a folder; {own}")));
    }
    if found.uid() != geteuid().as_raw() {
        return Err(Error::Refused(format!(
            "the store's folder `{shown}` belongs to user {}, not to user {} who runs this; {own}",
            found.uid(),
            geteuid()
        )));
    }
    let mode = found.mode() & 0o7777;
    // A sticky folder is meant for everybody, and must stay so.
    if mode & 0o1000 != 0 {
        return Err(Error::Refused(format!(
            "the store's folder `{shown}` is shared (mode {mode:04o}); {own}"
        )));
    }
    if mode & 0o077 != 0 {
        return Err(Error::Refused(format!(
            "the store's folder `{shown}` is open to others (mode {mode:04o}); {own}, or close \
             this one: chmod 700 {}",
            quoted(folder)
        )));
    }
    if mode & FOLDER != FOLDER {
        return Err(Error::Refused(format!(
            "the store's folder `{shown}` is closed to its owner (mode {mode:04o}); open it: \
             chmod 700 {}",
            quoted(folder)
        )));
    }
    Ok(())
}

/// Looks at one of the files, if it is there.
fn check_file(path: &Path) -> Result<(), Error> {
    let Some(found) = find(path)? else {
        return Ok(());
    };
    let shown = path.display();
    if found.is_symlink() {
        return Err(Error::Refused(format!(
            "`{shown}` is a symbolic link, which would part the store from its log; name the file \
             that it leads to"
        )));
    }
    if !found.is_file() {
        return Err(Error::Refused(format!(
            "`{shown}` is not a file; give the store another path"
        )));
    }
    if found.nlink() > 1 {
        // Each name has a log of its own: what one process commits, one at the other name loses.
        return Err(Error::Refused(format!(
            "`{shown}` has {} names (hard links), which would part the store from its log; remove \
             the others, or copy it while no keywright runs: cp {quoted} {quoted}.copy",
            found.nlink(),
            quoted = quoted(path),
        )));
    }
    if found.uid() != geteuid().as_raw() {
        return Err(Error::Refused(format!(
            "`{shown}` belongs to user {}, not to user {user} who runs this; run keywright as its \
             owner, or make it yours: chown {user} {}",
            found.uid(),
            quoted(path),
            user = geteuid(),
        )));
    }
    let mode = found.mode() & 0o7777;
    let (wrong, mend) = if mode & 0o077 != 0 {
        ("open to others", "close it")
    } else if mode & FILE != FILE {
        ("closed to its owner", "open it")
    } else {
        return Ok(());
    };
    Err(Error::Refused(format!(
        "`{shown}` is {wrong} (mode {mode:04o}); {mend}: chmod 600 {}",
        quoted(path)
    )))
}

/// What a kind of file system is to a store.
#[cfg(target_os = "linux")]
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Local,
    /// Its locks or its shared memory end at this machine, and a revocation with them.
    Network(&'static str),
    /// Whatever its program makes of it.
    User,
}

#[cfg(target_os = "linux")]
impl Kind {
    /// By its number, as statfs(2) and the kernel's `magic.h` have it.
    fn of(number: u32) -> Self {
        match number {
            0x0000_6969 => Self::Network("NFS"),
            0x0000_517B | 0xFE53_4D42 => Self::Network("SMB"),
            0xFF53_4D42 => Self::Network("CIFS"),
            0x0102_1997 => Self::Network("9p"),
            0x5346_414F => Self::Network("AFS"),
            0x00C3_6400 => Self::Network("Ceph"),
            0x6573_5546 => Self::User,
            _ => Self::Local,
        }
    }
}

/// A file on a network cannot be shared by its processes as SQLite shares it, and a revocation
/// would not reach them all.
#[cfg(target_os = "linux")]
fn check_file_system(folder: &Path) -> Result<(), Error> {
    let found = nix::sys::statfs::statfs(folder).map_err(|error| unavailable(folder, error))?;
    // The number has 32 bits, in a word whose width and sign differ from platform to platform.
    let [a, b, c, d, ..] = found.filesystem_type().0.to_le_bytes();
    match Kind::of(u32::from_le_bytes([a, b, c, d])) {
        Kind::Local => Ok(()),
        Kind::User => {
            tracing::warn!(
                folder = %folder.display(),
                "the store is on a FUSE file system; all that use it must run on this machine"
            );
            Ok(())
        }
        Kind::Network(name) => Err(Error::Refused(format!(
            "the store's folder `{}` is on a network file system ({name}), where processes do not \
             see each other's revocations; keep the store on a local disk",
            folder.display()
        ))),
    }
}

#[cfg(not(target_os = "linux"))]
fn check_file_system(_folder: &Path) -> Result<(), Error> {
    Ok(())
}

/// Whether a folder that fails so is none that we can have made.
fn is_foreign(kind: ErrorKind) -> bool {
    [
        ErrorKind::PermissionDenied,
        ErrorKind::ReadOnlyFilesystem,
        ErrorKind::InvalidInput,
        ErrorKind::Unsupported,
    ]
    .contains(&kind)
}

fn find(path: &Path) -> Result<Option<Metadata>, Error> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(refused(path, error)),
    }
}

/// The file that stands beside the store's with this ending.
pub(super) fn beside(store: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(store);
    name.push(end);
    name.into()
}

fn absent(store: &Path) -> Error {
    Error::Refused(format!(
        "there is no store at `{}`; look at the path",
        store.display()
    ))
}

/// An error that somebody can mend, or else the machine's.
fn refused(path: &Path, error: io::Error) -> Error {
    let shown = path.display();
    let kind = error.kind();
    Error::Refused(if kind == ErrorKind::ReadOnlyFilesystem {
        format!(
            "`{shown}` is on a file system that cannot be written; keep the store on one that can"
        )
    } else if kind == ErrorKind::PermissionDenied {
        format!(
            "user {} may not open or make `{shown}`; run keywright as the owner of its folder, or \
             give the store another path",
            geteuid()
        )
    } else if kind == ErrorKind::NotADirectory {
        format!(
            "`{shown}` cannot be, since what stands before it is not a folder; give the store \
             another path"
        )
    } else {
        return unavailable(path, error);
    })
}

fn unavailable(path: &Path, error: impl Into<io::Error>) -> Error {
    let error = error.into();
    let said = format!("`{}`: {error}", path.display());
    Error::Unavailable(io::Error::new(error.kind(), said).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_network_file_system_is_known_by_its_number() {
        for (number, kind) in [
            (0x6969, Kind::Network("NFS")),
            (0xFF53_4D42, Kind::Network("CIFS")),
            (0xFE53_4D42, Kind::Network("SMB")),
            (0x0102_1997, Kind::Network("9p")),
            (0x6573_5546, Kind::User),
            (0xEF53, Kind::Local),
        ] {
            assert_eq!(Kind::of(number), kind);
        }
    }

    #[test]
    fn whoever_stands_in_line_is_passed_by_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("line");
        let (first, second) = (Line::open(&path).unwrap(), Line::open(&path).unwrap());

        let turn = first.wait();
        assert!(second.file.try_lock().is_err());
        drop(turn);

        assert!(second.wait().0.is_some());
    }
}
