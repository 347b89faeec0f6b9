//! [`Served`]: a real `keywright serve`. [`Wire`]: a connection to it, byte by byte.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::mcp::process::{Home, PATIENCE};

/// A server of its own, on a port that nobody else has.
pub(crate) struct Served {
    child: Child,
    /// Keeps what it says.
    keeper: Option<JoinHandle<io::Result<u64>>>,
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Option<SocketAddr>,
}

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

impl Served {
    pub(crate) fn at(home: &Home, more: &[&str]) -> Self {
        Self::start(home, home.command(&[&SERVE, more].concat()))
    }

    /// One for which the disk is full beyond so many bytes in a file.
    pub(crate) fn with_file_limit(home: &Home, bytes: u32) -> Self {
        let keywright = home.command(&SERVE);
        let mut command = Command::new("sh");
        command
            // Beyond the limit a write fails, where the signal is ignored.
            .args(["-c", "trap '' XFSZ; ulimit -S -f $0; exec \"$@\""])
            .arg((bytes / 512).to_string())
            .arg(keywright.get_program())
            .args(keywright.get_args())
            .current_dir(home.folder())
            .stdin(Stdio::null());
        Self::start(home, command)
    }

    /// Changes that limit.
    pub(crate) fn file_limit(&self, bytes: &str) {
        let status = Command::new("prlimit")
            .args([
                format!("--pid={}", self.child.id()),
                format!("--fsize={bytes}:"),
            ])
            .status();
        assert!(status.unwrap().success());
    }

    fn start(home: &Home, mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut kept = File::create(home.process().with_extension("err")).unwrap();
        let has_metrics = command.get_args().any(|word| word == "--metrics");
        let (mut address, mut metrics) = (None, None);
        while address.is_none() || has_metrics != metrics.is_some() {
            let mut line = String::new();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "it did not start");
            write!(kept, "{line}").unwrap();
            let line = line.trim();
            if let Some(at) = line.strip_prefix("serving http://") {
                address = at.parse().ok();
            }
            if let Some(at) = line.strip_prefix("serving metrics at http://") {
                metrics = at.strip_suffix("/metrics").and_then(|at| at.parse().ok());
            }
        }
        let address = address.expect("an address");
        let keeper = thread::spawn(move || io::copy(&mut said, &mut kept));
        Self {
            child,
            keeper: Some(keeper),
            address,
            metrics,
        }
    }

    /// A new connection.
    pub(crate) fn wire(&self) -> Wire {
        Wire::to(self.address)
    }

    /// The process's number.
    pub(crate) fn number(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(pid, signal).unwrap();
    }

    /// Asks it to end, and waits until it has, and until all that it said is kept.
    pub(crate) fn end(mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        let status = self.child.wait().unwrap();
        self.keeper.take().unwrap().join().unwrap().unwrap();
        status
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A connection.
pub(crate) struct Wire(BufReader<TcpStream>);

impl Wire {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends bytes as they are.
    pub(crate) fn write(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// Sends a whole request.
    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        value: &str,
        body: &str,
    ) -> (u16, String) {
        // At once: a server that needs no body may have answered before the rest comes.
        self.write(&(head(method, path, value, body.len()) + body));
        self.answer()
    }

    /// Reads an answer: its status and its body.
    pub(crate) fn answer(&mut self) -> (u16, String) {
        self.maybe_answer().expect("an answer")
    }

    /// The same, or nothing where the connection was closed.
    pub(crate) fn maybe_answer(&mut self) -> Option<(u16, String)> {
        let (mut status, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap_or(0) == 0 {
                return None;
            }
            let line = line.trim_end();
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = Some(rest[..3].parse().unwrap());
            }
            if let Some(text) = line.strip_prefix("content-length: ") {
                length = text.parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        Some((status.unwrap(), String::from_utf8(body).unwrap()))
    }
}

/// The head of a request that presents `value`, and whose body is JSON of this length.
pub(crate) fn head(method: &str, path: &str, value: &str, length: usize) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {value}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// A body as JSON.
pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
