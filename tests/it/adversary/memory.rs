//! Looking into a process: another program of the same user reads its memory and its environment, or
//! makes it crash and reads the core.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::{
        fs::{PermissionsExt as _, chown},
        process::{CommandExt as _, ExitStatusExt as _},
    },
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid, getuid},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{cli::refusals::skipped, mcp::process::eventually};

/// Somebody without any right but their own: the administrator may look into everything.
const SOMEBODY: u32 = 4711;

/// The program, and a folder, of a user who is not the administrator.
struct Place {
    folder: TempDir,
    uid: u32,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let uid = if geteuid().is_root() {
            SOMEBODY
        } else {
            getuid().as_raw()
        };
        let program = folder.path().join("keywright");
        fs::copy(env!("CARGO_BIN_EXE_keywright"), &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        chown(folder.path(), Some(uid), None).unwrap();
        Self { folder, uid }
    }

    /// A program of that user.
    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().current_dir(self.folder.path());
        if geteuid().is_root() {
            command.uid(self.uid).gid(self.uid);
        }
        command
    }

    fn keywright(&self, words: &[&str]) -> Command {
        let mut command = self.command(self.folder.path().join("keywright"));
        command.args(["--store", "kw/store.db"]).args(words);
        command
    }

    /// The same command, of which a core may be written.
    fn dumping(&self, command: &Command) -> Command {
        let mut shell = self.command("/bin/sh");
        let script = "ulimit -c unlimited; exec \"$0\" \"$@\"";
        shell.args(["-c", script]).arg(command.get_program());
        shell.args(command.get_args());
        shell
    }

    /// A server that has answered once, so that it is at work.
    fn session(&self) -> Child {
        let mut server = self
            .dumping(&self.keywright(&["mcp", "--local"]))
            .env("NOT_FOR_OTHERS", "a-word-of-mine")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
        writeln!(server.stdin.as_mut().unwrap(), "{hello}").unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(serde_json::from_str::<Value>(&line).unwrap().is_object());
        server
    }

    fn reads(&self, path: &str) -> Output {
        let script = "head -c 1 \"$0\" > /dev/null && cat \"$0\"";
        let read = self.command("/bin/sh").args(["-c", script, path]).output();
        read.unwrap()
    }
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_of_the_same_user_looks_into_no_process_of_ours() {
    let place = Place::new();
    let mut sleeper = place.command("/bin/sleep");
    let sleeper = sleeper
        .arg("60")
        .env("NOT_FOR_OTHERS", "a-word-of-mine")
        .spawn()
        .unwrap();
    let server = place.session();

    for file in ["environ", "maps", "mem", "auxv"] {
        let seen = place.reads(&format!("/proc/{}/{file}", server.id()));
        assert!(!seen.status.success(), "{file}");
        assert!(seen.stdout.is_empty(), "{file}");
    }
    // The same user looks into a process that does not close itself.
    let open = place.reads(&format!("/proc/{}/environ", sleeper.id()));
    assert!(String::from_utf8_lossy(&open.stdout).contains("a-word-of-mine"));
    end(server);
    end(sleeper);
}

#[cfg(target_os = "linux")]
#[test]
fn no_core_is_written_of_a_process_of_ours() {
    let place = Place::new();
    let crashed = |mut child: Child| {
        let pid = Pid::from_raw(child.id().cast_signed());
        kill(pid, Signal::SIGABRT).unwrap();
        child.wait().unwrap()
    };
    let mut sleeper = place.command("/bin/sleep");
    let sleeper = place.dumping(sleeper.arg("60")).spawn().unwrap();
    // It is a shell until it sleeps.
    eventually(|| {
        let name = fs::read_to_string(format!("/proc/{}/comm", sleeper.id())).ok()?;
        (name.trim() == "sleep").then_some(())
    });
    if !crashed(sleeper).core_dumped() {
        skipped("no core is written of anything here");
        return;
    }

    let ended = crashed(place.session());

    assert!(ended.signal().is_some() && !ended.core_dumped(), "{ended}");
}
