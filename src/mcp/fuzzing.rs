//! Doors for `fuzz/`, and for nobody else: what the transports do with a line and a body, one at a
//! time and in a whole session.

use rmcp::{RoleServer, Service, model::JsonRpcMessage};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::{
    doubled,
    frame::{Frame, Served, Unit},
    stdio,
};

/// What reads the messages of a session.
#[derive(Debug)]
pub struct Reader(Served);

/// What became of a message.
#[derive(Debug)]
pub enum Read {
    /// It went on, with this id, in JSON, if it is a request.
    Message(Option<String>),
    /// It was answered with this.
    Refused(Vec<u8>),
    /// Nothing came of it.
    Ignored,
}

impl Reader {
    /// Of lines.
    pub fn of_lines(service: &impl Service<RoleServer>) -> Self {
        Self(Served::by(service, Unit::Line))
    }

    /// Of bodies.
    pub fn of_bodies(service: &impl Service<RoleServer>) -> Self {
        Self(Served::by(service, Unit::Body))
    }

    /// Reads one.
    pub fn read(&self, text: &[u8]) -> Read {
        match Frame::read(text, &self.0) {
            Frame::Message(message) => Read::Message(match *message {
                JsonRpcMessage::Request(call) => serde_json::to_string(&call.id).ok(),
                JsonRpcMessage::Response(_)
                | JsonRpcMessage::Notification(_)
                | JsonRpcMessage::Error(_) => None,
            }),
            Frame::Refused(refusal) => Read::Refused(refusal.json()),
            Frame::Ignored => Read::Ignored,
        }
    }
}

/// Whether a key stands twice in one object of `json`, which is JSON.
pub fn has_doubled_key(json: &[u8]) -> bool {
    doubled::has_doubled_key(json)
}

/// A whole session on lines, until its input ends.
pub async fn session<S: Service<RoleServer>>(
    service: S,
    input: Box<dyn AsyncRead + Send + Unpin>,
    output: Box<dyn AsyncWrite + Send + Unpin>,
) -> Result<(), stdio::Error> {
    stdio::session(service, input, output, CancellationToken::new()).await
}
