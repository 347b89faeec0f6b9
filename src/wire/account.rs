//! Accounts, people, what they are there, and app environments.

use schemars::JsonSchema;
use serde::Serialize;

use super::time;
use crate::domain::{account, app_env, page::Page, user};

/// An account.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Account {
    /// UUID of the account.
    pub id: String,
    /// Its name in commands.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// When it was made.
    pub created_at: String,
}

/// A person.
#[derive(Debug, JsonSchema, Serialize)]
pub struct User {
    /// UUID of the user.
    pub id: String,
    /// What they are called.
    pub username: String,
    /// Where they can be written to.
    pub email: Option<String>,
    /// Whether their tokens may be good.
    pub active: bool,
    /// When they were added.
    pub created_at: String,
}

/// Everyone.
#[derive(Debug, Serialize)]
pub struct Users {
    /// In the order in which they were added.
    pub users: Vec<UserInAccounts>,
}

/// A page of the people of an account.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Members {
    /// In the order in which they were added, each with what they are in the account.
    pub users: Vec<UserInAccounts>,
    /// Pass it as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// Every account that who asks may know of.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Accounts {
    /// In the order in which they were added.
    pub accounts: Vec<Account>,
}

/// A person, and what they are in accounts.
#[derive(Debug, JsonSchema, Serialize)]
pub struct UserInAccounts {
    /// Who.
    #[serde(flatten)]
    pub user: User,
    /// What they are where.
    pub memberships: Vec<Membership>,
}

/// What a person is in an account.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Membership {
    /// UUID of the account.
    pub account: String,
    /// UUID of the user.
    pub user: String,
    /// `admin` or `member`.
    pub role: String,
}

/// An app environment.
#[derive(Debug, JsonSchema, Serialize)]
pub struct AppEnv {
    /// UUID of the app environment.
    pub id: String,
    /// UUID of its account.
    pub account: String,
    /// Its name for people.
    pub name: String,
    /// Its name in commands.
    pub cli_env_name: Option<String>,
    /// When it was made.
    pub created_at: String,
}

/// A page of app environments.
#[derive(Debug, JsonSchema, Serialize)]
pub struct AppEnvs {
    /// The app environments, newest first.
    pub app_envs: Vec<AppEnv>,
    /// Pass it as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
}

impl From<&account::Account> for Account {
    fn from(account: &account::Account) -> Self {
        Self {
            id: account.id.to_string(),
            slug: account.slug.as_str().to_owned(),
            name: account.name.as_str().to_owned(),
            created_at: time::rfc3339(account.created_at),
        }
    }
}

impl From<&user::User> for User {
    fn from(user: &user::User) -> Self {
        Self {
            id: user.id.to_string(),
            username: user.username.as_str().to_owned(),
            email: user.email.as_ref().map(|email| email.as_str().to_owned()),
            active: user.is_active(),
            created_at: time::rfc3339(user.created_at),
        }
    }
}

impl From<&account::Membership> for Membership {
    fn from(member: &account::Membership) -> Self {
        Self {
            account: member.account.to_string(),
            user: member.user.to_string(),
            role: member.role.as_str().to_owned(),
        }
    }
}

impl From<&(user::User, account::Membership)> for UserInAccounts {
    fn from((user, is): &(user::User, account::Membership)) -> Self {
        Self {
            user: user.into(),
            memberships: vec![is.into()],
        }
    }
}

impl From<&Page<(user::User, account::Membership)>> for Members {
    fn from(page: &Page<(user::User, account::Membership)>) -> Self {
        Self {
            users: page.rows.iter().map(Into::into).collect(),
            next_cursor: page.next.as_ref().map(|next| next.as_str().to_owned()),
        }
    }
}

impl From<&app_env::AppEnv> for AppEnv {
    fn from(env: &app_env::AppEnv) -> Self {
        let cli_env_name = env.cli_env_name.as_ref();
        Self {
            id: env.id.to_string(),
            account: env.account.to_string(),
            name: env.name.as_str().to_owned(),
            cli_env_name: cli_env_name.map(|name| name.as_str().to_owned()),
            created_at: time::rfc3339(env.created_at),
        }
    }
}

impl From<&Page<app_env::AppEnv>> for AppEnvs {
    fn from(page: &Page<app_env::AppEnv>) -> Self {
        Self {
            app_envs: page.rows.iter().map(Into::into).collect(),
            next_cursor: page.next.as_ref().map(|next| next.as_str().to_owned()),
        }
    }
}
