//! Makes a token; its value leaves in the answer, or waits to be claimed, and is kept nowhere.

use chrono::Duration;

use super::{
    Authority, Deliver, Delivered, Error, For, Minted, Thing, decide,
    replay::{self, Call},
    whom,
};
use crate::{
    authz::{Action, Permit, Principal, Request},
    crypto::digest::{Digest, Fields},
    domain::{
        audit::Target,
        clock::Time,
        expires::{self, Expires},
        id::TokenId,
        idempotency::IdempotencyKey,
        label::Label,
        scope::Scopes,
        token::{Kind, Powers, State, Token, Whose},
    },
    store::Refused,
};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// For whom.
    pub owner: For,
    /// What it is to be called.
    pub label: Label,
    /// What it is to carry.
    pub scopes: Scopes,
    /// Until when; nothing means 90 days, or what is left of the asker's life if that is shorter.
    /// Through a profile it means as long as the asker, for those products' tokens do not end.
    pub expires: Option<Expires>,
    /// How its value is to reach its user.
    pub deliver: Deliver,
    /// What makes a repeated call answer with the same token.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl Authority {
    /// Makes a token for whoever asks, or whom they name.
    pub async fn create_token(&self, request: &Request, new: NewToken) -> Result<Minted, Error> {
        let (house, id, delivery) = (
            self.clone(),
            TokenId::fresh(),
            self.delivery(new.deliver.clone()),
        );
        self.write(request, move |tx, who| {
            let call = Call {
                verb: "create_token",
                key: new.idempotency_key.as_ref(),
                arguments: arguments(&new),
            };
            // What came of a first call is decided anew as it is now, and not as it was asked for.
            let first = call.first(tx, who)?;
            let made = match &first {
                Some(first) => tx.stake(first.token)?,
                None => None,
            };
            let first = first.filter(|_| made.is_some());
            let (whose, powers) = match made {
                Some(made) => (Some(made.whose), made.powers),
                None => (
                    whom::whose(tx, who, &new.owner)?,
                    Powers {
                        scopes: new.scopes.clone(),
                        expires_at: match (new.expires, delivery.profile()) {
                            (None, Some(_)) => who.expires_at(),
                            (asked, _) => expiry(who, asked)?,
                        },
                    },
                ),
            };
            let action = Action::CreateToken {
                powers: powers.clone(),
                inline: delivery.inline(),
                for_env: whom::is_an_envs(who, whose, &new.owner),
            };
            let permit = decide(who, action, whose, new.owner.thing())?;

            let id = first.as_ref().map_or(id, |first| first.token);
            let mut entry = permit.entry(Target::Token(id));
            if let Some(profile) = delivery.profile() {
                entry = entry.because(format!("through the profile `{profile}`"));
            }
            let replayed = first.is_some();
            let mut token = if replayed {
                entry = entry.because("replayed");
                tx.token(&permit, id)?
                    .ok_or(Error::NotFound(Thing::Token))?
            } else {
                let token = make(&permit, id, &new.label, powers)?;
                tx.insert_token(&token, &entry)?;
                token
            };
            let gives = match &first {
                Some(first) => {
                    token.state(who.at()) == State::Unclaimed
                        && replay::still_waits(tx, &permit, first, &delivery)?
                }
                None => true,
            };
            let delivered = if gives {
                let none = Duration::zero();
                let delivered = house.hand_over(tx, who, &mut token, &delivery, none, &entry)?;
                call.keep(tx, who, first, (id, &delivered), &entry)?;
                delivered
            } else {
                tx.note(&entry);
                Delivered::Before
            };
            Ok(house.minted(token, who, delivered, replayed))
        })
        .await
    }
}

/// Until when the new token is to live.
pub(super) fn expiry(
    who: &Principal,
    asked: Option<Expires>,
) -> Result<Option<Time>, Refused<Error>> {
    if let Some(asked) = asked {
        Ok(asked
            .resolve(who.at())
            .map_err(|why| Error::invalid("expires", why))?)
    } else {
        let usual = who.at() + expires::USUAL;
        Ok(Some(who.expires_at().map_or(usual, |end| end.min(usual))))
    }
}

fn make(
    permit: &Permit<'_>,
    id: TokenId,
    label: &Label,
    powers: Powers,
) -> Result<Token, Refused<Error>> {
    let Whose::Owner(account, owner) = permit.whose() else {
        return Err(Error::NotFound(Thing::User).into());
    };
    let who = permit.principal();
    Ok(Token {
        id,
        kind: Kind::Pat,
        account,
        owner,
        label: label.clone(),
        powers,
        created_at: who.at(),
        created_by: who.actor(),
        parent: who.token_id(),
        last_used_at: None,
        disabled: None,
        revoked_at: None,
        present: None,
    })
}

fn arguments(new: &NewToken) -> Digest {
    let expires = new.expires.map(|expires| format!("{expires:?}"));
    Fields::new("create_token")
        .text(&format!("{:?}", new.owner))
        .text(new.label.as_str())
        .text(&new.scopes.to_string())
        .maybe(expires.as_deref(), Fields::text)
        .text(&format!("{:?}", new.deliver))
        .finish()
}
