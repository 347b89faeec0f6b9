//! Lists tokens: their records, never their values.

use chrono::Duration;

use super::{Authority, Error, For, Thing, decide, place, whom};
use crate::{
    authz::{Action, Permit, Request},
    crypto::digest::Fields,
    domain::{
        clock::Time,
        expires::Since,
        id::TokenId,
        label::Label,
        page::{Cursor, Limit, Page},
        token::{Token, Whose},
    },
    store::{StateFilter, TokenFilter},
};

/// Which tokens, and how many of them.
#[derive(Clone, Debug)]
pub struct ListTokens {
    /// Whose.
    pub of: Of,
    /// With this in their label, whatever the case of its ASCII letters.
    pub query: Option<Label>,
    /// In this state; nothing means those that are unclaimed, active or disabled.
    pub state: Option<StateFilter>,
    /// Made, and not used, for so long.
    pub unused_for: Option<Duration>,
    /// Over within so long.
    pub expiring_within: Option<Duration>,
    /// How many.
    pub limit: Limit,
    /// From where on.
    pub cursor: Option<Cursor>,
}

/// Whose tokens.
#[derive(Clone, Debug)]
pub enum Of {
    /// One's own, or those of whom one names.
    Owner(For),
    /// Everybody's in the account.
    Account,
}

impl Authority {
    /// A page of tokens, newest first, and the moment for which their states are told. Rows that
    /// come and go between two pages are never shown twice, and none that stays is left out.
    pub async fn list_tokens(
        &self,
        request: &Request,
        asked: ListTokens,
    ) -> Result<(Page<Token>, Time), Error> {
        let house = self.clone();
        self.read(request, move |view, who| {
            let (whose, action, thing) = match &asked.of {
                Of::Owner(named) => {
                    let whose = whom::whose(view, who, named)?;
                    let action = Action::ListTokens {
                        account: false,
                        of_env: whom::is_an_envs(who, whose, named),
                    };
                    (whose, action, named.thing())
                }
                Of::Account => {
                    let action = Action::ListTokens {
                        account: true,
                        of_env: false,
                    };
                    (who.account().map(Whose::Account), action, Thing::Account)
                }
            };
            let permit = decide(who, action, whose, thing)?;
            let list = describe(&permit, &asked);
            let before = place(asked.cursor.as_ref(), &list)?;
            let unused_since = asked
                .unused_for
                .map(|long| Since::Ago(long).resolve(who.at()));
            let filter = TokenFilter {
                at: who.at(),
                state: asked.state,
                query: asked.query.clone(),
                unused_since,
                over_by: asked
                    .expiring_within
                    .map(|long| who.at().checked_add_signed(long).unwrap_or(Time::MAX_UTC)),
            };
            let before = before.map(|place| TokenId::from(uuid::Uuid::from_u128(place)));
            let rows = view.tokens(&permit, &filter, before, asked.limit.and_one())?;
            let mut page = Page::cut(rows, asked.limit, &list, |token| {
                token.id.as_uuid().as_u128()
            });
            for token in &mut page.rows {
                house.inner.uses.overlay(token);
            }
            if let Some(since) = unused_since {
                // One that was used just now is in the store as unused for some seconds.
                page.rows
                    .retain(|token| token.last_used_at.is_none_or(|used| used <= since));
            }
            Ok((page, who.at()))
        })
        .await
    }
}

/// What a cursor of this list fits: the same owner and the same filters.
fn describe(permit: &Permit<'_>, asked: &ListTokens) -> Fields {
    Fields::new("tokens")
        .text(&format!("{:?}", permit.whose()))
        .text(&format!("{:?}", asked.state))
        .maybe(asked.query.as_ref().map(Label::as_str), Fields::text)
        .text(&format!("{:?}", asked.unused_for))
        .text(&format!("{:?}", asked.expiring_within))
}
