//! Gives a token a new value; the id stays. The old value dies at once, or after an overlap.

use chrono::Duration;

use super::{
    Authority, Conflict, Deliver, Delivered, Error, Minted, Thing,
    create_token::expiry,
    decide_on,
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

/// An overlap is for a change of hands, not for keeping an old value.
const LONGEST_OVERLAP: Duration = Duration::days(30);

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
        let (house, delivery) = (self.clone(), self.delivery(asked.deliver.clone()));
        if asked
            .overlap
            .is_some_and(|overlap| overlap > LONGEST_OVERLAP)
        {
            return Err(Error::invalid("overlap", "it is longer than 30 days"));
        }
        self.write(request, move |tx, who| {
            let stake = tx.stake(asked.id)?;
            let whose = stake.as_ref().map(|stake| stake.whose);
            let mut powers = stake.map_or_else(Powers::default, |stake| stake.powers);
            if asked.expires.is_some() {
                powers.expires_at = expiry(who, asked.expires)?;
            }
            let action = Action::RotateToken {
                powers: powers.clone(),
                new_end: asked.expires.is_some(),
                inline: delivery.is_inline(),
            };
            let permit = decide_on(who, action, whose, Target::Token(asked.id))?;
            let mut token = tx
                .token(&permit, asked.id)?
                .ok_or(Error::NotFound(Thing::Token))?;

            let call = Call {
                verb: "rotate_token",
                key: asked.idempotency_key.as_ref(),
                arguments: arguments(&asked),
            };
            let first = call.first(tx, who)?;
            let replayed = first.is_some();
            let mut entry = permit.entry(Target::Token(token.id));
            if let Some(first) = &first {
                entry = entry.because("replayed");
                if !replay::still_waits(tx, &permit, first, &delivery)? {
                    tx.note(&entry);
                    let before = Delivered::Before;
                    return Ok(house.minted(token, who, before, replayed));
                }
            }
            match token.state(who.at()) {
                State::Active | State::Unclaimed => {}
                ended @ (State::Disabled | State::Expired | State::Revoked) => {
                    return Err(Conflict::State(ended).into());
                }
            }
            // Two values are good at a time: a third would end the very one that asks.
            let held = who.presented().filter(|held| held.token.id == token.id);
            if held.is_some_and(|held| held.dies_at.is_some()) {
                return Err(Conflict::Overtaken.into());
            }
            if token.powers != powers {
                token.powers = powers;
                tx.update_token(&token, &entry)?;
            }
            let overlap = asked
                .overlap
                .unwrap_or(if who.token_id() == Some(token.id) {
                    OWN_OVERLAP
                } else {
                    Duration::zero()
                });
            let delivered = house.hand_over(tx, who, &mut token, &delivery, overlap, &entry)?;
            call.keep(tx, who, first, (token.id, &delivered), &entry)?;
            Ok(house.minted(token, who, delivered, replayed))
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
