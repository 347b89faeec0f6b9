//! What makes a call harmless to repeat: the same key and arguments come to the same token,
//! decided anew, and never to its value again.

use super::{
    Conflict, Error,
    deliver::{Delivered, Delivery},
};
use crate::{
    authz::{Entry, Permit, Principal},
    crypto::digest::{self, Digest},
    domain::{id::TokenId, idempotency, idempotency::IdempotencyKey},
    store::{Refused, Replay, Tx},
};

/// A call that may be a repetition.
pub(super) struct Call<'a> {
    pub(super) verb: &'static str,
    pub(super) key: Option<&'a IdempotencyKey>,
    pub(super) arguments: Digest,
}

impl Call<'_> {
    /// The first call, if this is a repetition of it.
    pub(super) fn first(
        &self,
        tx: &mut Tx,
        who: &Principal,
    ) -> Result<Option<Replay>, Refused<Error>> {
        let Some(key) = self.key else {
            return Ok(None);
        };
        let first = tx.replay(who.actor(), self.verb, &kept(who, key))?;
        let Some(first) = first.filter(|first| who.at() < first.at + idempotency::LIFE) else {
            return Ok(None);
        };
        if !digest::equal(&first.arguments, &self.arguments) {
            return Err(Conflict::OtherArguments.into());
        }
        Ok(Some(first))
    }

    /// Keeps the key, and what came of the call: of the `first` one, if this is a repetition.
    pub(super) fn keep(
        &self,
        tx: &mut Tx,
        who: &Principal,
        first: Option<Replay>,
        came: (TokenId, &Delivered),
        entry: &Entry<'_>,
    ) -> Result<(), Refused<Error>> {
        let Some(key) = self.key else {
            return Ok(());
        };
        let (token, delivered) = came;
        let claim = match delivered {
            Delivered::Claim { code, .. } => Some(code.hashed()),
            Delivered::Value(_) | Delivered::Before => None,
        };
        let replay = Replay {
            holder: who.actor(),
            verb: self.verb,
            key: kept(who, key),
            arguments: self.arguments,
            token,
            claim,
            at: first.map_or(who.at(), |first| first.at),
        };
        Ok(tx.keep_replay(&replay, entry)?)
    }
}

/// The key as it is kept: the same local user may use it in several accounts.
fn kept(who: &Principal, key: &IdempotencyKey) -> String {
    let account = who.account().map(|id| id.to_string()).unwrap_or_default();
    format!("{account} {}", key.as_str())
}

/// Whether the claim that the first call opened still waits, so that the repetition may give a
/// fresh code for it.
pub(super) fn still_waits(
    tx: &mut Tx,
    permit: &Permit<'_>,
    first: &Replay,
    delivery: &Delivery,
) -> Result<bool, Refused<Error>> {
    let at = permit.principal().at();
    let claim = tx.claim_of(permit, first.token)?;
    let is_the_firsts = claim.is_some_and(|claim| {
        claim.used_at.is_none() && at < claim.expires_at && first.claim == Some(claim.code)
    });
    Ok(is_the_firsts && !delivery.is_inline())
}
