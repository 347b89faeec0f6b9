//! Who is asking, and what each action would say.

use super::{Authority, Error, Thing, decide};
use crate::{
    authz::{self, Action, Request, Why},
    domain::{
        account::{Account, Role},
        clock::Time,
        scope::Reach,
        token::{HeldValue, Token, Whose},
        user::User,
    },
};

/// Who is asking.
#[derive(Debug)]
pub struct Whoami {
    /// The person that it acts for.
    pub user: Option<User>,
    /// Where.
    pub account: Account,
    /// What that person is there now.
    pub role: Option<Role>,
    /// The token that was presented.
    pub token: Option<Token>,
    /// Which of its values.
    pub value: Option<HeldValue>,
    /// What it holds.
    pub reach: Reach,
    /// Until when it may ask.
    pub expires_at: Option<Time>,
    /// The actions with one's own things, and what is missing where one could not.
    pub outlook: Vec<(&'static str, Option<Why>)>,
    /// The moment for which all this is told.
    pub at: Time,
}

impl Authority {
    /// Who is asking.
    pub async fn whoami(&self, request: &Request) -> Result<Whoami, Error> {
        let house = self.clone();
        self.look(request, move |view, who| {
            let whose = who.account().map(Whose::Account);
            let permit = decide(who, Action::Whoami, whose, Thing::Account)?;
            let mut token = who.token().cloned();
            if let Some(token) = &mut token {
                house.inner.uses.overlay(token);
            }
            Ok(Whoami {
                user: match who.user() {
                    Some(user) => view.user(&permit, user)?,
                    None => None,
                },
                account: view
                    .account(&permit)?
                    .ok_or(Error::NotFound(Thing::Account))?,
                role: who.role(),
                token,
                value: who.presented().map(|presented| presented.held()),
                reach: who.reach().clone(),
                expires_at: who.expires_at(),
                outlook: authz::outlook(who),
                at: who.at(),
            })
        })
        .await
    }
}
