//! [`Shell`]: a folder, a shell in it, and the binary on its path. What differs from run to run is
//! told by a name, `[id 1]`, that can be typed again.

use std::{
    fmt::Write as _,
    fs::{self, DirBuilder, File, Permissions},
    io::{self, Read as _, Write as _},
    os::unix::{
        fs::{DirBuilderExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::Mutex,
    thread,
};

use nix::pty::{Winsize, openpty};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::counted;

/// The examples in our own error texts, which are nobody's.
const EXAMPLES: [&str; 2] = ["7K3M-Q9TX-2BWF", "019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001"];

const DIGITS: &str = "0123456789";
const HEX: &str = "0123456789abcdef";
const CROCKFORD: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A shell in a folder of its own, where nothing was typed yet.
pub(super) struct Shell {
    _folder: TempDir,
    home: PathBuf,
    /// What was seen, by its name.
    names: Mutex<Vec<(String, String)>>,
}

/// What a command left behind.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) status: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl Shell {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = fs::canonicalize(folder.path()).unwrap();
        DirBuilder::new()
            .mode(0o700)
            .create(home.join("keywright"))
            .unwrap();
        Self {
            _folder: folder,
            home,
            names: Mutex::default(),
        }
    }

    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    pub(super) fn store(&self) -> PathBuf {
        self.home.join("keywright").join("store.db")
    }

    /// Puts a program into the folder `bin`. Whoever has that folder alone on their path finds no
    /// other.
    pub(super) fn program(&self, name: &str, script: &str) {
        let bin = self.home.join("bin");
        fs::create_dir_all(&bin).unwrap();
        let path = bin.join(name);
        fs::write(&path, format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }

    /// What is in a file; nothing, if it is not there.
    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.home.join(name)).unwrap_or_default()
    }

    /// The file itself, behind the program's back.
    pub(super) fn attack(&self, sql: &str) {
        let file = Connection::open(self.store()).unwrap();
        file.pragma_update(None, "foreign_keys", false).unwrap();
        file.execute_batch(sql).unwrap();
    }

    /// Types a line.
    pub(super) fn run(&self, typed: &str) -> Done {
        done(&self.command(typed).stdin(Stdio::null()).output().unwrap())
    }

    /// Types a line that must do what it says; what it printed.
    pub(super) fn ok(&self, typed: &str) -> String {
        let done = self.run(typed);
        assert_eq!(done.status, 0, "{typed}: {done:?}");
        done.out
    }

    /// Types a line that must be refused; what it said.
    pub(super) fn refused(&self, typed: &str) -> String {
        let done = self.run(typed);
        assert_eq!(
            (done.status, done.out.as_str()),
            (1, ""),
            "{typed}: {done:?}"
        );
        done.err
    }

    /// Starts a command, to talk with it.
    pub(super) fn start(&self, typed: &str) -> Child {
        self.command(typed)
            // What is typed at the terminal of whoever runs the tests is not for it.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Says something to a command.
    pub(super) fn says(&self, typed: &str, said: &str) -> Done {
        let mut child = self.start(typed);
        child
            .stdin
            .take()
            .unwrap()
            .write_all(said.as_bytes())
            .unwrap();
        done(&child.wait_with_output().unwrap())
    }

    /// What a command prints on a terminal of so many columns, where `said` is typed when it asks;
    /// and its status.
    pub(super) fn on_terminal(&self, columns: u16, typed: &str, said: &str) -> (String, i32) {
        self.on_terminal_after("", columns, typed, said)
    }

    /// The same, where nothing is typed before `question` stands there.
    pub(super) fn on_terminal_after(
        &self,
        question: &str,
        columns: u16,
        typed: &str,
        said: &str,
    ) -> (String, i32) {
        let size = Winsize {
            ws_row: 24,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(Some(&size), None).unwrap();
        let mut person = File::from(pty.master);
        let end = || Stdio::from(pty.slave.try_clone().unwrap());
        let mut command = self.command(typed);
        let mut child = command
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        // Only the child holds the other end now, so that reading ends with it.
        drop((command, pty.slave));
        let mut before = String::new();
        while !before.contains(question) {
            let mut next = [0];
            person.read_exact(&mut next).unwrap();
            before.push(char::from(next[0]));
        }
        // Whoever asks for more is told that there is no more.
        person
            .write_all(format!("{said}\u{4}\u{4}").as_bytes())
            .unwrap();
        let screen = before + &read_screen(person, &mut child);
        let status = child.wait().unwrap();
        let screen = screen.replace("^D\u{8}\u{8}", "").replace("\r\n", "\n");
        (screen, status.code().unwrap())
    }

    /// What a line comes to, for a transcript: standard output as it is, standard error after `! `,
    /// a status that is not 0 after `? `.
    pub(super) fn transcript(&self, typed: &str) -> String {
        let done = self.run(typed);
        let mut text = String::new();
        for line in self.named(&done.out).lines() {
            writeln!(text, "{line}").unwrap();
        }
        for line in self.named(&done.err).lines() {
            writeln!(text, "! {line}").unwrap();
        }
        if done.status != 0 {
            writeln!(text, "? {}", done.status).unwrap();
        }
        // An empty line begins something new.
        text.replace("\n\n", "\n.\n")
    }

    fn command(&self, typed: &str) -> Command {
        let binary = Path::new(env!("CARGO_BIN_EXE_keywright"));
        let mut command = Command::new("sh");
        command
            .args(["-c", &self.told(typed)])
            .current_dir(&self.home)
            .env_clear()
            .env(
                "PATH",
                format!(
                    "{}:/usr/local/bin:/usr/bin:/bin",
                    binary.parent().unwrap().display()
                ),
            )
            .env("HOME", &self.home)
            .env("LC_ALL", "C")
            .env("KEYWRIGHT_STORE", self.store());
        counted(&mut command);
        command
    }

    /// `text` with every name in it replaced by what it stands for.
    fn told(&self, text: &str) -> String {
        let names = self.names.lock().unwrap();
        let text = text
            .replace("[keywright]", env!("CARGO_BIN_EXE_keywright"))
            .replace("[home]", self.home.to_str().unwrap());
        names
            .iter()
            .fold(text, |text, (name, seen)| text.replace(name, seen))
    }

    /// `text` with everything in it that differs from run to run replaced by a name, and the gaps
    /// of its columns, which depend on that, made equal.
    pub(super) fn named(&self, text: &str) -> String {
        let text = text
            .replace(env!("CARGO_BIN_EXE_keywright"), "[keywright]")
            .replace(self.home.to_str().unwrap(), "[home]");
        let mut out = String::new();
        let mut rest = text.as_str();
        let mut last = ' ';
        while let Some(next) = rest.chars().next() {
            let found = (!last.is_alphanumeric()).then(|| changing(rest)).flatten();
            let taken = if let Some((kind, length)) = found {
                out.push_str(&self.name(kind, &rest[..length]));
                length
            } else {
                out.push(next);
                next.len_utf8()
            };
            last = rest[..taken].chars().next_back().unwrap_or(' ');
            rest = &rest[taken..];
        }
        out.lines().map(|line| evened(line) + "\n").collect()
    }

    fn name(&self, kind: &str, seen: &str) -> String {
        if matches!(kind, "time" | "hash") {
            return format!("[{kind}]");
        }
        let mut names = self.names.lock().unwrap();
        if let Some((name, _)) = names.iter().find(|(_, known)| known == seen) {
            return name.clone();
        }
        let begin = format!("[{kind} ");
        let number = names
            .iter()
            .filter(|(name, _)| name.starts_with(&begin))
            .count()
            + 1;
        let name = format!("{begin}{number}]");
        names.push((name.clone(), seen.to_owned()));
        name
    }
}

/// `line` with every gap of a column two spaces wide, and whoever runs the tests by no name.
fn evened(line: &str) -> String {
    let me = me();
    let body = line.trim_start();
    let indent = &line[..line.len() - body.len()];
    let body = body.replace(&format!("\"{me}\""), "\"[me]\"");
    let cells = body
        .split("  ")
        .map(str::trim)
        .filter(|cell| !cell.is_empty());
    let cells: Vec<_> = cells
        .map(|cell| if cell == me { "[me]" } else { cell })
        .collect();
    format!("{indent}{}", cells.join("  "))
}

/// What the operating system calls whoever runs the tests.
fn me() -> String {
    let uid = nix::unistd::geteuid();
    let user = nix::unistd::User::from_uid(uid).ok().flatten();
    user.map_or_else(|| format!("user-{uid}"), |user| user.name)
}

fn done(output: &Output) -> Done {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Done {
        status: output.status.code().unwrap_or(-1),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}

/// Everything that is written on a terminal until nobody holds it any more.
fn read_screen(mut person: File, child: &mut Child) -> String {
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        // Linux ends a terminal with an error, others with nothing more.
        let ended: io::Result<usize> = person.read_to_end(&mut bytes);
        drop(ended);
        String::from_utf8(bytes).unwrap()
    });
    child.wait().unwrap();
    reader.join().unwrap()
}

/// What `text` begins with, if that differs from run to run, and how long it is.
fn changing(text: &str) -> Option<(&'static str, usize)> {
    if EXAMPLES.iter().any(|example| text.starts_with(example)) {
        return None;
    }
    let of_ours = |digits| of_ours(text, digits);
    let shapes = [
        ("id", "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", HEX),
        ("time", "xxxx-xx-xxTxx:xx:xx.xxxZ", DIGITS),
        ("hash", &"x".repeat(64), HEX),
        ("cursor", &"x".repeat(48), HEX),
        ("key", &"x".repeat(16), HEX),
        ("code", "xxxx-xxxx-xxxx", CROCKFORD),
    ];
    let found = shapes.iter().find(|(_, shape, of)| fits(text, shape, of));
    found
        .map(|(kind, shape, _)| (*kind, shape.len()))
        .or_else(|| Some(("value", of_ours(49)?)))
        .or_else(|| Some(("prefix", of_ours(4)?)))
}

/// How long the value is that `text` begins with, if it has so many digits.
fn of_ours(text: &str, digits: usize) -> Option<usize> {
    let begin = ["kw_pat_", "kw_cli_", "acme_pat_"]
        .into_iter()
        .find(|begin| text.starts_with(begin))?;
    let body = &text[begin.len()..];
    let length = body.chars().take_while(char::is_ascii_alphanumeric).count();
    (length == digits).then_some(begin.len() + digits)
}

/// Whether `text` begins like `shape`, where an `x` is any `of` these.
fn fits(text: &str, shape: &str, of: &str) -> bool {
    let is_it = |c: char| of.contains(c);
    let mut text = text.chars();
    let fits = shape.chars().all(|mark| match (mark, text.next()) {
        ('x', Some(c)) => is_it(c),
        (mark, c) => c == Some(mark),
    });
    fits && !text.next().is_some_and(is_it)
}
