//! Changes a token: its label, fewer scopes, a sooner end, on and off. Never more.

use super::{Authority, Conflict, Error, Thing, decide_on};
use crate::{
    authz::{Action, Change, Request},
    domain::{
        audit::Target,
        clock::Time,
        expires::Expires,
        id::TokenId,
        label::Label,
        scope::Scopes,
        token::{Disabled, Powers, State, Token},
    },
};

/// What is to change; what is `None` stays.
#[derive(Clone, Debug)]
pub struct Update {
    /// Which token.
    pub id: TokenId,
    /// What it is to be called.
    pub label: Option<Label>,
    /// What it is to carry from now on: some of what it carries.
    pub scopes: Option<Scopes>,
    /// When it is to end: sooner than it would.
    pub expires: Option<Expires>,
    /// Whether it is to be on.
    pub enabled: Option<bool>,
}

impl Authority {
    /// Changes a token, and answers with it and the moment for which its state is told.
    pub async fn update_token(
        &self,
        request: &Request,
        asked: Update,
    ) -> Result<(Token, Time), Error> {
        let house = self.clone();
        if asked.label.is_none()
            && asked.scopes.is_none()
            && asked.expires.is_none()
            && asked.enabled.is_none()
        {
            return Err(Error::invalid(
                "label",
                "nothing is to change: give it, or `scopes`, `expires` or `enabled`",
            ));
        }
        self.write(request, move |tx, who| {
            let stake = tx.stake(asked.id)?;
            let whose = stake.as_ref().map(|stake| stake.whose);
            let (before, disabled) = stake.map_or_else(
                || (Powers::default(), None),
                |stake| (stake.powers, stake.disabled),
            );
            let mut powers = before.clone();
            if let Some(scopes) = &asked.scopes {
                powers.scopes = scopes.clone();
            }
            if let Some(expires) = asked.expires {
                powers.expires_at = expires
                    .resolve(who.at())
                    .map_err(|why| Error::invalid("expires", why))?;
            }
            let change = Change {
                before,
                powers: powers.clone(),
                relabels: asked.label.is_some(),
                enables: asked.enabled == Some(true) && disabled.is_some(),
                disables: asked.enabled == Some(false),
                by_person: disabled.is_some_and(|disabled| disabled.by_person),
            };
            let action = Action::UpdateToken {
                id: asked.id,
                change,
            };
            let permit = decide_on(who, action, whose, Target::Token(asked.id))?;
            let mut token = tx
                .token(&permit, asked.id)?
                .ok_or(Error::NotFound(Thing::Token))?;
            match token.state(who.at()) {
                State::Unclaimed | State::Active | State::Disabled => {}
                ended @ (State::Expired | State::Revoked) => {
                    return Err(Conflict::State(ended).into());
                }
            }
            token.powers = powers;
            if let Some(label) = &asked.label {
                token.label = label.clone();
            }
            token.disabled = match asked.enabled {
                None => token.disabled,
                Some(true) => None,
                Some(false) => Some(Disabled {
                    at: disabled.map_or(who.at(), |disabled| disabled.at),
                    // An admin's word counts as a person's: the owner's own agent does not undo it.
                    by_person: who.is_person()
                        || whose != who.whose()
                        || disabled.is_some_and(|disabled| disabled.by_person),
                }),
            };
            let what = [
                asked.label.is_some().then_some("label"),
                asked.scopes.is_some().then_some("scopes"),
                asked.expires.is_some().then_some("expires"),
                asked
                    .enabled
                    .map(|on| if on { "enabled" } else { "disabled" }),
            ];
            let what: Vec<_> = what.into_iter().flatten().collect();
            let entry = permit
                .entry(Target::Token(token.id))
                .because(what.join(", "));
            tx.update_token(&token, &entry)?;
            house.inner.uses.overlay(&mut token);
            Ok((token, who.at()))
        })
        .await
    }
}
