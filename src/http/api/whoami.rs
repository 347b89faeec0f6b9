//! Who is asking.

use std::sync::Arc;

use axum::extract::State;

use super::Answer;
use crate::{
    http::{
        Http,
        bearer::Asked,
        error::Refusal,
        route::{By, Route},
    },
    wire::whoami::Whoami,
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            By::Get,
            "/v1/whoami",
            "whoami",
            "Who is asking, and what each verb would say.",
            whoami,
        )
        .answers::<Whoami>(200, "Who, where, with which scopes, and until when."),
    ]
}

async fn whoami(State(http): State<Arc<Http>>, asked: Asked) -> Result<Answer<Whoami>, Refusal> {
    let who = http.authority.whoami(&asked.request).await?;
    Ok(Answer::ok((&who).into()))
}
