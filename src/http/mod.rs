//! The HTTP front: words of services, scripts, proxies and many agents. Translates, and decides
//! nothing: every request brings its own bearer, which the verb that it asks for looks up.
//!
//! A request passes, from the outside in: [`server`] (connections and their time), `passage` (its
//! id, the log, and what refusals look like), `place` (Host, Origin and what may stand in a URL),
//! `limits` (how much, how often), and then one of the `routes`.

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
mod verify;

use std::{any::Any, sync::Arc};

use axum::{Router, http::header, middleware, response::IntoResponse as _, routing::get};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{authority::Authority, wire::token::ClaimCommand};
use error::Refusal;
pub use error::status;
pub use limits::{Limits, Rate};
use metrics::Metrics;
pub use place::{NotPublic, Place, PublicUrl};
pub use profile::{Mistake, Profile, Profiles};
pub use route::Listed;
use route::Route;

/// What every request is served with. Each layer takes a clone of it, so none of its parts is copied.
#[derive(Clone, Debug)]
pub struct Http {
    authority: Authority,
    claim: Arc<ClaimCommand>,
    place: Arc<Place>,
    limits: Arc<Limits>,
    metrics: Arc<Metrics>,
    profiles: Arc<Profiles>,
}

impl Http {
    /// A front for `authority`, at `place`. A person is told to pick values up with `claim`.
    pub fn new(authority: Authority, claim: ClaimCommand, place: Place, limits: Limits) -> Self {
        Self {
            authority,
            claim: Arc::new(claim),
            place: Arc::new(place),
            limits: Arc::new(limits),
            metrics: Arc::default(),
            profiles: Arc::default(),
        }
    }

    /// The same, with these profiles played besides.
    #[must_use]
    pub fn playing(self, profiles: Profiles) -> Self {
        Self {
            profiles: Arc::new(profiles),
            ..self
        }
    }

    fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.metrics)
    }

    /// What limits there are, to be kept in order now and then.
    pub fn limits(&self) -> Arc<Limits> {
        Arc::clone(&self.limits)
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
pub fn router(http: &Http, others: Router<Http>) -> Router {
    let ours = routes()
        .into_iter()
        .fold(http.profiles.mounted(others), |router, route| {
            route.mounted(router)
        });
    ours.fallback(async || Refusal::no_such_path())
        .method_not_allowed_fallback(async || Refusal::no_such_method())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(http.clone(), limits::keep))
        .layer(middleware::from_fn_with_state(http.clone(), place::check))
        .layer(middleware::from_fn_with_state(http.clone(), passage::pass))
        .with_state(http.clone())
}

/// What answers whoever gathers the counters, at a listener of its own.
pub fn metrics_router(http: &Http) -> Router {
    let metrics = http.metrics();
    let text = move || {
        let metrics = Arc::clone(&metrics);
        async move {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], metrics.text())
        }
    };
    Router::new().route("/metrics", get(text))
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> axum::response::Response {
    Refusal::panicked().into_response()
}
