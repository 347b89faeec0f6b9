//! [`Action`]: everything that can be asked, with all that its decision needs.

use crate::domain::{
    account::Role,
    actor::Actor,
    id::TokenId,
    scope::{Scope, Scopes},
    token::Powers,
};

/// Something that can be asked of the authority.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// Say who one is. Written down only where it fails.
    Authenticate,
    /// Ask who one is.
    Whoami,
    /// Make a token with these powers.
    CreateToken {
        /// What it is to carry.
        powers: Powers,
        /// Whether its value leaves in the answer, and by what leave.
        inline: Inline,
        /// Whether it is for an app environment, and who asks is none.
        for_env: bool,
    },
    /// Pick up a value that waits.
    ClaimToken {
        /// For which token, if there is one.
        id: Option<TokenId>,
        /// What it carries.
        scopes: Scopes,
        /// Who asked for the value.
        opened_by: Option<Actor>,
    },
    /// See what waits to be picked up.
    ListClaims,
    /// List tokens.
    ListTokens {
        /// The whole account's, not one's own.
        account: bool,
        /// An app environment's, by who is none.
        of_env: bool,
    },
    /// Read one token's record.
    GetToken,
    /// Change a token.
    UpdateToken {
        /// Which.
        id: TokenId,
        /// How.
        change: Change,
    },
    /// Give a token a new value.
    RotateToken {
        /// What it carries.
        powers: Powers,
        /// Whether it gets a new end besides, which no token gives.
        new_end: bool,
        /// Whether the value leaves in the answer.
        inline: bool,
    },
    /// End a token.
    RevokeToken {
        /// Which.
        id: TokenId,
        /// Whether the asker means it even if it is its own.
        allow_self: bool,
    },
    /// Give a user or an app environment a CLI token.
    SetCliToken,
    /// Show a user's CLI token, which carries these scopes.
    RevealUserToken(Scopes),
    /// Show an app environment's CLI token, which carries these scopes.
    RevealAppEnvToken(Scopes),
    /// List app environments.
    ListAppEnvs,
    /// Read what is known of one app environment.
    GetAppEnv,
    /// Make an app environment.
    CreateAppEnv,
    /// Remove an app environment.
    DeleteAppEnv,
    /// List people.
    ListUsers,
    /// Read what is known of one person.
    GetUser,
    /// Add a person.
    CreateUser,
    /// Switch a person on or off.
    UpdateUser,
    /// List accounts.
    ListAccounts,
    /// Add an account.
    CreateAccount,
    /// Say what a person is in an account.
    SetMembership,
    /// Take a person out of an account.
    RemoveMembership,
    /// Ask whether some token is good.
    IntrospectToken,
    /// Pass where these scopes are asked for.
    VerifyToken(Scopes),
    /// Read what happened.
    ReadAudit {
        /// To everyone in the account, not to oneself.
        account: bool,
    },
    /// Check that what happened was not rewritten.
    VerifyAudit,
    /// Check that the store can be read and its key opens what is sealed.
    CheckStore,
    /// Put the first account and its first person into a new store.
    FoundStore,
    /// Forget what ended long ago.
    Sweep,
}

/// Whether the value of a new token leaves in the answer, and by what leave.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Inline {
    /// It does not.
    No,
    /// By that of whoever asks: their own `read:secrets`.
    ByRight,
    /// By that of a profile whose file says so: the products that it plays answer every creation
    /// with the value. The one way past `read:secrets`.
    ByProfile,
}

/// What a change to a token comes to.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one question that the decision asks"
)]
pub struct Change {
    /// What it carries before.
    pub before: Powers,
    /// What it carries afterwards.
    pub powers: Powers,
    /// Whether it is called something else by this.
    pub relabels: bool,
    /// Whether it is switched on by this.
    pub enables: bool,
    /// Whether it is switched off by this.
    pub disables: bool,
    /// Whether a person had switched it off.
    pub by_person: bool,
}

/// The text names no action.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected one of `{}`", NAMES.join("`, `"))]
pub struct NotAnAction;

/// Every name of an action that the audit trail can hold.
const NAMES: [&str; 32] = [
    "authenticate",
    "claim_token",
    "create_account",
    "create_app_env",
    "create_token",
    "create_user",
    "delete_app_env",
    "found_store",
    "get_app_env",
    "get_token",
    "get_user",
    "introspect_token",
    "list_accounts",
    "list_app_envs",
    "list_audit_records",
    "list_claims",
    "list_tokens",
    "list_users",
    "remove_membership",
    "reveal_app_env_token",
    "reveal_user_token",
    "revoke_token",
    "rotate_token",
    "set_cli_token",
    "set_membership",
    "sweep",
    "update_token",
    "update_user",
    "verify_audit",
    "verify_token",
    "check_store",
    "whoami",
];

/// Who may ask for something at all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum For {
    /// Only someone at the machine's shell.
    TheOperator,
    /// Whoever presents a token, besides. A local session is run by a program on the very machine
    /// where a person can do it at the shell.
    Tokens,
    /// Local sessions, too.
    Everyone,
}

impl Action {
    /// The name of an action, as the audit trail has it; the wire's `delete_token` is understood.
    pub fn named(word: &str) -> Result<&'static str, NotAnAction> {
        let word = if word == "delete_token" {
            "revoke_token"
        } else {
            word
        };
        NAMES
            .into_iter()
            .find(|name| *name == word)
            .ok_or(NotAnAction)
    }

    /// The scopes that a token needs for this action, in the order in which they are missed.
    pub fn scopes(&self) -> &'static [Scope] {
        match self {
            Self::CreateToken {
                inline, for_env, ..
            } => match (for_env, inline) {
                (false, Inline::No | Inline::ByProfile) => &[Scope::WRITE_TOKENS],
                (false, Inline::ByRight) => &[Scope::WRITE_TOKENS, Scope::READ_SECRETS],
                (true, Inline::No | Inline::ByProfile) => &[Scope::WRITE_TOKENS, Scope::WRITE_ENVS],
                (true, Inline::ByRight) => {
                    &[Scope::WRITE_TOKENS, Scope::WRITE_ENVS, Scope::READ_SECRETS]
                }
            },
            Self::RotateToken { inline: true, .. } => &[Scope::WRITE_TOKENS, Scope::READ_SECRETS],
            Self::RotateToken { inline: false, .. } | Self::UpdateToken { .. } => {
                &[Scope::WRITE_TOKENS]
            }
            Self::ListTokens { account: true, .. } => &[Scope::READ_TOKENS, Scope::MANAGE_ACCOUNT],
            Self::ListTokens { of_env: true, .. } => &[Scope::READ_TOKENS, Scope::READ_ENVS],
            Self::ListTokens { .. } | Self::GetToken | Self::ListClaims => &[Scope::READ_TOKENS],
            Self::RevokeToken { .. } => &[Scope::DELETE_TOKENS],
            Self::ClaimToken { .. } | Self::RevealUserToken(_) | Self::RevealAppEnvToken(_) => {
                &[Scope::READ_SECRETS]
            }
            Self::ListAppEnvs | Self::GetAppEnv => &[Scope::READ_ENVS],
            Self::CreateAppEnv | Self::DeleteAppEnv => &[Scope::WRITE_ENVS],
            Self::IntrospectToken => &[Scope::INTROSPECT_TOKENS],
            Self::ReadAudit { account: true } => &[Scope::READ_AUDIT, Scope::MANAGE_ACCOUNT],
            Self::ReadAudit { account: false } => &[Scope::READ_AUDIT],
            Self::ListUsers
            | Self::GetUser
            | Self::CreateUser
            | Self::SetMembership
            | Self::RemoveMembership => &[Scope::MANAGE_ACCOUNT],
            Self::Authenticate
            | Self::Whoami
            | Self::VerifyToken(_)
            | Self::SetCliToken
            | Self::UpdateUser
            | Self::ListAccounts
            | Self::CreateAccount
            | Self::VerifyAudit
            | Self::CheckStore
            | Self::FoundStore
            | Self::Sweep => &[],
        }
    }

    /// The role in the account that it needs besides.
    pub fn role(&self) -> Option<Role> {
        match self {
            Self::RevealAppEnvToken(_)
            | Self::CreateToken { for_env: true, .. }
            | Self::CreateAppEnv
            | Self::DeleteAppEnv
            | Self::ListTokens { account: true, .. }
            | Self::ListTokens { of_env: true, .. }
            | Self::ListUsers
            | Self::GetUser
            | Self::CreateUser
            | Self::SetMembership
            | Self::RemoveMembership
            | Self::ReadAudit { account: true } => Some(Role::Admin),
            Self::Authenticate
            | Self::Whoami
            | Self::CreateToken { for_env: false, .. }
            | Self::ClaimToken { .. }
            | Self::ListClaims
            | Self::ListTokens { .. }
            | Self::GetToken
            | Self::UpdateToken { .. }
            | Self::RotateToken { .. }
            | Self::RevokeToken { .. }
            | Self::SetCliToken
            | Self::RevealUserToken(_)
            | Self::ListAppEnvs
            | Self::GetAppEnv
            | Self::UpdateUser
            | Self::ListAccounts
            | Self::CreateAccount
            | Self::IntrospectToken
            | Self::VerifyToken(_)
            | Self::ReadAudit { account: false }
            | Self::VerifyAudit
            | Self::CheckStore
            | Self::FoundStore
            | Self::Sweep => None,
        }
    }

    /// The scope that makes an app environment's token an admin's to see, or to change, beside
    /// what the action needs for one's own.
    pub(super) fn scope_over_envs(&self) -> Option<Scope> {
        match self {
            Self::GetToken => Some(Scope::READ_ENVS),
            Self::UpdateToken { .. } | Self::RotateToken { .. } | Self::RevokeToken { .. } => {
                Some(Scope::WRITE_ENVS)
            }
            Self::Authenticate
            | Self::Whoami
            | Self::CreateToken { .. }
            | Self::ClaimToken { .. }
            | Self::ListClaims
            | Self::ListTokens { .. }
            | Self::SetCliToken
            | Self::RevealUserToken(_)
            | Self::RevealAppEnvToken(_)
            | Self::ListAppEnvs
            | Self::GetAppEnv
            | Self::CreateAppEnv
            | Self::DeleteAppEnv
            | Self::ListUsers
            | Self::GetUser
            | Self::CreateUser
            | Self::UpdateUser
            | Self::ListAccounts
            | Self::CreateAccount
            | Self::SetMembership
            | Self::RemoveMembership
            | Self::VerifyToken(_)
            | Self::IntrospectToken
            | Self::ReadAudit { .. }
            | Self::VerifyAudit
            | Self::CheckStore
            | Self::FoundStore
            | Self::Sweep => None,
        }
    }

    /// Who may ask for it at all.
    pub(super) fn is_for(&self) -> For {
        match self {
            Self::SetCliToken
            | Self::UpdateUser
            | Self::CreateAccount
            | Self::VerifyAudit
            | Self::CheckStore
            | Self::FoundStore
            | Self::Sweep => For::TheOperator,
            Self::ClaimToken { .. }
            | Self::ListClaims
            | Self::ListUsers
            | Self::GetUser
            | Self::CreateUser
            | Self::ListAccounts
            | Self::SetMembership
            | Self::RemoveMembership => For::Tokens,
            Self::Authenticate
            | Self::Whoami
            | Self::CreateToken { .. }
            | Self::ListTokens { .. }
            | Self::GetToken
            | Self::UpdateToken { .. }
            | Self::RotateToken { .. }
            | Self::RevokeToken { .. }
            | Self::RevealUserToken(_)
            | Self::RevealAppEnvToken(_)
            | Self::ListAppEnvs
            | Self::GetAppEnv
            | Self::CreateAppEnv
            | Self::DeleteAppEnv
            | Self::IntrospectToken
            | Self::VerifyToken(_)
            | Self::ReadAudit { .. } => For::Everyone,
        }
    }

    /// The action as the audit trail and the permission table call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Authenticate => "authenticate",
            Self::Whoami => "whoami",
            Self::CreateToken { .. } => "create_token",
            Self::ClaimToken { .. } => "claim_token",
            Self::ListClaims => "list_claims",
            Self::ListTokens { .. } => "list_tokens",
            Self::GetToken => "get_token",
            Self::UpdateToken { .. } => "update_token",
            Self::RotateToken { .. } => "rotate_token",
            Self::RevokeToken { .. } => "revoke_token",
            Self::SetCliToken => "set_cli_token",
            Self::RevealUserToken(_) => "reveal_user_token",
            Self::RevealAppEnvToken(_) => "reveal_app_env_token",
            Self::ListAppEnvs => "list_app_envs",
            Self::GetAppEnv => "get_app_env",
            Self::CreateAppEnv => "create_app_env",
            Self::DeleteAppEnv => "delete_app_env",
            Self::ListUsers => "list_users",
            Self::GetUser => "get_user",
            Self::CreateUser => "create_user",
            Self::UpdateUser => "update_user",
            Self::ListAccounts => "list_accounts",
            Self::CreateAccount => "create_account",
            Self::SetMembership => "set_membership",
            Self::RemoveMembership => "remove_membership",
            Self::IntrospectToken => "introspect_token",
            Self::VerifyToken(_) => "verify_token",
            Self::ReadAudit { .. } => "list_audit_records",
            Self::VerifyAudit => "verify_audit",
            Self::CheckStore => "check_store",
            Self::FoundStore => "found_store",
            Self::Sweep => "sweep",
        }
    }
}
