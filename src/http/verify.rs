//! What a reverse proxy asks before it lets a request through (nginx `auth_request`, Caddy and
//! Traefik `forward_auth`, Envoy `ext_authz`).
//!
//! 1. The proxy passes on the Authorization header of whoever wants to pass, and names the scopes
//!    that the place behind it asks for.
//! 2. It is answered 200 with who that is, in headers that it may hand to the service behind it; or
//!    401, 403, or 503 where nobody can tell.

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
};

use super::{Http, bearer::Asked, error::Refusal, route::Route};
use crate::{
    authority::Error,
    domain::scope::{Scopes, words},
    wire::time,
};

pub(super) fn routes() -> Vec<Route> {
    let says = "Whether who asks may pass: a reverse proxy's question, with the Authorization header \
                of whoever wants to pass. Each `scope` names one or more that they need.";
    vec![
        Route::any("/v1/verify", "verify_token", says, verify)
            .needs("the scopes that are named")
            .answers_nothing(200, "They may; the headers tell who it is."),
    ]
}

async fn verify(
    State(http): State<Http>,
    asked: Asked,
    RawQuery(query): RawQuery,
) -> Result<(StatusCode, HeaderMap), Refusal> {
    let scopes = scopes(query.as_deref().unwrap_or_default())?;
    let passed = http.authority.verify_token(&asked.request, scopes).await?;
    let token = &passed.token;
    let told = [
        ("x-auth-token-id", Some(token.id.to_string())),
        ("x-auth-subject", Some(token.owner.word())),
        (
            "x-auth-user",
            passed.username.map(|name| name.as_str().to_owned()),
        ),
        ("x-auth-account", Some(token.account.to_string())),
        ("x-auth-scopes", Some(passed.scopes.to_string())),
        ("x-auth-expires-at", time::maybe(token.powers.expires_at)),
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in told {
        // Set even where there is nothing to tell: a proxy that copies them then overwrites what a
        // client sent by that name.
        let value = HeaderValue::try_from(value.unwrap_or_default());
        let value = value.map_err(|why| Error::invalid(name, why))?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok((StatusCode::OK, headers))
}

/// The scopes that are asked for. What else stands in the query is the proxy's.
fn scopes(query: &str) -> Result<Scopes, Error> {
    let named: Vec<_> = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "scope")
        .map(|(_, value)| value)
        .collect();
    Scopes::parse(named.iter().flat_map(|value| words(value)))
        .map_err(|why| Error::invalid("scope", why))
}
