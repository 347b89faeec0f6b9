//! [`Model`]: a disk whose power may go at any moment. What was synced is there afterwards; of the
//! rest nothing, all, or any part: sectors of a write, one name and not the other.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{DirBuilderExt as _, OpenOptionsExt as _},
    },
    path::{Path, PathBuf},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::journal::{Kind, Record, found_under};

/// A disk writes so many bytes whole, or not at all.
const SECTOR: usize = 512;

/// What is left of what was not synced.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Left {
    /// Nothing.
    Nothing,
    /// All of it.
    All,
    /// A part, by chance.
    Some(u64),
}

/// A disk: what is on it for good, and what is on its way.
#[derive(Clone)]
pub(crate) struct Model {
    folder: PathBuf,
    /// Every file that ever was, by its age.
    files: Vec<Bytes>,
    /// Which of them has a number now: numbers are given again.
    numbers: BTreeMap<u64, usize>,
    names: BTreeMap<PathBuf, Node>,
    /// Not synced yet, in the order of its coming.
    coming: Vec<Naming>,
}

#[derive(Clone, Copy)]
enum Node {
    Folder,
    File(usize),
}

/// A file's bytes: on the disk, and on their way.
#[derive(Clone)]
struct Bytes {
    kept: Vec<u8>,
    coming: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Clone)]
enum Naming {
    Made(PathBuf, Node),
    Moved(PathBuf, PathBuf),
    Linked(PathBuf, PathBuf),
    Removed(PathBuf),
}

impl Model {
    /// A disk on which is what stands under `folder`, safe.
    pub(crate) fn of(folder: &Path) -> Self {
        let folder = fs::canonicalize(folder).unwrap();
        let mut model = Self {
            files: Vec::new(),
            numbers: BTreeMap::new(),
            names: BTreeMap::new(),
            coming: Vec::new(),
            folder: folder.clone(),
        };
        for (path, number, bytes) in found_under(&folder) {
            let node = match bytes {
                None => Node::Folder,
                Some(kept) => model.file(number, kept),
            };
            model.names.insert(path, node);
        }
        model
    }

    /// Does what `record` tells of.
    pub(crate) fn play(&mut self, record: &Record) {
        let path = record.path.clone();
        let to = || PathBuf::from(std::ffi::OsStr::from_bytes(&record.data));
        match record.kind {
            Kind::Made => {
                let file = self.file(record.number, Vec::new());
                self.coming.push(Naming::Made(path, file));
            }
            Kind::Folder => self.coming.push(Naming::Made(path, Node::Folder)),
            Kind::Moved => self.coming.push(Naming::Moved(path, to())),
            Kind::Linked => self.coming.push(Naming::Linked(path, to())),
            Kind::Removed => self.coming.push(Naming::Removed(path)),
            Kind::NamesSynced => {
                let (here, rest) = std::mem::take(&mut self.coming)
                    .into_iter()
                    .partition(|naming| naming.folder() == Some(&record.path));
                self.coming = rest;
                let here: Vec<Naming> = here;
                for naming in &here {
                    naming.happen(&mut self.names);
                }
            }
            Kind::Written => {
                let at = usize::try_from(record.offset).unwrap();
                self.change(record.number, Change::Write(at, record.data.clone()));
            }
            Kind::Cut => {
                let length = usize::try_from(record.offset).unwrap();
                self.change(record.number, Change::Length(length));
            }
            Kind::Synced => {
                if let Some(file) = self.numbered(record.number) {
                    file.sync();
                }
            }
            // The system has told of it once, and believes its pages clean: they never come.
            Kind::NotSynced => {
                if let Some(file) = self.numbered(record.number) {
                    file.coming.clear();
                }
            }
            Kind::Mapped | Kind::Answered => {}
        }
    }

    /// A file that comes into being.
    fn file(&mut self, number: u64, kept: Vec<u8>) -> Node {
        let coming = Vec::new();
        self.files.push(Bytes { kept, coming });
        self.numbers.insert(number, self.files.len() - 1);
        Node::File(self.files.len() - 1)
    }

    fn numbered(&mut self, number: u64) -> Option<&mut Bytes> {
        let age = *self.numbers.get(&number)?;
        self.files.get_mut(age)
    }

    fn change(&mut self, number: u64, change: Change) {
        if let Some(file) = self.numbered(number) {
            file.coming.push(change);
        }
    }

    /// The power goes: puts under `into` what is there when it is back.
    pub(crate) fn cut(&self, left: Left, into: &Path) {
        let mut chance = StdRng::seed_from_u64(match left {
            Left::Some(seed) => seed,
            Left::Nothing | Left::All => 0,
        });
        let mut stays = move || match left {
            Left::Nothing => false,
            Left::All => true,
            Left::Some(_) => chance.random(),
        };
        let mut names = self.names.clone();
        for naming in &self.coming {
            if stays() {
                naming.happen(&mut names);
            }
        }
        for (path, node) in &names {
            let place = into.join(path.strip_prefix(&self.folder).unwrap());
            match node {
                Node::Folder => DirBuilder::new()
                    .mode(0o700)
                    .recursive(true)
                    .create(place)
                    .unwrap(),
                // Without its folder's name a file cannot be found.
                Node::File(_) if !place.parent().unwrap().exists() => {}
                Node::File(number) => {
                    let bytes = self.files[*number].left(&mut stays);
                    let mut file = fs::OpenOptions::new()
                        .write(true)
                        .create_new(true)
                        .mode(0o600)
                        .open(place)
                        .unwrap();
                    std::io::Write::write_all(&mut file, &bytes).unwrap();
                }
            }
        }
    }
}

impl Naming {
    /// The folder that has to be synced for it.
    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Made(path, _)
            | Self::Moved(_, path)
            | Self::Linked(_, path)
            | Self::Removed(path) => path.parent(),
        }
    }

    fn happen(&self, names: &mut BTreeMap<PathBuf, Node>) {
        match self {
            Self::Made(path, node) => {
                names.insert(path.clone(), *node);
            }
            Self::Moved(from, to) => {
                if let Some(node) = names.remove(from) {
                    names.insert(to.clone(), node);
                }
            }
            Self::Linked(from, to) => {
                if let Some(node) = names.get(from).copied() {
                    names.insert(to.clone(), node);
                }
            }
            Self::Removed(path) => {
                names.remove(path);
            }
        }
    }
}

impl Bytes {
    fn sync(&mut self) {
        for change in std::mem::take(&mut self.coming) {
            change.happen(&mut self.kept, || true);
        }
    }

    fn left(&self, stays: &mut impl FnMut() -> bool) -> Vec<u8> {
        let mut bytes = self.kept.clone();
        for change in &self.coming {
            change.happen(&mut bytes, &mut *stays);
        }
        bytes
    }
}

impl Change {
    /// Happens to `bytes`, sector by sector, where it `stays`.
    fn happen(&self, bytes: &mut Vec<u8>, mut stays: impl FnMut() -> bool) {
        match self {
            Self::Length(length) => {
                if stays() {
                    bytes.resize(*length, 0);
                }
            }
            Self::Write(at, data) => {
                let mut done = 0;
                while done < data.len() {
                    let from = at + done;
                    let end = (from / SECTOR + 1) * SECTOR;
                    let length = (end - from).min(data.len() - done);
                    if stays() {
                        if bytes.len() < from + length {
                            bytes.resize(from + length, 0);
                        }
                        bytes[from..from + length].copy_from_slice(&data[done..done + length]);
                    }
                    done += length;
                }
            }
        }
    }
}
