//! A lock for each token of a run. It is free as soon as the run is over, however it ended: so a
//! later start knows a token that has outlived its run.
//!
//! 1. A run takes a lock under the token's id before the token has a value.
//! 2. When its child ends, it revokes the token and removes the lock.
//! 3. Whoever finds a lock that is free takes it, and does the same.
//!
//! A lock is made and looked for with the folder locked, so that none is found that its run has not
//! taken yet.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use nix::fcntl::OFlag;

use crate::{cli::beside::Beside, domain::id::TokenId};

/// How many left-over locks are taken at once: each is an open file, of which a process may have
/// few.
const MOST: usize = 64;

/// Where the locks of a store are.
pub(in crate::cli) struct Locks {
    folder: Beside,
    /// Several stores may lie in one folder.
    store: String,
}

/// A lock that we hold, for as long as this lives.
pub(in crate::cli) struct Lock {
    pub(in crate::cli) token: TokenId,
    path: PathBuf,
    _held: File,
}

impl Locks {
    /// Those of the runs with tokens of this store.
    pub(in crate::cli) fn of(store: &Path) -> Self {
        let name = store.file_name().unwrap_or_default();
        Self {
            folder: Beside::of(store, "runs"),
            store: name.to_string_lossy().into_owned(),
        }
    }

    /// Takes a lock that nobody has.
    pub(super) fn take(&self, token: TokenId) -> anyhow::Result<Lock> {
        self.folder.make()?;
        let _alone = self.folder.lock()?;
        let path = self.folder.path().join(format!("{token}.{}", self.store));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        file.try_lock()?;
        Ok(Lock {
            token,
            path,
            _held: file,
        })
    }

    /// Takes the locks whose run is over, but not more than [`MOST`]: the rest is for the next who
    /// asks.
    pub(in crate::cli) fn left_behind(&self) -> anyhow::Result<Vec<Lock>> {
        if !self.folder.path().is_dir() {
            return Ok(Vec::new());
        }
        let _alone = self.folder.lock()?;
        let mut free = Vec::new();
        for entry in fs::read_dir(self.folder.path())? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let token = name
                .and_then(|name| name.split_once('.'))
                .filter(|(_, store)| *store == self.store)
                .and_then(|(id, _)| id.parse().ok());
            let Some(token) = token else {
                continue;
            };
            let opened = OpenOptions::new()
                .read(true)
                .custom_flags(OFlag::O_NOFOLLOW.bits())
                .open(&path);
            // It may be over in this moment.
            let Ok(file) = opened else {
                continue;
            };
            if file.try_lock().is_err() {
                continue;
            }
            free.push(Lock {
                token,
                path,
                _held: file,
            });
            if free.len() == MOST {
                break;
            }
        }
        Ok(free)
    }
}

impl Lock {
    /// Takes it away, since its token is revoked.
    pub(super) fn remove(self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::MetadataExt as _, sync::Barrier, thread};

    use super::*;

    #[test]
    fn a_lock_is_left_behind_when_its_run_is_over_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let locks = Locks::of(&folder.path().join("store.db"));
        let id = TokenId::fresh();
        let lock = locks.take(id).unwrap();
        assert!(locks.left_behind().unwrap().is_empty());
        let mode = fs::metadata(&lock.path).unwrap().mode() & 0o777;
        let folders = fs::metadata(folder.path().join("runs")).unwrap().mode() & 0o777;
        assert_eq!((mode, folders), (0o600, 0o700));

        drop(lock);

        let found = locks.left_behind().unwrap();
        assert_eq!(found[0].token, id);
        assert!(locks.left_behind().unwrap().is_empty(), "it is held now");
        for lock in found {
            lock.remove().unwrap();
        }
        assert!(locks.left_behind().unwrap().is_empty());
    }

    #[test]
    fn more_than_a_few_are_ended_in_several_starts() {
        let folder = tempfile::tempdir().unwrap();
        let locks = Locks::of(&folder.path().join("store.db"));
        for _ in 0..MOST + 3 {
            drop(locks.take(TokenId::fresh()).unwrap());
        }

        let found = locks.left_behind().unwrap();

        assert_eq!(found.len(), MOST);
        for lock in found {
            lock.remove().unwrap();
        }
        assert_eq!(locks.left_behind().unwrap().len(), 3);
    }

    #[test]
    fn the_runs_of_another_store_are_its_own_affair() {
        let folder = tempfile::tempdir().unwrap();
        let [ours, theirs] = ["a.db", "b.db"].map(|name| Locks::of(&folder.path().join(name)));
        drop(ours.take(TokenId::fresh()).unwrap());
        fs::write(folder.path().join("runs/notes.a.db"), "").unwrap();

        assert!(theirs.left_behind().unwrap().is_empty());
        assert_eq!(ours.left_behind().unwrap().len(), 1);
    }

    #[test]
    fn of_many_starts_at_once_one_takes_what_was_left_behind_and_none_what_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let locks = Locks::of(&folder.path().join("store.db"));
        let left: Vec<_> = (0..8).map(|_| TokenId::fresh()).collect();
        for id in &left {
            drop(locks.take(*id).unwrap());
        }
        let all = Barrier::new(8);

        let start = |_| {
            all.wait();
            let own = locks.take(TokenId::fresh()).unwrap();
            let found = locks.left_behind().unwrap();
            all.wait();
            (own, found)
        };
        let starts: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || start(n))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });

        let found: Vec<_> = starts
            .iter()
            .flat_map(|(_, found)| found)
            .map(|lock| lock.token)
            .collect();
        assert_eq!(found.len(), left.len());
        assert!(left.iter().all(|id| found.contains(id)));
        assert!(starts.iter().all(|(own, _)| !found.contains(&own.token)));
    }
}
