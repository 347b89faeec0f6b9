//! Accounts, people, what they are there, and app environments.

use super::Error;
use crate::{
    authz::{Entry, Permit},
    domain::{
        account::{Account, Membership, Slug},
        app_env::{AppEnv, AppEnvRef},
        id::{AccountId, AppEnvId, UserId},
        token::{Standing, Whose},
        user::{User, Username},
    },
};

/// The statements that read, each after its `permit`, or before a decision by value or for whose
/// a thing is.
pub trait ReadAccounts {
    /// Whether there is an account at all.
    fn is_founded(&mut self) -> Result<bool, Error>;
    /// What this store is called: a part of what sealed values are bound to.
    fn instance(&mut self) -> Result<String, Error>;
    /// The account of this name, and what the person with this number is there.
    fn place(
        &mut self,
        account: &Slug,
        uid: u32,
    ) -> Result<(Option<AccountId>, Option<Standing>), Error>;
    /// What a person is in an account.
    fn standing(&mut self, user: UserId, account: AccountId) -> Result<Option<Standing>, Error>;
    /// Who has this name.
    fn user_named(&mut self, name: &Username) -> Result<Option<UserId>, Error>;
    /// Whose the app environment is, if it is one of this account.
    fn app_env_whose(
        &mut self,
        named: &AppEnvRef,
        account: AccountId,
    ) -> Result<Option<(AppEnvId, Whose)>, Error>;
    /// One app environment.
    fn app_env(&mut self, permit: &Permit<'_>, id: AppEnvId) -> Result<Option<AppEnv>, Error>;
    /// A page of the account's app environments, newest first.
    fn app_envs(
        &mut self,
        permit: &Permit<'_>,
        before: Option<AppEnvId>,
        rows: u32,
    ) -> Result<Vec<AppEnv>, Error>;
    /// One person of the account that `permit` is for, or anyone for the system's.
    fn user(&mut self, permit: &Permit<'_>, id: UserId) -> Result<Option<User>, Error>;
    /// The account that `permit` is for.
    fn account(&mut self, permit: &Permit<'_>) -> Result<Option<Account>, Error>;
    /// Everyone, in the order in which they were added, and what they are in accounts.
    fn users(&mut self, permit: &Permit<'_>) -> Result<Vec<(User, Vec<Membership>)>, Error>;
    /// A page of the people of the account that `permit` is for, in the order in which they were
    /// added, and what they are there.
    fn members(
        &mut self,
        permit: &Permit<'_>,
        after: Option<UserId>,
        rows: u32,
    ) -> Result<Vec<(User, Membership)>, Error>;
    /// Whether somebody else than `leaving` is an active admin of the account that `permit` is for.
    fn has_admin_beside(&mut self, permit: &Permit<'_>, leaving: UserId) -> Result<bool, Error>;
    /// The account that `permit` is for, or every account for the system's, in the order in which
    /// they were added.
    fn accounts(&mut self, permit: &Permit<'_>) -> Result<Vec<Account>, Error>;
}

/// The statements that write.
pub trait WriteAccounts {
    /// Keeps a new account.
    fn insert_account(&mut self, account: &Account, entry: &Entry<'_>) -> Result<(), Error>;
    /// Keeps a new person.
    fn insert_user(&mut self, user: &User, entry: &Entry<'_>) -> Result<(), Error>;
    /// Keeps whether a person is switched off.
    fn update_user(&mut self, user: &User, entry: &Entry<'_>) -> Result<(), Error>;
    /// Keeps what a person is in an account.
    fn put_membership(&mut self, member: &Membership, entry: &Entry<'_>) -> Result<(), Error>;
    /// Takes a person out of an account.
    fn remove_membership(
        &mut self,
        user: UserId,
        account: AccountId,
        entry: &Entry<'_>,
    ) -> Result<(), Error>;
    /// Keeps a new app environment.
    fn insert_app_env(&mut self, env: &AppEnv, entry: &Entry<'_>) -> Result<(), Error>;
    /// Removes an app environment.
    fn remove_app_env(&mut self, id: AppEnvId, entry: &Entry<'_>) -> Result<(), Error>;
}
