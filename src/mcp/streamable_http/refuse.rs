//! What is answered where there is nothing else to answer: a status, and a JSON-RPC error whose
//! sentence clients show.

use axum::{
    body::Body,
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::Response,
};
use rmcp::{
    ErrorData,
    model::{ErrorCode, JsonRpcError, RequestId},
};
use serde::Serialize;

use super::places::Full;
use crate::{
    authority::Error,
    domain::{id, scope::Scope},
    mcp::{error, frame::Refusal},
    wire::{challenge::Challenge, problem::Problem},
};

/// The least that a client should wait before it asks again, in seconds.
const SOON: HeaderValue = HeaderValue::from_static("1");

/// An answer in the place of another.
#[derive(Debug)]
pub(super) struct Refused(Box<Response>);

impl Refused {
    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().insert(name, value);
        self
    }

    /// As it is sent.
    pub(super) fn response(self) -> Response {
        *self.0
    }
}

/// JSON that nobody keeps.
pub(super) fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A message of ours as JSON.
pub(super) fn message(status: StatusCode, message: &impl Serialize) -> Response {
    match serde_json::to_vec(message) {
        Ok(bytes) => json(status, bytes),
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written as JSON");
            json(StatusCode::INTERNAL_SERVER_ERROR, Body::empty())
        }
    }
}

/// An error of the protocol.
pub(super) fn error(status: StatusCode, error: ErrorData, id: Option<RequestId>) -> Refused {
    match id {
        Some(_) => Refused(Box::new(message(status, &JsonRpcError::new(id, error)))),
        // With `null` in its place, as JSON-RPC 2.0, section 5, has it.
        None => refusal(status, &Refusal::new(error.code, error.message, None)),
    }
}

/// What a frame is answered with in our own words.
pub(super) fn refusal(status: StatusCode, refusal: &Refusal) -> Refused {
    Refused(Box::new(json(status, refusal.json())))
}

/// A plain sentence.
pub(super) fn sentence(status: StatusCode, why: &str) -> Refused {
    let refused = Refusal::new(ErrorCode::INVALID_REQUEST, why, None);
    refusal(status, &refused)
}

/// Nobody, or nobody known. Whether something was presented is all that tells two of them apart.
pub(super) fn unauthenticated(presented: bool, id: Option<RequestId>) -> Refused {
    let problem = Problem::of(&Error::Unauthenticated, id::RequestId::fresh());
    let text = ErrorData::invalid_request(error::text(&problem), None);
    let refused = self::error(StatusCode::UNAUTHORIZED, text, id);
    let challenge = if presented {
        Challenge::InvalidToken
    } else {
        Challenge::Nothing
    };
    match HeaderValue::try_from(challenge.text()) {
        Ok(challenge) => refused.with(WWW_AUTHENTICATE, challenge),
        Err(_) => refused,
    }
}

/// Somebody known, without a scope that the call needs: all of those that it needs, and no more.
pub(super) fn insufficient_scope(scopes: &[Scope], body: &JsonRpcError) -> Response {
    let mut response = message(StatusCode::FORBIDDEN, body);
    let challenge = Challenge::InsufficientScope(scopes).text();
    if let Ok(challenge) = HeaderValue::try_from(challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Who asks could not be looked up.
pub(super) fn of(error: &Error, presented: bool, request: id::RequestId) -> Refused {
    match error {
        Error::Unauthenticated => unauthenticated(presented, None),
        Error::Store(_)
        | Error::Vault(_)
        | Error::Sink(_)
        | Error::Denied(_)
        | Error::NotFound(_)
        | Error::Invalid { .. }
        | Error::Conflict(_)
        | Error::Unconfirmed(_)
        | Error::Withheld(_) => {
            let problem = error::problem("authenticate", request, Some(error));
            let text = ErrorData::internal_error(error::text(&problem), None);
            self::error(StatusCode::SERVICE_UNAVAILABLE, text, None).with(RETRY_AFTER, SOON)
        }
    }
}

/// There is no place for it now.
pub(super) fn full(full: Full, refused: &Refusal) -> Refused {
    let status = match full {
        Full::Ones => StatusCode::TOO_MANY_REQUESTS,
        Full::All => StatusCode::SERVICE_UNAVAILABLE,
    };
    refusal(status, refused).with(RETRY_AFTER, SOON)
}

/// A method of HTTP that is not served here.
pub(super) fn method_not_allowed(allowed: &'static str) -> Refused {
    let why = format!("this is served by {allowed} alone");
    let refused = sentence(StatusCode::METHOD_NOT_ALLOWED, &why);
    refused.with(ALLOW, HeaderValue::from_static(allowed))
}

/// A session that is not there, or not for who asks to know of: the same bytes.
pub(super) fn no_session() -> Refused {
    let why = "there is no such session. Open another one with `initialize`";
    sentence(StatusCode::NOT_FOUND, why)
}

/// The process is about to end.
pub(super) fn ending() -> Refused {
    let why = "this server is about to end. Call again in a few seconds";
    sentence(StatusCode::SERVICE_UNAVAILABLE, why).with(RETRY_AFTER, SOON)
}
