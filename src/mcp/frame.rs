//! What a line or a body is: a message for rmcp, or something to answer in its place.
//!
//! None, however wrong, is an error of the session, and no answer repeats any of it but its id and
//! its method.

use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, ErrorCode, GetMeta, JsonRpcMessage, ProtocolVersion,
    RequestId, ServerCapabilities,
};
use rmcp::{RoleServer, Service};
use serde_json::{Value, json};

use super::doubled::has_doubled_key;

/// JSON-RPC leaves the codes from here on to servers, and MCP gives this one no meaning.
const BUSY: ErrorCode = ErrorCode(-32000);

/// The longest line, and the longest body: 1 MiB. The longest sensible one, a tool call with every
/// argument at its limit, is far shorter.
pub(super) const LONGEST: usize = 1 << 20;

/// Methods that 2026-07-28 has no more, whatever their parameters.
const REMOVED: [&str; 4] = [
    "initialize",
    "ping",
    "resources/subscribe",
    "resources/unsubscribe",
];

/// What a line or a body asks of the session.
pub(super) enum Frame {
    /// For rmcp.
    Message(Box<ClientJsonRpcMessage>),
    /// Not for rmcp; this is the answer.
    Refused(Refusal),
    /// Nothing. Answering it could only start a quarrel.
    Ignored,
}

/// An answer that rmcp does not give.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    why: String,
    pub(super) id: Option<RequestId>,
}

/// What messages come in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    Line,
    Body,
}

/// What this server serves, as far as a message can be judged by it.
#[derive(Debug)]
pub(super) struct Served {
    unit: Unit,
    capabilities: ServerCapabilities,
    versions: Vec<ProtocolVersion>,
}

impl Served {
    pub(super) fn by(service: &impl Service<RoleServer>, unit: Unit) -> Self {
        Self {
            unit,
            capabilities: service.get_info().capabilities,
            versions: service.supported_protocol_versions().into_owned(),
        }
    }

    /// Whether rmcp's session is open once it has seen this request: by `initialize`, or by the
    /// first request that carries what a stateless one must. Probes leave it closed, and so does
    /// a request that rmcp refuses.
    pub(super) fn is_opened_by(&self, request: &ClientRequest) -> bool {
        match request.method() {
            "initialize" => true,
            "ping" | "server/discover" => false,
            _ => {
                let meta = request.get_meta();
                meta.missing_required_keys(&ProtocolVersion::V_2026_07_28)
                    .is_empty()
                    && meta
                        .protocol_version()
                        .is_some_and(|asked| self.versions.contains(&asked))
            }
        }
    }

    /// Whether it has this method. A request for it that rmcp takes for a custom one has wrong
    /// `params`.
    fn has(&self, method: &str) -> bool {
        let can = &self.capabilities;
        match method {
            "initialize" | "ping" | "server/discover" => true,
            "tools/call" | "tools/list" => can.tools.is_some(),
            "prompts/get" | "prompts/list" => can.prompts.is_some(),
            "resources/list"
            | "resources/read"
            | "resources/templates/list"
            | "resources/subscribe"
            | "resources/unsubscribe"
            | "subscriptions/listen" => can.resources.is_some(),
            "completion/complete" => can.completions.is_some(),
            _ => false,
        }
    }
}

impl Frame {
    /// Reads a line.
    ///
    /// rmcp's own reader is silent on what is not JSON, answers what is not a message without its
    /// id, and takes a call with wrong `params` for a method that it does not know. A client that
    /// waits for an answer wants one that it can tell apart.
    pub(super) fn read(line: &[u8], served: &Served) -> Self {
        // RFC 8259, section 8.1, lets a reader ignore a byte order mark.
        let line = line
            .strip_prefix(b"\xEF\xBB\xBF")
            .unwrap_or(line)
            .trim_ascii();
        if line.is_empty() {
            return Self::Ignored;
        }
        match serde_json::from_slice::<ClientJsonRpcMessage>(line) {
            Ok(JsonRpcMessage::Request(request)) => {
                if has_doubled_key(line) {
                    const WHY: &str = "a key stands twice in one object. Send each once";
                    let refusal = Refusal::new(ErrorCode::INVALID_REQUEST, WHY, Some(&request.id));
                    return Self::Refused(refusal);
                }
                let version = request.request.get_meta().protocol_version();
                let is_modern = version.is_some_and(|version| !version.has_initialize());
                if let ClientRequest::CustomRequest(unread) = &request.request
                    && served.has(&unread.method)
                    && !(is_modern && REMOVED.contains(&&*unread.method))
                {
                    return Self::Refused(wrong_params(&unread.method, &request.id));
                }
                Self::Message(Box::new(JsonRpcMessage::Request(request)))
            }
            Ok(message) => Self::Message(Box::new(message)),
            Err(_) => Self::not_a_message(line, served.unit),
        }
    }

    fn not_a_message(text: &[u8], unit: Unit) -> Self {
        let refused = |code, why: &str, id| Self::Refused(Refusal::new(code, why, id));
        let (unit, each) = match unit {
            Unit::Line => ("line", "a line"),
            Unit::Body => ("body", "a request"),
        };
        let Ok(value) = serde_json::from_slice::<Value>(text) else {
            let why = format!("this {unit} is not JSON. Send one JSON-RPC message {each}");
            return refused(ErrorCode::PARSE_ERROR, &why, None);
        };
        let Some(object) = value.as_object() else {
            let why = if value.is_array() {
                format!("batches are not served. Send one JSON-RPC message {each}")
            } else {
                format!("this is not a JSON-RPC message. Send one JSON object {each}")
            };
            return refused(ErrorCode::INVALID_REQUEST, &why, None);
        };

        let has = |key| object.contains_key(key);
        let is_answer = has("result") || has("error");
        // Neither a wrong answer nor a wrong notification is answered.
        if (has("method") && !has("id")) || (is_answer && !has("method")) {
            return Self::Ignored;
        }
        let id = object
            .get("id")
            .and_then(|id| serde_json::from_value(id.clone()).ok());
        let text = |key| object.get(key).and_then(Value::as_str);
        if !is_answer
            && let (Some("2.0"), Some(id), Some(method)) = (text("jsonrpc"), &id, text("method"))
        {
            return Self::Refused(wrong_params(method, id));
        }
        let why = "this is not a JSON-RPC request. It needs `jsonrpc` as \"2.0\", a `method`, and \
                   an `id` that is a string or an integer";
        refused(ErrorCode::INVALID_REQUEST, why, id.as_ref())
    }
}

impl Refusal {
    pub(super) fn new(code: ErrorCode, why: impl Into<String>, id: Option<&RequestId>) -> Self {
        Self {
            code,
            why: why.into(),
            id: id.cloned(),
        }
    }

    /// The answer to a line or a body that is longer than 1 MiB.
    pub(super) fn too_long(unit: Unit) -> Self {
        let unit = match unit {
            Unit::Line => "line",
            Unit::Body => "body",
        };
        let why = format!("this {unit} is longer than 1 MiB. Send less at once");
        Self::new(ErrorCode::INVALID_REQUEST, why, None)
    }

    /// The answer to a call that has waited for its place in vain.
    pub(super) fn too_many(id: Option<&RequestId>) -> Self {
        const WHY: &str = "too many calls are in flight. Wait for their answers, then call again";
        Self::new(BUSY, WHY, id)
    }

    /// The answer to a call whose id another call in flight has.
    pub(super) fn asked_already(id: &RequestId) -> Self {
        const WHY: &str = "another call in flight has this id. Give each call an id of its own";
        Self::new(ErrorCode::INVALID_REQUEST, WHY, Some(id))
    }

    /// The answer to what there is no place for.
    pub(super) fn busy(why: &str) -> Self {
        Self::new(BUSY, why, None)
    }

    /// Its JSON. Where there is no id, it says `null`, as JSON-RPC 2.0, section 5, has it.
    ///
    /// The schema of MCP 2025-11-25 would leave it out instead. The clients' libraries log either
    /// as an answer to nothing, at most, and go on.
    pub(super) fn json(&self) -> Vec<u8> {
        let error = json!({ "code": self.code.0, "message": self.why });
        json!({ "jsonrpc": "2.0", "id": self.id, "error": error })
            .to_string()
            .into_bytes()
    }

    /// The same as a line.
    pub(super) fn line(&self) -> Vec<u8> {
        let mut line = self.json();
        line.push(b'\n');
        line
    }
}

fn wrong_params(method: &str, id: &RequestId) -> Refusal {
    let hint = match method {
        "tools/call" => "`name` must be a string, and `arguments` an object",
        "prompts/get" => "`name` must be a string, and `arguments` an object of strings",
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => {
            "`uri` must be a string"
        }
        "initialize" => "It needs `protocolVersion`, `capabilities` and `clientInfo`",
        _ => "See the MCP schema for what it takes",
    };
    let known = match method {
        "tools/call"
        | "tools/list"
        | "initialize"
        | "server/discover"
        | "ping"
        | "prompts/get"
        | "prompts/list"
        | "resources/list"
        | "resources/read"
        | "resources/templates/list"
        | "resources/subscribe"
        | "resources/unsubscribe"
        | "subscriptions/listen"
        | "completion/complete" => method,
        // It may be a value gone astray.
        _ => "this method",
    };
    let why = format!("the `params` of `{known}` are missing or wrong. {hint}");
    Refusal::new(ErrorCode::INVALID_PARAMS, why, Some(id))
}
