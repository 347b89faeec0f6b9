//! What is asked for, as plain as it can be, to be changed where a test is about it.

use keywright::{
    authority::{
        ClaimRef, Consent, Deliver, For, ListTokens, NewToken, Of, Revoke, Rotate, Update,
    },
    domain::{
        app_env::AppEnvRef, claim::ClaimCode, id::TokenId, label::Label, page::Limit, scope::Scopes,
    },
};

pub(crate) fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

pub(crate) fn scopes(text: &str) -> Scopes {
    Scopes::parse(text.split_whitespace()).unwrap()
}

/// A token for oneself that carries nothing and waits to be claimed.
pub(crate) fn token(name: &str) -> NewToken {
    NewToken {
        owner: For::Me,
        label: label(name),
        scopes: Scopes::default(),
        expires: None,
        deliver: Deliver::Claim,
        idempotency_key: None,
    }
}

/// The same, with these scopes.
pub(crate) fn carrying(held: &str) -> NewToken {
    NewToken {
        scopes: scopes(held),
        ..token("child")
    }
}

/// A change that changes nothing yet.
pub(crate) fn update(id: TokenId) -> Update {
    Update {
        id,
        label: None,
        scopes: None,
        expires: None,
        enabled: None,
    }
}

/// A rotation whose value waits to be claimed.
pub(crate) fn rotate(id: TokenId) -> Rotate {
    Rotate {
        id,
        overlap: None,
        deliver: Deliver::Claim,
        idempotency_key: None,
        expires: None,
    }
}

pub(crate) fn revoke(id: TokenId) -> Revoke {
    Revoke {
        consent: Consent::CannotAsk,
        id,
        cascade: false,
        allow_self: false,
    }
}

/// One's own tokens, as many as fit.
pub(crate) fn list() -> ListTokens {
    ListTokens {
        of: Of::Owner(For::Me),
        query: None,
        state: None,
        unused_for: None,
        expiring_within: None,
        limit: Limit::default(),
        cursor: None,
    }
}

/// An app environment by its name for a CLI.
pub(crate) fn env_named(name: &str) -> For {
    For::AppEnv(AppEnvRef::Name(name.parse().unwrap()))
}

pub(crate) fn by_code(code: &str) -> ClaimRef {
    ClaimRef::Code(code.parse::<ClaimCode>().unwrap().hashed())
}
