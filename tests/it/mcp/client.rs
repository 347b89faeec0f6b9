//! [`Client`]: an MCP client of the real server, over a pipe inside this process.

use std::{collections::VecDeque, time::Duration};

use keywright::{
    authz::Request,
    mcp::{Conversation, Server},
    wire::token::ClaimCommand,
};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines};

use crate::support::TestApp;

/// Which kind of client it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Era {
    /// It says `initialize`.
    Legacy,
    /// It says what it is with every request.
    Modern,
}

/// A client, and the server that it alone talks to.
pub(crate) struct Client {
    era: Era,
    input: tokio::io::WriteHalf<DuplexStream>,
    output: Lines<BufReader<tokio::io::ReadHalf<DuplexStream>>>,
    asked: u64,
    capabilities: Value,
    /// What it heard while it waited for an answer.
    heard: VecDeque<Value>,
}

/// The longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// The server for whoever asks as `who` does.
pub(crate) fn server(app: &TestApp, who: &Request) -> Server {
    let claim = ClaimCommand::new("/usr/bin/keywright", Some("/srv/store.db"), None);
    Server::new(app.authority.clone(), who.credential.clone().into(), claim)
}

impl Client {
    /// A client of the usual kind, for whoever asks as `who` does.
    pub(crate) async fn of(app: &TestApp, who: &Request) -> Self {
        Self::in_era(Era::Legacy, app, who).await
    }

    /// A client of either kind.
    pub(crate) async fn in_era(era: Era, app: &TestApp, who: &Request) -> Self {
        Self::that_can(json!({}), era, server(app, who)).await
    }

    /// A client with these capabilities.
    pub(crate) async fn that_can(capabilities: Value, era: Era, server: Server) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        tokio::spawn(async move {
            let server = Conversation::with(server);
            let session = rmcp::serve_server(server, theirs).await.unwrap();
            drop(session.waiting().await);
        });
        let (output, input) = tokio::io::split(ours);
        let output = BufReader::new(output).lines();
        let mut client = Self {
            era,
            input,
            output,
            asked: 0,
            capabilities,
            heard: VecDeque::new(),
        };
        if era == Era::Legacy {
            let opening = json!({
                "protocolVersion": "2025-11-25",
                "capabilities": client.capabilities,
                "clientInfo": { "name": "test", "version": "1" },
            });
            client.result("initialize", opening).await;
            client
                .say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))
                .await;
        }
        client
    }

    /// What a tool answers, whole.
    pub(crate) async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let params = json!({ "name": tool, "arguments": arguments });
        self.result("tools/call", params).await
    }

    /// What a tool answers where it does as it is told.
    pub(crate) async fn done(&mut self, tool: &str, arguments: Value) -> Value {
        let mut answer = self.call(tool, arguments).await;
        assert_eq!(answer["isError"], false, "{answer}");
        answer["structuredContent"].take()
    }

    /// What a tool says where it refuses: a text of the one form, and nothing else.
    pub(crate) async fn refused(&mut self, tool: &str, arguments: Value) -> String {
        let answer = self.call(tool, arguments).await;
        refusal(&answer)
    }

    /// The result of any method.
    pub(crate) async fn result(&mut self, method: &str, params: Value) -> Value {
        let mut answer = self.ask(method, params).await;
        assert!(answer["result"].is_object(), "{answer}");
        answer["result"].take()
    }

    /// The answer to any method, as it stands on the wire.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params).await;
        self.answer_to(id).await
    }

    /// The error that answers any method: its code and its message.
    pub(crate) async fn error(&mut self, method: &str, params: Value) -> (i64, String) {
        let answer = self.ask(method, params).await;
        let error = &answer["error"];
        let text = error["message"].as_str();
        (
            error["code"].as_i64().unwrap_or_else(|| panic!("{answer}")),
            text.unwrap().to_owned(),
        )
    }

    /// Asks, and does not wait for the answer: its id.
    pub(crate) async fn begin(&mut self, method: &str, mut params: Value) -> u64 {
        self.asked += 1;
        if self.era == Era::Modern {
            let meta = &mut params["_meta"];
            meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
            meta["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
            meta["io.modelcontextprotocol/clientInfo"] = json!({ "name": "test", "version": "1" });
        }
        let asked =
            json!({ "jsonrpc": "2.0", "id": self.asked, "method": method, "params": params });
        self.say(&asked).await;
        self.asked
    }

    /// The answer to what was asked. Notices that come before it can still be heard.
    pub(crate) async fn answer_to(&mut self, id: u64) -> Value {
        loop {
            let said = self.hear().await;
            if said.get("method").is_none() {
                assert_eq!(said["id"], id, "{said}");
                return said;
            }
            self.heard.push_back(said);
        }
    }

    /// The next notice: its method and its parameters.
    pub(crate) async fn hears(&mut self) -> (String, Value) {
        let mut said = match self.heard.pop_front() {
            Some(said) => said,
            None => self.hear().await,
        };
        let method = said["method"].as_str().unwrap_or_else(|| panic!("{said}"));
        (method.to_owned(), said["params"].take())
    }

    /// Whether there is nothing that it heard while it waited for answers.
    pub(crate) fn has_heard_nothing(&self) -> bool {
        self.heard.is_empty()
    }

    /// Tells, without an answer.
    pub(crate) async fn tell(&mut self, method: &str, params: Value) {
        self.say(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
            .await;
    }

    /// The next message of the server.
    pub(crate) async fn hear(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.output.next_line()).await;
        let line = line.expect("it did not come").unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// What a tool answers, whole, where the person who is asked in between says `yes_or_no`; and
    /// what they were asked.
    pub(crate) async fn call_and_say(
        &mut self,
        tool: &str,
        arguments: Value,
        yes_or_no: impl Fn(&Value) -> Value,
    ) -> (Value, Vec<Value>) {
        let mut params = json!({ "name": tool, "arguments": arguments });
        let mut questions = Vec::new();
        self.begin("tools/call", params.clone()).await;
        loop {
            let mut heard = self.hear().await;
            if heard["method"] == "elicitation/create" {
                let question = heard["params"].take();
                let answer = json!({
                    "jsonrpc": "2.0", "id": heard["id"], "result": yes_or_no(&question),
                });
                questions.push(question);
                self.say(&answer).await;
            } else if heard["result"]["resultType"] == "input_required" {
                let asked = heard["result"]["inputRequests"].as_object().unwrap();
                let answers = asked.iter().map(|(key, asked)| {
                    assert_eq!(asked["method"], "elicitation/create");
                    questions.push(asked["params"].clone());
                    (key.clone(), yes_or_no(&asked["params"]))
                });
                params["inputResponses"] = answers.collect();
                params["requestState"] = heard["result"]["requestState"].take();
                self.begin("tools/call", params.clone()).await;
            } else {
                return (heard["result"].take(), questions);
            }
        }
    }

    pub(crate) async fn say(&mut self, message: &Value) {
        let line = format!("{message}\n");
        self.input.write_all(line.as_bytes()).await.unwrap();
    }
}

/// The text of a refusal, of which everything but the text is looked at.
pub(crate) fn refusal(answer: &Value) -> String {
    assert_eq!(answer["isError"], true, "{answer}");
    assert_eq!(answer.get("structuredContent"), None, "{answer}");
    let content = answer["content"].as_array().unwrap();
    assert_eq!((content.len(), &content[0]["type"]), (1, &json!("text")));
    let text = content[0]["text"].as_str().unwrap().to_owned();
    assert!(is_a_refusal(&text), "{text}");
    text
}

/// `code: sentence. You can: ... Only the person can: ...`
fn is_a_refusal(text: &str) -> bool {
    let Some((code, sentences)) = text.split_once(": ") else {
        return false;
    };
    let (said, asked_of_a_person) = match sentences.split_once(" Only the person can: ") {
        Some((said, asked)) => (said, Some(asked)),
        None => (sentences, None),
    };
    let (why, can) = match said.split_once(" You can: ") {
        Some((why, can)) => (why, Some(can)),
        None => (said, None),
    };
    let is_clause = |text: &str| text.ends_with('.') && !text.ends_with("..") && text.len() > 8;
    CODES.contains(&code)
        && is_clause(why)
        && can.is_none_or(is_clause)
        && asked_of_a_person.is_none_or(is_clause)
        && (can.is_some() || asked_of_a_person.is_some())
}

const CODES: [&str; 11] = [
    "unauthenticated",
    "insufficient_scope",
    "scope_escalation",
    "forbidden",
    "not_found",
    "invalid_argument",
    "conflict",
    "limit_exceeded",
    "rate_limited",
    "unavailable",
    "internal",
];
