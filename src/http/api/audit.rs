//! What happened.

use std::sync::Arc;

use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Answer;
use crate::{
    authority::ReadAudit,
    http::{
        Http,
        bearer::Asked,
        error::Refusal,
        extract::Query,
        route::{By, Route},
    },
    wire::{audit::AuditRecords, parse},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            By::Get,
            "/v1/audit-records",
            "list_audit_records",
            "Lists what happened, newest first: every change, every reveal and every refusal.",
            list,
        )
        .needs("`read:audit`; the account's with `manage:account` and the role admin")
        .query::<ListAuditRecords>()
        .answers::<AuditRecords>(200, "A page of entries."),
    ]
}

/// Which entries.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListAuditRecords {
    /// Only what happened since this time (RFC 3339), or for so long, such as `24h`.
    #[serde(default)]
    #[schemars(with = "String")]
    since: Option<String>,
    /// Only this action, such as `create_token` or `reveal_user_token`.
    #[serde(default)]
    #[schemars(with = "String")]
    action: Option<String>,
    /// Only what happened to this token, by its UUID.
    #[serde(default)]
    #[schemars(with = "String", extend("format" = "uuid"))]
    token_id: Option<String>,
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
    Query(query): Query<ListAuditRecords>,
) -> Result<Answer<AuditRecords>, Refusal> {
    let read = ReadAudit {
        system: false,
        since: parse::maybe("since", query.since.as_deref())?,
        action: parse::action(query.action.as_deref())?,
        token: parse::maybe("token_id", query.token_id.as_deref())?,
        limit: parse::limit(query.limit)?,
        cursor: parse::cursor(query.cursor.as_deref()),
    };
    let page = http.authority.read_audit(&asked.request, read).await?;
    Ok(Answer::ok((&page).into()))
}
