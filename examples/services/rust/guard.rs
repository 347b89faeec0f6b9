//! A service that lets in whoever holds a token with the scope `read:page`:
//!
//! ```sh
//! cargo run --example guard -- TOKEN_FILE 127.0.0.1:8484 127.0.0.1:8000
//! ```
//!
//! `TOKEN_FILE` holds a token of the service's own, which carries `introspect:tokens`; it is read every
//! time, so that it can be rotated. It needs axum, hyper-util (`client-legacy`), `serde_json`, tokio,
//! and nothing of Keywright's.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::get,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tokio::{net::TcpListener, time::timeout};

/// Asks Keywright about bearers.
struct Guard {
    client: Client<HttpConnector, Body>,
    keywright: String,
    token_file: PathBuf,
    scope: &'static str,
}

impl Guard {
    /// What Keywright knows of `bearer`. Any error means that nobody can tell.
    async fn introspect(&self, bearer: &str) -> anyhow::Result<Value> {
        let own = tokio::fs::read_to_string(&self.token_file).await?;
        let form: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", bearer)
            .finish();
        let request = Request::post(format!("http://{}/v1/introspect", self.keywright))
            .header(header::AUTHORIZATION, format!("Bearer {}", own.trim()))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form))?;
        let answer = self.client.request(request).await?;
        // 401 is about our own token, not about the one that was shown.
        let status = answer.status();
        ensure!(status == StatusCode::OK, "Keywright answered {status}");
        let body = to_bytes(Body::new(answer.into_body()), 1 << 16).await?;
        let known: Value = serde_json::from_slice(&body)?;
        ensure!(known["active"].is_boolean(), "it answered something else");
        Ok(known)
    }
}

/// The layer. Every request is asked about: nothing is cached, so that a revocation holds at once.
async fn guard(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let refuse = |status, name, value: String| (status, [(name, value)]).into_response();
    let challenge = |status, of: &str| refuse(status, header::WWW_AUTHENTICATE, of.to_owned());
    let given = request.headers().get(header::AUTHORIZATION);
    let given = given.and_then(|given| given.to_str().ok()?.split_once(' '));
    let Some((_, bearer)) = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
    else {
        return challenge(StatusCode::UNAUTHORIZED, "Bearer");
    };
    let asked = timeout(Duration::from_secs(2), guard.introspect(bearer.trim())).await;
    let known = match asked.context("it did not answer in time").flatten() {
        Ok(known) => known,
        Err(error) => {
            tracing::warn!("Keywright cannot be asked: {error:#}");
            let again = "1".to_owned();
            return refuse(StatusCode::SERVICE_UNAVAILABLE, header::RETRY_AFTER, again);
        }
    };
    if known["active"] != true {
        return challenge(StatusCode::UNAUTHORIZED, r#"Bearer error="invalid_token""#);
    }
    let scopes = known["scope"].as_str().unwrap_or_default();
    if !scopes.split(' ').any(|scope| scope == guard.scope) {
        let scope = guard.scope;
        let of = format!(r#"Bearer error="insufficient_scope", scope="{scope}""#);
        return challenge(StatusCode::FORBIDDEN, &of);
    }
    request.extensions_mut().insert(known);
    next.run(request).await
}

async fn page(Extension(known): Extension<Value>) -> String {
    format!("hello {}\n", known["sub"].as_str().unwrap_or_default())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what| arguments.next().context(what);
    let token_file = next("the file with the service's token")?.into();
    let keywright = next("Keywright's address")?;
    let listen = next("the address to listen at")?;
    let state = Arc::new(Guard {
        client: Client::builder(TokioExecutor::new()).build_http(),
        keywright,
        token_file,
        scope: "read:page",
    });
    let router = Router::new()
        .route("/", get(page))
        .layer(middleware::from_fn_with_state(state, guard));
    axum::serve(TcpListener::bind(listen).await?, router).await?;
    Ok(())
}
