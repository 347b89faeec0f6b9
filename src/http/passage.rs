//! A request's way in and out: it gets an id, is let in or not, is logged and counted once it is
//! answered, and a refusal gets its words.

use std::{net::SocketAddr, panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use tracing::Level;

use super::{
    Http,
    bearer::Asked,
    error::{Refusal, taken},
    health, introspect,
    metrics::named,
    place::meant_for,
    unread::Unread,
    verify,
};

/// The header that names a request in the log and in the audit trail.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Whose connection it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// What stands for a path that is not ours, in the log and in the metrics: what was asked for may
/// hold anything.
const ELSEWHERE: &str = "elsewhere";

/// What tells of each request in the log.
const ACCESS: &str = "keywright::http::access";

pub(super) async fn pass(State(http): State<Arc<Http>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let (unread, mut request) = Unread::watch(request);
    let method = named(request.method());
    let peer = request.extensions().get::<Peer>().copied();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let profile = path
        .as_ref()
        .and_then(|path| http.profiles.at(path.as_str()));
    let asked = match profile {
        Some(profile) => profile.asked(request.headers()),
        None => Asked::from_headers(request.headers()),
    };
    let (asked, answered) = match asked {
        Ok(asked) => {
            request.extensions_mut().insert(asked.clone());
            request.extensions_mut().insert(asked.request.clone());
            let answered = let_in(&http, &asked, peer, request, next).await;
            (asked, answered)
        }
        Err(refusal) => (Asked::nobody(), Err(refusal)),
    };
    let mut response = answered.unwrap_or_else(Refusal::into_response);
    if let Some((refusal, headers)) = taken(&mut response) {
        let refusal = refusal.after_asking_who(&http.authority, &asked).await;
        let told = refusal.told(&asked);
        response = match profile {
            Some(profile) => profile.words(told),
            None => told.into_problem(asked.request.id),
        };
        response.headers_mut().extend(headers);
    }
    let id = asked.request.id;
    let is_refused = response.status().as_u16() >= 400;
    let headers = response.headers_mut();
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if let Ok(id) = HeaderValue::try_from(id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    if is_refused && unread.is_left() {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }

    let path = path.as_ref().map_or(ELSEWHERE, MatchedPath::as_str);
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    http.metrics.answered(method, path, status, took);
    // Whoever asked for a check logs its own request: ours beside it would say the same.
    if is_check(path) && status < 400 && !tracing::enabled!(target: ACCESS, Level::DEBUG) {
        return response;
    }
    let who = asked.request.seen().map(|seen| seen.actor);
    tracing::info!(
        target: ACCESS,
        request = %id,
        method,
        path,
        status,
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        who = who.map(tracing::field::display),
        peer = peer.map(|Peer(peer)| tracing::field::display(peer)),
    );
    response
}

/// Whether it is asked there, for each request to somebody else, whether a token is good.
fn is_check(path: &str) -> bool {
    path == introspect::AT || verify::asked_at(path).is_some()
}

/// Asks whether the request may come in, and has it answered.
async fn let_in(
    http: &Http,
    asked: &Asked,
    peer: Option<Peer>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    meant_for(&http.place, &request)?;
    // Whether the process lives is told however much there is to do.
    let _admitted = match request.uri().path() {
        health::LIVES => None,
        _ => Some(http.limits.admit(peer, &asked.request.credential)?),
    };
    // A panic ends the request, and not the connection, whose other requests it says nothing about.
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.map_err(|_| Refusal::panicked())
}
