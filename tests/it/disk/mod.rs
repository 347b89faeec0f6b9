//! [`Disk`]: a disk that can be watched, filled, broken and cut off, for real processes on it.
//!
//! A shim in C stands between a process and its libc (`shim.c`), on Linux with glibc. It obeys a
//! page that the test writes at any time, and may keep a [`Journal`] of all that was done, from
//! which a power cut at any moment is played.

mod journal;
mod power;

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::mcp::process::Home;
pub(crate) use journal::{Journal, Kind};
pub(crate) use power::{Left, Model};

/// Which calls are meant.
#[derive(Clone, Copy)]
pub(crate) enum Calls {
    /// Those that change something: writes, cuts, new names.
    Changes = 1,
    /// Those too that ask for it to be on the disk.
    Both = 3,
    /// Those that read.
    Reads = 4,
}

/// What becomes of a call.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// It fails with this number.
    Once(i32),
    /// It fails, and every one after it.
    Always(i32),
    /// The process is stopped in front of it.
    Stop,
    /// The process is killed in front of it.
    Kill,
    /// A write takes half of what it was given.
    Half,
}

/// The disk under a [`Home`], as its processes find it.
pub(crate) struct Disk {
    shim: PathBuf,
    folder: PathBuf,
    control: PathBuf,
    journal: PathBuf,
    page: File,
}

impl Disk {
    /// The disk of `home`, or nothing, with a word why, where there cannot be one.
    pub(crate) fn under(home: &Home) -> Option<Self> {
        let Some(shim) = shim() else {
            crate::cli::refusals::skipped("a disk that fails is played on Linux with glibc and cc");
            return None;
        };
        let beside = |ending| home.folder().join("disk").with_extension(ending);
        let (control, journal) = (beside("control"), beside("journal"));
        fs::write(&control, [0; 4096]).unwrap();
        fs::write(&journal, "").unwrap();
        let page = File::options().write(true).open(&control).unwrap();
        Some(Self {
            shim,
            folder: fs::canonicalize(home.folder()).unwrap(),
            control,
            journal,
            page,
        })
    }

    /// Lays `command` upon this disk.
    pub(crate) fn under_command<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("LD_PRELOAD", &self.shim)
            .env("DISK_FOLDER", &self.folder)
            .env("DISK_CONTROL", &self.control)
    }

    /// The same, and everything is written down.
    pub(crate) fn with_journal<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        self.under_command(command)
            .env("DISK_JOURNAL", &self.journal)
    }

    /// What was done since, on what is there now.
    pub(crate) fn journal(&self) -> Journal {
        Journal::read(&self.journal)
    }

    /// From now on: the call of these kinds with this number (the next one is 1) meets `fault`.
    pub(crate) fn arm(&self, calls: Calls, number: u32, fault: Fault) {
        self.disarm();
        let (action, error) = match fault {
            Fault::Once(error) => (1, error),
            Fault::Always(error) => (2, error),
            Fault::Stop => (3, 0),
            Fault::Kill => (4, 0),
            Fault::Half => (5, 0),
        };
        self.set(8, error.cast_unsigned());
        self.set(12, calls as u32);
        self.set(0, number);
        self.set(4, action);
    }

    /// How many of those calls there were since.
    pub(crate) fn seen(&self) -> u32 {
        let page = fs::read(&self.control).unwrap();
        u32::from_ne_bytes(page[16..20].try_into().unwrap())
    }

    /// The disk is as good as new.
    pub(crate) fn disarm(&self) {
        for at in [4, 0, 12, 16] {
            self.set(at, 0);
        }
    }

    /// The clock of its processes is wrong by so many seconds.
    pub(crate) fn set_clock(&self, seconds: i32) {
        self.set(20, seconds.cast_unsigned());
    }

    fn set(&self, at: u64, value: u32) {
        self.page.write_all_at(&value.to_ne_bytes(), at).unwrap();
    }
}

/// The shim, compiled once a run.
fn shim() -> Option<PathBuf> {
    static SHIM: OnceLock<Option<PathBuf>> = OnceLock::new();
    SHIM.get_or_init(|| {
        if !cfg!(all(
            target_os = "linux",
            target_env = "gnu",
            target_pointer_width = "64"
        )) {
            return None;
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (made, shim) = (
            folder.join(format!("disk-{}.so", std::process::id())),
            folder.join("disk.so"),
        );
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/disk/shim.c");
        let status = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&made, &source])
            .status();
        if !status.is_ok_and(|status| status.success()) {
            return None;
        }
        fs::rename(&made, &shim).unwrap();
        Some(shim)
    })
    .clone()
}
