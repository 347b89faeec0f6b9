//! Gives a user or an app environment a CLI token: a fresh value, or one that was made elsewhere.

use std::sync::Arc;

use super::{Authority, Error, For, decide, whom};
use crate::{
    authz::{Action, Request},
    domain::{
        audit::Target,
        clock::Time,
        credential::PlainToken,
        id::TokenId,
        label::Label,
        scope::Scopes,
        token::{Format, Kind, Powers, Present, State, Token, Value, Whose},
    },
};

/// What is asked for.
#[derive(Debug)]
pub struct SetCliToken {
    /// Whose it is to be.
    pub of: For,
    /// What it is to carry. One that was made elsewhere carries nothing.
    pub scopes: Scopes,
    /// A value that was made elsewhere: revealed only, and authenticates nobody. `None` makes one.
    pub imported: Option<PlainToken>,
}

impl Authority {
    /// Gives a CLI token, or a new value to the one that is there: its id stays, and its old value
    /// dies at once. It lives until it is revoked.
    pub async fn set_cli_token(
        &self,
        request: &Request,
        set: SetCliToken,
    ) -> Result<(Token, Time), Error> {
        let (house, id) = (self.clone(), TokenId::fresh());
        let imported = set.imported.is_some();
        let plain = set
            .imported
            .unwrap_or_else(|| PlainToken::generate(&self.inner.brand, Kind::Cli));
        let (of, scopes, plain) = (set.of, set.scopes, Arc::new(plain));
        if imported && !scopes.is_empty() {
            return Err(Error::invalid(
                "scopes",
                "a value that was made elsewhere authenticates nobody, so it carries no scopes",
            ));
        }
        self.write(request, move |tx, who| {
            let whose = whom::whose(tx, who, &of)?;
            let thing = of.thing();
            let permit = decide(who, Action::SetCliToken, whose, thing)?;
            let Some(Whose::Owner(account, owner)) = whose else {
                return Err(Error::NotFound(thing).into());
            };
            let powers = Powers {
                scopes: scopes.clone(),
                expires_at: None,
            };
            let there = match tx.cli_token(account, owner)? {
                Some(id) => tx.token(&permit, id)?,
                None => None,
            };
            // One that is over by the clock makes room for a new one, in its own row.
            let mut token = if let Some(mut token) = there {
                let entry = permit.entry(Target::Token(token.id));
                if token.powers != powers || token.state(who.at()) == State::Disabled {
                    token.powers = powers;
                    token.disabled = None;
                    tx.update_token(&token, &entry)?;
                }
                token
            } else {
                let token = Token {
                    id,
                    kind: Kind::Cli,
                    account,
                    owner,
                    label: Label::parse("CLI token").map_err(|why| Error::invalid("label", why))?,
                    powers,
                    created_at: who.at(),
                    created_by: who.actor(),
                    parent: None,
                    last_used_at: None,
                    disabled: None,
                    revoked_at: None,
                    present: None,
                };
                tx.insert_token(&token, &permit.entry(Target::Token(id)))?;
                token
            };
            let value = if imported {
                let generation = token.present.as_ref().map_or(0, |p| p.generation) + 1;
                Value {
                    present: Present {
                        generation,
                        format: Format::Imported,
                        prefix: None,
                        generated_at: who.at(),
                    },
                    hash: None,
                    sealed: Some(house.sealed(tx, &token, generation, &plain)?),
                }
            } else {
                house.next_value(tx, &token, &plain, who.at())?
            };
            let entry = permit.entry(Target::Token(token.id));
            tx.close_claim(token.id, &entry)?;
            tx.put_value(token.id, &value, who.at(), &entry)?;
            token.present = Some(value.present);
            house.inner.uses.overlay(&mut token);
            Ok((token, who.at()))
        })
        .await
    }
}
