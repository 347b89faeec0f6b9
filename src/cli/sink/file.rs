//! `file:PATH`: a file that is not there yet. What is there is never written over.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, ErrorKind, Write as _},
    path::PathBuf,
};

use super::{Destination, shown};
use crate::{authority::Sink, cli::replace_file::Folder, domain::credential::PlainToken};

/// A file that is not there yet.
pub(super) struct NewFile {
    path: PathBuf,
    made: Option<Made>,
}

/// The file that we made, by which we know it again.
struct Made {
    folder: Folder,
    name: OsString,
    file: File,
}

impl NewFile {
    pub(super) fn at(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { path, made: None }
    }
}

impl Sink for NewFile {
    fn prepare(&mut self) -> io::Result<()> {
        let (folder, name) = Folder::of(&self.path)?;
        let file = folder.make(&name).map_err(|error| {
            let path = self.path.display();
            let why = if error.kind() == ErrorKind::AlreadyExists {
                format!("`{path}` is there already, and is never overwritten; name another")
            } else {
                format!("`{path}` cannot be made: {error}; name another with `--to file:PATH`")
            };
            io::Error::new(error.kind(), why)
        })?;
        self.made = Some(Made { folder, name, file });
        Ok(())
    }

    fn publish(&mut self, value: &PlainToken) -> io::Result<()> {
        let Some(Made { folder, file, .. }) = &mut self.made else {
            return Err(io::Error::other("the file was not made"));
        };
        file.write_all(value.expose().as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        folder.sync()
    }

    fn withdraw(&mut self) {
        if let Some(Made { folder, name, file }) = self.made.take() {
            // Wherever it has gone in the meantime, it must hold no half of a value.
            drop(file.set_len(0));
            folder.remove(&name, &file);
        }
    }

    fn name(&self) -> String {
        "file".to_owned()
    }
}

impl Destination for NewFile {
    fn change(&self) -> String {
        let path = shown(&self.path.display().to_string());
        format!("{path} would be made, for you alone:\n+<the value>")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_the_file_that_was_made_is_taken_away_again() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("it"), folder.path().join("moved"));
        let mut sink = NewFile::at(&path);
        sink.prepare().unwrap();
        sink.publish(&PlainToken::imported("hunter2")).unwrap();
        fs::rename(&path, &moved).unwrap();
        fs::write(&path, "mine").unwrap();

        sink.withdraw();

        assert_eq!(fs::read(&path).unwrap(), b"mine");
        assert_eq!(fs::read(&moved).unwrap(), b"");
    }

    #[test]
    fn a_file_that_was_made_goes_when_there_is_no_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it");
        let mut sink = NewFile::at(&path);
        sink.prepare().unwrap();
        assert!(path.exists());

        sink.withdraw();

        assert!(!path.exists());
    }
}
