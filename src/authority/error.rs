//! [`Error`]: the one closed list of why not. Fronts translate it and add nothing.

use std::borrow::Cow;

use super::{Question, Withheld};
use crate::{
    authz::{Denial, Why},
    domain::{
        clock::{self, Time},
        token::State,
    },
    store::{self, Refused},
    vault,
};

/// Why the authority did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody, or nobody known.
    #[error("no valid token was presented")]
    Unauthenticated,
    /// Known, but not allowed.
    #[error("{0}")]
    Denied(Why),
    /// Not there, or not for the asker to know of.
    #[error("there is no such {0} here")]
    NotFound(Thing),
    /// A value that cannot be used.
    #[error("`{field}` cannot be used: {why}")]
    Invalid {
        /// Which argument.
        field: Cow<'static, str>,
        /// What was expected.
        why: String,
    },
    /// It does not go together with how things are.
    #[error("{0}")]
    Conflict(Conflict),
    /// The store is out of reach, busy or not to be opened.
    #[error("the store is unavailable")]
    Store(#[source] store::Error),
    /// The vault cannot seal or open.
    #[error("{0}")]
    Vault(#[source] vault::Error),
    /// A person is to be asked first. Nothing is done, and nothing is written down.
    #[error("a person is to confirm this first")]
    Unconfirmed(Box<Question>),
    /// A person was to be asked, and did not say yes.
    #[error("{0}")]
    Withheld(Withheld),
    /// What a sink said when it was to take a value.
    #[error("the value could not be handed over: {0}")]
    Sink(#[source] std::io::Error),
}

/// What was looked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Thing {
    /// A token.
    Token,
    /// A user's or an app environment's CLI token.
    CliToken,
    /// A claim.
    Claim,
    /// An app environment.
    AppEnv,
    /// A person.
    User,
    /// An account.
    Account,
    /// A person in an account.
    Member,
    /// Something, by a principal who may not know what.
    Something,
}

/// How things are.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Conflict {
    /// The token is in a state in which this cannot be done.
    #[error("the token is {0}")]
    State(State),
    /// The value was picked up before.
    #[error("this claim was used before, at {at}", at = clock::rfc3339(*.0))]
    ClaimUsed(Time),
    /// Nobody came in time.
    #[error("this claim ended at {at}", at = clock::rfc3339(*.0))]
    ClaimOver(Time),
    /// Whoever asked for the value may no longer have it made.
    #[error("whoever asked for this value may not have it made any more")]
    OpenerGone,
    /// The token has a newer value than the one that asks.
    #[error("the token has a newer value than the one that this session presents")]
    Overtaken,
    /// The same key came with other arguments.
    #[error("this `idempotency_key` was used with other arguments")]
    OtherArguments,
    /// The name is taken.
    #[error("the {0} is taken")]
    Taken(&'static str),
    /// The person is in the account already.
    #[error("there is such a member of the account already")]
    Member,
    /// Somebody has the name who is not in the account.
    #[error("the username is taken")]
    KnownElsewhere,
    /// Nobody would be left who may look after the account.
    #[error("nobody else is an active admin of the account")]
    LastAdmin,
}

impl Error {
    /// An argument that cannot be used.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "every caller has an error of its own to give away"
    )]
    pub fn invalid(field: impl Into<Cow<'static, str>>, why: impl ToString) -> Self {
        Self::Invalid {
            field: field.into(),
            why: why.to_string(),
        }
    }

    /// Calls a thing that is not there by its name.
    pub(super) fn naming(self, thing: Thing) -> Self {
        match self {
            Self::NotFound(_) => Self::NotFound(thing),
            other @ (Self::Unauthenticated
            | Self::Denied(_)
            | Self::Invalid { .. }
            | Self::Conflict(_)
            | Self::Store(_)
            | Self::Vault(_)
            | Self::Unconfirmed(_)
            | Self::Withheld(_)
            | Self::Sink(_)) => other,
        }
    }
}

impl Thing {
    /// The thing in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::CliToken => "CLI token",
            Self::Claim => "claim",
            Self::AppEnv => "app environment",
            Self::User => "user",
            Self::Account => "account",
            Self::Member => "member of the account",
            Self::Something => "thing",
        }
    }
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is hidden becomes what is not there, here, so that no front can tell them apart.
impl From<Denial> for Refused<Error> {
    fn from(denial: Denial) -> Self {
        let (why, record) = denial.into_parts();
        let error = match why {
            Why::Unknown => Error::Unauthenticated,
            Why::Hidden => Error::NotFound(Thing::Something),
            Why::Scope(_)
            | Why::Escalation(_)
            | Why::Outlives
            | Why::Widens(_)
            | Why::Prolongs
            | Why::Role(_)
            | Why::NotYours
            | Why::OwnClaim
            | Why::Oneself
            | Why::PersonDisabled
            | Why::OperatorOnly => Error::Denied(why),
        };
        Self {
            error,
            entry: Some(record),
        }
    }
}

/// A refusal that leaves no record.
impl From<Error> for Refused<Error> {
    fn from(error: Error) -> Self {
        Self { error, entry: None }
    }
}

impl From<Conflict> for Refused<Error> {
    fn from(conflict: Conflict) -> Self {
        Error::Conflict(conflict).into()
    }
}

impl From<vault::Error> for Refused<Error> {
    fn from(error: vault::Error) -> Self {
        Error::Vault(error).into()
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl Refused<Error> {
    /// Calls a thing that is not there by its name.
    pub(super) fn naming(mut self, thing: Thing) -> Self {
        self.error = self.error.naming(thing);
        self
    }
}
