//! Makes the value at the moment a person picks it up, and hands it to a sink.
//!
//! The sink is prepared first, then the claim is committed, then the value is published. If that
//! fails, the claim waits again.

use std::{io, sync::Arc};

use super::{
    Authority, Conflict, Deliver, Error, Thing, decide,
    deliver::{self, Delivery},
    missing,
};
use crate::{
    authz::{self, Action, Entry, Found, Permit, Principal, Request},
    domain::{
        actor::Actor,
        audit::Target,
        claim::{Claim, HashedCode},
        clock::Time,
        credential::PlainToken,
        id::TokenId,
        scope::Scopes,
        token::{Powers, State, Token, Whose},
    },
    store::{Refused, Tx},
};

/// Where a value goes.
pub trait Sink: Send {
    /// Makes sure that the value can be published, and shows nothing yet.
    fn prepare(&mut self) -> io::Result<()>;
    /// Learns whose value it is going to be, once that is committed.
    fn learn(&mut self, _: &Claimed) {}
    /// Publishes the value.
    fn publish(&mut self, value: &PlainToken) -> io::Result<()>;
    /// Undoes what was prepared, since there will be no value.
    fn withdraw(&mut self);
    /// What it is called in the audit trail. Never the value, nor a part of it.
    fn name(&self) -> String;
}

/// Which claim is meant.
#[derive(Clone, Copy, Debug)]
pub enum ClaimRef {
    /// The one with this code.
    Code(HashedCode),
    /// The one that waits for this token: chosen by eye, so that there is no code to phish.
    Token(TokenId),
}

/// A pick-up that has happened.
#[derive(Debug)]
pub struct Claimed {
    /// The token, which has its value now.
    pub token: Token,
    /// The moment for which its state is told.
    pub at: Time,
}

/// A pick-up that waits.
#[derive(Debug)]
pub struct WaitingClaim {
    /// Of which token.
    pub token: Token,
    /// Who asked for it.
    pub opened_by: Actor,
    /// When.
    pub opened_at: Time,
    /// Until when it waits.
    pub expires_at: Time,
    /// The moment for which the token's state is told.
    pub at: Time,
}

impl Authority {
    /// What waits to be picked up, the oldest first: for a person at the shell all that does in the
    /// account, for a token that of its owner.
    pub async fn list_claims(&self, request: &Request) -> Result<Vec<WaitingClaim>, Error> {
        self.read(request, |view, who| {
            let whose = if who.is_person() {
                who.account().map(Whose::Account)
            } else {
                who.whose()
            };
            let permit = decide(who, Action::ListClaims, whose, Thing::Account)?;
            let waiting = view.open_claims(&permit, who.at())?;
            Ok(waiting
                .into_iter()
                .map(|(claim, token)| WaitingClaim {
                    token,
                    opened_by: claim.opened_by,
                    opened_at: claim.opened_at,
                    expires_at: claim.expires_at,
                    at: who.at(),
                })
                .collect())
        })
        .await
    }

    /// Picks a value up into `sink`.
    pub async fn claim_token(
        &self,
        request: &Request,
        claim: ClaimRef,
        sink: &mut dyn Sink,
    ) -> Result<Claimed, Error> {
        sink.prepare().map_err(Error::Sink)?;
        let delivery = Arc::new(self.delivery(Deliver::Inline));
        let committed = self
            .commit(request, claim, Arc::clone(&delivery), sink.name())
            .await;
        let (claimed, claim) = match committed {
            Ok(committed) => committed,
            Err(error) => {
                sink.withdraw();
                return Err(error);
            }
        };
        sink.learn(&claimed);
        if let Err(error) = sink.publish(&delivery.value(&claimed.token)) {
            sink.withdraw();
            if let Err(why) = self.let_wait_again(request, claimed.token, claim).await {
                tracing::error!(%why, "a claim whose value reached nobody could not be opened again");
            }
            return Err(Error::Sink(error));
        }
        Ok(claimed)
    }

    async fn commit(
        &self,
        request: &Request,
        claim: ClaimRef,
        delivery: Arc<Delivery>,
        sink: String,
    ) -> Result<(Claimed, Claim), Error> {
        let house = self.clone();
        self.write(request, move |tx, who| {
            let (claim, permit, mut token, entry) = look_up(tx, who, claim)?;
            let failed = |why: Conflict| {
                let record = permit.failure(Some(Target::Token(token.id)), &why.to_string());
                Refused {
                    error: Error::Conflict(why),
                    entry: Some(record),
                }
            };
            if let Some(at) = claim.used_at {
                return Err(failed(Conflict::ClaimUsed(at)));
            }
            match token.state(who.at()) {
                State::Active | State::Unclaimed => {}
                state @ (State::Disabled | State::Expired | State::Revoked) => {
                    return Err(failed(Conflict::State(state)));
                }
            }
            if who.at() >= claim.expires_at {
                return Err(failed(Conflict::ClaimOver(claim.expires_at)));
            }
            if !is_opener_good(tx, who, &claim, &token)? {
                return Err(failed(Conflict::OpenerGone));
            }
            let plain = delivery.value(&token);
            let entry = entry.because(format!("to {sink}"));
            let value = house.next_value(tx, &token, &plain, who.at())?;
            let overlap_ends = deliver::end(who.at(), claim.overlap);
            tx.put_value(token.id, &value, overlap_ends, &entry)?;
            tx.use_claim(&claim.code, Some(who.at()), &entry)?;
            token.present = Some(value.present);
            let claimed = Claimed {
                token,
                at: who.at(),
            };
            Ok((claimed, claim))
        })
        .await
    }

    /// Takes back what was committed, since the value reached nobody.
    async fn let_wait_again(
        &self,
        request: &Request,
        done: Token,
        claim: Claim,
    ) -> Result<(), Error> {
        self.write(request, move |tx, who| {
            let waits = Some((done.whose(), done.powers.scopes.clone()));
            let permit = permitted(who, Some(done.id), waits, Some(claim.opened_by))?;
            let entry = permit
                .entry(Target::Token(done.id))
                .because("taken back: the value could not be handed over");
            let generation = |token: &Token| token.present.as_ref().map(|p| p.generation);
            let there = tx.token(&permit, done.id)?;
            let Some(given) = generation(&done) else {
                return Ok(());
            };
            // Somebody may have renewed or ended the token in the meantime; that stands.
            let there = there.filter(|token| token.revoked_at.is_none());
            // The value before may be gone, if two hand-overs failed at once: then this one stays,
            // lest the token be left with none.
            let is_safe = given == 1 || tx.has_value(&permit, done.id, given - 1)?;
            if is_safe && there.as_ref().and_then(generation) == Some(given) {
                tx.take_back_value(done.id, given, &entry)?;
                let other = tx.claim_of(&permit, done.id)?;
                if other.is_none_or(|claim| claim.used_at.is_some()) {
                    tx.use_claim(&claim.code, None, &entry)?;
                }
            }
            Ok(())
        })
        .await
    }
}

fn look_up<'tx>(
    tx: &mut Tx,
    who: &'tx Principal,
    named: ClaimRef,
) -> Result<(Claim, Permit<'tx>, Token, Entry<'tx>), Refused<Error>> {
    let by_code = match named {
        ClaimRef::Code(code) => tx.claim(&code)?,
        ClaimRef::Token(_) => None,
    };
    let id = match (named, &by_code) {
        (ClaimRef::Token(id), _) => Some(id),
        (ClaimRef::Code(_), found) => found.as_ref().map(|claim| claim.token),
    };
    let stake = match id {
        Some(id) => tx.stake(id)?,
        None => None,
    };
    let waits = stake.map(|stake| (stake.whose, stake.powers.scopes));
    let opened_by = by_code.as_ref().map(|claim| claim.opened_by);
    let mut permit = permitted(who, id, waits.clone(), opened_by)?;
    let not_there = Error::NotFound(Thing::Claim);
    let Some(id) = id else {
        return Err(not_there.into());
    };
    let claim = match by_code {
        Some(claim) => Some(claim),
        None => tx.claim_of(&permit, id)?,
    };
    match (claim, tx.token(&permit, id)?) {
        (Some(claim), Some(token)) => {
            if opened_by.is_none() {
                // Who asked for it is known only now, where it was chosen by its token.
                permit = permitted(who, Some(id), waits, Some(claim.opened_by))?;
            }
            let entry = permit.entry(Target::Token(id));
            Ok((claim, permit, token, entry))
        }
        (None, _) | (_, None) => Err(missing(&permit, Thing::Claim)),
    }
}

/// May `who` pick up the value that `waits` for the token `id`: whose it is, and what it carries?
fn permitted(
    who: &Principal,
    id: Option<TokenId>,
    waits: Option<(Whose, Scopes)>,
    opened_by: Option<Actor>,
) -> Result<Permit<'_>, Refused<Error>> {
    let (whose, scopes) = waits.unzip();
    let scopes = scopes.unwrap_or_default();
    let action = Action::ClaimToken {
        id,
        scopes,
        opened_by,
    };
    decide(who, action, whose, Thing::Claim)
}

/// Whether who asked for the value could ask for it now.
fn is_opener_good(
    tx: &mut Tx,
    who: &Principal,
    claim: &Claim,
    token: &Token,
) -> Result<bool, Refused<Error>> {
    let found = match claim.opened_by {
        Actor::Token(id) => tx.presented_by_id(id)?.map_or(Found::Nothing, Found::Token),
        Actor::Local(user) => Found::Place {
            account: Some(token.account),
            standing: tx.standing(user, token.account)?,
        },
        Actor::Operator => Found::Place {
            account: Some(token.account),
            standing: None,
        },
        Actor::Keywright | Actor::Nobody => Found::Nothing,
    };
    let Some(opener) = authz::recognize_opener(claim.opened_by, found, who) else {
        return Ok(false);
    };
    let action = Action::RotateToken {
        powers: Powers::clone(&token.powers),
        new_end: false,
        inline: false,
    };
    Ok(authz::decide(&opener, action, token.whose()).is_ok())
}
