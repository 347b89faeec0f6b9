//! Reads one token's record, never its value.

use super::{Authority, Error, For, Thing, decide, decide_on, whom};
use crate::{
    authz::{Action, Request},
    domain::{audit::Target, clock::Time, id::TokenId, token::Token},
};

impl Authority {
    /// The token, and the moment for which its state is told.
    pub async fn get_token(&self, request: &Request, id: TokenId) -> Result<(Token, Time), Error> {
        let house = self.clone();
        self.look(request, move |view, who| {
            let whose = view.stake(id)?.map(|stake| stake.whose);
            let permit = decide_on(who, Action::GetToken, whose, Target::Token(id))?;
            let mut token = view
                .token(&permit, id)?
                .ok_or(Error::NotFound(Thing::Token))?;
            house.inner.uses.overlay(&mut token);
            Ok((token, who.at()))
        })
        .await
    }

    /// The CLI token of whoever asks, or of whom they name, and the moment for which its state is
    /// told.
    pub async fn get_cli_token(&self, request: &Request, of: For) -> Result<(Token, Time), Error> {
        let house = self.clone();
        self.look(request, move |view, who| {
            let whose = whom::whose(view, who, &of)?;
            let permit = decide(who, Action::GetToken, whose, Thing::CliToken)?;
            let not_there = || Error::NotFound(Thing::CliToken);
            let (Some(account), Some(owner)) = (permit.account(), permit.owner()) else {
                return Err(not_there().into());
            };
            let id = view.cli_token(account, owner)?.ok_or_else(not_there)?;
            let mut token = view.token(&permit, id)?.ok_or_else(not_there)?;
            house.inner.uses.overlay(&mut token);
            Ok((token, who.at()))
        })
        .await
    }
}
