//! Whether some token is good, for whom, with which scopes: what services ask (RFC 7662).

use super::{Authority, Error, Thing, decide};
use crate::{
    authz::{self, Action, Credential, Request},
    domain::{
        scope::Scopes,
        token::{Owner, Token, Whose},
        user::Username,
    },
};

/// What is known of a token that is good.
#[derive(Debug)]
pub struct Introspected {
    /// The token.
    pub token: Token,
    /// What it may do now: its scopes, as far as its owner's rights go.
    pub scopes: Scopes,
    /// Whose it is, if it is a person's.
    pub username: Option<Username>,
}

impl Authority {
    /// The token that has this value, if it is good and in the account of who asks; `None`
    /// otherwise, whatever the reason. Leaves no entry. Counts as a use of the token.
    pub async fn introspect_token(
        &self,
        request: &Request,
        presented: &str,
    ) -> Result<Option<Introspected>, Error> {
        let hash = match Credential::bearer(presented, None) {
            Credential::Token { hash, .. } => Some(hash),
            Credential::Nobody
            | Credential::LocalSession { .. }
            | Credential::Operator { .. }
            | Credential::Keywright => None,
        };
        let house = self.clone();
        self.read(request, move |view, who| {
            let whose = who.account().map(Whose::Account);
            let permit = decide(who, Action::IntrospectToken, whose, Thing::Account)?;
            let found = match &hash {
                Some(hash) => view.presented(hash)?,
                None => None,
            };
            let Some(found) = found.filter(|found| {
                found.is_good(who.at()) && Some(found.token.account) == permit.account()
            }) else {
                return Ok(None);
            };
            house.uses.used(&found.token, found.generation, who.at());
            let user = match found.token.owner {
                Owner::User(user) => view.user(&permit, user)?,
                Owner::AppEnv(_) => None,
            };
            let scopes = authz::effective(&found);
            let mut token = found.token;
            house.uses.overlay(&mut token);
            Ok(Some(Introspected {
                token,
                scopes,
                username: user.map(|user| user.username),
            }))
        })
        .await
    }
}
