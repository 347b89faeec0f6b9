//! What makes a call harmless to repeat: the same key and arguments come to the same token,
//! decided anew, and never to its value again.

use super::{Conflict, Error, deliver::Delivery};
use crate::{
    authz::{Entry, Permit},
    crypto::digest::{self, Digest},
    domain::{
        id::TokenId,
        idempotency::{self, IdempotencyKey},
        token::Token,
    },
    store::{Refused, Replay, Tx},
};

/// A call that may be a repetition.
pub(super) struct Call<'a> {
    verb: &'static str,
    key: Option<&'a IdempotencyKey>,
    arguments: Digest,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        verb: &'static str,
        key: Option<&'a IdempotencyKey>,
        arguments: Digest,
    ) -> Self {
        Self {
            verb,
            key,
            arguments,
        }
    }
}

/// The token that came of the first call, if this is a repetition.
pub(super) fn of(
    tx: &mut Tx,
    permit: &Permit<'_>,
    call: &Call<'_>,
) -> Result<Option<Token>, Refused<Error>> {
    let Some(key) = call.key else {
        return Ok(None);
    };
    let Some(first) = tx.replay(permit, call.verb, key.as_str())? else {
        return Ok(None);
    };
    if permit.principal().at() >= first.at + idempotency::LIFE {
        return Ok(None);
    }
    if !digest::equal(&first.arguments, &call.arguments) {
        return Err(Conflict::OtherArguments.into());
    }
    Ok(tx.token(permit, first.token)?)
}

/// Keeps the key of a first call.
pub(super) fn keep(
    tx: &mut Tx,
    permit: &Permit<'_>,
    call: &Call<'_>,
    token: TokenId,
    entry: &Entry<'_>,
) -> Result<(), Refused<Error>> {
    let Some(key) = call.key else {
        return Ok(());
    };
    let who = permit.principal();
    let replay = Replay {
        holder: who.actor(),
        verb: call.verb,
        key: key.as_str().to_owned(),
        arguments: call.arguments,
        token,
        at: who.at(),
    };
    Ok(tx.keep_replay(&replay, entry)?)
}

/// Whether the first call's claim still waits, so that the repetition may give a fresh code for it.
pub(super) fn may_reopen(
    tx: &mut Tx,
    permit: &Permit<'_>,
    token: &Token,
    delivery: &Delivery,
) -> Result<bool, Refused<Error>> {
    if delivery.is_inline() {
        return Ok(false);
    }
    let at = permit.principal().at();
    let claim = tx.claim_of(permit, token.id)?;
    Ok(claim.is_some_and(|claim| claim.used_at.is_none() && at < claim.expires_at))
}
