//! What a reverse proxy asks before it lets a request through (nginx `auth_request`, Caddy and
//! Traefik `forward_auth`, Envoy `ext_authz`).
//!
//! 1. The proxy passes on the Authorization header of whoever wants to pass, and names the scopes
//!    that the place behind it asks for.
//! 2. It is answered 200 with who that is, in headers that it may hand to the service behind it; or
//!    401, 403, or 503 where nobody can tell.
//!
//! Most proxies ask at one path, and name the scopes in its query. Envoy asks with the method of the
//! original request, and appends its path and query to a prefix: it names the scopes in that prefix,
//! and what follows is whatever the client asked for, which means nothing here.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri},
};
use percent_encoding::percent_decode_str;

use super::{
    Http,
    bearer::Asked,
    error::Refusal,
    route::{By, Route},
};
use crate::{
    authority::Error,
    domain::scope::{Scopes, words},
    wire::time,
};

/// Where a proxy asks.
const AT: &str = "/v1/verify";

/// Where a proxy asks that appends what the client asked for. No part of [`AT`], so that one which is
/// told too little, and appends it there, asks at a path that is not ours and lets nobody pass.
const FOR: &str = "/v1/verify-for/";

/// Stands for no scope at all where one has to stand: any good token passes.
const ANY: &str = "any";

/// Whose the query of a request to this path is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum QueryOf {
    /// The proxy's.
    Proxy,
    /// Of whoever wants to pass: their own request's.
    Client,
}

/// Whether a proxy asks at this path, and whose its query is. The Host and the Origin are then those
/// of the request that it asks about, and say nothing of who asks us.
pub(super) fn asked_at(path: &str) -> Option<QueryOf> {
    if path == AT {
        Some(QueryOf::Proxy)
    } else {
        path.starts_with(FOR).then_some(QueryOf::Client)
    }
}

pub(super) fn routes() -> Vec<Route> {
    let says = "Whether who asks may pass: a reverse proxy's question, with the Authorization header \
                of whoever wants to pass. Each `scope` in the query names one or more that they need.";
    let appended = "The same for a proxy that appends the path and the query of the original request. \
                    `scopes` are those that are needed, with commas between them, or `any`.";
    vec![
        Route::new(By::Any, AT, "verify_token", says, verify)
            .needs("the scopes that are named")
            .answers_nothing(200, "They may; the headers tell who it is."),
        Route::new(
            By::Any,
            "/v1/verify-for/{scopes}/{*original}",
            "verify_token_for",
            appended,
            verify_for_path,
        )
        .also_at("/v1/verify-for/{scopes}/")
        .needs("the scopes that are named")
        .answers_nothing(200, "They may; the headers tell who it is."),
    ]
}

type Passed = (StatusCode, HeaderMap);

async fn verify(
    State(http): State<Arc<Http>>,
    asked: Asked,
    RawQuery(query): RawQuery,
) -> Result<Passed, Refusal> {
    let scopes = in_query(query.as_deref().unwrap_or_default())?;
    pass(&http, &asked, scopes).await
}

/// What the client appended is not even read: it need not be UTF-8.
async fn verify_for_path(
    State(http): State<Arc<Http>>,
    asked: Asked,
    uri: Uri,
) -> Result<Passed, Refusal> {
    let scopes = in_path(uri.path())?;
    pass(&http, &asked, scopes).await
}

async fn pass(http: &Http, asked: &Asked, scopes: Scopes) -> Result<Passed, Refusal> {
    let passed = http.authority.verify_token(&asked.request, scopes).await?;
    let token = &passed.presented.token;
    let told = [
        ("x-auth-token-id", Some(token.id.to_string())),
        ("x-auth-subject", Some(token.owner.word())),
        (
            "x-auth-user",
            passed
                .presented
                .username
                .as_ref()
                .map(|name| name.as_str().to_owned()),
        ),
        ("x-auth-account", Some(token.account.to_string())),
        ("x-auth-scopes", Some(passed.scopes.to_string())),
        ("x-auth-expires-at", time::maybe(token.powers.expires_at)),
    ];
    // With room for what every answer gets besides.
    let mut headers = HeaderMap::with_capacity(2 * told.len());
    for (name, value) in told {
        // Set even where there is nothing to tell: a proxy that copies them then overwrites what a
        // client sent by that name.
        let value = HeaderValue::try_from(value.unwrap_or_default());
        let value = value.map_err(|why| Error::invalid(name, why))?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok((StatusCode::OK, headers))
}

/// The scopes that a query names. What else stands in it is the proxy's, unless it was meant to name
/// some: it would let everybody pass who has a token.
fn in_query(query: &str) -> Result<Scopes, Error> {
    let mut named = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name == "scope" {
            named.push(value);
        } else if name.trim().to_ascii_lowercase().starts_with("scope") {
            return Err(Error::invalid("scope", "it is spelt `scope`"));
        }
    }
    if named.is_empty() {
        return Ok(Scopes::default());
    }
    some("scope", named.iter().flat_map(|value| words(value)))
}

/// The scopes that a path names, in what the proxy wrote before what the client did.
fn in_path(path: &str) -> Result<Scopes, Error> {
    let named = path.strip_prefix(FOR).unwrap_or_default();
    let named = named.split('/').next().unwrap_or_default();
    // A proxy may write `:` as `%3A`.
    let named = percent_decode_str(named).decode_utf8();
    let named = named.map_err(|why| Error::invalid("scopes", why))?;
    if named == ANY {
        return Ok(Scopes::default());
    }
    some("scopes", words(&named))
}

/// A list that names none is a mistake, and would let everybody pass who has a token.
fn some<'a>(
    field: &'static str,
    named: impl IntoIterator<Item = &'a str>,
) -> Result<Scopes, Error> {
    let scopes = Scopes::parse(named).map_err(|why| Error::invalid(field, why))?;
    if scopes.is_empty() {
        return Err(Error::invalid(field, "expected at least one scope"));
    }
    Ok(scopes)
}
