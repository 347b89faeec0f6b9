//! One short MCP session with a server that is started as a client starts it: `initialize`,
//! `tools/list` and `whoami`, and no longer than it may take.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::{cli::connect::clients::Start, config::env};

/// How long all of it may take: clients wait about as long for a server to start.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What a server answered.
#[derive(Debug)]
pub(super) struct Answered {
    /// Its version.
    pub(super) version: String,
    /// The token that it presents.
    pub(super) token: Option<String>,
}

/// Starts the server and walks through a session, which is over afterwards.
pub(super) fn walk(start: &Start, patience: Duration) -> anyhow::Result<Answered> {
    let mut session = Session::open(start, patience)?;
    let opened = session.ask(
        "initialize",
        &json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": { "name": "keywright doctor", "version": env!("CARGO_PKG_VERSION") },
        }),
    )?;
    session.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    let listed = session.ask("tools/list", &json!({}))?;
    if listed["tools"].as_array().is_none_or(Vec::is_empty) {
        bail!("it offers no tools");
    }
    let me = session.ask("tools/call", &json!({ "name": "whoami", "arguments": {} }))?;
    if me["isError"] == true {
        let said = me["content"][0]["text"].as_str().unwrap_or("it refuses");
        let code = said.split(" You can:").next().unwrap_or(said);
        bail!("{code}");
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Ok(Answered {
        version: text(&opened["serverInfo"]["version"]).unwrap_or_default(),
        token: text(&me["structuredContent"]["current_token"]["id"]),
    })
}

/// A server, and what it says. It ends with this.
struct Session {
    server: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    until: Instant,
    last_id: u64,
}

impl Session {
    fn open(start: &Start, patience: Duration) -> anyhow::Result<Self> {
        let mut command = Command::new(&start.command);
        command.args(&start.args).env_clear();
        // No client gives less.
        for usual in [&env::HOME, &env::PATH] {
            if let Some(value) = env::read(usual) {
                command.env(usual.name, value);
            }
        }
        let mut server = command
            .envs(start.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("`{}` does not start", start.command))?;
        let input = server.stdin.take().context("the server's input")?;
        let output = server.stdout.take().context("the server's output")?;
        let (line, lines) = mpsc::channel();
        // It ends with the server.
        thread::spawn(move || {
            let texts = BufReader::new(output).lines().map_while(Result::ok);
            for text in texts {
                if line.send(text).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            server,
            input,
            lines,
            until: Instant::now() + patience,
            last_id: 0,
        })
    }

    fn ask(&mut self, method: &str, params: &Value) -> anyhow::Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            let line = match self.lines.recv_timeout(left) {
                Ok(line) => line,
                Err(mpsc::RecvTimeoutError::Timeout) => bail!("no answer to `{method}` in time"),
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    bail!("it ended before it answered `{method}`")
                }
            };
            let Ok(mut answer) = serde_json::from_str::<Value>(&line) else {
                bail!("it says something that is no JSON");
            };
            // It may tell or ask something in between.
            if answer["id"] != id || answer.get("method").is_some() {
                continue;
            }
            if answer["result"].is_object() {
                return Ok(answer["result"].take());
            }
            bail!("`{method}` fails: {}", answer["error"]["message"]);
        }
    }

    fn send(&mut self, message: &Value) {
        // Whoever has ended says so by not answering.
        drop(writeln!(self.input, "{message}"));
        drop(self.input.flush());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(script: &str, patience: Duration) -> String {
        let start = Start {
            command: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: Vec::new(),
        };
        walk(&start, patience).unwrap_err().to_string()
    }

    #[test]
    fn a_server_that_does_not_answer_is_not_waited_for() {
        let why = why("cat > /dev/null", Duration::from_millis(100));
        assert_eq!(why, "no answer to `initialize` in time");
    }

    #[test]
    fn a_server_that_ends_or_talks_is_told_of() {
        let long = Duration::from_secs(20);
        assert_eq!(
            why("true", long),
            "it ended before it answered `initialize`"
        );
        assert_eq!(
            why("echo hello; cat", long),
            "it says something that is no JSON"
        );
        let says = r#"echo '{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}'; cat"#;
        assert_eq!(why(says, long), "`initialize` fails: \"no\"");
    }
}
