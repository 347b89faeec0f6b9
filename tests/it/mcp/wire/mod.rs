//! The stdio transport on the wire: the real process, fed raw bytes.
//!
//! Every test runs over pipes and over UNIX sockets, as clients use either.

mod ending;
mod lines;
mod load;
mod opening;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The longest that any one answer, or the end of the process, is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
const MODERN: &str = "2026-07-28";
/// A tool that needs nothing and answers at once.
const TOOL: &str = "whoami";

/// How the server is started.
fn server(directory: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keywright"));
    command
        .args(["mcp", "--local", "--store"])
        .arg(directory.path().join("keywright").join("store.db"));
    command
}

/// What stands between the client and the server.
#[derive(Debug, Clone, Copy)]
enum Over {
    Pipes,
    Sockets,
}

impl Over {
    /// An end to read, and an end to write.
    fn pair(self) -> (OwnedFd, OwnedFd) {
        match self {
            Self::Pipes => {
                let (reader, writer) = std::io::pipe().expect("a pipe");
                (reader.into(), writer.into())
            }
            Self::Sockets => {
                let (one, other) = UnixStream::pair().expect("a pair of sockets");
                (one.into(), other.into())
            }
        }
    }
}

/// A server and the two ends that a client has of it.
struct Wire {
    server: Child,
    input: Option<File>,
    output: Receiver<String>,
    directory: TempDir,
}

/// A command of the program on the store in `directory`.
fn shell(directory: &TempDir, arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_keywright"))
        .args(arguments)
        .args(["--json", "--store"])
        .arg(directory.path().join("keywright").join("store.db"))
        .output()
        .expect("the program starts");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// What a server left behind.
struct Ended {
    status: ExitStatus,
    /// From the moment that it had a reason to end.
    took: Duration,
    /// The answers that had not been looked at.
    answers: Vec<Value>,
}

impl Wire {
    fn over(over: Over) -> Self {
        let (mut wire, output) = Self::unheard(over);
        wire.listen(output);
        wire
    }

    /// A server whose answers nobody reads, until someone listens.
    fn unheard(over: Over) -> (Self, OwnedFd) {
        let directory = TempDir::new().expect("a directory");
        let log = File::create(directory.path().join("log")).expect("a log");
        let (their_input, input) = over.pair();
        let (output, their_output) = over.pair();
        let server = server(&directory)
            .stdin(their_input)
            .stdout(their_output)
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let unheard = mpsc::channel().1;
        (
            Self {
                server,
                input: Some(input.into()),
                output: unheard,
                directory,
            },
            output,
        )
    }

    fn listen(&mut self, output: OwnedFd) {
        let (line, lines) = mpsc::channel();
        self.output = lines;
        thread::spawn(move || {
            let output = BufReader::new(File::from(output));
            output
                .lines()
                .map_while(Result::ok)
                .try_for_each(|text| line.send(text))
        });
    }

    /// Over what is given, and past an `initialize` of the newest legacy revision.
    fn initialized(over: Over) -> Self {
        let mut wire = Self::over(over);
        wire.say(&initialize(0, LEGACY[3]));
        wire.answer_to(0);
        wire.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        wire
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let input = self.input.as_mut().expect("the input is open");
        input.write_all(bytes.as_ref()).expect("the server reads");
    }

    fn say(&mut self, message: &Value) {
        self.send(format!("{message}\n"));
    }

    /// The next line, which must be a whole JSON value.
    fn answer(&mut self) -> Value {
        match self.output.recv_timeout(PATIENCE) {
            Ok(line) => serde_json::from_str(&line).expect("every line is JSON"),
            Err(why) => panic!("no answer ({why}); the log says:\n{}", self.log()),
        }
    }

    /// The next line, which must be the answer to this.
    fn answer_to(&mut self, id: impl Into<Value>) -> Value {
        let answer = self.answer();
        assert_eq!(answer["id"], id.into(), "{answer}");
        answer
    }

    /// Shows that the server is still there, and that it had nothing else to say.
    fn is_alive(&mut self) {
        self.say(&json!({ "jsonrpc": "2.0", "id": "alive?", "method": "ping" }));
        let answer = self.answer_to("alive?");
        assert_eq!(answer["result"], json!({}), "{answer}");
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// The most memory that the process ever had, in KiB, where the system tells.
    fn peak(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.id())).ok()?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.server.id().cast_signed());
        kill(pid, signal).expect("the server is there");
    }

    /// Says all this from another thread, which hands the input back when it is done.
    fn say_meanwhile(&mut self, text: String) -> JoinHandle<File> {
        let mut input = self.input.take().expect("the input is open");
        thread::spawn(move || {
            input.write_all(text.as_bytes()).expect("the server reads");
            input
        })
    }

    /// Closes its input, as a client does that leaves.
    fn close(&mut self) {
        self.input = None;
    }

    /// Waits for the end, for which there must be a reason by now.
    fn end(mut self) -> Ended {
        let begun = Instant::now();
        let mut answers = Vec::new();
        loop {
            match self
                .output
                .recv_timeout(PATIENCE.saturating_sub(begun.elapsed()))
            {
                Ok(line) => answers.push(serde_json::from_str(&line).expect("every line is JSON")),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("no end; the log says:\n{}", self.log()),
            }
        }
        let status = loop {
            if let Some(status) = self.server.try_wait().expect("a child of ours") {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "it is silent, but does not end");
            thread::sleep(Duration::from_millis(1));
        };
        Ended {
            status,
            took: begun.elapsed(),
            answers,
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // It has ended already, unless the test has failed.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Runs a test over each kind of wire.
fn each_way(test: impl Fn(Over)) {
    for over in [Over::Pipes, Over::Sockets] {
        test(over);
    }
}

fn initialize(id: u64, version: &str) -> Value {
    let client = json!({ "name": "wire", "version": "1" });
    let params = json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client });
    json!({ "jsonrpc": "2.0", "id": id, "method": "initialize", "params": params })
}

fn call(id: impl Into<Value>, tool: &str) -> Value {
    let params = json!({ "name": tool, "arguments": {} });
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": "tools/call", "params": params })
}

/// As many calls as there are ids, a line each.
fn calls(ids: RangeInclusive<u64>) -> String {
    ids.fold(String::new(), |lines, id| {
        lines + &call(id, TOOL).to_string() + "\n"
    })
}

/// A stateless request of the given revision.
fn stateless(id: u64, method: &str, version: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "wire", "version": "1" },
    });
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// The code of an error; 0 for anything else.
fn code(answer: &Value) -> i64 {
    answer["error"]["code"].as_i64().unwrap_or_default()
}
