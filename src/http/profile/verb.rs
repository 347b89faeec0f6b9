//! [`Verb`]: what a route of a profile may ask of the authority, which arguments that takes, and
//! which fields its answer has.

/// Something that a route asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verb {
    CreateToken,
    ListTokens,
    GetToken,
    DeleteToken,
    RevealUserToken,
    RevealAppEnvToken,
}

/// The fields of a token's record, behind the value.
const NEW: &[&str] = &[
    "token",
    "id",
    "kind",
    "label",
    "prefix",
    "scopes",
    "state",
    "created_at",
    "last_used_at",
    "expires_at",
    "generated_at",
];

/// The same, without the value.
const RECORD: &[&str] = NEW.split_at(1).1;

impl Verb {
    /// Every one of them.
    pub(super) const ALL: [Self; 6] = [
        Self::CreateToken,
        Self::ListTokens,
        Self::GetToken,
        Self::DeleteToken,
        Self::RevealUserToken,
        Self::RevealAppEnvToken,
    ];

    /// The verb as MCP's tools are called.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::CreateToken => "create_token",
            Self::ListTokens => "list_tokens",
            Self::GetToken => "get_token",
            Self::DeleteToken => "delete_token",
            Self::RevealUserToken => "reveal_user_token",
            Self::RevealAppEnvToken => "reveal_app_env_token",
        }
    }

    /// What can be told to it by a body or a query.
    pub(super) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::CreateToken => &["label", "expires"],
            Self::RevealAppEnvToken => &["app_env_id", "env_name"],
            Self::ListTokens | Self::GetToken | Self::DeleteToken | Self::RevealUserToken => &[],
        }
    }

    /// What its answer may show.
    pub(super) fn fields(self) -> &'static [&'static str] {
        match self {
            Self::CreateToken => NEW,
            Self::ListTokens | Self::GetToken => RECORD,
            Self::DeleteToken => &[],
            Self::RevealUserToken => &["token", "username", "email", "generated_at"],
            Self::RevealAppEnvToken => &[
                "token",
                "app_env_id",
                "cli_env_name",
                "name",
                "generated_at",
            ],
        }
    }

    /// Whether a value is in its answer.
    pub(super) fn shows_value(self) -> bool {
        self.fields().contains(&"token")
    }

    /// Whether it is about one token, which the path names.
    pub(super) fn needs_id(self) -> bool {
        matches!(self, Self::GetToken | Self::DeleteToken)
    }

    /// Whether it changes something, which a GET must not.
    pub(super) fn changes(self) -> bool {
        matches!(self, Self::CreateToken | Self::DeleteToken)
    }
}
