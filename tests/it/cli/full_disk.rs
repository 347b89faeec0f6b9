//! A disk that is full: a session is told so, nothing is half done, and it goes on once there is
//! room. The disk is full for one process alone, by a limit on the size of its files.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use serde_json::{Value, json};

use super::shell::Shell;

/// A session that is asked and answers, a line each.
struct Session {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    fn start(shell: &Shell, typed: &str) -> Self {
        let mut child = shell.start(typed);
        let mut session = Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        session.ask(
            &json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "test", "version": "0"}}}),
        );
        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        writeln!(session.input, "{ready}").unwrap();
        session
    }

    fn ask(&mut self, line: &Value) -> Value {
        writeln!(self.input, "{line}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    /// Makes a token, or says why not.
    fn create(&mut self) -> Result<(), String> {
        let label = "夜".repeat(200);
        let answer = self.ask(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": "create_token", "arguments": {"label": label}}}));
        let result = &answer["result"];
        match result["isError"].as_bool() {
            Some(true) => Err(result["content"][0]["text"].as_str().unwrap().to_owned()),
            _ => Ok(()),
        }
    }

    fn end(mut self) -> i32 {
        drop(self.input);
        self.child.wait().unwrap().code().unwrap()
    }
}

#[test]
fn a_full_disk_is_told_and_does_no_half_of_anything() {
    let has_prlimit = Command::new("prlimit").arg("--version").output().is_ok();
    if !has_prlimit {
        super::refusals::skipped("there is no `prlimit` here to give a process more room again");
        return;
    }
    let shell = Shell::new();
    shell.ok("keywright user add ann");
    // In blocks of 512 bytes; beyond it a write fails, where the signal is ignored.
    let typed = "trap '' XFSZ; ulimit -S -f 1000; exec keywright mcp --local";
    let mut session = Session::start(&shell, typed);

    let mut made = 0;
    let why = loop {
        match session.create() {
            Ok(()) => made += 1,
            Err(why) => break why,
        }
        assert!(made < 1000, "the disk was never full");
    };
    let again = session.create();
    let pid = session.child.id().to_string();
    let room = ["--pid", &pid, "--fsize=unlimited:"];
    assert!(
        Command::new("prlimit")
            .args(room)
            .status()
            .unwrap()
            .success()
    );
    session.create().unwrap();

    assert!(
        why.starts_with("unavailable: the store is unavailable"),
        "{why}"
    );
    assert!(again.is_err());
    assert_eq!(session.end(), 0);
    let counted = "keywright token list --state all --limit 200 --json | grep -c '\"id\"'";
    assert_eq!(shell.ok(counted).trim(), (made + 1).to_string());
    assert!(
        shell
            .ok("keywright store check")
            .contains("The store is sound.")
    );
}
