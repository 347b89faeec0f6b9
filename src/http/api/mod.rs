//! REST: everything that the tools do, and what people need besides. A handler reads, calls one verb,
//! answers.

mod accounts;
mod app_envs;
mod audit;
mod claims;
mod cli_tokens;
mod tokens;
mod users;
mod whoami;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::route::Route;
use crate::{
    authority::Error,
    domain::page::{Cursor, Limit},
    wire::parse,
};

/// What was asked for, as JSON.
#[derive(Debug)]
pub(super) struct Answer<T> {
    status: StatusCode,
    location: Option<String>,
    body: T,
}

/// Which page of a list that is read in pages.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WhichPage {
    /// How many at most: 1 to 200, by default 50.
    #[serde(default)]
    #[schemars(with = "i64", range(min = 1, max = 200))]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    #[schemars(with = "String")]
    cursor: Option<String>,
}

impl WhichPage {
    fn parsed(&self) -> Result<(Limit, Option<Cursor>), Error> {
        let cursor = parse::cursor(self.cursor.as_deref());
        Ok((parse::limit(self.limit)?, cursor))
    }
}

pub(super) fn routes() -> Vec<Route> {
    let mut routes = tokens::routes();
    routes.extend(cli_tokens::routes());
    routes.extend(app_envs::routes());
    routes.extend(claims::routes());
    routes.extend(users::routes());
    routes.extend(accounts::routes());
    routes.extend(whoami::routes());
    routes.extend(audit::routes());
    routes
}

impl<T> Answer<T> {
    /// Here it is.
    pub(super) fn ok(body: T) -> Self {
        Self {
            status: StatusCode::OK,
            location: None,
            body,
        }
    }

    /// It was made, and is to be found at `location`.
    pub(super) fn created(location: String, body: T) -> Self {
        Self {
            status: StatusCode::CREATED,
            location: Some(location),
            body,
        }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        // Most answers are shorter: one piece of memory for each.
        let mut body = Vec::with_capacity(512);
        if serde_json::to_writer(&mut body, &self.body).is_err() {
            // What is ours to write can be written. Nothing is better than half of it.
            body.clear();
        }
        let kind = [(header::CONTENT_TYPE, "application/json")];
        let mut response = (self.status, kind, body).into_response();
        let location = self.location.map(HeaderValue::try_from);
        if let Some(Ok(location)) = location {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}
