//! Tokens.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Answer;
use crate::{
    authority::{self, Consent, Deliver, Error, For, Of, Revoke},
    domain::{app_env::AppEnvRef, id::TokenId},
    http::{
        Http,
        bearer::Asked,
        error::Refusal,
        extract::{Json, Key, MaybeJson, Path, Query, in_path},
        route::{By, Route},
    },
    wire::{
        parse,
        token::{NewToken, Token, Tokens},
    },
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            By::Post,
            "/v1/tokens",
            "create_token",
            "Makes a token. By default its value waits to be picked up by a person.",
            create,
        )
        .needs("`write:tokens`; with `deliver: \"inline\"` also `read:secrets`; for an app environment also `write:envs` and the role admin")
        .takes_key()
        .body::<CreateToken>()
        .tells_location()
        .answers::<NewToken>(201, "It was made.")
        .answers::<NewToken>(200, "It was made before, with the same `Idempotency-Key`."),
        Route::new(
            By::Get,
            "/v1/tokens",
            "list_tokens",
            "Lists tokens, newest first: their records, never their values.",
            list,
        )
        .needs("`read:tokens`; of the account also `manage:account` and the role admin; of an app environment also `read:envs` and the role admin")
        .query::<ListTokens>()
        .answers::<Tokens>(200, "A page of them."),
        Route::new(
            By::Get,
            "/v1/tokens/{id}",
            "get_token",
            "Reads one token's record. Never its value.",
            get,
        )
        .needs("`read:tokens`")
        .answers::<Token>(200, "The record."),
        Route::new(
            By::Patch,
            "/v1/tokens/{id}",
            "update_token",
            "Changes a token at once: its label, fewer scopes, a sooner end, on or off. Never more.",
            update,
        )
        .needs("`write:tokens`")
        .body::<UpdateToken>()
        .answers::<Token>(200, "The record as it is now."),
        Route::new(
            By::Post,
            "/v1/tokens/{id}/rotate",
            "rotate_token",
            "Gives a token a new value; id, label, scopes and end stay.",
            rotate,
        )
        .needs("`write:tokens`; with `deliver: \"inline\"` also `read:secrets`")
        .takes_key()
        .maybe_body::<RotateToken>()
        .answers::<NewToken>(200, "The record, and the value or the claim."),
        Route::new(
            By::Delete,
            "/v1/tokens/{id}",
            "delete_token",
            "Ends a token for good: whoever presents it is refused from this moment on, everywhere.",
            delete,
        )
        .needs("`delete:tokens`")
        .query::<DeleteToken>()
        .answers_nothing(204, "It has ended, now or before."),
    ]
}

/// What a duration looks like, and a scope.
const DURATION: &str = "^[0-9]{1,9}[smhd]$";
const SCOPE: &str = "^[a-z][a-z0-9._-]*:[a-z][a-z0-9._-]*$";

/// How a value reaches its user.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Delivery {
    /// A person picks it up.
    #[default]
    Claim,
    /// It is in the answer.
    Inline,
}

/// A new token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateToken {
    /// What a person is to call it. 1 to 200 characters.
    #[schemars(length(min = 1, max = 200))]
    label: String,
    /// What it may do: `verb:noun` each. Only scopes that who asks holds.
    #[serde(default)]
    #[schemars(length(max = 64), inner(length(max = 64), regex(pattern = SCOPE)))]
    scopes: Vec<String>,
    /// When it ends: a duration (`15m`, `12h`, `90d`), a time (RFC 3339) or `never`. By default 90
    /// days, or what is left of the life of the token that asks.
    #[serde(default)]
    expires: Option<String>,
    /// `claim` (the default), or `inline`.
    #[serde(default)]
    deliver: Delivery,
    /// UUID of the app environment that is to own it. By default it is owned by who asks. What an
    /// app environment owns survives whoever made it.
    #[serde(default)]
    #[schemars(extend("format" = "uuid"))]
    app_env_id: Option<String>,
}

async fn create(
    State(http): State<Arc<Http>>,
    asked: Asked,
    Key(idempotency_key): Key,
    Json(body): Json<CreateToken>,
) -> Result<Answer<NewToken>, Refusal> {
    let new = authority::NewToken {
        owner: owner(body.app_env_id.as_deref())?,
        label: parse::label(&body.label)?,
        scopes: parse::scopes(&body.scopes)?,
        expires: parse::maybe("expires", body.expires.as_deref())?,
        deliver: body.deliver.into(),
        idempotency_key,
    };
    let minted = http.authority.create_token(&asked.request, new).await?;
    let answer = NewToken::of(&minted, &http.claim);
    Ok(if minted.replayed {
        Answer::ok(answer)
    } else {
        Answer::created(format!("/v1/tokens/{}", minted.token.id), answer)
    })
}

/// Which tokens.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListTokens {
    /// Only those with this text in their label.
    #[serde(default)]
    #[schemars(with = "String", length(min = 1, max = 200))]
    query: Option<String>,
    /// Whose: `me` (the default), or everybody's in the `account`.
    #[serde(default)]
    #[schemars(with = "String", extend("enum" = ["me", "account"]))]
    owner: Option<String>,
    /// Those of the app environment with this UUID, instead.
    #[serde(default)]
    #[schemars(with = "String", extend("format" = "uuid"))]
    app_env_id: Option<String>,
    /// Only those in this state. By default those that are unclaimed, active or disabled.
    #[serde(default)]
    #[schemars(
        with = "String",
        extend("enum" = ["unclaimed", "active", "disabled", "expired", "revoked", "all"])
    )]
    state: Option<String>,
    /// Only those that were not used for so long, such as `30d`.
    #[serde(default)]
    #[schemars(with = "String", regex(pattern = DURATION))]
    unused_for: Option<String>,
    /// Only those that end within so long, such as `7d`.
    #[serde(default)]
    #[schemars(with = "String", regex(pattern = DURATION))]
    expiring_within: Option<String>,
    /// How many at most: 1 to 200, by default 50.
    #[serde(default)]
    #[schemars(with = "i64", range(min = 1, max = 200))]
    limit: Option<i64>,
    /// The `next_cursor` of the page before, with the same parameters.
    #[serde(default)]
    #[schemars(with = "String")]
    cursor: Option<String>,
}

async fn list(
    State(http): State<Arc<Http>>,
    asked: Asked,
    Query(query): Query<ListTokens>,
) -> Result<Answer<Tokens>, Refusal> {
    let of = match query.owner.as_deref() {
        Some("account") if query.app_env_id.is_none() => Of::Account,
        None | Some("me") => Of::Owner(owner(query.app_env_id.as_deref())?),
        Some(_) => {
            let why = "expected `me` or `account`, and none beside `app_env_id`";
            return Err(Error::invalid("owner", why).into());
        }
    };
    let list = authority::ListTokens {
        of,
        query: parse::query(query.query.as_deref())?,
        state: parse::maybe("state", query.state.as_deref())?,
        unused_for: parse::duration("unused_for", query.unused_for.as_deref())?,
        expiring_within: parse::duration("expiring_within", query.expiring_within.as_deref())?,
        limit: parse::limit(query.limit)?,
        cursor: parse::cursor(query.cursor.as_deref()),
    };
    let (page, at) = http.authority.list_tokens(&asked.request, list).await?;
    Ok(Answer::ok(Tokens::at(&page, at)))
}

async fn get(
    State(http): State<Arc<Http>>,
    asked: Asked,
    Path(id): Path<String>,
) -> Result<Answer<Token>, Refusal> {
    let id = in_path("id", &id)?;
    let (token, at) = http.authority.get_token(&asked.request, id).await?;
    Ok(Answer::ok(Token::at(&token, at)))
}

/// A change. What is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateToken {
    /// What it is to be called.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    label: Option<String>,
    /// What it may do from now on: some of the scopes that it has.
    #[serde(default)]
    #[schemars(length(max = 64), inner(inner(length(max = 64), regex(pattern = SCOPE))))]
    scopes: Option<Vec<String>>,
    /// When it ends: sooner than it would. A duration from now, or a time.
    #[serde(default)]
    expires: Option<String>,
    /// `false` switches it off, `true` on again.
    #[serde(default)]
    enabled: Option<bool>,
}

async fn update(
    State(http): State<Arc<Http>>,
    asked: Asked,
    Path(id): Path<String>,
    Json(body): Json<UpdateToken>,
) -> Result<Answer<Token>, Refusal> {
    let change = authority::Update {
        id: in_path("id", &id)?,
        label: body.label.as_deref().map(parse::label).transpose()?,
        scopes: body.scopes.as_deref().map(parse::scopes).transpose()?,
        expires: parse::maybe("expires", body.expires.as_deref())?,
        enabled: body.enabled,
    };
    let (token, at) = http.authority.update_token(&asked.request, change).await?;
    Ok(Answer::ok(Token::at(&token, at)))
}

/// A new value.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RotateToken {
    /// How long the old value stays good beside the new one, such as `1h`. By default no time, and
    /// an hour for the token that asks.
    #[serde(default)]
    #[schemars(regex(pattern = DURATION))]
    overlap: Option<String>,
    /// `claim` (the default), or `inline`.
    #[serde(default)]
    deliver: Delivery,
}

async fn rotate(
    State(http): State<Arc<Http>>,
    asked: Asked,
    Path(id): Path<String>,
    Key(idempotency_key): Key,
    MaybeJson(body): MaybeJson<RotateToken>,
) -> Result<Answer<NewToken>, Refusal> {
    let rotate = authority::Rotate {
        id: in_path("id", &id)?,
        overlap: parse::duration("overlap", body.overlap.as_deref())?,
        deliver: body.deliver.into(),
        idempotency_key,
        expires: None,
    };
    let minted = http.authority.rotate_token(&asked.request, rotate).await?;
    Ok(Answer::ok(NewToken::of(&minted, &http.claim)))
}

/// How a token is ended.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteToken {
    /// Whether the tokens that it minted end with it, and those that they minted.
    #[serde(default)]
    cascade: bool,
    /// Whether it is meant even if it is the token that asks.
    #[serde(default)]
    allow_self: bool,
}

async fn delete(
    State(http): State<Arc<Http>>,
    asked: Asked,
    Path(id): Path<String>,
    Query(query): Query<DeleteToken>,
) -> Result<StatusCode, Refusal> {
    let id: TokenId = in_path("id", &id)?;
    let revoke = Revoke {
        id,
        cascade: query.cascade,
        allow_self: query.allow_self,
        // A request has nobody beside it who could be asked.
        consent: Consent::CannotAsk,
    };
    http.authority.revoke_token(&asked.request, revoke).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whose: who asks, or an app environment.
fn owner(app_env_id: Option<&str>) -> Result<For, Error> {
    Ok(match app_env_id {
        Some(id) => For::AppEnv(AppEnvRef::Id(parse::value("app_env_id", id)?)),
        None => For::Me,
    })
}

impl From<Delivery> for Deliver {
    fn from(way: Delivery) -> Self {
        match way {
            Delivery::Claim => Self::Claim,
            Delivery::Inline => Self::Inline,
        }
    }
}
