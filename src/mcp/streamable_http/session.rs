//! A session of a client of 2025-11-25 or before. rmcp keeps what is on its way to the client, and
//! hands it out again where a stream broke off.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, Weak},
};

use axum::{
    http::{HeaderName, HeaderValue, StatusCode},
    response::Response,
};
use futures::{Stream, StreamExt as _, future::Either, stream};
use rmcp::{
    model::{
        ClientJsonRpcMessage, ClientRequest, GetExtensions as _, JsonRpcMessage, JsonRpcRequest,
        ProtocolVersion, RequestId,
    },
    service::serve_server_with_ct,
    transport::{
        WorkerTransport,
        streamable_http_server::session::{
            ServerSseMessage,
            local::{LocalSessionHandle, LocalSessionWorker, SessionConfig, create_local_session},
        },
    },
};
use tokio::{
    sync::mpsc::Receiver,
    time::{Duration, Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    House, StreamableHttp, answer,
    caller::Caller,
    headers,
    keeper::{Presented, Watching, lock},
    refuse::{self, Refused},
    sessions::NotOpened,
};
use crate::{
    crypto::{hex::hex, random},
    domain::actor::Actor,
    mcp::{Conversation, Presents, frame::Refusal, subscriptions::End},
};

/// When a client whose stream broke off should come again.
const COMES_AGAIN: Duration = Duration::from_secs(3);

/// How long a session that is over still carries answers.
const CARRIES: Duration = Duration::from_secs(1);

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: String,
    /// Whose it is, for as long as it lasts.
    pub(super) actor: Actor,
    handle: LocalSessionHandle,
    /// What was presented last.
    presented: Arc<Mutex<Presented>>,
    used: Mutex<Instant>,
    /// The ids of the calls in flight.
    asked: Arc<Mutex<HashSet<RequestId>>>,
    /// Held by every call in flight and every open stream.
    under_way: Arc<()>,
    /// It is over, or the process is about to end: nothing waits for the client any more.
    end: CancellationToken,
    /// Nothing is carried any more.
    cut: CancellationToken,
}

/// An id that no other call has, for as long as it is there.
struct Asking {
    asked: Arc<Mutex<HashSet<RequestId>>>,
    id: RequestId,
}

impl Drop for Asking {
    fn drop(&mut self) {
        lock(&self.asked).remove(&self.id);
    }
}

/// What is not to be forgotten with a session that is still served.
struct Serving {
    session: Arc<Session>,
    house: Weak<House>,
    #[expect(dead_code, reason = "it is held for as long as the session is there")]
    watched: Watching,
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(house) = self.house.upgrade() {
            house.sessions.end(&self.session);
        }
    }
}

impl StreamableHttp {
    /// Opens a session, and answers `initialize`.
    pub(super) async fn open(
        &self,
        caller: &Caller,
        call: JsonRpcRequest<ClientRequest>,
        version: &ProtocolVersion,
    ) -> Result<Response, Refused> {
        let house = &self.0;
        if house.stop.is_cancelled() {
            return Err(refuse::ending());
        }
        let place = self
            .call_place(caller, &Refusal::too_many(Some(&call.id)))
            .await?;
        let (session, worker) = Session::of(caller, version, &house.cut);
        let session = Arc::new(session);
        house.sessions.add(&session).map_err(|NotOpened(full)| {
            let why = "there are as many sessions as may be. End one with DELETE, or call again \
                       later";
            refuse::full(full, &Refusal::busy(why))
        })?;
        let serving = Serving {
            session: Arc::clone(&session),
            house: Arc::downgrade(house),
            watched: house
                .watched
                .add_lasting(&session.presented, session.end.clone()),
        };
        let server = Conversation::apart(house.server.clone());
        let cut = session.cut.clone();
        tokio::spawn(async move {
            let transport = WorkerTransport::spawn(worker);
            if let Ok(running) = serve_server_with_ct(server, transport, cut).await {
                drop(running.waiting().await);
            }
            drop(serving);
        });
        let message = session.beside(caller, JsonRpcMessage::Request(call), place);
        let answer = session.handle.initialize(message).await;
        let answer = answer.map_err(|_| refuse::no_session())?;
        let mut response = refuse::message(StatusCode::OK, &answer);
        if let JsonRpcMessage::Response(_) = answer {
            let id = HeaderValue::try_from(&session.id).map_err(|_| refuse::no_session())?;
            let name = HeaderName::from_static(headers::SESSION);
            response.headers_mut().insert(name, id);
        } else {
            house.sessions.end(&session);
        }
        Ok(response)
    }

    /// Asks a session, and answers with what it says.
    pub(super) async fn ask(
        &self,
        caller: &Caller,
        session: &Arc<Session>,
        call: JsonRpcRequest<ClientRequest>,
    ) -> Result<Response, Refused> {
        let asking = session.asking(&call.id).ok_or_else(|| {
            refuse::refusal(StatusCode::BAD_REQUEST, &Refusal::asked_already(&call.id))
        })?;
        let place = self
            .call_place(caller, &Refusal::too_many(Some(&call.id)))
            .await?;
        let held = (place, Arc::clone(&asking));
        let message = session.beside(caller, JsonRpcMessage::Request(call), held);
        let messages = session.asked(message).await;
        let mut messages = messages.ok_or_else(refuse::no_session)?;
        // rmcp may begin with an event that is there for its id alone.
        let mut first = Vec::new();
        let is_over = loop {
            let next = tokio::select! {
                biased;
                next = messages.recv() => next,
                () = session.cut.cancelled() => None,
            };
            let Some(next) = next else { break true };
            match next.message.as_deref() {
                Some(answer) if answer::is_last(answer) => {
                    return Ok(refuse::message(StatusCode::OK, answer));
                }
                told => {
                    let is_told = told.is_some();
                    first.push(next);
                    if is_told {
                        break false;
                    }
                }
            }
        };
        if is_over && session.cut.is_cancelled() {
            return Err(refuse::no_session());
        }
        // One that was cancelled has no answer, and its stream ends without one.
        let messages = stream::iter(first).chain(answer::rest(messages));
        Ok(answer::events(
            messages,
            session.cut.clone(),
            (asking, session.under_way()),
        ))
    }
}

impl Session {
    /// A session of `caller`'s, and what carries its messages.
    fn of(
        caller: &Caller,
        version: &ProtocolVersion,
        cut: &CancellationToken,
    ) -> (Self, LocalSessionWorker) {
        let id = hex(&*random::bytes::<32>());
        let mut config = SessionConfig::default();
        // We forget it ourselves: one whose client listens is needed, however long it is silent.
        config.keep_alive = None;
        // Clients of earlier revisions do not know events without data.
        config.sse_retry = (*version >= ProtocolVersion::V_2025_11_25).then_some(COMES_AGAIN);
        let (handle, worker) = create_local_session(id.clone(), config);
        let session = Self {
            id,
            actor: caller.actor,
            handle,
            presented: Arc::new(Mutex::new(caller.presented.clone())),
            used: Mutex::new(Instant::now()),
            asked: Arc::default(),
            under_way: Arc::default(),
            end: CancellationToken::new(),
            cut: cut.child_token(),
        };
        (session, worker)
    }

    /// The id, if no call in flight has it. rmcp would answer one of the two, and let the other wait
    /// for ever.
    fn asking(&self, id: &RequestId) -> Option<Arc<Asking>> {
        let is_new = lock(&self.asked).insert(id.clone());
        is_new.then(|| {
            Arc::new(Asking {
                asked: Arc::clone(&self.asked),
                id: id.clone(),
            })
        })
    }

    /// The message, with what belongs beside it, and what is `held` as long as it is looked after.
    fn beside<H: Send + Sync + 'static>(
        &self,
        caller: &Caller,
        mut message: ClientJsonRpcMessage,
        held: H,
    ) -> ClientJsonRpcMessage {
        let presented = Arc::clone(&self.presented);
        let lasting = Presents::anew(move || lock(&presented).credential.clone());
        let brought = caller.brings(Some(lasting));
        let extensions = match &mut message {
            JsonRpcMessage::Request(call) => call.request.extensions_mut(),
            JsonRpcMessage::Notification(told) => told.notification.extensions_mut(),
            JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => return message,
        };
        extensions.insert(brought);
        extensions.insert(End(self.end.clone()));
        // What goes with the call's context is free when that is dropped.
        extensions.insert((Arc::new(held), self.under_way()));
        message
    }

    /// What a call is answered with, as it comes; `None` if the session is over.
    async fn asked(&self, message: ClientJsonRpcMessage) -> Option<Receiver<ServerSseMessage>> {
        let channel = self.handle.establish_request_wise_channel().await.ok()?;
        let number = channel.http_request_id;
        self.handle.push_message(message, number).await.ok()?;
        Some(channel.inner)
    }

    /// Takes what has no answer; `None` if the session is over.
    pub(super) async fn told(&self, caller: &Caller, message: ClientJsonRpcMessage) -> Option<()> {
        let message = self.beside(caller, message, ());
        self.handle.push_message(message, None).await.ok()
    }

    /// Its news, from where a client has left off; `None` if the session is over.
    pub(super) async fn news(
        &self,
        last: Option<&str>,
    ) -> Option<impl Stream<Item = ServerSseMessage> + use<>> {
        let Some(last) = last else {
            let channel = self.handle.establish_common_channel().await.ok()?;
            return Some(Either::Left(answer::rest(channel.inner)));
        };
        let channel = match last.parse() {
            Ok(last) => self.handle.resume(last).await.ok(),
            Err(_) => None,
        };
        // An error would have clients ask for the same again, for ever.
        Some(match channel {
            Some(channel) => Either::Left(answer::rest(channel.inner)),
            None => Either::Right(stream::empty()),
        })
    }

    /// Somebody has presented something good of the session's token.
    pub(super) fn use_by(&self, caller: &Caller) {
        *lock(&self.presented) = caller.presented.clone();
        *lock(&self.used) = Instant::now();
    }

    /// Held for as long as something is under way.
    pub(super) fn under_way(&self) -> Arc<()> {
        Arc::clone(&self.under_way)
    }

    /// Since when nothing is under way.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let is_idle = Arc::strong_count(&self.under_way) == 1;
        is_idle.then(|| *lock(&self.used))
    }

    /// What ends with it.
    pub(super) fn end(&self) -> &CancellationToken {
        &self.end
    }

    /// Ends it: its streams at once, its calls as soon as they can be.
    pub(super) fn close(&self) {
        self.end.cancel();
        let cut = self.cut.clone();
        tokio::spawn(async move {
            sleep(CARRIES).await;
            cut.cancel();
        });
    }
}
