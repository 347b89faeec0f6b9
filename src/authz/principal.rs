//! [`Credential`]: what is presented. [`Principal`]: who that is, in this transaction.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::permit::{Denial, Record, Why};
use crate::domain::{
    account::{Role, Slug},
    actor::Actor,
    audit::{Chain, Front, Outcome},
    clock::Time,
    credential::{self, HashedToken},
    id::{AccountId, RequestId, TokenId, UserId},
    scope::{Reach, Scope, Scopes},
    token::{Owner, Presented, Standing, Token, Whose},
};

/// One request: what was presented, and through which door.
#[derive(Clone, Debug)]
pub struct Request {
    /// What was presented.
    pub credential: Credential,
    /// Through which door.
    pub front: Front,
    /// Which request this is, in the log and in the audit trail.
    pub id: RequestId,
    /// Whether it is a use of the token that it presents. Looking again for somebody who waits for
    /// news is none.
    is_use: bool,
    /// What the front learns beside the answer.
    learnt: Arc<Mutex<Learnt>>,
}

/// What the verb that ran last told of who asked, and of what they lacked.
#[derive(Clone, Copy, Debug, Default)]
struct Learnt {
    seen: Option<Seen>,
    missed: Option<Missed>,
}

/// What would have had to be presented, where a request was refused for the lack of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Missed {
    /// A token that is good.
    Token,
    /// A token with all of these scopes.
    Scopes(&'static [Scope]),
}

/// Whom a request was recognized as, as far as a front may know it: when, and until when it may
/// ask.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Seen {
    /// Who, as it is written down.
    pub actor: Actor,
    /// The one moment at which the request happened.
    pub at: Time,
    /// Until when who asked may ask; `None` for ever.
    pub expires_at: Option<Time>,
}

/// What a front was shown. It proves nothing until a transaction has looked.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Nothing, or nothing that could be a token.
    Nobody,
    /// The print of a token.
    Token {
        /// The print.
        hash: HashedToken,
        /// What the session was narrowed to, if it was.
        narrowed: Option<Scopes>,
    },
    /// Whoever may open the store started a local session.
    LocalSession {
        /// The operating system's number for them.
        uid: u32,
        /// In which account.
        account: Slug,
        /// What the session was narrowed to.
        reach: Reach,
    },
    /// A command at the machine's shell, with the store's file rights.
    Operator {
        /// The operating system's number for whoever typed it.
        uid: u32,
        /// In which account, where one is meant.
        account: Slug,
    },
    /// The program itself, keeping house.
    Keywright,
}

/// What the store knows of a credential.
#[derive(Clone, Debug)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A token, good or not.
    Token(Arc<Presented>),
    /// A place: the account that was named, and what the local user is in it.
    Place {
        /// The account, if there is one of that name.
        account: Option<AccountId>,
        /// The local user there, if the store knows one.
        standing: Option<Standing>,
    },
}

/// Who asks, as of now. Made only by [`recognize`], inside the transaction that acts, and not to
/// be copied: it ends with that transaction.
#[derive(Debug)]
pub struct Principal {
    pub(super) kind: Kind,
    pub(super) at: Time,
    pub(super) front: Front,
    pub(super) request: RequestId,
}

#[derive(Debug)]
pub(super) enum Kind {
    Token {
        presented: Arc<Presented>,
        reach: Reach,
    },
    Local {
        standing: Standing,
        reach: Reach,
    },
    Operator {
        account: Option<AccountId>,
        standing: Option<Standing>,
    },
    Keywright,
}

impl Request {
    /// A fresh request.
    pub fn new(credential: Credential, front: Front) -> Self {
        Self {
            credential,
            front,
            id: RequestId::fresh(),
            is_use: true,
            learnt: Arc::default(),
        }
    }

    /// The program's own, keeping house.
    pub fn housekeeping() -> Self {
        Self::new(Credential::Keywright, Front::Housekeeping)
    }

    /// The same, asked by us for somebody who waits for news. It is decided like any other, and is
    /// no use of their token: nobody is at work with it.
    #[must_use]
    pub fn looking_again(self) -> Self {
        Self {
            is_use: false,
            ..self
        }
    }

    /// Whether it is a use of the token that it presents.
    pub fn is_use(&self) -> bool {
        self.is_use
    }

    /// Notes whom it was recognized as. A verb that runs again notes it anew.
    pub(crate) fn recognized(&self, who: &Principal) {
        let seen = Seen {
            actor: who.actor(),
            at: who.at(),
            expires_at: who.expires_at(),
        };
        *self.learnt() = Learnt {
            seen: Some(seen),
            missed: None,
        };
    }

    /// Notes what the verb that ran last would have needed, if it was refused for the lack of it.
    pub(crate) fn missed(&self, missed: Option<Missed>) {
        self.learnt().missed = missed;
    }

    /// What the verb that ran last would have needed, if it was refused for the lack of it.
    pub fn what_was_missed(&self) -> Option<Missed> {
        self.learnt().missed
    }

    /// Whom it was recognized as, in the verb that ran last; `None` where it was not.
    pub fn seen(&self) -> Option<Seen> {
        self.learnt().seen
    }

    fn learnt(&self) -> MutexGuard<'_, Learnt> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Credential {
    /// A bearer as it was presented. Only its print is carried on; what cannot be a token is
    /// nobody's.
    pub fn bearer(presented: &str, narrowed: Option<Scopes>) -> Self {
        if credential::is_malformed(presented) {
            return Self::Nobody;
        }
        Self::Token {
            hash: HashedToken::of(presented),
            narrowed,
        }
    }
}

/// Who presents the credential of `request`, given what the store knows of it at `at`?
pub fn recognize(request: &Request, found: Found, at: Time) -> Result<Principal, Denial> {
    let principal = |kind| Principal {
        kind,
        at,
        front: request.front,
        request: request.id,
    };
    match (&request.credential, found) {
        (Credential::Token { narrowed, .. }, Found::Token(presented)) if presented.is_good(at) => {
            let mut scopes = presented.token.powers.scopes.clone();
            if let Some(narrowed) = narrowed {
                scopes = scopes.both(narrowed);
            }
            let reach = Reach::Exactly(scopes);
            Ok(principal(Kind::Token { presented, reach }))
        }
        (Credential::LocalSession { reach, .. }, Found::Place { standing, .. }) => match standing {
            Some(standing) if standing.active && standing.role.is_some() => {
                Ok(principal(Kind::Local {
                    standing,
                    reach: reach.clone(),
                }))
            }
            Some(_) | None => Err(unknown(request, at)),
        },
        (Credential::Operator { .. }, Found::Place { account, standing }) => {
            Ok(principal(Kind::Operator { account, standing }))
        }
        (Credential::Keywright, _) => Ok(principal(Kind::Keywright)),
        (
            Credential::Nobody
            | Credential::Token { .. }
            | Credential::LocalSession { .. }
            | Credential::Operator { .. },
            _,
        ) => Err(unknown(request, at)),
    }
}

/// Who asked, in an earlier request, for what is picked up in this one? `found` is what the store
/// knows of them now.
pub fn recognize_opener(opener: Actor, found: Found, now: &Principal) -> Option<Principal> {
    let principal = |kind| Principal {
        kind,
        at: now.at,
        front: now.front,
        request: now.request,
    };
    match (opener, found) {
        (Actor::Token(_), Found::Token(presented)) if presented.is_good(now.at) => {
            let reach = Reach::Exactly(presented.token.powers.scopes.clone());
            Some(principal(Kind::Token { presented, reach }))
        }
        (Actor::Local(_), Found::Place { standing, .. }) => standing
            .filter(|standing| standing.active && standing.role.is_some())
            // What the session was narrowed to was held against the token when it asked.
            .map(|standing| {
                principal(Kind::Local {
                    standing,
                    reach: Reach::Everything,
                })
            }),
        (Actor::Operator, Found::Place { account, standing }) => {
            Some(principal(Kind::Operator { account, standing }))
        }
        (
            Actor::Token(_) | Actor::Local(_) | Actor::Operator | Actor::Keywright | Actor::Nobody,
            _,
        ) => None,
    }
}

/// To a stranger, missing, wrong, over and ended are the same.
fn unknown(request: &Request, at: Time) -> Denial {
    Denial {
        why: Why::Unknown,
        record: Box::new(Record {
            chain: Chain::System,
            at,
            actor: Actor::Nobody,
            user: None,
            front: request.front,
            request: request.id,
            action: super::Action::Authenticate.name(),
            target: None,
            owner: None,
            outcome: Outcome::Refused,
            reason: Some(Why::Unknown.to_string()),
            kind: Some(std::mem::discriminant(&Why::Unknown)),
            missed: Some(Missed::Token),
            count: 1,
        }),
    }
}

impl Principal {
    /// The one moment at which this request happens.
    pub fn at(&self) -> Time {
        self.at
    }

    /// Who it is, as it is written down.
    pub fn actor(&self) -> Actor {
        match &self.kind {
            Kind::Token { presented, .. } => Actor::Token(presented.token.id),
            Kind::Local { standing, .. } => Actor::Local(standing.user),
            Kind::Operator { .. } => Actor::Operator,
            Kind::Keywright => Actor::Keywright,
        }
    }

    /// The account in which it asks, if there is one.
    pub fn account(&self) -> Option<AccountId> {
        match &self.kind {
            Kind::Token { presented, .. } => Some(presented.token.account),
            Kind::Local { standing, .. } => Some(standing.account),
            Kind::Operator { account, .. } => *account,
            Kind::Keywright => None,
        }
    }

    /// Whose things it asks for when it names nobody.
    pub fn whose(&self) -> Option<Whose> {
        match &self.kind {
            Kind::Token { presented, .. } => Some(presented.token.whose()),
            Kind::Local { standing, .. } => Some(user_of(standing)),
            Kind::Operator { standing, .. } => standing.as_ref().map(user_of),
            Kind::Keywright => None,
        }
    }

    /// The person it acts for.
    pub fn user(&self) -> Option<UserId> {
        match self.whose().and_then(|whose| whose.owner()) {
            Some(Owner::User(user)) => Some(user),
            Some(Owner::AppEnv(_)) | None => None,
        }
    }

    /// What that person is in the account now.
    pub fn role(&self) -> Option<Role> {
        match &self.kind {
            Kind::Token { presented, .. } => presented.owner.role(),
            Kind::Local { standing, .. } => standing.role,
            Kind::Operator { standing, .. } => standing.as_ref().and_then(|s| s.role),
            Kind::Keywright => None,
        }
    }

    /// What was presented, if it was a token.
    pub fn presented(&self) -> Option<&Arc<Presented>> {
        match &self.kind {
            Kind::Token { presented, .. } => Some(presented),
            Kind::Local { .. } | Kind::Operator { .. } | Kind::Keywright => None,
        }
    }

    /// That token.
    pub fn token(&self) -> Option<&Token> {
        self.presented().map(|presented| &presented.token)
    }

    /// That token's id.
    pub fn token_id(&self) -> Option<TokenId> {
        self.token().map(|token| token.id)
    }

    /// Until when it may ask; `None` for ever.
    pub fn expires_at(&self) -> Option<Time> {
        self.token().and_then(|token| token.powers.expires_at)
    }

    /// What it holds.
    pub fn reach(&self) -> &Reach {
        match &self.kind {
            Kind::Token { reach, .. } | Kind::Local { reach, .. } => reach,
            Kind::Operator { .. } | Kind::Keywright => &Reach::Everything,
        }
    }

    /// Whether it is a person, rather than a program that was given something to ask with.
    pub fn is_person(&self) -> bool {
        match &self.kind {
            Kind::Operator { .. } => true,
            Kind::Token { .. } | Kind::Local { .. } | Kind::Keywright => false,
        }
    }
}

fn user_of(standing: &Standing) -> Whose {
    Whose::Owner(standing.account, Owner::User(standing.user))
}
