//! Whether a token is good, for whom, with which scopes: what services and proxies ask (RFC 7662).
//! The hot path.

use std::sync::Arc;

use super::{Authority, Error, Thing, decide};
use crate::{
    authz::{self, Action, Credential, Request},
    domain::{
        credential::HashedToken,
        scope::Scopes,
        token::{Presented, Whose},
    },
};

/// What is known of a token that is good.
#[derive(Debug)]
pub struct Introspected {
    /// The token, and whose it is. Its last use is as it was last written down, not this one.
    pub presented: Arc<Presented>,
    /// What it may do now: its scopes, as far as its owner's rights go.
    pub scopes: Scopes,
}

impl Authority {
    /// For each of `presented`, in their order: the token that has this value, if it is good and in
    /// the account of who asks; `None` otherwise, whatever the reason. All of it is told for one
    /// moment. Leaves no entry. Counts as a use of the tokens.
    pub async fn introspect_tokens(
        &self,
        request: &Request,
        presented: &[impl AsRef<str>],
    ) -> Result<Vec<Option<Introspected>>, Error> {
        let hashes: Vec<_> = presented
            .iter()
            .map(|presented| hash(presented.as_ref()))
            .collect();
        let house = self.clone();
        self.look(request, move |view, who| {
            let whose = who.account().map(Whose::Account);
            let permit = decide(who, Action::IntrospectToken, whose, Thing::Account)?;
            let mut answers = Vec::with_capacity(hashes.len());
            for hash in &hashes {
                let found = match hash {
                    Some(hash) => view.presented(hash, who.at())?,
                    None => None,
                };
                let found = found.filter(|found| {
                    found.is_good(who.at()) && Some(found.token.account) == permit.account()
                });
                answers.push(match found {
                    Some(found) => {
                        house.inner.uses.used(&found, who.at());
                        Some(told(&found))
                    }
                    None => None,
                });
            }
            Ok(answers)
        })
        .await
    }

    /// The token that asks, if it holds all of `scopes` now. What a proxy asks in the name of who
    /// wants to pass. A refusal leaves its entry, as everywhere.
    pub async fn verify_token(
        &self,
        request: &Request,
        scopes: Scopes,
    ) -> Result<Introspected, Error> {
        self.look(request, move |_, who| {
            let whose = who.account().map(Whose::Account);
            let action = Action::VerifyToken(scopes.clone());
            decide(who, action, whose, Thing::Account)?;
            let presented = who.presented().ok_or(Error::NotFound(Thing::Token))?;
            Ok(told(presented))
        })
        .await
    }
}

fn told(presented: &Arc<Presented>) -> Introspected {
    Introspected {
        scopes: authz::effective(&presented.token, presented.owner.role()),
        presented: Arc::clone(presented),
    }
}

/// The print of a value, if it can be one.
fn hash(presented: &str) -> Option<HashedToken> {
    match Credential::bearer(presented, None) {
        Credential::Token { hash, .. } => Some(hash),
        Credential::Nobody
        | Credential::LocalSession { .. }
        | Credential::Operator { .. }
        | Credential::Keywright => None,
    }
}
