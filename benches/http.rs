//! What a request costs over HTTP, measured on the real program beside a handler that only answers
//! 200, with `wrk`: `cargo bench --bench http` with stores of 1,000 and 1,000,000 tokens, or
//! `cargo bench --bench http -- 1000` with that many alone.
//!
//! The generator has the same processors as the server, and machines are noisy: the ratio to the
//! bare handler in the same line of the same run says more than the rate.

#![allow(
    clippy::cast_precision_loss,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for people to watch"
)]

mod support;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::DirBuilderExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use axum::{Router, http::StatusCode, routing::get};
use keywright::{domain::id::RequestId, http::server};
use serde_json::json;
use tokio_util::sync::CancellationToken;

const PROGRAM: &str = env!("CARGO_BIN_EXE_keywright");

const SCOPES: &str = "read:tokens write:tokens delete:tokens introspect:tokens read:notes";

/// How long each figure is measured, in seconds.
const SECONDS: &str = "4";

fn main() {
    if std::env::args().nth(1).as_deref() == Some("bare") {
        return bare();
    }
    if Command::new("wrk").arg("-v").output().is_err() {
        eprintln!("this measures with `wrk`: apt-get install wrk");
        std::process::exit(2);
    }
    let named = std::env::args().skip(1).find_map(|arg| arg.parse().ok());
    let sizes = named.map_or(vec![1_000, 1_000_000], |size: u32| vec![size]);
    for tokens in sizes {
        measure(tokens);
    }
}

/// A server of the same make whose one handler does nothing.
fn bare() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        eprintln!("serving http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/", get(async || StatusCode::OK));
        server::serve(vec![listener], router, CancellationToken::new()).await;
    });
}

fn measure(tokens: u32) {
    let folder = std::env::temp_dir().join(format!("keywright-bench-{}", RequestId::fresh()));
    fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
    let store = folder.join("store.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(support::seed(&store, tokens));
    let made = Command::new(PROGRAM)
        .args([
            "token", "create", "bench", "--to", "stdout", "--scopes", SCOPES, "--store",
        ])
        .arg(&store)
        .output()
        .unwrap();
    let value = String::from_utf8(made.stdout).unwrap().trim().to_owned();

    let bare = Server::start(Command::new(std::env::current_exe().unwrap()).arg("bare"));
    let ours = Server::start(
        Command::new(PROGRAM)
            .args(["serve", "--listen", "127.0.0.1:0", "--rate-per-token", "0"])
            .args(["--rate-per-address", "0", "--store"])
            .arg(&store)
            .env("KEYWRIGHT_LOG", "warn"),
    );
    println!(
        "\n{tokens} tokens; resident {} after the start",
        ours.resident()
    );
    println!(
        "{:26} {:>5} {:>10} {:>10} {:>10} {:>8}",
        "", "conns", "requests/s", "p50", "p99", "of bare"
    );
    for connections in [1, 16, 256] {
        let idle = wrk(&folder, &bare.url, &Asked::get("/", ""), connections);
        row("bare handler", connections, &idle, 1.0);
        for (name, asked) in requests(&value) {
            let told = wrk(&folder, &ours.url, &asked, connections);
            row(name, connections, &told, told.rate / idle.rate);
        }
    }
    println!("resident {} at the end", ours.resident());
    drop((bare, ours));
    fs::remove_dir_all(&folder).unwrap();
}

fn requests(value: &str) -> Vec<(&'static str, Asked)> {
    let call = json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {
            "name": "list_tokens",
            "arguments": {},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": { "name": "bench", "version": "0" },
            },
        },
    });
    let headers = [
        ("Accept", "application/json, text/event-stream"),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", "list_tokens"),
    ];
    vec![
        (
            "/v1/verify",
            Asked::get("/v1/verify?scope=read:notes", value),
        ),
        (
            "/v1/introspect",
            Asked::post("/v1/introspect", value, &json!({ "token": value }), &[]),
        ),
        (
            "/mcp list_tokens",
            Asked::post("/mcp", value, &call, &headers),
        ),
        (
            "POST /v1/tokens",
            Asked::post("/v1/tokens", value, &json!({ "label": "bench" }), &[]),
        ),
    ]
}

/// A request, as `wrk` is told of it.
struct Asked {
    path: &'static str,
    script: String,
}

impl Asked {
    fn get(path: &'static str, value: &str) -> Self {
        Self {
            path,
            script: format!("wrk.headers['Authorization'] = 'Bearer {value}'\n"),
        }
    }

    fn post(
        path: &'static str,
        value: &str,
        body: &serde_json::Value,
        more: &[(&str, &str)],
    ) -> Self {
        let Self { path, script } = Self::get(path, value);
        let json = [("Content-Type", "application/json")];
        let headers = json.iter().chain(more);
        let headers: String = headers
            .map(|(name, text)| ["wrk.headers['", name, "'] = '", text, "'\n"].concat())
            .collect();
        let script = format!("{script}{headers}wrk.method = 'POST'\nwrk.body = [==[{body}]==]\n");
        Self { path, script }
    }
}

/// What `wrk` saw.
struct Told {
    rate: f64,
    p50: String,
    p99: String,
    others: String,
}

fn wrk(folder: &Path, url: &str, asked: &Asked, connections: u32) -> Told {
    let script = folder.join("request.lua");
    fs::write(&script, &asked.script).unwrap();
    let output = Command::new("wrk")
        .args([
            "-t1",
            "--latency",
            "-d",
            SECONDS,
            "-c",
            &connections.to_string(),
            "-s",
        ])
        .arg(&script)
        .arg(format!("{url}{}", asked.path))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(name));
        line.unwrap_or_default().trim().to_owned()
    };
    Told {
        rate: field("Requests/sec:").parse().unwrap(),
        p50: field("50%"),
        p99: field("99%"),
        others: field("Non-2xx or 3xx responses:"),
    }
}

fn row(name: &str, connections: u32, told: &Told, ratio: f64) {
    let Told {
        rate,
        p50,
        p99,
        others,
    } = told;
    let others = match others.as_str() {
        "" => String::new(),
        others => format!("   {others} refused"),
    };
    println!("{name:26} {connections:5} {rate:10.0} {p50:>10} {p99:>10} {ratio:8.2}{others}");
}

/// A server that is ended with its owner.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        let mut lines = said.lines().map_while(Result::ok);
        let url = lines.find_map(|line| line.strip_prefix("serving ").map(str::to_owned));
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            url: url.unwrap(),
        }
    }

    fn resident(&self) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.unwrap_or(" not told here").trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
