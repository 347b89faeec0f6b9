//! Gives a token a new value; the id stays. The old value dies at once, or after an overlap.

use chrono::Duration;

use super::{
    Authority, Conflict, Deliver, Delivered, Error, Minted, Thing,
    create_token::expiry,
    decide,
    replay::{self, Call},
};
use crate::{
    authz::{Action, Request},
    crypto::digest::{Digest, Fields},
    domain::{
        audit::Target,
        expires::Expires,
        id::TokenId,
        idempotency::IdempotencyKey,
        token::{Powers, State},
    },
};

/// How long the old value of one's own token stays good when nothing is said.
const OWN_OVERLAP: Duration = Duration::hours(1);

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Rotate {
    /// Which token.
    pub id: TokenId,
    /// How long the old value stays good; nothing means an hour for one's own, else no time.
    pub overlap: Option<Duration>,
    /// How the new value is to reach its user.
    pub deliver: Deliver,
    /// What makes a repeated call answer with the same rotation.
    pub idempotency_key: Option<IdempotencyKey>,
    /// A new expiry. Only a person may give one.
    pub expires: Option<Expires>,
}

impl Authority {
    /// Gives a token a new value, or opens the claim in which it gets one.
    pub async fn rotate_token(&self, request: &Request, asked: Rotate) -> Result<Minted, Error> {
        let (house, delivery) = (self.clone(), self.delivery(asked.deliver));
        self.write(request, move |tx, who| {
            let stake = tx.stake(asked.id)?;
            let (whose, mut powers) = match stake {
                Some(stake) => (Some(stake.whose), stake.powers),
                None => (None, Powers::default()),
            };
            if who.is_person() && asked.expires.is_some() {
                powers.expires_at = expiry(who, asked.expires)?;
            } else if asked.expires.is_some() {
                return Err(Error::invalid("expires", "no token lengthens a life").into());
            }
            let action = Action::RotateToken {
                powers: powers.clone(),
                inline: delivery.is_inline(),
            };
            let permit = decide(who, action, whose, Thing::Token)?;
            let mut token = tx
                .token(&permit, asked.id)?
                .ok_or(Error::NotFound(Thing::Token))?;

            let call = Call::new(
                "rotate_token",
                asked.idempotency_key.as_ref(),
                arguments(&asked),
            );
            let replayed = replay::of(tx, &permit, &call)?.is_some();
            let mut entry = permit.entry(Target::Token(token.id));
            if replayed {
                entry = entry.because("replayed");
                if !replay::may_reopen(tx, &permit, &token, &delivery)? {
                    tx.note(&entry);
                    house.uses.overlay(&mut token);
                    return Ok(Minted {
                        token,
                        at: who.at(),
                        delivered: Delivered::Before,
                        replayed,
                    });
                }
            }
            match token.state(who.at()) {
                State::Active | State::Unclaimed => {}
                ended @ (State::Disabled | State::Expired | State::Revoked) => {
                    return Err(Conflict::State(ended).into());
                }
            }
            if token.powers != powers {
                token.powers = powers;
                tx.update_token(&token, &entry)?;
            }
            let is_own = who.token_id() == Some(token.id);
            let overlap = asked.overlap.unwrap_or(if is_own {
                OWN_OVERLAP
            } else {
                Duration::zero()
            });
            replay::keep(tx, &permit, &call, token.id, &entry)?;
            let delivered = house.hand_over(tx, who, &mut token, &delivery, overlap, &entry)?;
            house.uses.overlay(&mut token);
            Ok(Minted {
                token,
                at: who.at(),
                delivered,
                replayed,
            })
        })
        .await
    }
}

fn arguments(asked: &Rotate) -> Digest {
    let overlap = asked.overlap.map(|overlap| overlap.num_milliseconds());
    let expires = asked.expires.map(|expires| format!("{expires:?}"));
    Fields::new("rotate_token")
        .text(&asked.id.to_string())
        .maybe(overlap, Fields::number)
        .text(&format!("{:?}", asked.deliver))
        .maybe(expires.as_deref(), Fields::text)
        .finish()
}
