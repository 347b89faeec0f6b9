//! A client that asks and never reads: it waits, and the program does not grow.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, ErrorKind, Write as _},
    net::TcpStream,
    process::Stdio,
    time::{Duration, Instant},
};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use serde_json::json;

use crate::{
    http::served::{Served, head},
    mcp::process::Home,
};

/// More of them than any pipe or socket holds.
const MANY: usize = 400_000;

/// How much memory a process has, in KiB.
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Writes until nobody has taken any of it for a while: how many bytes were taken.
fn fill(mut to: impl std::io::Write, bytes: &[u8]) -> usize {
    let (mut sent, mut since) = (0, Instant::now());
    while sent < bytes.len() && since.elapsed() < Duration::from_secs(1) {
        match to.write(&bytes[sent..]) {
            Ok(written) => {
                sent += written;
                since = Instant::now();
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => panic!("{error}"),
        }
    }
    sent
}

#[test]
fn a_client_of_pipes_that_never_reads_is_waited_for_in_little_memory() {
    let home = Home::new();
    home.token("");
    let mut command = home.command(&["mcp", "--local"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let opening = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": { "name": "test", "version": "1" } } });
    writeln!(input, "{opening}").unwrap();
    writeln!(
        input,
        r#"{{"jsonrpc":"2.0","method":"notifications/initialized"}}"#
    )
    .unwrap();
    fcntl(&input, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    let list = |id| json!({ "jsonrpc": "2.0", "id": id, "method": "tools/list" });
    let mut lines = String::new();
    for id in 1..=MANY {
        writeln!(lines, "{}", list(id)).unwrap();
    }

    let sent = fill(&input, lines.as_bytes());
    let held = memory(child.id());

    let whole = lines[sent..].find('\n').unwrap() + 1;
    let asked = 1 + lines[..sent + whole].lines().count();
    let output = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || output.lines().take(asked).flatten().count());
    fcntl(&input, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    input
        .write_all(&lines.as_bytes()[sent..sent + whole])
        .unwrap();
    let answers = reader.join().unwrap();
    drop(input);
    assert!(child.wait().unwrap().success());
    assert!(sent < lines.len(), "it was all taken");
    assert!(held < 128 << 10, "{held} KiB");
    assert_eq!(answers, asked);
}

#[test]
fn a_client_of_http_that_never_reads_is_waited_for_in_little_memory() {
    let home = Home::new();
    let value = home.token("read:tokens");
    let served = Served::at(&home, &[]);
    let stream = TcpStream::connect(served.address).unwrap();
    stream.set_nonblocking(true).unwrap();
    let requests = head("GET", "/v1/openapi.json", &value, 0).repeat(MANY / 4);

    let sent = fill(&stream, requests.as_bytes());
    let held = memory(served.number());

    assert!(sent < requests.len(), "it was all taken");
    assert!(held < 128 << 10, "{held} KiB");
    assert_eq!(served.wire().ask("GET", "/v1/verify", &value, "").0, 200);
}
