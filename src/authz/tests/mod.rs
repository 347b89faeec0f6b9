//! The whole policy as a picture, and what must hold of every picture.

mod actions;
mod examples;
mod properties;
mod table;

use chrono::Duration;
use uuid::Uuid;

use super::*;
use crate::domain::{
    account::{Role, Slug},
    actor::Actor,
    audit::Front,
    clock::{Time, from_millis},
    credential::HashedToken,
    id::{AccountId, AppEnvId, TokenId, UserId},
    label::Label,
    scope::{OURS, Reach, Scopes},
    token::{Format, Kind, Owner, OwnerNow, Powers, Present, Presented, Standing, Token},
};

const ROLES: [Role; 2] = [Role::Member, Role::Admin];

fn now() -> Time {
    from_millis(1_800_000_000_000)
}

/// When every token of these tests ends.
fn end() -> Time {
    now() + Duration::days(30)
}

fn account() -> AccountId {
    Uuid::from_u128(1).into()
}

fn other_account() -> AccountId {
    Uuid::from_u128(2).into()
}

fn ann() -> UserId {
    Uuid::from_u128(3).into()
}

fn bob() -> UserId {
    Uuid::from_u128(4).into()
}

fn app_env() -> AppEnvId {
    Uuid::from_u128(5).into()
}

fn other_app_env() -> AppEnvId {
    Uuid::from_u128(6).into()
}

fn own_id() -> TokenId {
    Uuid::from_u128(7).into()
}

fn other_id() -> TokenId {
    Uuid::from_u128(8).into()
}

fn scopes(text: &str) -> Scopes {
    Scopes::parse(text.split_whitespace()).unwrap()
}

/// All that mean something here, and one that does not.
fn all() -> Scopes {
    let ours = OURS.map(|scope| scope.to_string()).join(" ");
    scopes(&format!("{ours} read:notes"))
}

/// Something that every token of these tests lacks, and most local sessions.
fn wide() -> Scopes {
    scopes("read:secrets write:notes")
}

fn request(credential: Credential) -> Request {
    Request::new(credential, Front::Mcp)
}

fn bearer(narrowed: Option<Scopes>) -> Request {
    request(Credential::Token {
        hash: HashedToken::of("x"),
        narrowed,
    })
}

fn standing(role: Role) -> Standing {
    Standing {
        user: ann(),
        account: account(),
        active: true,
        role: Some(role),
    }
}

/// A token that is good until [`end`].
fn presented(scopes: Scopes, owner: Owner, owner_now: OwnerNow) -> Presented {
    Presented {
        token: Token {
            id: own_id(),
            kind: Kind::Pat,
            account: account(),
            owner,
            label: Label::parse("x").unwrap(),
            powers: Powers {
                scopes,
                expires_at: Some(end()),
            },
            created_at: now(),
            created_by: Actor::Operator,
            parent: None,
            last_used_at: None,
            disabled: None,
            revoked_at: None,
            present: Some(Present {
                generation: 1,
                format: Format::Keywright,
                prefix: None,
                generated_at: now(),
            }),
        },
        generation: 1,
        dies_at: None,
        owner: owner_now,
        username: None,
    }
}

fn anns(scopes: Scopes, role: Role) -> Presented {
    presented(scopes, Owner::User(ann()), OwnerNow::User(standing(role)))
}

fn token(scopes: Scopes, role: Role, narrowed: Option<Scopes>) -> Principal {
    let found = Found::Token(anns(scopes, role).into());
    recognize(&bearer(narrowed), found, now()).unwrap()
}

fn app_envs_token() -> Principal {
    let owner = Owner::AppEnv(app_env());
    let found = Found::Token(presented(all(), owner, OwnerNow::AppEnv).into());
    recognize(&bearer(None), found, now()).unwrap()
}

fn place(role: Role) -> Found {
    Found::Place {
        account: Some(account()),
        standing: Some(standing(role)),
    }
}

fn local(text: &str, role: Role) -> Principal {
    let credential = Credential::LocalSession {
        uid: 1000,
        account: Slug::default(),
        reach: Reach::WithEveryService(scopes(text)),
    };
    recognize(&request(credential), place(role), now()).unwrap()
}

fn operator() -> Principal {
    let credential = Credential::Operator {
        uid: 1000,
        account: Slug::default(),
    };
    recognize(&request(credential), place(Role::Admin), now()).unwrap()
}

fn keywright() -> Principal {
    recognize(&request(Credential::Keywright), Found::Nothing, now()).unwrap()
}

fn powers(scopes: Scopes, life: Option<Duration>) -> Powers {
    Powers {
        scopes,
        expires_at: life.map(|life| now() + life),
    }
}

/// Carries nothing, and is over soon.
fn small() -> Powers {
    powers(Scopes::default(), Some(Duration::days(1)))
}

fn update(id: TokenId, change: Change) -> Action {
    Action::UpdateToken { id, change }
}

/// Changes nothing of a token that carries one scope until [`end`].
fn no_change() -> Change {
    let before = powers(scopes("read:tokens"), Some(Duration::days(30)));
    Change {
        powers: before.clone(),
        before,
        relabels: false,
        enables: false,
        disables: false,
        by_person: false,
    }
}
