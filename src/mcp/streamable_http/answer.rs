//! Answers that are made of messages: JSON where the first is the last, and otherwise a stream of
//! events.

use std::{convert::Infallible, time::Duration};

use axum::{
    http::{HeaderName, HeaderValue, header::CACHE_CONTROL},
    response::{
        IntoResponse as _, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures::{Stream, StreamExt as _, stream};
use rmcp::{
    model::{JsonRpcMessage, ServerJsonRpcMessage},
    transport::streamable_http_server::session::ServerSseMessage,
};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

/// How often a stream with nothing to tell says that it is there. Proxies close after a minute.
const KEEPS_ALIVE: Duration = Duration::from_secs(15);

/// Whether no other message follows.
pub(super) fn is_last(message: &ServerJsonRpcMessage) -> bool {
    matches!(
        message,
        JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_)
    )
}

/// What is still to come through a channel.
pub(super) fn rest<T>(mut receiver: Receiver<T>) -> impl Stream<Item = T> {
    stream::poll_fn(move |context| receiver.poll_recv(context))
}

/// A stream of events that goes on until `end` at most. What is `held` is held as long.
pub(super) fn events<H: Send + 'static>(
    messages: impl Stream<Item = ServerSseMessage> + Send + 'static,
    end: CancellationToken,
    held: H,
) -> Response {
    let events = messages
        .take_until(end.cancelled_owned())
        .map(move |message| {
            let _ = &held;
            Ok::<_, Infallible>(event(&message))
        });
    let alive = KeepAlive::new().interval(KEEPS_ALIVE);
    let mut response = Sse::new(events).keep_alive(alive).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would keep events until there are many.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    headers.insert(unbuffered, HeaderValue::from_static("no"));
    response
}

fn event(message: &ServerSseMessage) -> Event {
    let mut event = Event::default();
    if let Some(id) = &message.event_id {
        event = event.id(id);
    }
    if let Some(retry) = message.retry {
        event = event.retry(retry);
    }
    // The first event of a stream may be there for its id alone.
    let told = message.message.as_deref().map(serde_json::to_string);
    event.data(told.and_then(Result::ok).unwrap_or_default())
}
