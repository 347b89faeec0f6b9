//! The account that the token that asks is in.

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
    wire::account::Accounts,
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            By::Get,
            "/v1/accounts",
            "list_accounts",
            "Lists the accounts that the token that asks may know of: its own.",
            list,
        )
        .answers::<Accounts>(200, "The account."),
    ]
}

async fn list(State(http): State<Arc<Http>>, asked: Asked) -> Result<Answer<Accounts>, Refusal> {
    let accounts = http.authority.list_accounts(&asked.request).await?;
    Ok(Answer::ok(Accounts {
        accounts: accounts.iter().map(Into::into).collect(),
    }))
}
