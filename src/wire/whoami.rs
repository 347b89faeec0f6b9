//! Who is asking.

use schemars::JsonSchema;
use serde::Serialize;

use super::{account, time, token::Token};
use crate::{
    authority,
    domain::scope::{OURS, Reach, Scopes},
};

/// Who is asking, and what each tool would say.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Whoami {
    /// The person that this session acts for; null for an app environment's token.
    pub user: Option<account::User>,
    /// The account in which it acts.
    pub account: account::Account,
    /// What that person is in the account now: `admin` or `member`.
    pub role: Option<String>,
    /// The record of the token that this session was given; null for a local session.
    pub current_token: Option<Token>,
    /// Which of that token's values this session presents; null for a local session.
    pub current_value: Option<CurrentValue>,
    /// The scopes that this session holds.
    pub scopes: Vec<String>,
    /// Whether it may give every service scope besides: any that is none of Keywright's own.
    pub any_service_scope: bool,
    /// When this session's token ends; null means never.
    pub expires_at: Option<String>,
    /// Every tool, and what is missing where this session may not use it.
    pub tools: Vec<ToolOutlook>,
}

/// Which of a token's values a session presents.
#[derive(Debug, JsonSchema, Serialize)]
pub struct CurrentValue {
    /// 1 for the token's first value; each rotation adds 1.
    pub generation: u32,
    /// Whether it is the newest. If not, the token was rotated, and this session lives on the
    /// overlap.
    pub is_newest: bool,
    /// When an older value ends, if the newer one is not used before; null for the newest, which
    /// ends with its token.
    pub ends_at: Option<String>,
}

/// Whether a tool may be used on one's own things.
#[derive(Debug, JsonSchema, Serialize)]
pub struct ToolOutlook {
    /// The tool.
    pub tool: String,
    /// Whether it may be used.
    pub allowed: bool,
    /// What is missing, if it may not.
    pub missing: Option<String>,
}

impl From<&authority::Whoami> for Whoami {
    fn from(who: &authority::Whoami) -> Self {
        let (scopes, any_service_scope) = match &who.reach {
            Reach::Exactly(scopes) => (scopes.clone(), false),
            Reach::WithEveryService(scopes) => (scopes.clone(), true),
            Reach::Everything => (Scopes::from(OURS), true),
        };
        Self {
            user: who.user.as_ref().map(Into::into),
            account: (&who.account).into(),
            role: who.role.map(|role| role.as_str().to_owned()),
            current_token: who.token.as_ref().map(|token| Token::at(token, who.at)),
            current_value: who.value.map(|value| CurrentValue {
                generation: value.generation,
                is_newest: value.dies_at.is_none(),
                ends_at: time::maybe(value.dies_at),
            }),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            any_service_scope,
            expires_at: time::maybe(who.expires_at),
            tools: who
                .outlook
                .iter()
                .map(|(action, missing)| ToolOutlook {
                    tool: tool(action).to_owned(),
                    allowed: missing.is_none(),
                    missing: missing.as_ref().map(ToString::to_string),
                })
                .collect(),
        }
    }
}

/// The tool that asks for an action: the wire says delete where the code says revoke.
fn tool(action: &'static str) -> &'static str {
    match action {
        "revoke_token" => "delete_token",
        same => same,
    }
}
