//! Lists, makes and removes app environments. One that is removed takes its tokens with it.

use super::{Authority, Conflict, Error, Thing, decide, place};
use crate::{
    authz::{Action, Request},
    crypto::digest::Fields,
    domain::{
        account::Slug,
        app_env::{AppEnv, AppEnvRef},
        audit::Target,
        id::AppEnvId,
        label::Label,
        page::{Cursor, Limit, Page},
        token::{Owner, Whose},
    },
    store,
    store::Refused,
};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct NewAppEnv {
    /// Its name for people.
    pub name: Label,
    /// Its name in commands; unique within the account.
    pub cli_env_name: Option<Slug>,
}

impl Authority {
    /// A page of the account's app environments, newest first.
    pub async fn list_app_envs(
        &self,
        request: &Request,
        limit: Limit,
        cursor: Option<Cursor>,
    ) -> Result<Page<AppEnv>, Error> {
        self.read(request, move |view, who| {
            let whose = who.account().map(Whose::Account);
            let permit = decide(who, Action::ListAppEnvs, whose, Thing::Account)?;
            let list = Fields::new("app_envs").text(&format!("{whose:?}"));
            let before = place(cursor.as_ref(), &list)?;
            let before = before.map(|place| AppEnvId::from(uuid::Uuid::from_u128(place)));
            let rows = view.app_envs(&permit, before, limit.and_one())?;
            Ok(Page::cut(rows, limit, &list, |env| {
                env.id.as_uuid().as_u128()
            }))
        })
        .await
    }

    /// One app environment of the account.
    pub async fn get_app_env(&self, request: &Request, env: AppEnvRef) -> Result<AppEnv, Error> {
        self.read(request, move |view, who| {
            let account = who.account().ok_or(Error::NotFound(Thing::Account))?;
            let found = view.app_env_whose(&env, account)?;
            let whose = found.map(|_| Whose::Account(account));
            let permit = decide(who, Action::GetAppEnv, whose, Thing::AppEnv)?;
            let (id, _) = found.ok_or(Error::NotFound(Thing::AppEnv))?;
            let env = view.app_env(&permit, id)?;
            Ok(env.ok_or(Error::NotFound(Thing::AppEnv))?)
        })
        .await
    }

    /// Makes an app environment in the account of who asks.
    pub async fn create_app_env(&self, request: &Request, new: NewAppEnv) -> Result<AppEnv, Error> {
        let id = AppEnvId::fresh();
        self.write(request, move |tx, who| {
            let whose = who.account().map(Whose::Account);
            let permit = decide(who, Action::CreateAppEnv, whose, Thing::Account)?;
            let account = permit.account().ok_or(Error::NotFound(Thing::Account))?;
            let env = AppEnv {
                id,
                account,
                name: new.name.clone(),
                cli_env_name: new.cli_env_name.clone(),
                created_at: who.at(),
            };
            tx.insert_app_env(&env, &permit.entry(Target::AppEnv(id)))
                .map_err(|error| taken(error, "name of the app environment"))?;
            Ok(env)
        })
        .await
    }

    /// Removes an app environment and ends its tokens.
    pub async fn delete_app_env(
        &self,
        request: &Request,
        env: AppEnvRef,
    ) -> Result<AppEnvId, Error> {
        self.write(request, move |tx, who| {
            let account = who.account().ok_or(Error::NotFound(Thing::Account))?;
            let found = tx.app_env_whose(&env, account)?;
            let whose = found.map(|_| Whose::Account(account));
            let permit = decide(who, Action::DeleteAppEnv, whose, Thing::AppEnv)?;
            let (id, _) = found.ok_or(Error::NotFound(Thing::AppEnv))?;
            for token in tx.tokens_of(account, Owner::AppEnv(id))? {
                let entry = permit
                    .entry(Target::Token(token))
                    .because(format!("with app environment {id}, which owned it"));
                tx.close_claim(token, &entry)?;
                tx.revoke_token(token, who.at(), &entry)?;
            }
            tx.remove_app_env(id, &permit.entry(Target::AppEnv(id)))?;
            Ok(id)
        })
        .await
    }
}

/// A conflict in the store, in words.
pub(super) fn taken(error: store::Error, what: &'static str) -> Refused<Error> {
    match error {
        store::Error::Conflict => Conflict::Taken(what).into(),
        other @ (store::Error::Unavailable(_)
        | store::Error::Corrupt(_)
        | store::Error::Refused(_)) => other.into(),
    }
}
