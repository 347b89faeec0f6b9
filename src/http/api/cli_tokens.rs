//! CLI tokens: the one kind of value that can be shown again. Showing one is written down, so it is
//! asked for with POST, which nothing fetches ahead or keeps.

use std::sync::Arc;

use axum::extract::State;

use super::Answer;
use crate::{
    authority::{Error, For, Thing},
    domain::app_env::AppEnvRef,
    http::{
        Http,
        bearer::Asked,
        error::Refusal,
        extract::{Path, in_path},
        route::{By, Route},
    },
    wire::cli_token::{RevealedAppEnvToken, RevealedCliToken, RevealedUserToken},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            By::Post,
            "/v1/user/cli-token/reveal",
            "reveal_user_token",
            "Shows the CLI token of the user whose token asks, in the clear.",
            reveal_user_token,
        )
        .needs("`read:secrets`")
        .answers::<RevealedUserToken>(200, "The value, and whose it is."),
        Route::new(
            By::Post,
            "/v1/app-envs/{id}/cli-token/reveal",
            "reveal_app_env_token",
            "Shows the CLI token of an app environment, in the clear.",
            reveal_app_env_token,
        )
        .needs("`read:secrets` and the role admin")
        .answers::<RevealedAppEnvToken>(200, "The value, and whose it is."),
    ]
}

async fn reveal_user_token(
    State(http): State<Arc<Http>>,
    asked: Asked,
) -> Result<Answer<RevealedUserToken>, Refusal> {
    let revealed = http
        .authority
        .reveal_cli_token(&asked.request, For::Me)
        .await?;
    match revealed.into() {
        RevealedCliToken::User(user) => Ok(Answer::ok(user)),
        // A token of an app environment has no user to show one of.
        RevealedCliToken::AppEnv(_) => Err(Error::NotFound(Thing::CliToken).into()),
    }
}

async fn reveal_app_env_token(
    State(http): State<Arc<Http>>,
    asked: Asked,
    Path(id): Path<String>,
) -> Result<Answer<RevealedAppEnvToken>, Refusal> {
    let env = For::AppEnv(AppEnvRef::Id(in_path("id", &id)?));
    let revealed = http.authority.reveal_cli_token(&asked.request, env).await?;
    match revealed.into() {
        RevealedCliToken::AppEnv(env) => Ok(Answer::ok(env)),
        RevealedCliToken::User(_) => Err(Error::NotFound(Thing::CliToken).into()),
    }
}
