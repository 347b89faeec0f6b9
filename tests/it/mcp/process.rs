//! [`Home`]: a store of its own, for the real program. [`Session`]: one of its MCP processes.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::refusal;
use crate::support::counted;

/// The longest that anything is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A folder with a store in it, and what every process on it said.
pub(crate) struct Home {
    folder: TempDir,
    log: Option<&'static str>,
    processes: AtomicU32,
}

/// A process that serves MCP, and its client.
pub(crate) struct Session {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
    asked: u64,
    errors: PathBuf,
    answers: PathBuf,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self::that_logs(None)
    }

    /// Whose processes log this much.
    pub(crate) fn that_logs(log: Option<&'static str>) -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            log,
            processes: AtomicU32::new(0),
        }
    }

    /// The folder around that of the store.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("keywright").join("store.db")
    }

    /// Everything that processes said by the way so far: a name, and the bytes.
    pub(crate) fn said(&self, ending: &str) -> Vec<(String, Vec<u8>)> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.extension() == Some(OsStr::new(ending)))
            .map(|path| (path.display().to_string(), fs::read(path).unwrap()))
            .collect()
    }

    /// The program with these arguments, on this store, with nothing else in its environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keywright"));
        counted(command.env_clear())
            .env("TMPDIR", self.folder.path())
            .arg("--store")
            .arg(self.store())
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        if let Some(log) = self.log {
            command.env("KEYWRIGHT_LOG", log);
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn shell(&self, arguments: &[&str]) -> Output {
        self.shell_with(arguments, b"")
    }

    /// The same, with something on standard input.
    pub(crate) fn shell_with(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        // A command that does not read its input may be gone.
        drop(child.stdin.take().unwrap().write_all(input));
        let output = child.wait_with_output().unwrap();
        let name = self.process();
        fs::write(name.with_extension("err"), &output.stderr).unwrap();
        fs::write(name.with_extension("out"), &output.stdout).unwrap();
        output
    }

    /// Forgets what the last command answered: it was to be a value.
    pub(crate) fn forget_output(&self) {
        let last = self.processes.load(Ordering::Relaxed) - 1;
        let path = self.folder.path().join(format!("process-{last}.out"));
        fs::remove_file(path).unwrap();
    }

    /// What a command that must succeed answers in JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.shell(&[arguments, &["--json"]].concat());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Makes the app environment `production`, and tells of it.
    pub(crate) fn production(&self) -> Value {
        let create = ["env", "create", "Production"];
        self.json(&[&create[..], &["--cli-env-name", "production"]].concat())
    }

    /// A token of the local user, made at the shell: its value.
    pub(crate) fn token(&self, scopes: &str) -> String {
        self.token_of(scopes, &[])
    }

    /// The same with more arguments.
    pub(crate) fn token_of(&self, scopes: &str, more: &[&str]) -> String {
        let create = [
            "token", "create", "agent", "--to", "stdout", "--scopes", scopes,
        ];
        let output = self.shell(&[&create, more].concat());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A local session.
    pub(crate) fn local(&self, more: &[&str]) -> Session {
        self.session(None, &[&["--local"], more].concat())
    }

    /// A session of whoever holds `token`.
    pub(crate) fn with_token(&self, token: &str, more: &[&str]) -> Session {
        self.session(Some(token), more)
    }

    /// A session that has shaken hands.
    pub(crate) fn session(&self, token: Option<&str>, more: &[&str]) -> Session {
        let token = token.map(|token| ("KEYWRIGHT_TOKEN", token));
        self.session_with(token.as_slice(), &[&["mcp"], more].concat())
    }

    /// A session of the server that is started so, with these in its environment.
    pub(crate) fn session_with(&self, set: &[(&str, &str)], arguments: &[&str]) -> Session {
        let mut command = self.command(arguments);
        command.envs(set.iter().copied());
        let name = self.process();
        Session::open(command, &name)
    }

    /// The store is sound, by its own check.
    pub(crate) fn is_sound(&self) {
        let output = self.shell(&["store", "check"]);
        let found = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{found}");
    }

    /// Where what the next process says is kept, but for an ending.
    pub(crate) fn process(&self) -> PathBuf {
        let number = self.processes.fetch_add(1, Ordering::Relaxed);
        self.folder.path().join(format!("process-{number}"))
    }
}

impl Session {
    /// Starts it as `command` says, and shakes hands. What it says goes into files of this name.
    pub(crate) fn open(mut command: Command, name: &Path) -> Self {
        let errors = name.with_extension("err");
        let answers = name.with_extension("answers");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(File::create(&errors).unwrap());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut kept = File::create(&answers).unwrap();
        let (line, lines) = mpsc::channel();
        thread::spawn(move || {
            for text in output.lines().map_while(Result::ok) {
                writeln!(kept, "{text}").unwrap();
                if line.send(text).is_err() {
                    break;
                }
            }
        });
        let mut session = Self {
            input: child.stdin.take(),
            child,
            output: lines,
            asked: 0,
            errors,
            answers,
        };
        let me = json!({ "name": "test", "version": "1" });
        let opening =
            json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": me });
        session.result("initialize", opening);
        session.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        session
    }

    /// What a tool answers, whole.
    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let mut params = json!({ "name": tool });
        params["arguments"] = arguments;
        self.result("tools/call", params)
    }

    /// What a tool answers where it does as it is told.
    pub(crate) fn done(&mut self, tool: &str, arguments: Value) -> Value {
        let mut answer = self.call(tool, arguments);
        assert_eq!(answer["isError"], false, "{answer}");
        answer["structuredContent"].take()
    }

    /// What a tool says where it refuses.
    pub(crate) fn refused(&mut self, tool: &str, arguments: Value) -> String {
        refusal(&self.call(tool, arguments))
    }

    /// The code of a refusal.
    pub(crate) fn code(&mut self, tool: &str, arguments: Value) -> String {
        let text = self.refused(tool, arguments);
        text.split_once(':').unwrap().0.to_owned()
    }

    /// The result of any method.
    pub(crate) fn result(&mut self, method: &str, params: Value) -> Value {
        self.ask(method, params);
        let mut answer = self.answer();
        assert!(answer["result"].is_object(), "{answer}");
        answer["result"].take()
    }

    /// Asks, and does not wait for the answer.
    pub(crate) fn ask(&mut self, method: &str, params: Value) {
        self.asked += 1;
        let mut asked = json!({ "jsonrpc": "2.0", "id": self.asked, "method": method });
        asked["params"] = params;
        self.say(&asked);
    }

    /// The next answer.
    pub(crate) fn answer(&mut self) -> Value {
        match self.output.recv_timeout(PATIENCE) {
            Ok(line) => serde_json::from_str(&line).unwrap(),
            Err(why) => panic!("no answer ({why}): {}", self.log()),
        }
    }

    /// An answer that was given before the process ended, if there is one more.
    pub(crate) fn late_answer(&mut self) -> Option<Value> {
        let line = self.output.recv_timeout(PATIENCE).ok()?;
        serde_json::from_str(&line).ok()
    }

    pub(crate) fn say(&mut self, message: &Value) {
        let input = self.input.as_mut().unwrap();
        // A process that was killed reads no more.
        drop(writeln!(input, "{message}"));
    }

    /// Its number.
    pub(crate) fn number(&self) -> u32 {
        self.child.id()
    }

    /// How many things it was asked.
    pub(crate) fn asked(&self) -> u64 {
        self.asked
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// Hangs up, and waits for a clean end.
    pub(crate) fn close(mut self) {
        self.input = None;
        let status = self.end();
        assert_eq!(status.code(), Some(0), "{}", self.log());
    }

    /// Waits for the end, for which there must be a reason by now.
    pub(crate) fn end(&mut self) -> ExitStatus {
        eventually(|| self.child.try_wait().unwrap())
    }

    /// What the process said beside the protocol.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.errors).unwrap_or_default()
    }

    /// The file with everything that it answered.
    pub(crate) fn answers(&self) -> &Path {
        &self.answers
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It has ended already, unless the test has failed or does not care.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Looks until there is something to see.
pub(crate) fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "it did not come");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Whether a process ended by this signal.
pub(crate) fn ended_by(status: ExitStatus, signal: Signal) -> bool {
    status.signal() == Some(signal as i32)
}
