//! A request's way in and out: it gets an id, is logged and counted once it is answered, and a
//! refusal gets its words.

use std::{net::SocketAddr, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

use super::{Http, bearer::Asked, error::taken, metrics::named};

/// The header that names a request in the log and in the audit trail.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Whose connection it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// What stands for a path that is not ours, in the log and in the metrics: what was asked for may
/// hold anything.
const ELSEWHERE: &str = "elsewhere";

pub(super) async fn pass(State(http): State<Http>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
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
    let (asked, mut response) = match asked {
        Ok(asked) => {
            request.extensions_mut().insert(asked.clone());
            request.extensions_mut().insert(asked.request.clone());
            (asked, next.run(request).await)
        }
        Err(refusal) => (
            Asked::nobody(),
            axum::response::IntoResponse::into_response(refusal),
        ),
    };
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

    let path = path.as_ref().map_or(ELSEWHERE, MatchedPath::as_str);
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    http.metrics.answered(method, path, status, took);
    let who = asked.request.seen().map(|seen| seen.actor);
    tracing::info!(
        target: "keywright::http::access",
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
