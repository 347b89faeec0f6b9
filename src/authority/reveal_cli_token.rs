//! Shows a CLI token in the clear, and writes down who saw it before it is shown.

use super::{Authority, Conflict, Error, For, Thing, decide, missing, whom};
use crate::{
    authz::{Action, Request},
    domain::{
        app_env::AppEnv,
        audit::Target,
        cli_token::SecretValue,
        clock::Time,
        scope::Scopes,
        token::{Owner, State},
        user::User,
    },
    vault::Binding,
};

/// A CLI token at a moment when its value is known.
#[derive(Debug)]
pub struct Revealed {
    /// The value.
    pub value: SecretValue,
    /// Whose it is.
    pub owner: RevealedOwner,
    /// When it was made.
    pub generated_at: Time,
}

/// Whose CLI token it is.
#[derive(Debug)]
pub enum RevealedOwner {
    /// A person's.
    User(User),
    /// An app environment's.
    AppEnv(AppEnv),
}

impl Authority {
    /// The CLI token of whoever asks, or of whom they name.
    pub async fn reveal_cli_token(&self, request: &Request, of: For) -> Result<Revealed, Error> {
        let house = self.clone();
        self.write(request, move |tx, who| {
            let whose = whom::whose(tx, who, &of)?;
            let id = match (who.account(), whose.and_then(|whose| whose.owner())) {
                (Some(account), Some(owner)) => tx.cli_token(account, owner)?,
                _ => None,
            };
            let stake = match id {
                Some(id) => tx.stake(id)?,
                None => None,
            };
            let scopes = stake.map_or_else(Scopes::default, |stake| stake.powers.scopes);
            // Whose it is decides, not how it was asked for: an app environment's own token is
            // no shorter way to its value.
            let is_a_users = match whose.and_then(|whose| whose.owner()) {
                Some(Owner::User(_)) => true,
                Some(Owner::AppEnv(_)) => false,
                None => !matches!(of, For::AppEnv(_)),
            };
            let (action, thing) = if is_a_users {
                (Action::RevealUserToken(scopes), Thing::User)
            } else {
                (Action::RevealAppEnvToken(scopes), Thing::AppEnv)
            };
            let permit = decide(who, action, whose, thing)?;
            let not_there = || missing(&permit, Thing::CliToken);
            let id = id.ok_or_else(not_there)?;
            let token = tx.token(&permit, id)?.ok_or_else(not_there)?;
            match token.state(who.at()) {
                State::Active => {}
                ended @ (State::Unclaimed | State::Disabled | State::Expired | State::Revoked) => {
                    return Err(Conflict::State(ended).into());
                }
            }
            let (generation, sealed) = tx.sealed(&permit, id)?.ok_or_else(not_there)?;
            let binding = Binding {
                instance: &tx.instance()?,
                token: id,
                owner: token.owner,
                generation,
            };
            let value = house.inner.vault.open(&permit, &sealed, binding)?;
            let owner = match token.owner {
                Owner::User(user) => {
                    RevealedOwner::User(tx.user(&permit, user)?.ok_or_else(not_there)?)
                }
                Owner::AppEnv(env) => {
                    RevealedOwner::AppEnv(tx.app_env(&permit, env)?.ok_or_else(not_there)?)
                }
            };
            tx.note(&permit.entry(Target::Token(id)));
            let present = token.present.ok_or_else(not_there)?;
            Ok(Revealed {
                value,
                owner,
                generated_at: present.generated_at,
            })
        })
        .await
    }
}
