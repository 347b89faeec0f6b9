//! MCP over HTTP: the same server for many callers, at one path. Whoever mounts it puts the
//! [`Credential`] that was presented into each request's extensions, or a whole [`authz::Request`] where it
//! has made one, and has looked at `Host` and `Origin`; nothing is known of who asks before the store
//! has said who that is.
//!
//! 1. Every request says who asks, and is looked up before anything of it is read on. Whoever is
//!    not known is told how to be, and no more.
//! 2. A POST is one JSON-RPC message. Its headers must not say something else than its body.
//! 3. From 2026-07-28 on each stands for itself (`stateless`). It is answered with JSON, or with a
//!    stream of events where there is something to tell before the answer; who closes the
//!    connection cancels the call.
//! 4. Before that, `initialize` opens a session (`session`), which is told by `Mcp-Session-Id`. It
//!    belongs to the token that opened it, whichever of its values is presented; for everybody else
//!    there is none. A GET is its stream of news, a DELETE its end.
//! 5. Every second it is looked whether whoever has a session or a stream open is still known
//!    (`keeper`).
//! 6. Once the process is asked to stop, streams get their last word and end; calls in flight have
//!    [`Limits::grace`], and are cut then.

mod answer;
mod caller;
mod headers;
mod keeper;
mod places;
mod post;
mod refuse;
mod session;
mod sessions;
mod stateless;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::{Method, StatusCode, request::Parts},
    response::Response,
    routing::any,
};
use tokio_util::sync::CancellationToken;

use self::{
    caller::Caller,
    keeper::Watched,
    places::{Full, Place, Places},
    refuse::Refused,
    session::Session,
    sessions::Sessions,
};
use super::{
    Conversation, Server,
    frame::{Refusal, Served, Unit},
};
#[cfg(doc)]
use crate::authz::{self, Credential};

/// How long calls in flight may take once the process is asked to stop, unless it is set:
/// less than connections have, so that there is still somebody to tell.
pub const GRACE: Duration = Duration::from_secs(4);

/// How long a call waits for a place before it is refused, unless it is set.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much may be there at a time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls in flight of everybody.
    pub calls: usize,
    /// Calls in flight of one token.
    pub calls_each: usize,
    /// Open streams of everybody.
    pub streams: usize,
    /// Open streams of one token.
    pub streams_each: usize,
    /// Sessions of everybody.
    pub sessions: usize,
    /// Sessions of one token.
    pub sessions_each: usize,
    /// How long a session lasts in which nothing is asked and nobody listens.
    pub idle: Duration,
    /// How long a call waits for a place.
    pub patience: Duration,
    /// How long calls in flight may take once the process is asked to stop.
    pub grace: Duration,
}

/// MCP over HTTP. Clones serve the same sessions.
#[derive(Clone, Debug)]
pub struct StreamableHttp(Arc<House>);

#[derive(Debug)]
struct House {
    server: Server,
    /// It answers nothing, and knows the tools.
    tools: Conversation,
    served: Served,
    calls: Places,
    streams: Places,
    sessions: Sessions,
    watched: Watched,
    patience: Duration,
    grace: Duration,
    /// No stream goes on, and none is opened.
    stop: CancellationToken,
    /// Nothing goes on.
    cut: CancellationToken,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls: 512,
            calls_each: 128,
            streams: 1024,
            streams_each: 64,
            sessions: 1024,
            sessions_each: 64,
            idle: Duration::from_mins(15),
            patience: PATIENCE,
            grace: GRACE,
        }
    }
}

impl StreamableHttp {
    /// Serves `server`, for whoever presents something with a request, until `stop` is cancelled:
    /// what the server presents by itself is nobody's here.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub fn new(server: Server, limits: Limits, stop: CancellationToken) -> Self {
        let tools = Conversation::with(server.clone());
        let house = Arc::new(House {
            served: Served::by(&tools, Unit::Body),
            tools,
            server,
            calls: Places::new(limits.calls, limits.calls_each),
            streams: Places::new(limits.streams, limits.streams_each),
            sessions: Sessions::new(&limits),
            watched: Watched::default(),
            patience: limits.patience,
            grace: limits.grace,
            stop,
            cut: CancellationToken::new(),
        });
        tokio::spawn(keeper::keep(Arc::clone(&house)));
        Self(house)
    }

    /// The path at which it is served, and nothing else.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        Router::new().route(
            "/mcp",
            any(move |request| async move { self.handle(request).await }),
        )
    }

    /// Answers one request.
    pub async fn handle(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let caller = match Caller::of(&self.0.server.authority, &parts).await {
            Ok(caller) => caller,
            Err(refused) => return refused.response(),
        };
        let answered = match parts.method {
            Method::POST => self.post(caller, &parts, body).await,
            Method::GET => self.get(caller, &parts).await,
            Method::DELETE => self.delete(&caller, &parts),
            _ => Err(refuse::method_not_allowed("GET, POST, DELETE")),
        };
        answered.unwrap_or_else(Refused::response)
    }

    /// Opens the stream of a session's news.
    async fn get(&self, caller: Caller, parts: &Parts) -> Result<Response, Refused> {
        let session = self.session(&caller, parts)?;
        if !headers::accepts_events(&parts.headers) {
            let why = "the `Accept` header must have text/event-stream";
            return Err(refuse::sentence(StatusCode::NOT_ACCEPTABLE, why));
        }
        if self.0.stop.is_cancelled() {
            return Err(refuse::ending());
        }
        let place = self.stream_place(&caller).await?;
        let end = session.end().child_token();
        let watched = self.0.watched.add(caller.presented.clone(), end.clone());
        let last = wrong(headers::one(&parts.headers, headers::LAST_EVENT))?;
        let events = session.news(last).await.ok_or_else(refuse::no_session)?;
        let held = (place, watched, session.under_way());
        Ok(answer::events(events, end, held))
    }

    /// Ends a session.
    fn delete(&self, caller: &Caller, parts: &Parts) -> Result<Response, Refused> {
        let session = self.session(caller, parts)?;
        self.0.sessions.end(&session);
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    }

    /// The session that a request names, if it is the caller's.
    fn session(&self, caller: &Caller, parts: &Parts) -> Result<Arc<Session>, Refused> {
        let named = wrong(headers::version(&parts.headers))?;
        if named.as_ref().is_some_and(headers::is_modern) {
            return Err(refuse::method_not_allowed("POST"));
        }
        if let Some(named) = &named {
            wrong(headers::known(named))?;
        }
        let Some(id) = wrong(headers::one(&parts.headers, headers::SESSION))? else {
            let why = "the `Mcp-Session-Id` header is missing. Open a session with `initialize`, or \
                       speak 2026-07-28";
            return Err(refuse::sentence(StatusCode::BAD_REQUEST, why));
        };
        let session = self.0.sessions.find(id, caller);
        session.ok_or_else(refuse::no_session)
    }

    async fn call_place(&self, caller: &Caller, refused: &Refusal) -> Result<Place, Refused> {
        let place = self.0.calls.take(caller.actor, self.0.patience).await;
        place.map_err(|full| refuse::full(full, refused))
    }

    async fn stream_place(&self, caller: &Caller) -> Result<Place, Refused> {
        let place = self.0.streams.take(caller.actor, Duration::ZERO).await;
        place.map_err(|full| {
            let why = match full {
                Full::Ones => "this token has as many streams open as it may. Close one first",
                Full::All => "as many streams are open as may be. Call again later",
            };
            refuse::full(full, &Refusal::busy(why))
        })
    }
}

/// What is wrong with the headers, as it is answered.
fn wrong<T>(looked: Result<T, rmcp::ErrorData>) -> Result<T, Refused> {
    looked.map_err(|error| refuse::error(StatusCode::BAD_REQUEST, error, None))
}
