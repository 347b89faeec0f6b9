//! Whether the process lives, and whether it can serve: what supervisors and load balancers ask.

use std::sync::Arc;

use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Http,
    api::Answer,
    error::Refusal,
    route::{By, Route},
};

/// Where it is told that the process lives.
pub(super) const LIVES: &str = "/healthz";

/// How it is.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct Health {
    /// `ok`.
    status: &'static str,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            By::Get,
            LIVES,
            "health",
            "Whether the process lives. It does not look at the store.",
            healthz,
        )
        .open()
        .answers::<Health>(200, "It does."),
        Route::new(
            By::Get,
            "/readyz",
            "readiness",
            "Whether requests can be served now: the store answers.",
            readyz,
        )
        .open()
        .answers::<Health>(200, "They can."),
    ]
}

async fn healthz() -> Answer<Health> {
    Answer::ok(Health { status: "ok" })
}

async fn readyz(State(http): State<Arc<Http>>) -> Result<Answer<Health>, Refusal> {
    http.authority.mark().await?;
    Ok(Answer::ok(Health { status: "ok" }))
}
