//! For whom something is asked: oneself, or somebody named.

use super::{Error, Thing};
use crate::{
    authz::Principal,
    domain::{
        app_env::AppEnvRef,
        token::{Owner, Whose},
        user::Username,
    },
    store::{Reads, Refused},
};

/// For whom.
#[derive(Clone, Debug)]
pub enum For {
    /// Whoever asks.
    Me,
    /// A person of the account.
    User(Username),
    /// An app environment of the account.
    AppEnv(AppEnvRef),
}

impl For {
    /// What is missing where there is nobody of that name.
    pub(super) fn thing(&self) -> Thing {
        match self {
            Self::Me | Self::User(_) => Thing::User,
            Self::AppEnv(_) => Thing::AppEnv,
        }
    }
}

/// Whether what is `whose`, or was to be for whom was `named`, is an app environment's, and `who`
/// is not that environment.
pub(super) fn is_an_envs(who: &Principal, whose: Option<Whose>, named: &For) -> bool {
    match whose.map(|whose| whose.owner()) {
        Some(Some(Owner::AppEnv(_))) => whose != who.whose(),
        Some(_) => false,
        None => matches!(named, For::AppEnv(_)),
    }
}

/// Whose it would be; `None` if there is nobody of that name in the account of who asks.
pub(super) fn whose(
    view: &mut (impl Reads + ?Sized),
    who: &Principal,
    named: &For,
) -> Result<Option<Whose>, Refused<Error>> {
    let Some(account) = who.account() else {
        return Err(Error::NotFound(Thing::Account).into());
    };
    Ok(match named {
        For::Me => who.whose(),
        For::User(name) => match view.user_named(name)? {
            Some(user) => view
                .standing(user, account)?
                .filter(|standing| standing.role.is_some())
                .map(|_| Whose::Owner(account, Owner::User(user))),
            None => None,
        },
        For::AppEnv(env) => view.app_env_whose(env, account)?.map(|(_, whose)| whose),
    })
}
