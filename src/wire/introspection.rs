//! What a service is told of a token that it was shown (RFC 7662 section 2.2).

use schemars::JsonSchema;
use serde::Serialize;

use crate::{authority::Introspected, domain::token::Presented};

/// Whether a token is good. Of one that is not, nothing else is told.
#[derive(Debug, Default, JsonSchema, Serialize)]
pub struct Introspection {
    /// Whether it is good now.
    pub active: bool,
    /// What it may do now, separated by spaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub scope: Option<String>,
    /// Whose it is, if it is a person's: what they are called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub username: Option<String>,
    /// `Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub token_type: Option<&'static str>,
    /// When it ends, in seconds since 1970; missing if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64")]
    pub exp: Option<i64>,
    /// When it was made, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64")]
    pub iat: Option<i64>,
    /// Whose it is: `user:` or `app_env:` and an id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub sub: Option<String>,
    /// UUID of the token, the same after a rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub jti: Option<String>,
    /// UUID of its account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub account: Option<String>,
    /// `pat` or `cli`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub kind: Option<&'static str>,
}

/// Several, in the order in which they were asked about.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Introspections {
    /// One for each.
    pub results: Vec<Introspection>,
}

impl From<Option<&Introspected>> for Introspection {
    fn from(found: Option<&Introspected>) -> Self {
        let Some(found) = found else {
            return Self::default();
        };
        let Presented {
            token, username, ..
        } = &*found.presented;
        Self {
            active: true,
            scope: Some(found.scopes.to_string()),
            username: username.as_ref().map(|name| name.as_str().to_owned()),
            token_type: Some("Bearer"),
            exp: token.powers.expires_at.map(|end| end.timestamp()),
            iat: Some(token.created_at.timestamp()),
            sub: Some(token.owner.word()),
            jti: Some(token.id.to_string()),
            account: Some(token.account.to_string()),
            kind: Some(token.kind.as_str()),
        }
    }
}
