//! `list_app_envs`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Call, Hints};
use crate::{
    authority::Error,
    authz::Request,
    mcp::Server,
    wire::{account::AppEnvs, parse},
};

/// Arguments of `list_app_envs`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListAppEnvs {
    /// How many at most: 1 to 200, by default 50.
    #[serde(default)]
    #[schemars(with = "i64", range(min = 1, max = 200))]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    #[schemars(with = "String")]
    cursor: Option<String>,
}

impl Call for ListAppEnvs {
    const NAME: &'static str = "list_app_envs";
    const TITLE: &'static str = "List app environments";
    const DESCRIPTION: &'static str = "Lists the account's app environments, newest first. Needs \
        `read:envs`.";
    const HINTS: Hints = Hints::Reads;
    type Answer = AppEnvs;

    async fn call(self, server: &Server, request: &Request) -> Result<AppEnvs, Error> {
        let limit = parse::limit(self.limit)?;
        let cursor = parse::cursor(self.cursor.as_deref());
        let page = server
            .authority
            .list_app_envs(request, limit, cursor)
            .await?;
        Ok((&page).into())
    }
}
