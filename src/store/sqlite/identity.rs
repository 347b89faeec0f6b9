//! [`Identity`]: which files a connection opened, to tell whether they still stand in their places.
//!
//! SQLite never asks while it is open. A connection whose file was moved away reads and writes it
//! for ever; one whose log or whose index of the log was taken away shares it with nobody who came
//! later: it sees none of their revocations, and when it closes takes their log away by its name.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::files::beside;
use crate::store::Error;

/// A folder that was changed is taken for unchanged only when its time is older than the coarsest
/// clock of a file system: two changes may bear the same time.
const TICK: Duration = Duration::from_secs(3);

/// The files that were opened, and the folder as it was when all of them were last seen.
pub(super) struct Identity {
    folder: PathBuf,
    /// The file, its log, and the index of the log.
    files: [(Place, PathBuf); 3],
    seen: Option<(State, Instant)>,
}

/// A file's device, and its number there.
type Place = (u64, u64);

/// What changes with every name that comes to a folder, or goes.
type State = (Place, i64, i64);

impl Identity {
    /// Of the files at `path` that are open by now.
    pub(super) fn of(path: &Path) -> Result<Self, Error> {
        let files = ["", "-wal", "-shm"].map(|ending| beside(path, ending));
        let [store, log, index] = files.map(|path| Ok::<_, Error>((place_of(&path)?, path)));
        Ok(Self {
            folder: path.parent().unwrap_or(path).to_owned(),
            files: [store?, log?, index?],
            seen: None,
        })
    }

    /// Refuses to go on where one of them is gone, or another stands in its place. Looks at the
    /// folder alone for as long as nothing in it changed its name.
    pub(super) fn hold(&mut self) -> Result<(), Error> {
        let folder = look(&self.folder)?;
        let state = (place(&folder), folder.ctime(), folder.ctime_nsec());
        let since = match self.seen {
            Some((seen, since)) if seen == state => since,
            Some(_) | None => Instant::now(),
        };
        if self.seen.is_some() && since.elapsed() > TICK {
            return Ok(());
        }
        for (opened, path) in &self.files {
            if place(&look(path)?) != *opened {
                return Err(Error::Unavailable(
                    "another file was put in the store's place; restart this keywright".into(),
                ));
            }
        }
        self.seen = Some((state, since));
        Ok(())
    }

    /// Whether what has one of the names now is none of ours.
    pub(super) fn is_replaced(&self) -> bool {
        self.files.iter().any(|(opened, path)| {
            fs::symlink_metadata(path).is_ok_and(|found| place(&found) != *opened)
        })
    }
}

/// Which file is at `path`.
pub(super) fn place_of(path: &Path) -> Result<Place, Error> {
    Ok(place(&look(path)?))
}

fn place(found: &Metadata) -> Place {
    (found.dev(), found.ino())
}

fn look(path: &Path) -> Result<Metadata, Error> {
    fs::symlink_metadata(path).map_err(|error| {
        Error::Unavailable(format!("the store `{}`: {error}", path.display()).into())
    })
}
