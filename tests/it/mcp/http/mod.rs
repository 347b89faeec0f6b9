//! MCP over HTTP, over a real socket.

mod body;
mod door;
mod ending;
mod headers;
mod limits;
mod questions;
mod sessions;
mod stateless;
mod streams;
mod wire;

use std::net::SocketAddr;

use axum::{extract::Request, middleware::map_request};
use keywright::{
    authz::Credential,
    mcp::{
        Server,
        streamable_http::{Limits, StreamableHttp},
    },
    wire::token::ClaimCommand,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::wire::Wire;
use crate::support::{Agent, TestApp};

/// A server at an address of its own, which ends with the test.
pub(crate) struct Served {
    pub(crate) at: SocketAddr,
    pub(crate) stop: CancellationToken,
}

impl Served {
    pub(crate) async fn by(app: &TestApp) -> Self {
        Self::with(app, Limits::default()).await
    }

    pub(crate) async fn with(app: &TestApp, limits: Limits) -> Self {
        let claim = ClaimCommand::new("/usr/bin/keywright", None, None);
        let nobody = Credential::Nobody.into();
        Self::of(Server::new(app.authority.clone(), nobody, claim), limits).await
    }

    pub(crate) async fn of(server: Server, limits: Limits) -> Self {
        let stop = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let mcp = StreamableHttp::new(server, limits, stop.clone());
        let router = mcp.router::<()>().layer(map_request(present));
        let ended = stop.clone().cancelled_owned();
        tokio::spawn(async move {
            let ends = axum::serve(listener, router).with_graceful_shutdown(ended);
            ends.await.unwrap();
        });
        Self { at, stop }
    }

    /// A POST of `agent`'s, with the headers that every client sends.
    pub(crate) fn post(&self, agent: &Agent) -> Wire {
        Wire::new(self.at, "POST")
            .with("authorization", format!("Bearer {}", agent.value))
            .with("content-type", "application/json")
            .with("accept", "application/json, text/event-stream")
    }

    /// A request of 2026-07-28.
    pub(crate) fn modern(&self, agent: &Agent, method: &str, params: Value) -> Wire {
        self.modern_of(agent, method, params, json!({}))
    }

    /// The same of a client that can do this.
    pub(crate) fn modern_of(
        &self,
        agent: &Agent,
        method: &str,
        mut params: Value,
        can: Value,
    ) -> Wire {
        let name = ["name", "uri"].iter().find_map(|key| params[*key].as_str());
        let name = name.map(str::to_owned);
        let meta = &mut params["_meta"];
        meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
        meta["io.modelcontextprotocol/clientCapabilities"] = can;
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let wire = self
            .post(agent)
            .with("mcp-protocol-version", "2026-07-28")
            .with("mcp-method", method)
            .saying(body.to_string());
        match name {
            Some(name) => wire.with("mcp-name", name),
            None => wire,
        }
    }

    /// A call of 2026-07-28.
    pub(crate) fn calls(&self, agent: &Agent, tool: &str, arguments: Value) -> Wire {
        let mut params = json!({ "name": tool });
        params["arguments"] = arguments;
        self.modern(agent, "tools/call", params)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What a front that mounts it does: it says what was presented, and proves nothing.
async fn present(mut request: Request) -> Request {
    let bearer = request.headers().get("authorization");
    let bearer = bearer.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let credential = bearer.map_or(Credential::Nobody, |value| Credential::bearer(value, None));
    request.extensions_mut().insert(credential);
    request
}

/// A session of 2025-11-25.
pub(crate) struct Session {
    pub(crate) id: String,
    at: SocketAddr,
}

impl Served {
    /// Opens a session for `agent`.
    pub(crate) async fn session(&self, agent: &Agent) -> Session {
        self.session_of(agent, json!({})).await
    }

    /// The same for a client that can do this.
    pub(crate) async fn session_of(&self, agent: &Agent, can: Value) -> Session {
        let (answer, body) = self.opening(agent, can).whole().await;
        let id = answer.header("mcp-session-id").map(str::to_owned);
        let session = Session {
            id: id.unwrap_or_else(|| panic!("{body}")),
            at: self.at,
        };
        let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let (answer, _) = session.says(agent, &told).whole().await;
        assert_eq!(answer.status, 202);
        session
    }

    /// The `initialize` of a client that can do this.
    pub(crate) fn opening(&self, agent: &Agent, can: Value) -> Wire {
        let mut opening = json!({
            "jsonrpc": "2.0", "id": 0, "method": "initialize",
            "params": {
                "protocolVersion": "2025-11-25",
                "clientInfo": { "name": "test", "version": "1" },
            },
        });
        opening["params"]["capabilities"] = can;
        self.post(agent).saying(opening.to_string())
    }
}

impl Session {
    /// A request of `agent`'s to this session.
    pub(crate) fn wire(&self, agent: &Agent, method: &'static str) -> Wire {
        Wire::new(self.at, method)
            .with("authorization", format!("Bearer {}", agent.value))
            .with("content-type", "application/json")
            .with("accept", "application/json, text/event-stream")
            .with("mcp-protocol-version", "2025-11-25")
            .with("mcp-session-id", &self.id)
    }

    /// A message of `agent`'s.
    pub(crate) fn says(&self, agent: &Agent, message: &Value) -> Wire {
        self.wire(agent, "POST").saying(message.to_string())
    }

    pub(crate) fn asks(&self, agent: &Agent, method: &str, params: Value) -> Wire {
        let mut asked = json!({ "jsonrpc": "2.0", "id": 9, "method": method });
        asked["params"] = params;
        self.says(agent, &asked)
    }

    pub(crate) fn calls(&self, agent: &Agent, tool: &str, arguments: Value) -> Wire {
        let mut params = json!({ "name": tool });
        params["arguments"] = arguments;
        self.asks(agent, "tools/call", params)
    }
}

/// Another process that writes, until it is dropped: no other can.
pub(crate) fn busy(app: &TestApp) -> rusqlite::Connection {
    let other = app.database();
    other.execute_batch("begin immediate").unwrap();
    other
}
