//! What a request says, read in one way: bodies, queries and the id in a path. Whatever is wrong is
//! told by the name of the field, and no value that was sent is repeated.

use std::{
    future::{Future as _, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody as _, to_bytes},
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, HeaderName, StatusCode, header, request::Parts},
};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{Http, bearer::Asked, error::Refusal};
use crate::{
    authority::Error,
    domain::{credential, idempotency::IdempotencyKey, text},
    wire::parse,
};

/// No body is larger.
pub(crate) const LARGEST_BODY: usize = 1 << 20;

/// How long a body may take to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(20);

/// A JSON body.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

/// A JSON body, or none at all, which stands for an empty object.
#[derive(Debug)]
pub(super) struct MaybeJson<T>(pub(super) T);

/// What stands behind the `?`.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

/// The variable part of a path.
#[derive(Debug)]
pub(super) struct Path<T>(pub(super) T);

/// What makes a repeated request answer with the same thing.
#[derive(Debug)]
pub(super) struct Key(pub(super) Option<IdempotencyKey>);

impl<T: DeserializeOwned> FromRequest<Arc<Http>> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, http: &Arc<Http>) -> Result<Self, Refusal> {
        let (mut head, body) = request.into_parts();
        must_be_json(&head.headers)?;
        let asked = Asked::from_request_parts(&mut head, http).await?;
        json(&whole(http, &asked, body).await?).map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<Http>> for MaybeJson<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, http: &Arc<Http>) -> Result<Self, Refusal> {
        let (mut head, body) = request.into_parts();
        let asked = Asked::from_request_parts(&mut head, http).await?;
        if !body.is_end_stream() {
            must_be_json(&head.headers)?;
        }
        let body = whole(http, &asked, body).await?;
        let body = if body.is_empty() { b"{}" } else { &*body };
        json(body).map(Self)
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let read = axum::extract::Query::try_from_uri(&parts.uri);
        read.map(|axum::extract::Query(query)| Self(query))
            .map_err(|error| {
                let why = std::error::Error::source(&error).map(ToString::to_string);
                let why = why.unwrap_or_default();
                // The parameter, and what is wrong with it.
                let why = match why.split_once(": ") {
                    Some((name, why)) => shown(&format!("{name}: {}", unsent(why))),
                    None => shown(&unsent(&why)),
                };
                Refusal::malformed(
                    StatusCode::BAD_REQUEST,
                    format!("the query cannot be used: {why}"),
                    "ask again with that parameter put right",
                )
            })
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let read = axum::extract::Path::from_request_parts(parts, state).await;
        // It has the parts that its route names, so nothing else can be wrong with them.
        read.map(|axum::extract::Path(part)| Self(part))
            .map_err(|_| {
                Refusal::malformed(
                    StatusCode::BAD_REQUEST,
                    "the path is no text in UTF-8",
                    "ask again with its `%` escapes put right",
                )
            })
    }
}

impl<S: Sync> FromRequestParts<S> for Key {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        const NAME: &str = "Idempotency-Key";
        let given = one(&parts.headers, &HeaderName::from_static("idempotency-key"))?;
        Ok(Self(parse::maybe(NAME, given)?))
    }
}

/// The one header of this name, if there is one.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut all = headers.get_all(name).iter();
    let Some(first) = all.next() else {
        return Ok(None);
    };
    match (first.to_str(), all.next()) {
        (Ok(text), None) => Ok(Some(text)),
        (Err(_), _) | (Ok(_), Some(_)) => Err(Refusal::malformed(
            StatusCode::BAD_REQUEST,
            format!("there is to be one `{name}`, of visible ASCII characters"),
            "send it once",
        )),
    }
}

/// A page of another site can send a form or plain text without asking; JSON it cannot.
pub(super) fn must_be_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let given = one(headers, &header::CONTENT_TYPE)?;
    let kind = given.and_then(|given| given.split(';').next());
    if kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    Err(Refusal::malformed(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "the body is to be JSON",
        "send it with `Content-Type: application/json`",
    ))
}

/// The whole body, if it is not too large and comes in time. Where it is not there yet, it is waited
/// for if whoever asks is known: what strangers have not sent would fill the places of others.
pub(crate) async fn whole(http: &Http, asked: &Asked, body: Body) -> Result<Bytes, Refusal> {
    let mut reading = pin!(to_bytes(body, LARGEST_BODY));
    let read = match poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx))).await {
        Poll::Ready(read) => Ok(read),
        Poll::Pending => {
            http.authority.recognize(&asked.request).await?;
            timeout(BODY_WITHIN, reading).await
        }
    };
    match read {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if is_too_large(&error) => Err(Refusal::malformed(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is larger than 1 MiB",
            "send less",
        )),
        Ok(Err(_)) => Err(Refusal::malformed(
            StatusCode::BAD_REQUEST,
            "the body broke off",
            "send it whole",
        )),
        Err(_) => Err(Refusal::malformed(
            StatusCode::REQUEST_TIMEOUT,
            "the body did not arrive in time",
            "send it faster",
        )),
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let source = std::error::Error::source(error);
    source.is_some_and(<dyn std::error::Error>::is::<LengthLimitError>)
}

/// A JSON object as a value of ours. A list would be read by the places of the fields, whose order
/// is nobody's business.
pub(super) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(Refusal::malformed(
            StatusCode::BAD_REQUEST,
            "the body is a list",
            "send a JSON object; `/v1/openapi.json` describes every body",
        ));
    }
    serde_json::from_slice(body).map_err(|error| {
        let why = if error.is_data() {
            shown(&unsent(&error.to_string()))
        } else {
            format!(
                "it is no JSON, or too deep, at line {} column {}",
                error.line(),
                error.column()
            )
        };
        Refusal::malformed(
            StatusCode::BAD_REQUEST,
            format!("the body cannot be used: {why}"),
            "ask again with that put right; `/v1/openapi.json` describes every body",
        )
    })
}

/// A reader's words without what was sent: it may have been a secret.
fn unsent(why: &str) -> String {
    // "invalid type: string "...", expected a boolean", "unknown variant `...`, expected ..."; a
    // field's name is no value. What was sent may hold such words, too: the last are the reader's.
    match why.rsplit_once(", expected ") {
        Some((_, expected)) if !why.starts_with("unknown field ") => {
            format!("expected {expected}")
        }
        Some(_) | None => why.to_owned(),
    }
}

/// Words about a request, for whoever sent it.
fn shown(why: &str) -> String {
    let mut shown = text::escaped(&credential::without_values(why));
    if let Some((at, _)) = shown.char_indices().nth(200) {
        shown.truncate(at);
        shown.push('…');
    }
    shown
}

/// A value in a path.
pub(super) fn in_path<T>(field: &'static str, text: &str) -> Result<T, Error>
where
    T: std::str::FromStr,
    T::Err: ToString,
{
    parse::value(field, text)
}
