//! Ends a token, for good and at once; with it, if asked, those that it minted.

use super::{Authority, Consent, Error, Question, Thing, decide_on};
use crate::{
    authz::{Action, Permit, Principal, Request},
    domain::{audit::Target, clock::Time, id::TokenId, token::Token},
    store::{Refused, Tx},
};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Revoke {
    /// Which token.
    pub id: TokenId,
    /// Whether those that it minted, and those that they minted, end with it.
    pub cascade: bool,
    /// Whether the asker means it even if it is its own.
    pub allow_self: bool,
    /// What a person said to it. Asked for where a program would end a token that it did not mint.
    pub consent: Consent,
}

impl Revoke {
    /// This token alone, asked for by a person, whose word is the command that they typed.
    pub fn typed(id: TokenId) -> Self {
        Self {
            id,
            cascade: false,
            allow_self: false,
            consent: Consent::Unasked,
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub struct Revoked {
    /// Which token.
    pub id: TokenId,
    /// When it ended: the first time, if this was not it.
    pub revoked_at: Time,
    /// How many ended in this call; none, if it had ended before.
    pub revoked_count: u64,
    /// How many of those that it minted are still good.
    pub live_children: u64,
}

impl Authority {
    /// Ends a token. Ending it twice is no error.
    pub async fn revoke_token(&self, request: &Request, asked: Revoke) -> Result<Revoked, Error> {
        self.write(request, move |tx, who| {
            let whose = tx.stake(asked.id)?.map(|stake| stake.whose);
            let action = Action::RevokeToken {
                id: asked.id,
                allow_self: asked.allow_self,
            };
            let permit = decide_on(who, action, whose, Target::Token(asked.id))?;
            let token = tx
                .token(&permit, asked.id)?
                .ok_or(Error::NotFound(Thing::Token))?;
            let children = if asked.cascade {
                let minted = tx.descendants(&permit, token.id)?;
                endable(tx, who, &minted, asked.allow_self)?
            } else {
                Vec::new()
            };
            let mut entry = permit.entry(Target::Token(token.id));
            let ends_any = token.revoked_at.is_none() || !children.is_empty();
            if ends_any
                && let Some(how) = consented(&permit, &token, children.len(), asked.consent)?
            {
                entry = entry.because(how);
            }
            let mut revoked_count = 0;
            if token.revoked_at.is_none() {
                tx.close_claim(token.id, &entry)?;
                tx.revoke_token(token.id, who.at(), &entry)?;
                revoked_count += 1;
            }
            for child in children {
                let entry = child
                    .permit
                    .entry(Target::Token(child.id))
                    .because(format!("with token {}, which minted it", token.id));
                tx.close_claim(child.id, &entry)?;
                tx.revoke_token(child.id, who.at(), &entry)?;
                revoked_count += 1;
            }
            Ok(Revoked {
                id: token.id,
                revoked_at: token.revoked_at.unwrap_or(who.at()),
                revoked_count,
                live_children: tx.live_children(&permit, token.id, who.at())?,
            })
        })
        .await
    }
}

/// A token that ends with the one that minted it.
struct Child<'tx> {
    id: TokenId,
    permit: Permit<'tx>,
}

/// Those of `minted` that `who` may end. An app environment's, which is not for who asks to know of,
/// outlives whoever made it. The asker may be among them, and is then told so.
fn endable<'tx>(
    tx: &mut Tx,
    who: &'tx Principal,
    minted: &[TokenId],
    allow_self: bool,
) -> Result<Vec<Child<'tx>>, Refused<Error>> {
    let mut children = Vec::new();
    for &id in minted {
        let whose = tx.stake(id)?.map(|stake| stake.whose);
        let action = Action::RevokeToken { id, allow_self };
        match decide_on(who, action, whose, Target::Token(id)) {
            Ok(permit) => children.push(Child { id, permit }),
            Err(refused) if matches!(refused.error, Error::NotFound(_)) => {}
            Err(refused) => return Err(refused),
        }
    }
    Ok(children)
}

/// A program ends what it minted as it likes. For any other token a person is asked, where one can
/// be: how that went, for the audit trail.
fn consented(
    permit: &Permit<'_>,
    token: &Token,
    with_it: usize,
    consent: Consent,
) -> Result<Option<&'static str>, Refused<Error>> {
    let who = permit.principal();
    if who.is_person() || token.created_by == who.actor() {
        return Ok(None);
    }
    let question = Question {
        token: token.id,
        label: token.label.clone(),
        prefix: token
            .present
            .as_ref()
            .and_then(|present| present.prefix.clone()),
        with_it,
        asked_by: who.actor(),
    };
    match consent {
        Consent::Given(to) if to == question.print() => Ok(Some("a person said yes")),
        Consent::CannotAsk => Ok(Some("without asking a person")),
        Consent::Withheld(why) => Err(Refused {
            error: Error::Withheld(why),
            entry: Some(permit.failure(Some(Target::Token(token.id)), &why.to_string())),
        }),
        Consent::Unasked | Consent::Given(_) => Err(Error::Unconfirmed(Box::new(question)).into()),
    }
}
