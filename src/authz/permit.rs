//! What only a decision can make: [`Permit`], [`Denial`], and the [`Entry`] of a change.

use std::{marker::PhantomData, mem::Discriminant};

use super::{Action, Missed, Principal};
use crate::domain::{
    account::Role,
    actor::Actor,
    audit::{Chain, Front, Outcome, Target},
    clock::Time,
    id::{AccountId, RequestId, UserId},
    scope::Scope,
    token::{Owner, Whose},
};

/// Proof that [`super::decide`] said yes. Only the decision can make one.
///
/// It borrows the principal, which lives as long as its transaction, so that no later transaction
/// can act on it.
#[derive(Debug)]
pub struct Permit<'tx> {
    pub(super) principal: &'tx Principal,
    pub(super) whose: Whose,
    pub(super) action: Action,
}

/// Proof that somebody was told no, and why. It leaves a record, too.
#[derive(Debug)]
pub struct Denial {
    pub(super) why: Why,
    pub(super) record: Box<Record>,
}

/// The reasons there are.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Why {
    /// Nobody we know, or nobody any more.
    #[error("no valid token was presented")]
    Unknown,
    /// The principal lacks a scope.
    #[error("this needs the scope `{0}`")]
    Scope(Scope),
    /// The token would carry a scope that the principal lacks.
    #[error("a token cannot give or use the scope `{0}`, which it lacks itself")]
    Escalation(Scope),
    /// The token would outlive the principal.
    #[error("a token cannot give a longer life than its own")]
    Outlives,
    /// An update would add a scope.
    #[error("an update only takes scopes away, and this would add `{0}`")]
    Widens(Scope),
    /// An update would make a life longer.
    #[error("only a person gives a token a longer life, and only with a new value")]
    Prolongs,
    /// The thing is not the principal's to know of.
    #[error("there is no such thing here")]
    Hidden,
    /// The person lacks a role in the account.
    #[error("this needs the role `{}` in the account", .0.as_str())]
    Role(Role),
    /// It may be looked after, but this may only its owner do.
    #[error("only its owner may do this with another member's token")]
    NotYours,
    /// What a token asked for, or is to become, is picked up by somebody else.
    #[error("a token picks up neither its own value nor one that it asked for")]
    OwnClaim,
    /// A token does not end or switch off itself by accident.
    #[error("this would end the very token that asks")]
    Oneself,
    /// What a person switched off, a person switches on.
    #[error("a person disabled this token, and only a person enables it again")]
    PersonDisabled,
    /// Only at the machine's shell.
    #[error("this is done at the machine's shell")]
    OperatorOnly,
}

/// What a change is told by, in the transaction of its permit. Only a [`Permit`] can make one.
#[derive(Clone, Debug)]
pub struct Entry<'tx> {
    record: Record,
    permit: PhantomData<&'tx Principal>,
}

/// What is to be written down. Only a [`Permit`] or a [`Denial`] can make one.
#[derive(Clone, Debug)]
pub struct Record {
    pub(crate) chain: Chain,
    pub(crate) at: Time,
    pub(crate) actor: Actor,
    pub(crate) user: Option<UserId>,
    pub(crate) front: Front,
    pub(crate) request: RequestId,
    pub(crate) action: &'static str,
    pub(crate) target: Option<Target>,
    pub(crate) owner: Option<UserId>,
    pub(crate) outcome: Outcome,
    pub(crate) reason: Option<String>,
    /// Which reason it is, whatever it names.
    pub(crate) kind: Option<Discriminant<Why>>,
    /// What would have had to be presented. It is told, and not kept.
    pub(crate) missed: Option<Missed>,
    pub(crate) count: u32,
}

impl<'tx> Permit<'tx> {
    /// Whose things this permit is for. A query takes its `where` from here.
    pub fn whose(&self) -> Whose {
        self.whose
    }

    /// The account whose things it is for, if they are an account's.
    pub fn account(&self) -> Option<AccountId> {
        self.whose.account()
    }

    /// Who owns them, if they are someone's.
    pub fn owner(&self) -> Option<Owner> {
        self.whose.owner()
    }

    /// Who asked for it.
    pub fn principal(&self) -> &'tx Principal {
        self.principal
    }

    /// What was permitted.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// The entry that records the use of this permit on `target`.
    pub fn entry(&self, target: Target) -> Entry<'tx> {
        Entry {
            record: self.record(Some(target), Outcome::Done, None),
            permit: PhantomData,
        }
    }

    /// What is written down when what was permitted fails for a reason outside the decision.
    pub fn failure(&self, target: Option<Target>, reason: &str) -> Box<Record> {
        Box::new(self.record(target, Outcome::Refused, Some(reason.to_owned())))
    }

    pub(super) fn record(
        &self,
        target: Option<Target>,
        outcome: Outcome,
        reason: Option<String>,
    ) -> Record {
        Record {
            chain: match (self.whose.account(), target) {
                // A person is the store's own, whoever adds them to an account.
                (_, Some(Target::User(_))) | (None, _) => Chain::System,
                (Some(account), _) => Chain::Account(account),
            },
            at: self.principal.at,
            actor: self.principal.actor(),
            user: self.principal.user(),
            front: self.principal.front,
            request: self.principal.request,
            action: self.action.name(),
            target,
            owner: match self.whose.owner() {
                Some(Owner::User(user)) => Some(user),
                Some(Owner::AppEnv(_)) | None => None,
            },
            outcome,
            reason,
            kind: None,
            missed: None,
            count: 1,
        }
    }
}

impl Entry<'_> {
    /// Says how or why, in a clause.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.record.reason = Some(reason.into());
        self
    }

    /// What is to be written down.
    pub fn record(&self) -> &Record {
        &self.record
    }
}

impl Record {
    /// Whether `later` is the same refusal once more: of the same principal and action, for the
    /// same kind of reason, to be counted and not written again.
    pub fn is_repeated_by(&self, later: &Self) -> bool {
        self.outcome == Outcome::Refused
            && later.outcome == Outcome::Refused
            && (self.chain, self.actor, self.front) == (later.chain, later.actor, later.front)
            && (self.action, self.kind) == (later.action, later.kind)
            // What is no decision of ours has no other kind than its words.
            && (self.kind.is_some() || self.reason == later.reason)
    }

    /// The same, standing for `count` of its kind, which may have been about several things.
    #[must_use]
    pub fn counted(mut self, count: u32) -> Self {
        self.count = count;
        self.target = None;
        self
    }

    /// Which request it is of.
    pub fn request(&self) -> RequestId {
        self.request
    }

    /// When.
    pub fn at(&self) -> Time {
        self.at
    }
}

impl Denial {
    /// Takes the denial apart: what to say, and what to write down.
    pub fn into_parts(self) -> (Why, Box<Record>) {
        (self.why, self.record)
    }

    /// Says of what the denial was, for the audit trail alone.
    #[must_use]
    pub fn about(mut self, target: Target) -> Self {
        self.record.target = Some(target);
        self
    }
}
