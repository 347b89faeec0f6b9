//! The HTTP front: words of services, scripts, proxies and many agents. Translates, and decides
//! nothing: every request brings its own bearer, which the verb that it asks for looks up.
//!
//! A request passes, from the outside in: [`server`] (connections and their time), `passage` (its
//! id, the log, and what refusals look like), which asks `place` (Host, Origin and what may stand in
//! a URL) and `limits` (how much, how often) whether it comes in, and then one of the `routes`.

mod api;
mod bearer;
mod error;
mod extract;
mod health;
mod introspect;
mod limits;
mod metrics;
mod openapi;
mod passage;
mod patient;
mod place;
mod profile;
mod route;
pub mod server;
mod unread;
mod verify;

use std::sync::Arc;

use axum::{Router, http::header, middleware, routing::get};

use crate::{authority::Authority, wire::token::ClaimCommand};
use error::Refusal;
pub use error::status;
pub use limits::{Limits, Rate};
use metrics::Metrics;
pub use place::{NotPublic, Place, PublicUrl};
pub use profile::{Mistake, Profile, Profiles};
pub use route::Listed;
use route::Route;

/// What every request is served with. There is one of it, which all of them share.
#[derive(Debug)]
pub struct Http {
    authority: Authority,
    claim: ClaimCommand,
    place: Place,
    limits: Limits,
    metrics: Metrics,
    profiles: Profiles,
}

impl Http {
    /// A front for `authority`, at `place`. A person is told to pick values up with `claim`.
    pub fn new(authority: Authority, claim: ClaimCommand, place: Place, limits: Limits) -> Self {
        Self {
            authority,
            claim,
            place,
            limits,
            metrics: Metrics::default(),
            profiles: Profiles::default(),
        }
    }

    /// The same, with these profiles played besides.
    #[must_use]
    pub fn playing(self, profiles: Profiles) -> Self {
        Self { profiles, ..self }
    }

    /// What limits there are, to be kept in order now and then.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}

/// Every path of ours.
fn routes() -> Vec<Route> {
    let mut routes = api::routes();
    routes.extend(introspect::routes());
    routes.extend(verify::routes());
    routes.extend(health::routes());
    routes.push(openapi::route());
    routes
}

/// Every path of ours, as it is told of.
pub fn listed() -> Vec<Listed> {
    routes().iter().map(Route::listed).collect()
}

/// What answers every request; `others` are paths that are not ours, such as `/mcp`.
pub fn router(http: &Arc<Http>, others: Router<Arc<Http>>) -> Router {
    let ours = routes()
        .into_iter()
        .fold(http.profiles.mounted(others), |router, route| {
            route.mounted(router)
        });
    ours.fallback(async || Refusal::no_such_path())
        .method_not_allowed_fallback(async || Refusal::no_such_method())
        .layer(middleware::from_fn_with_state(
            Arc::clone(http),
            passage::pass,
        ))
        .with_state(Arc::clone(http))
}

/// What answers whoever gathers the counters, at a listener of its own.
pub fn metrics_router(http: &Arc<Http>) -> Router {
    let http = Arc::clone(http);
    let text = move || {
        let http = Arc::clone(&http);
        async move {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], http.metrics.text())
        }
    };
    Router::new().route("/metrics", get(text))
}
