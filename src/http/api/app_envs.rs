//! App environments, which own CLI tokens and tokens of services.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Answer, WhichPage};
use crate::{
    authority::NewAppEnv,
    domain::{app_env::AppEnvRef, label::Label},
    http::{
        Http,
        bearer::Asked,
        error::Refusal,
        extract::{Json, Path, Query, in_path},
        route::{By, Route},
    },
    wire::{
        account::{AppEnv, AppEnvs},
        parse,
    },
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            By::Get,
            "/v1/app-envs",
            "list_app_envs",
            "Lists the account's app environments, newest first.",
            list,
        )
        .needs("`read:envs`")
        .query::<WhichPage>()
        .answers::<AppEnvs>(200, "A page of them."),
        Route::new(
            By::Post,
            "/v1/app-envs",
            "create_app_env",
            "Makes an app environment in the account.",
            create,
        )
        .needs("`write:envs` and the role admin")
        .body::<CreateAppEnv>()
        .tells_location()
        .answers::<AppEnv>(201, "It was made."),
        Route::new(
            By::Get,
            "/v1/app-envs/{id}",
            "get_app_env",
            "Reads one app environment.",
            get,
        )
        .needs("`read:envs`")
        .answers::<AppEnv>(200, "What is known of it."),
        Route::new(
            By::Delete,
            "/v1/app-envs/{id}",
            "delete_app_env",
            "Removes an app environment and ends its tokens.",
            delete,
        )
        .needs("`write:envs` and the role admin")
        .answers_nothing(204, "It is gone."),
    ]
}

async fn list(
    State(http): State<Arc<Http>>,
    asked: Asked,
    Query(query): Query<WhichPage>,
) -> Result<Answer<AppEnvs>, Refusal> {
    let (limit, cursor) = query.parsed()?;
    let page = http
        .authority
        .list_app_envs(&asked.request, limit, cursor)
        .await?;
    Ok(Answer::ok((&page).into()))
}

/// A new app environment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateAppEnv {
    /// Its name for people. 1 to 200 characters.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// Its name in commands, such as `production`; unique within the account.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[a-z0-9][a-z0-9._-]*$"))]
    cli_env_name: Option<String>,
}

async fn create(
    State(http): State<Arc<Http>>,
    asked: Asked,
    Json(body): Json<CreateAppEnv>,
) -> Result<Answer<AppEnv>, Refusal> {
    let new = NewAppEnv {
        name: Label::parse(&body.name)
            .map_err(|why| crate::authority::Error::invalid("name", why))?,
        cli_env_name: parse::maybe("cli_env_name", body.cli_env_name.as_deref())?,
    };
    let env = http.authority.create_app_env(&asked.request, new).await?;
    let location = format!("/v1/app-envs/{}", env.id);
    Ok(Answer::created(location, (&env).into()))
}

async fn get(
    State(http): State<Arc<Http>>,
    asked: Asked,
    Path(id): Path<String>,
) -> Result<Answer<AppEnv>, Refusal> {
    let env = AppEnvRef::Id(in_path("id", &id)?);
    let env = http.authority.get_app_env(&asked.request, env).await?;
    Ok(Answer::ok((&env).into()))
}

async fn delete(
    State(http): State<Arc<Http>>,
    asked: Asked,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let env = AppEnvRef::Id(in_path("id", &id)?);
    http.authority.delete_app_env(&asked.request, env).await?;
    Ok(StatusCode::NO_CONTENT)
}
