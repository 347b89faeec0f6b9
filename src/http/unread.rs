//! [`Unread`]: whether a request's body was read to its end. One that was refused before leaves the
//! rest of its body on the way, and the connection is good for nothing else: its client is to know.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
};
use hyper::body::{Frame, SizeHint};

/// What is known of a body that somebody else has, or had.
#[derive(Debug)]
pub(super) struct Unread(Option<Arc<AtomicBool>>);

impl Unread {
    /// Watches the body of `request`, if it has one that means anything (RFC 9110 section 9.3.1).
    pub(super) fn watch(request: Request) -> (Self, Request) {
        if request.method().is_safe() || request.body().is_end_stream() {
            return (Self(None), request);
        }
        let has_ended = Arc::new(AtomicBool::new(false));
        let watch = Arc::clone(&has_ended);
        let request = request.map(|body| Body::new(Watched { body, has_ended }));
        (Self(Some(watch)), request)
    }

    /// Whether some of it was not read.
    pub(super) fn is_left(&self) -> bool {
        let has_ended = self.0.as_ref();
        has_ended.is_some_and(|has_ended| !has_ended.load(Ordering::Relaxed))
    }
}

struct Watched {
    body: Body,
    has_ended: Arc<AtomicBool>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.has_ended.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
