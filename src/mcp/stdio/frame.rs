//! What a line is: a message for rmcp, or something to answer in its place.
//!
//! No line, however wrong, is an error of the session, and no answer repeats any of a line but its
//! id and its method.

use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, ErrorCode, GetMeta, JsonRpcMessage, ProtocolVersion,
    RequestId, ServerCapabilities,
};
use rmcp::{RoleServer, Service};
use serde_json::{Value, json};

/// What a line asks of the session.
pub(super) enum Frame {
    /// For rmcp.
    Message(Box<ClientJsonRpcMessage>),
    /// Not for rmcp; this is the answer.
    Refused(Vec<u8>),
    /// Nothing. Answering it could only start a quarrel.
    Ignored,
}

/// What this server serves, as far as a line can be judged by it.
pub(super) struct Served {
    capabilities: ServerCapabilities,
    versions: Vec<ProtocolVersion>,
}

impl Served {
    pub(super) fn by(service: &impl Service<RoleServer>) -> Self {
        Self {
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
        match serde_json::from_slice(line) {
            Ok(JsonRpcMessage::Request(request)) => {
                if let ClientRequest::CustomRequest(unread) = &request.request
                    && served.has(&unread.method)
                {
                    return Self::Refused(wrong_params(&unread.method, &request.id));
                }
                Self::Message(Box::new(JsonRpcMessage::Request(request)))
            }
            Ok(message) => Self::Message(Box::new(message)),
            Err(_) => Self::not_a_message(line),
        }
    }

    fn not_a_message(line: &[u8]) -> Self {
        let refused = |code, why, id| Self::Refused(refusal(code, why, id));
        let Ok(value) = serde_json::from_slice::<Value>(line) else {
            let why = "this line is not JSON. Send one JSON-RPC message a line";
            return refused(ErrorCode::PARSE_ERROR, why, None);
        };
        let Some(object) = value.as_object() else {
            let why = if value.is_array() {
                "batches are not served. Send one JSON-RPC message a line"
            } else {
                "this is not a JSON-RPC message. Send one JSON object a line"
            };
            return refused(ErrorCode::INVALID_REQUEST, why, None);
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

/// The answer to a line that is longer than [`super::lines::MAX_LINE`].
pub(super) fn too_long() -> Vec<u8> {
    const WHY: &str = "this line is longer than 1 MiB. Send less at once";
    refusal(ErrorCode::INVALID_REQUEST, WHY, None)
}

/// The answer to a call that has waited for its place in vain.
pub(super) fn too_many(id: &RequestId) -> Vec<u8> {
    // JSON-RPC leaves the codes from here on to servers, and MCP gives this one no meaning.
    const BUSY: ErrorCode = ErrorCode(-32000);
    const WHY: &str = "too many calls are in flight. Wait for their answers, then call again";
    refusal(BUSY, WHY, Some(id))
}

fn wrong_params(method: &str, id: &RequestId) -> Vec<u8> {
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
    refusal(ErrorCode::INVALID_PARAMS, &why, Some(id))
}

/// An error's line. Where there is no id, it says `null`, as JSON-RPC 2.0, section 5, has it.
///
/// The schema of MCP 2025-11-25 would leave it out instead. The clients' libraries log either as
/// an answer to nothing, at most, and go on.
fn refusal(code: ErrorCode, why: &str, id: Option<&RequestId>) -> Vec<u8> {
    let error = json!({ "code": code.0, "message": why });
    let mut line = json!({ "jsonrpc": "2.0", "id": id, "error": error })
        .to_string()
        .into_bytes();
    line.push(b'\n');
    line
}
