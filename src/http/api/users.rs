//! The people of the account, and what they are in it.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Answer, WhichPage};
use crate::{
    authority::NewMember,
    domain::{account::Role, user::UserRef},
    http::{
        Http,
        bearer::Asked,
        error::Refusal,
        extract::{Json, Path, Query, in_path},
        route::{By, Route},
    },
    wire::{
        account::{Members, UserInAccounts},
        parse,
    },
};

const NEEDS: &str = "`manage:account` and the role admin";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            By::Get,
            "/v1/users",
            "list_users",
            "Lists the people of the account, in the order in which they were added. An address is told \
             to whose it is alone.",
            list,
        )
        .needs(NEEDS)
        .query::<WhichPage>()
        .answers::<Members>(200, "A page of them."),
        Route::new(
            By::Post,
            "/v1/users",
            "create_user",
            "Adds a person whom nobody knew before to the account.",
            create,
        )
        .needs(NEEDS)
        .body::<CreateUser>()
        .tells_location()
        .answers::<UserInAccounts>(201, "They are a member."),
        Route::new(
            By::Get,
            "/v1/users/{id}",
            "get_user",
            "Reads what is known of one person of the account. An address is told to whose it is alone.",
            get,
        )
        .needs(NEEDS)
        .answers::<UserInAccounts>(200, "The person, and what they are."),
        Route::new(
            By::Patch,
            "/v1/users/{id}",
            "set_membership",
            "Changes what a person is in the account. One who is active stays its admin.",
            update,
        )
        .needs(NEEDS)
        .body::<UpdateUser>()
        .answers::<UserInAccounts>(200, "The person, and what they are now."),
        Route::new(
            By::Delete,
            "/v1/users/{id}",
            "remove_membership",
            "Takes a person out of the account. Their tokens in it are refused from this moment on.",
            remove,
        )
        .needs(NEEDS)
        .answers_nothing(204, "They are no member any more."),
    ]
}

async fn list(
    State(http): State<Arc<Http>>,
    asked: Asked,
    Query(query): Query<WhichPage>,
) -> Result<Answer<Members>, Refusal> {
    let (limit, cursor) = query.parsed()?;
    let page = http
        .authority
        .list_members(&asked.request, limit, cursor)
        .await?;
    Ok(Answer::ok((&page).into()))
}

/// What a person is.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum MemberRole {
    /// Looks after the account.
    Admin,
    /// Has tokens of their own.
    #[default]
    Member,
}

/// A person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateUser {
    /// What they are called. 1 to 64 characters without spaces.
    #[schemars(length(min = 1, max = 64))]
    username: String,
    /// Where they can be written to, if nobody of that name was known.
    #[serde(default)]
    #[schemars(length(max = 254))]
    email: Option<String>,
    /// `member` (the default), or `admin`.
    #[serde(default)]
    role: MemberRole,
}

async fn create(
    State(http): State<Arc<Http>>,
    asked: Asked,
    Json(body): Json<CreateUser>,
) -> Result<Answer<UserInAccounts>, Refusal> {
    let new = NewMember {
        username: parse::value("username", &body.username)?,
        email: parse::maybe("email", body.email.as_deref())?,
        role: body.role.into(),
    };
    let member = http.authority.add_member(&asked.request, new).await?;
    let location = format!("/v1/users/{}", member.0.id);
    Ok(Answer::created(location, (&member).into()))
}

async fn get(
    State(http): State<Arc<Http>>,
    asked: Asked,
    Path(id): Path<String>,
) -> Result<Answer<UserInAccounts>, Refusal> {
    let user = UserRef::Id(in_path("id", &id)?);
    let member = http.authority.get_member(&asked.request, user).await?;
    Ok(Answer::ok((&member).into()))
}

/// A change.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateUser {
    /// What they are from now on.
    role: MemberRole,
}

async fn update(
    State(http): State<Arc<Http>>,
    asked: Asked,
    Path(id): Path<String>,
    Json(body): Json<UpdateUser>,
) -> Result<Answer<UserInAccounts>, Refusal> {
    let user = UserRef::Id(in_path("id", &id)?);
    let member = http
        .authority
        .set_membership(&asked.request, user, body.role.into())
        .await?;
    Ok(Answer::ok((&member).into()))
}

async fn remove(
    State(http): State<Arc<Http>>,
    asked: Asked,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let user = UserRef::Id(in_path("id", &id)?);
    http.authority
        .remove_membership(&asked.request, user)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<MemberRole> for Role {
    fn from(is: MemberRole) -> Self {
        match is {
            MemberRole::Admin => Self::Admin,
            MemberRole::Member => Self::Member,
        }
    }
}
