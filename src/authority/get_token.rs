//! Reads one token's record, never its value.

use super::{Authority, Error, Thing, decide};
use crate::{
    authz::{Action, Request},
    domain::{clock::Time, id::TokenId, token::Token},
};

impl Authority {
    /// The token, and the moment for which its state is told.
    pub async fn get_token(&self, request: &Request, id: TokenId) -> Result<(Token, Time), Error> {
        let house = self.clone();
        self.read(request, move |view, who| {
            let whose = view.stake(id)?.map(|stake| stake.whose);
            let permit = decide(who, Action::GetToken, whose, Thing::Token)?;
            let mut token = view
                .token(&permit, id)?
                .ok_or(Error::NotFound(Thing::Token))?;
            house.uses.overlay(&mut token);
            Ok((token, who.at()))
        })
        .await
    }
}
