//! A credential becomes a [`Principal`], inside the transaction that acts.

use super::Error;
use crate::{
    authz::{self, Credential, Found, Principal, Request},
    domain::clock::Time,
    store::{Reads, Refused},
};

/// Who asks, now?
pub(super) fn authenticate(
    view: &mut (impl Reads + ?Sized),
    request: &Request,
    now: Time,
) -> Result<Principal, Refused<Error>> {
    let found = match &request.credential {
        Credential::Token { hash, .. } => view
            .presented(hash, now)?
            .map_or(Found::Nothing, Found::Token),
        Credential::LocalSession { uid, account, .. } | Credential::Operator { uid, account } => {
            let (account, standing) = view.place(account, *uid)?;
            Found::Place { account, standing }
        }
        Credential::Nobody | Credential::Keywright => Found::Nothing,
    };
    let who = authz::recognize(request, found, now)?;
    request.recognized(&who);
    Ok(who)
}
