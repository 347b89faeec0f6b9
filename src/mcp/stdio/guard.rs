//! The transport between the wire and rmcp: lets through what rmcp survives, and no more than fits.
//!
//! No line ends the session, and its memory is bounded, whatever the client sends and however
//! little it reads.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, GetExtensions, JsonRpcMessage, JsonRpcRequest,
    ServerJsonRpcMessage,
};
use rmcp::transport::Transport;
use tokio::io::AsyncRead;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::lines::{Line, Lines};
use crate::mcp::{
    frame::{Frame, Refusal, Served, Unit},
    subscriptions::End,
};

/// How many calls are worked on at a time; more than any client has open, few enough for memory.
///
/// While this many are in flight nothing more is read, not even a cancellation: it is behind the
/// next call in the pipe. Our calls are short, so that a free place is soon there.
const IN_FLIGHT: usize = 128;

/// How many answers may wait for the client to read, beside those of the calls in flight.
pub(super) const UNWRITTEN: usize = 128;

/// How long a call waits for a place before it is refused.
///
/// All places may be held by calls that wait for the client's own answers, which are then behind
/// the waiting call; so waiting has an end.
const PATIENCE: Duration = Duration::from_secs(5);

/// The transport of one session.
pub(super) struct Guard {
    lines: Lines<Box<dyn AsyncRead + Send + Unpin>>,
    answers: mpsc::Sender<Vec<u8>>,
    served: Served,
    places: Arc<Semaphore>,
    patience: Duration,
    /// Read, but without a place yet; and until when it may wait. Here, and not in the future,
    /// since rmcp drops the future of `receive` whenever it has something else to do.
    waiting: Option<(JsonRpcRequest<ClientRequest>, Instant)>,
    /// Our own answer, not sent yet; here for the same reason.
    refused: Option<Vec<u8>>,
    is_open: bool,
    stop: CancellationToken,
    ended: CancellationToken,
}

impl Guard {
    /// Ends the session on `stop`, and cancels `ended` when it will read no more.
    pub(super) fn new(
        input: Box<dyn AsyncRead + Send + Unpin>,
        answers: mpsc::Sender<Vec<u8>>,
        served: Served,
        stop: CancellationToken,
        ended: CancellationToken,
    ) -> Self {
        Self {
            lines: Lines::new(input),
            answers,
            served,
            places: Arc::new(Semaphore::new(IN_FLIGHT)),
            patience: PATIENCE,
            waiting: None,
            refused: None,
            is_open: false,
            stop,
            ended,
        }
    }

    /// The next message for rmcp; `None` when there will be no more.
    async fn next(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            if self.refused.is_some() {
                let room = self.answers.reserve().await.ok()?;
                if let Some(answer) = self.refused.take() {
                    room.send(answer);
                }
            }
            if let Some((_, until)) = self.waiting {
                let place = timeout_at(until, Arc::clone(&self.places).acquire_owned()).await;
                if place.is_ok() {
                    // A client that calls and does not read waits here, since the answers that it
                    // owes a reading wait before us.
                    drop(self.answers.reserve().await.ok()?);
                }
                let (mut call, _) = self.waiting.take()?;
                let Ok(place) = place else {
                    self.refused = Some(Refusal::too_many(Some(&call.id)).line());
                    continue;
                };
                // The place goes with the call's context, and is free when that is dropped:
                // whether the call is answered, cancelled, panics, or shares its id with another.
                let beside = call.request.extensions_mut();
                beside.insert(Arc::new(place));
                // A stream would wait for news in vain once nothing more is read.
                beside.insert(End(self.ended.clone()));
                self.is_open |= self.served.is_opened_by(&call.request);
                return Some(JsonRpcMessage::Request(call));
            }
            match self.lines.next().await {
                Ok(Line::Whole(line)) => match Frame::read(line, &self.served) {
                    Frame::Message(message) => match *message {
                        JsonRpcMessage::Request(call) => {
                            self.waiting = Some((call, Instant::now() + self.patience));
                        }
                        // Before the opening rmcp ends the session for anything but a request.
                        // Such a message is no client's mistake: one that has asked
                        // `server/discover` in vain cancels that, and then says `initialize`.
                        message @ (JsonRpcMessage::Response(_)
                        | JsonRpcMessage::Notification(_)
                        | JsonRpcMessage::Error(_)) => {
                            if self.is_open {
                                return Some(message);
                            }
                        }
                    },
                    Frame::Refused(answer) => self.refused = Some(answer.line()),
                    Frame::Ignored => {}
                },
                Ok(Line::TooLong) => self.refused = Some(Refusal::too_long(Unit::Line).line()),
                Ok(Line::End) => return None,
                Err(error) => {
                    tracing::warn!(%error, "standard input cannot be read any more");
                    return None;
                }
            }
        }
    }
}

impl Transport<RoleServer> for Guard {
    type Error = io::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let answers = self.answers.clone();
        async move {
            let mut line = serde_json::to_vec(&message)?;
            line.push(b'\n');
            answers
                .send(line)
                .await
                .map_err(|_| io::ErrorKind::BrokenPipe.into())
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        let stop = self.stop.clone();
        let answers = self.answers.clone();
        let message = tokio::select! {
            biased;
            // To rmcp a wish to stop is the end of the input: it answers what is in flight. By its
            // own token it would cancel the calls first.
            () = stop.cancelled() => None,
            () = answers.closed() => None,
            message = self.next() => message,
        };
        if message.is_none() {
            self.ended.cancel();
        }
        message
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rmcp::ServerHandler;
    use serde_json::{Value, json};
    use tokio::io::AsyncWriteExt;

    use super::*;

    struct Nothing;
    impl ServerHandler for Nothing {}

    /// A guard with one place, that has been sent this many calls; and what it answers itself.
    async fn one_place(calls: u64) -> (Guard, mpsc::Receiver<Vec<u8>>) {
        let (mut client, input) = tokio::io::duplex(4096);
        for id in 0..calls {
            let call = json!({ "jsonrpc": "2.0", "id": id, "method": "ping" });
            client
                .write_all(format!("{call}\n").as_bytes())
                .await
                .unwrap();
        }
        let (answers, answered) = mpsc::channel(8);
        let (served, token) = (Served::by(&Nothing, Unit::Line), CancellationToken::new());
        let mut guard = Guard::new(Box::new(input), answers, served, token.clone(), token);
        guard.places = Arc::new(Semaphore::new(1));
        guard.patience = Duration::from_millis(1);
        (guard, answered)
    }

    #[tokio::test]
    async fn a_place_is_free_when_its_call_is_dropped() {
        let (mut guard, mut answered) = one_place(3).await;

        for _ in 0..3 {
            assert!(guard.next().await.is_some());
        }

        assert_eq!(guard.next().await.map(|_| ()), None);
        assert!(answered.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_call_that_waits_in_vain_is_refused_and_the_next_line_is_read() {
        let (mut guard, mut answered) = one_place(3).await;

        let first = guard.next().await;
        let end = guard.next().await;

        assert!(first.is_some() && end.is_none());
        for id in [1, 2] {
            let refused: Value = serde_json::from_slice(&answered.recv().await.unwrap()).unwrap();
            assert_eq!(
                (&refused["id"], &refused["error"]["code"]),
                (&json!(id), &json!(-32000))
            );
        }
    }

    #[tokio::test]
    async fn a_future_of_next_that_is_dropped_loses_no_call() {
        let (mut guard, _answered) = one_place(2).await;
        guard.patience = PATIENCE;

        let first = guard.next().await;
        let in_vain = tokio::time::timeout(Duration::from_millis(5), guard.next()).await;
        drop(first);
        let second = guard.next().await;

        assert!(in_vain.is_err());
        assert!(second.is_some());
    }
}
