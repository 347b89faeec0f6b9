//! What a session costs, measured on the real program: `cargo bench` with a store of 10,000 tokens,
//! `cargo bench --bench measure -- 1000000` with a million.
//!
//! Machines are noisy: medians and ratios within one run say more than times.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for people to watch"
)]

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

mod support;

use keywright::domain::id::RequestId;
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_keywright");

fn main() {
    let tokens = std::env::args().skip(1).find_map(|arg| arg.parse().ok());
    let tokens: u32 = tokens.unwrap_or(10_000);
    let folder = std::env::temp_dir().join(format!("keywright-bench-{}", RequestId::fresh()));
    fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
    let store = folder.join("store.db");

    let seeded = Instant::now();
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(support::seed(&store, tokens));
    println!(
        "store              {tokens} tokens, made in {:.1?}",
        seeded.elapsed()
    );
    let bytes = fs::metadata(&store).unwrap().len();
    println!(
        "                   {} bytes a token, audit trail included",
        bytes / u64::from(tokens.max(1))
    );
    println!(
        "program            {:.1} MB",
        fs::metadata(PROGRAM).unwrap().len() as f64 / 1e6
    );

    let mut starts: Vec<_> = (0..60).map(|_| cold_start(&store)).collect();
    show("cold start to the first tools/list answer", &mut starts);

    let mut session = Session::start(&store);
    session.ask("tools/list", &json!({}));
    println!(
        "resident           {} after the first answer",
        session.resident()
    );
    let list = json!({ "name": "list_tokens", "arguments": { "limit": 50 } });
    let mut lists = times(2_000, || session.ask("tools/call", &list));
    show("list_tokens, 50 of them", &mut lists);
    let me = json!({ "name": "whoami", "arguments": {} });
    show(
        "whoami",
        &mut times(2_000, || session.ask("tools/call", &me)),
    );

    // The disk's own price, in the same folder and the same minute as the creates.
    let create = json!({ "name": "create_token", "arguments": { "label": "bench", "scopes": ["read:notes"] } });
    let mut probe = File::create(folder.join("probe")).unwrap();
    let page = [7; 4096];
    let mut syncs = Vec::new();
    let mut creates = Vec::new();
    for _ in 0..500 {
        syncs.push(timed(|| {
            probe.write_all(&page).unwrap();
            probe.sync_data().unwrap();
        }));
        creates.push(timed(|| session.ask("tools/call", &create)));
    }
    show("write and fdatasync of 4 KiB", &mut syncs);
    show("create_token, by claim", &mut creates);
    println!(
        "                   {:.2} of the disk's own price (p50)",
        creates[250].as_secs_f64() / syncs[250].as_secs_f64()
    );
    println!("resident           {} at the end", session.resident());
    session.end();
    fs::remove_dir_all(&folder).unwrap();
}

fn cold_start(store: &Path) -> Duration {
    let begun = Instant::now();
    let mut session = Session::start(store);
    session.ask("tools/list", &json!({}));
    let took = begun.elapsed();
    session.end();
    took
}

/// A stateless session of the newest revision: the first line is already a request.
struct Session {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    fn start(store: &Path) -> Self {
        let mut server = Command::new(PROGRAM)
            .args(["mcp", "--local", "--store"])
            .arg(store)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: server.stdin.take().unwrap(),
            output: BufReader::new(server.stdout.take().unwrap()),
            server,
        }
    }

    fn ask(&mut self, method: &str, params: &Value) {
        let mut params = params.clone();
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        writeln!(self.input, "{request}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(
            line.contains("\"result\"") && !line.contains("\"isError\":true"),
            "{line}"
        );
    }

    fn resident(&self) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.unwrap_or(" not told here").trim().to_owned()
    }

    fn end(mut self) {
        drop(self.input);
        assert!(self.server.wait().unwrap().success());
    }
}

fn times(count: usize, mut what: impl FnMut()) -> Vec<Duration> {
    (0..count).map(|_| timed(&mut what)).collect()
}

fn timed(what: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    what();
    begun.elapsed()
}

fn show(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    println!("{what}");
    println!(
        "                   p50 {:.1?}   p90 {:.1?}   p99 {:.1?}   ({} times)",
        at(0.5),
        at(0.9),
        at(0.99),
        times.len()
    );
}
