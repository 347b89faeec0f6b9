//! [`AppEnv`]: an app environment, which belongs to an account and owns a CLI token.

use super::{account::Slug, clock::Time, id::AccountId, id::AppEnvId, label::Label};

/// An app environment.
#[derive(Clone, Debug)]
pub struct AppEnv {
    /// Which.
    pub id: AppEnvId,
    /// Whose.
    pub account: AccountId,
    /// Its name for people.
    pub name: Label,
    /// Its name in commands; unique within its account.
    pub cli_env_name: Option<Slug>,
    /// When it was made.
    pub created_at: Time,
}

/// How an app environment is named by who asks for it.
#[derive(Clone, Debug)]
pub enum AppEnvRef {
    /// By id.
    Id(AppEnvId),
    /// By the name that it has for a CLI, within the account of who asks.
    Name(Slug),
}
