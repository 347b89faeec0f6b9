//! A folder of ours beside the store: for its owner alone, and changed by one process at a time.

use std::{
    fs::{DirBuilder, File, TryLockError},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use crate::domain::text::quoted;

/// How long somebody else may hold the folder, who needs it for moments.
const PATIENCE: Duration = Duration::from_secs(5);

/// A folder that is, or will be, beside a store.
#[derive(Debug)]
pub(super) struct Beside(PathBuf);

impl Beside {
    /// The folder `name` beside `store`. Nothing is made yet.
    pub(super) fn of(store: &Path, name: &str) -> Self {
        Self(store.with_file_name(name))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it, unless it is there, and refuses one that others may look into.
    pub(super) fn make(&self) -> anyhow::Result<()> {
        let shown = self.0.display();
        match DirBuilder::new().mode(0o700).create(&self.0) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(error).context(format!("the folder `{shown}`"));
            }
            Ok(()) | Err(_) => {}
        }
        let found = self.0.symlink_metadata()?;
        ensure!(found.is_dir(), "`{shown}` is not a folder; move it away");
        ensure!(
            found.mode() & 0o777 == 0o700,
            "others may look into `{shown}` (mode {:04o}); close it: chmod 700 {}",
            found.mode() & 0o7777,
            quoted(&self.0)
        );
        Ok(())
    }

    /// Keeps other processes from changing what is in it, until what is answered is dropped. Waits
    /// for whoever does so now, but not for long.
    pub(super) fn lock(&self) -> anyhow::Result<File> {
        let shown = self.0.display();
        let folder = File::open(&self.0).with_context(|| format!("the folder `{shown}`"))?;
        let since = Instant::now();
        loop {
            match folder.try_lock() {
                Ok(()) => return Ok(folder),
                Err(TryLockError::WouldBlock) if since.elapsed() < PATIENCE => {
                    thread::sleep(Duration::from_millis(1));
                }
                Err(TryLockError::WouldBlock) => {
                    bail!("another keywright is at work in `{shown}`; try again")
                }
                Err(TryLockError::Error(error)) => {
                    return Err(error).context(format!("the folder `{shown}`"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt as _,
    };

    use tempfile::TempDir;

    use super::*;

    fn beside() -> (TempDir, Beside) {
        let folder = tempfile::tempdir().unwrap();
        let beside = Beside::of(&folder.path().join("store.db"), "clients");
        (folder, beside)
    }

    #[test]
    fn it_is_made_for_its_owner_alone_and_refused_otherwise() {
        let (_folder, beside) = beside();
        beside.make().unwrap();
        assert_eq!(fs::metadata(beside.path()).unwrap().mode() & 0o777, 0o700);
        beside.make().unwrap();

        fs::set_permissions(beside.path(), Permissions::from_mode(0o750)).unwrap();

        let why = beside.make().unwrap_err().to_string();
        assert!(why.contains("(mode 0750); close it: chmod 700 "), "{why}");
    }

    #[test]
    fn what_is_no_folder_is_refused() {
        let (_folder, beside) = beside();
        fs::write(beside.path(), "").unwrap();

        let why = beside.make().unwrap_err().to_string();

        assert!(why.ends_with("is not a folder; move it away"), "{why}");
    }

    #[test]
    fn one_holds_it_until_it_lets_go() {
        let (_folder, beside) = beside();
        beside.make().unwrap();
        let held = beside.lock().unwrap();
        assert!(File::open(beside.path()).unwrap().try_lock().is_err());

        drop(held);

        assert!(beside.lock().is_ok());
    }
}
