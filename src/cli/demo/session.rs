//! One MCP session with a real `keywright mcp`: what is sent and what comes back, line by line.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use super::{Stage, tell};
use crate::{config::env, domain::text::escaped};

/// How much of a long field is shown.
const SHOWN: usize = 600;

/// A server that was started, and all that it has said.
pub(super) struct Session {
    who: &'static str,
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    heard: String,
    last_id: u64,
}

impl Session {
    /// A local session, with the usual scopes or these.
    pub(super) fn local(stage: &Stage, scopes: Option<&str>) -> anyhow::Result<Self> {
        let mut command = stage.command();
        command.args(["mcp", "--local"]);
        if let Some(scopes) = scopes {
            command.args(["--scopes", scopes]);
        }
        Self::start("agent", command)
    }

    /// A session that presents `token`.
    pub(super) fn with_token(stage: &Stage, token: &str) -> anyhow::Result<Self> {
        let mut command = stage.command();
        command.arg("mcp").env(env::TOKEN.name, token);
        Self::start("job", command)
    }

    /// A session of `who`, with the server that `command` starts.
    pub(super) fn start(
        who: &'static str,
        mut command: std::process::Command,
    ) -> anyhow::Result<Self> {
        let mut server = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("`keywright mcp` does not start")?;
        let input = server.stdin.take().context("the server's input")?;
        let output = server.stdout.take().context("the server's output")?;
        let mut session = Self {
            who,
            server,
            input,
            output: BufReader::new(output),
            heard: String::new(),
            last_id: 0,
        };
        let opened = session.ask(
            "initialize",
            &json!({
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": { "name": "keywright demo", "version": env!("CARGO_PKG_VERSION") },
            }),
        )?;
        ensure!(
            opened["result"]["serverInfo"]["name"] == "keywright",
            "the server answers `initialize` with {opened}"
        );
        session.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))?;
        Ok(session)
    }

    /// The same by another name.
    pub(super) fn called(self, who: &'static str) -> Self {
        Self { who, ..self }
    }

    /// Calls a tool that is to succeed, and shows the call and its answer.
    pub(super) fn call(&mut self, tool: &str, arguments: &Value) -> anyhow::Result<Value> {
        let result = self.tool(tool, arguments)?;
        ensure!(result["isError"] != true, "`{tool}` was refused");
        Ok(result["structuredContent"].clone())
    }

    /// Calls a tool that is to be refused with `code`.
    pub(super) fn refused(
        &mut self,
        tool: &str,
        arguments: &Value,
        code: &str,
    ) -> anyhow::Result<()> {
        let result = self.tool(tool, arguments)?;
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        ensure!(
            result["isError"] == true && text.starts_with(code),
            "`{tool}` was not refused with `{code}`"
        );
        Ok(())
    }

    /// What a client shows a model of the tools, as it came.
    pub(super) fn tools(&mut self) -> anyhow::Result<Value> {
        tell(&format!("  {:8} > tools/list", self.who));
        let answer = self.ask("tools/list", &json!({}))?;
        Ok(answer["result"].clone())
    }

    /// Hangs up, and answers with all that the server said.
    pub(super) fn end(mut self) -> anyhow::Result<String> {
        drop(self.input);
        let ended = self.server.wait()?;
        ensure!(ended.success(), "`keywright mcp` ended with {ended}");
        Ok(std::mem::take(&mut self.heard))
    }

    fn tool(&mut self, tool: &str, arguments: &Value) -> anyhow::Result<Value> {
        // What is sent may hold what a terminal would heed.
        let sent = escaped(&arguments.to_string());
        tell(&format!("  {:8} > {tool} {sent}", self.who));
        let answer = self.ask(
            "tools/call",
            &json!({ "name": tool, "arguments": arguments }),
        )?;
        let Some(result) = answer.get("result") else {
            bail!("`{tool}` is answered {answer}");
        };
        let said = result["content"][0]["text"].as_str().unwrap_or_default();
        for (place, line) in shown(said).iter().enumerate() {
            let mark = if place == 0 { '<' } else { ' ' };
            tell(&format!("  {:8} {mark} {line}", ""));
        }
        Ok(result.clone())
    }

    fn ask(&mut self, method: &str, params: &Value) -> anyhow::Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        ensure!(!line.is_empty(), "`keywright mcp` hung up");
        self.heard.push_str(&line);
        let answer: Value = serde_json::from_str(&line)?;
        ensure!(answer["id"] == id, "the server answers another call");
        Ok(answer)
    }

    fn send(&mut self, message: &Value) -> anyhow::Result<()> {
        writeln!(self.input, "{message}")?;
        Ok(self.input.flush()?)
    }
}

/// A value as it may stand on a screen that others see: brand, kind and four digits.
pub(super) fn veiled(value: &str) -> String {
    let visible = value.get(..11).unwrap_or_default();
    format!(
        "{visible}… ({} more characters)",
        value.len() - visible.len()
    )
}

/// What the server said, for eyes: JSON a field a line, long ones cut, a revealed value veiled.
fn shown(said: &str) -> Vec<String> {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(said) else {
        return vec![said.to_owned()];
    };
    if let Some(Value::String(value)) = fields.get_mut("token") {
        *value = veiled(value);
    }
    let whole = Value::Object(fields.clone()).to_string();
    if whole.len() <= 100 {
        return vec![whole];
    }
    fields
        .iter()
        .map(|(name, value)| {
            let line = format!("{name}: {value}");
            match line.char_indices().nth(SHOWN) {
                Some((end, _)) => format!("{}…", &line[..end]),
                None => line,
            }
        })
        .collect()
}
