//! The file that a draft is written to, beside what it replaces: locked for as long as its draft
//! lives. One whose lock is free is a left-over of a process that was killed, and goes.
//!
//! 1. Whoever makes one locks it before anything is written, and looks whether it still has its
//!    name; if not, another is made.
//! 2. Whoever clears up takes the lock first, and takes away only what it has locked.
//! 3. What is empty may wait for the lock of its maker, and is left alone for a while.

use std::{
    ffi::{OsStr, OsString},
    fs::{File, TryLockError},
    io,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::Path,
};

use nix::unistd::geteuid;

use super::{Folder, failed, refused};
use crate::crypto::{hex, random};

/// What the name of each begins with. Sixteen hexadecimal digits follow.
const PREFIX: &str = ".keywright-";

/// How long an empty one is left alone, in seconds. Its maker needs moments to lock it.
const GRACE: i64 = 60;

/// How often one is made before we give up. Each lost one means a maker that was stopped for a
/// minute.
const TRIES: usize = 4;

/// Makes one for `path` in its `folder`, for its owner alone, and locks it.
pub(super) fn make(folder: &Folder, path: &Path) -> io::Result<(OsString, File)> {
    for _ in 0..TRIES {
        let digits = hex::hex(random::bytes::<8>().as_slice());
        let name = OsString::from(format!("{PREFIX}{digits}"));
        let file = folder.make(&name).map_err(|error| failed(path, &error))?;
        if is_taken(folder, &name, &file) {
            return Ok((name, file));
        }
        folder.remove(&name, &file);
    }
    Err(refused(format!(
        "what is written for `{}` is taken away by others at once; try again",
        path.display()
    )))
}

/// Locks `file`, and answers whether nobody was faster.
pub(super) fn is_taken(folder: &Folder, name: &OsStr, file: &File) -> bool {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => false,
        // Where there are no locks, nobody takes away what it could not lock.
        Ok(()) | Err(TryLockError::Error(_)) => folder.names(name, file),
    }
}

/// Takes away what killed processes have left in `folder`. What cannot be taken away stays for the
/// next.
pub(super) fn clear(folder: &Folder, own: &File) {
    let (Ok(names), Ok(own)) = (folder.list(), own.metadata()) else {
        return;
    };
    for name in names.iter().filter(|name| is_ours(name)) {
        let Ok(file) = folder.open(name) else {
            continue;
        };
        let Ok(found) = file.metadata() else {
            continue;
        };
        let is_old = found.len() > 0 || own.mtime() - found.mtime() > GRACE;
        let is_ours = found.is_file() && found.uid() == geteuid().as_raw();
        if is_ours && is_old && file.try_lock().is_ok() {
            folder.remove(name, &file);
        }
    }
}

fn is_ours(name: &OsStr) -> bool {
    let digits = name.as_bytes().strip_prefix(PREFIX.as_bytes());
    digits.is_some_and(|digits| {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        digits.len() == 16 && digits.iter().all(is_digit)
    })
}
