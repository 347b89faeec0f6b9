//! [`Journal`]: what processes did to a folder, in its order, and what they answered meanwhile.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

/// What a record tells of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A file was made.
    Made,
    /// A folder was made.
    Folder,
    /// Something was written.
    Written,
    /// A file was cut, or made longer.
    Cut,
    /// A file is to be on the disk.
    Synced,
    /// So are the names in a folder.
    NamesSynced,
    /// That was asked for, and failed.
    NotSynced,
    /// A name was moved.
    Moved,
    /// A file has one more name.
    Linked,
    /// A name was taken away.
    Removed,
    /// Memory became a file that is written behind our back.
    Mapped,
    /// An answer is about to leave.
    Answered,
}

/// One thing that was done.
pub(crate) struct Record {
    pub(crate) kind: Kind,
    pub(crate) process: u32,
    /// Which file, or which descriptor was answered through.
    pub(crate) number: u64,
    pub(crate) offset: u64,
    pub(crate) path: PathBuf,
    pub(crate) data: Vec<u8>,
}

/// All of it.
pub(crate) struct Journal {
    pub(crate) records: Vec<Record>,
}

impl Journal {
    pub(super) fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let mut rest = &bytes[..];
        let mut records = Vec::new();
        while let Some((record, more)) = next(rest) {
            records.push(record);
            rest = more;
        }
        Self { records }
    }

    /// Every line that was answered: the process, the line, and the record with which it was about
    /// to leave whole.
    pub(crate) fn answers(&self) -> Vec<(u32, String, usize)> {
        let mut streams: BTreeMap<(u32, u64), Vec<u8>> = BTreeMap::new();
        let mut lines = Vec::new();
        for (at, record) in self.records.iter().enumerate() {
            if record.kind != Kind::Answered {
                continue;
            }
            let stream = streams.entry((record.process, record.number)).or_default();
            stream.extend(&record.data);
            while let Some(end) = stream.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = stream.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).trim().to_owned();
                lines.push((record.process, line, at));
            }
        }
        lines
    }
}

fn next(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (head, rest) = bytes.split_at_checked(29)?;
    let short = |at: usize| u32::from_ne_bytes(head[at..at + 4].try_into().unwrap());
    let long = |at: usize| u64::from_ne_bytes(head[at..at + 8].try_into().unwrap());
    let (name, rest) = rest.split_at_checked(short(21) as usize)?;
    let (data, rest) = rest.split_at_checked(short(25) as usize)?;
    let kind = match head[0] {
        b'C' => Kind::Made,
        b'D' => Kind::Folder,
        b'W' => Kind::Written,
        b'T' => Kind::Cut,
        b'S' => Kind::Synced,
        b'F' => Kind::NamesSynced,
        b'E' => Kind::NotSynced,
        b'R' => Kind::Moved,
        b'L' => Kind::Linked,
        b'U' => Kind::Removed,
        b'M' => Kind::Mapped,
        b'A' => Kind::Answered,
        other => panic!("no record begins with {other}"),
    };
    let record = Record {
        kind,
        process: short(1),
        number: long(5),
        offset: long(13),
        path: OsStr::from_bytes(name).into(),
        data: data.to_owned(),
    };
    Some((record, rest))
}

/// What is under `folder` now: every path with its number and its bytes; a folder has none.
pub(super) fn found_under(folder: &Path) -> Vec<(PathBuf, u64, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            found.push((path.clone(), metadata.ino(), None));
            found.extend(found_under(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.push((path, metadata.ino(), Some(bytes)));
        }
    }
    found
}
