//! `list_audit_records`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Call, Hints};
use crate::{
    authority::{Error, ReadAudit},
    authz::Request,
    mcp::Server,
    wire::{audit::AuditRecords, parse},
};

/// Arguments of `list_audit_records`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListAuditRecords {
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
    #[schemars(with = "String")]
    token_id: Option<String>,
    /// How many at most: 1 to 200, by default 50.
    #[serde(default)]
    #[schemars(with = "i64", range(min = 1, max = 200))]
    limit: Option<i64>,
    /// The `next_cursor` of the page before, with the same arguments.
    #[serde(default)]
    #[schemars(with = "String")]
    cursor: Option<String>,
}

impl Call for ListAuditRecords {
    const NAME: &'static str = "list_audit_records";
    const TITLE: &'static str = "List audit records";
    const DESCRIPTION: &'static str = "Lists what happened, newest first: every change, every \
        reveal and every refusal, with who asked and why it was refused. One's own entries; the \
        account's for an admin with `manage:account`. Needs `read:audit`.";
    const HINTS: Hints = Hints::Reads;
    type Answer = AuditRecords;

    async fn call(self, server: &Server, request: &Request) -> Result<AuditRecords, Error> {
        let asked = ReadAudit {
            system: false,
            since: parse::maybe("since", self.since.as_deref())?,
            action: parse::action(self.action.as_deref())?,
            token: parse::maybe("token_id", self.token_id.as_deref())?,
            limit: parse::limit(self.limit)?,
            cursor: parse::cursor(self.cursor.as_deref()),
        };
        let page = server.authority.read_audit(request, asked).await?;
        Ok((&page).into())
    }
}
