//! [`Problem`]: an [`Error`] as a code, a sentence, and how to mend it. The same on
//! every front that programs speak to.

use std::fmt::Display;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    authority::{Conflict, Error, Thing, Withheld},
    authz::Why,
    domain::{id::RequestId, token::State},
    store, vault,
};

/// The closed set of codes.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Nobody, or nobody any more.
    Unauthenticated,
    /// A scope is missing.
    InsufficientScope,
    /// Something would be wider than who asks.
    ScopeEscalation,
    /// Known and not allowed, whatever the scopes.
    Forbidden,
    /// Not there, or not for the asker to know of.
    NotFound,
    /// A value that cannot be used.
    InvalidArgument,
    /// It does not go together with how things are.
    Conflict,
    /// As much is there already as may be.
    LimitExceeded,
    /// Too often.
    RateLimited,
    /// The store or the vault is out of reach.
    Unavailable,
    /// Our fault.
    Internal,
}

/// Why not, in words for a program and its person. It carries no value, not even a wrong one that
/// was presented.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Problem {
    /// What kind of refusal.
    pub code: Code,
    /// Why, in a clause.
    pub message: String,
    /// What the asker can do itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub you_can: Option<String>,
    /// What only a person can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub only_the_person_can: Option<String>,
}

impl Code {
    /// Every code, in the order in which checks are made.
    pub const ALL: [Self; 11] = [
        Self::Unauthenticated,
        Self::InvalidArgument,
        Self::InsufficientScope,
        Self::ScopeEscalation,
        Self::NotFound,
        Self::Forbidden,
        Self::Conflict,
        Self::LimitExceeded,
        Self::RateLimited,
        Self::Unavailable,
        Self::Internal,
    ];

    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Unauthenticated => {
                "No valid token was presented: none, or one that is wrong, unclaimed, disabled, expired or revoked."
            }
            Self::InvalidArgument => "An argument cannot be used; the sentence names it.",
            Self::InsufficientScope => "The session or token lacks a scope that this needs.",
            Self::ScopeEscalation => {
                "The result would be wider, or live longer, than the session or token that asks."
            }
            Self::NotFound => "It is not there, or not for this session or token to know of.",
            Self::Forbidden => "This is not allowed, whatever the scopes.",
            Self::Conflict => "It does not go together with how things are.",
            Self::LimitExceeded => "As much is there already as may be; the sentence says of what.",
            Self::RateLimited => "Asked too often; `Retry-After` says when to ask again.",
            Self::Unavailable => "The store or the vault is out of reach; nothing was changed.",
            Self::Internal => "Our fault; the log has the request.",
        }
    }

    /// The code as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::InsufficientScope => "insufficient_scope",
            Self::ScopeEscalation => "scope_escalation",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::InvalidArgument => "invalid_argument",
            Self::Conflict => "conflict",
            Self::LimitExceeded => "limit_exceeded",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }
}

impl Problem {
    fn new(code: Code, message: &dyn Display) -> Self {
        Self {
            code,
            message: message.to_string(),
            you_can: None,
            only_the_person_can: None,
        }
    }

    /// What HTTP itself has to say, before any verb is asked.
    pub(crate) fn http(code: Code, message: &dyn Display) -> Self {
        Self::new(code, message)
    }

    /// The same, with what the asker can do.
    #[must_use]
    pub(crate) fn you_can(mut self, what: impl Into<String>) -> Self {
        self.you_can = Some(what.into());
        self
    }

    fn only_the_person_can(mut self, what: impl Into<String>) -> Self {
        self.only_the_person_can = Some(what.into());
        self
    }

    /// Something broke that nobody foresaw. `request` finds it in the log.
    pub fn internal(request: RequestId) -> Self {
        Self::new(
            Code::Internal,
            &format!("something went wrong on our side (request {request})"),
        )
        .you_can("call again")
        .only_the_person_can("look for this request in the server's log")
    }

    /// There would be more of something than may be.
    pub fn limit_exceeded(why: &dyn Display, you_can: &str) -> Self {
        Self::new(Code::LimitExceeded, why).you_can(you_can)
    }

    /// The problem that `error` is, in the request `request`.
    pub fn of(error: &Error, request: RequestId) -> Self {
        match error {
            Error::Unauthenticated => Self::new(Code::Unauthenticated, error)
                .you_can("tell the person; the next call is looked up anew")
                .only_the_person_can(
                    "give it a token that is good: in the client's configuration, or over HTTP as the \
                     bearer; for a local session, see to it that the user is active and in the \
                     account",
                ),
            Error::Denied(why) => Self::denied(why),
            Error::NotFound(thing) => Self::not_found(*thing),
            Error::Invalid { .. } => Self::new(Code::InvalidArgument, error)
                .you_can("call again with that argument put right"),
            Error::Conflict(conflict) => Self::conflict(conflict),
            Error::Store(store::Error::Conflict) => {
                Self::new(Code::Conflict, &"there is one of that name already")
                    .you_can("choose another name")
            }
            Error::Store(store::Error::Unavailable(_)) => {
                Self::new(Code::Unavailable, &format!("the store is unavailable (request {request})"))
                    .you_can("call again in a few seconds")
                    .only_the_person_can("check the store, and restart this server")
            }
            Error::Store(store::Error::Corrupt(_) | store::Error::Refused(_)) => {
                Self::new(Code::Unavailable, &format!("the store cannot be used (request {request})"))
                    .only_the_person_can("check the store, which says what mends it")
            }
            Error::Vault(why) => Self::vault(why, request),
            Error::Unconfirmed(_) => Self::new(Code::Forbidden, error)
                .only_the_person_can("do it at the machine's shell"),
            Error::Withheld(why) => Self::withheld(*why),
            Error::Sink(_) => Self::internal(request),
        }
    }

    fn vault(why: &vault::Error, request: RequestId) -> Self {
        let mended = match why {
            vault::Error::Missing(_)
            | vault::Error::Damaged(..)
            | vault::Error::WrongKey { .. } => "put the right vault key back",
            vault::Error::Exposed(..) => "see that the vault key is theirs alone",
            vault::Error::Io(..) => "see that the vault key can be read and written",
            vault::Error::Altered => "give it a new value",
            // A permit of another kind is our mistake.
            vault::Error::WrongPermit => return Self::internal(request),
        };
        Self::new(Code::Unavailable, why)
            .you_can("go on without it; tokens that are not revealed work as before")
            .only_the_person_can(mended)
    }

    fn withheld(why: Withheld) -> Self {
        let problem = Self::new(Code::Forbidden, &why);
        match why {
            Withheld::Declined => {
                problem.you_can("leave it as it is, and ask the person what they want instead")
            }
            Withheld::Mistyped => problem
                .you_can("call again, if the person wants to try again")
                .only_the_person_can("type what the question asks for"),
            Withheld::Unanswered => problem.you_can(
                "tell the person what is to be confirmed, and call again when they are there",
            ),
            Withheld::Changed => {
                problem.you_can("call again; the person is asked about it as it is now")
            }
            Withheld::TooMany => {
                problem.you_can("wait until the person has answered some of them, then call again")
            }
            Withheld::NobodyToAsk => problem
                .you_can("leave it as it is; tokens that this session made need no confirmation")
                .only_the_person_can(
                    "do it at the machine's shell, or use a client that can ask them",
                ),
        }
    }

    fn denied(why: &Why) -> Self {
        match why {
            Why::Unknown => Self::new(Code::Unauthenticated, why),
            Why::Scope(scope) if scope.as_str() == "read:secrets" => {
                Self::new(Code::InsufficientScope, why)
                    .you_can(
                        "go on without the value; `deliver: \"claim\"`, the default, sends a new \
                         one to the person and not through you",
                    )
                    .only_the_person_can(
                        "grant `read:secrets`: by a token that carries it, or by `--scopes` in the \
                         client's configuration",
                    )
            }
            Why::Scope(scope) => Self::new(Code::InsufficientScope, why)
                .you_can("call `whoami` to see what this session may do")
                .only_the_person_can(format!(
                    "grant `{scope}`: by a token that carries it, or by `--scopes` in the client's \
                     configuration"
                )),
            Why::Escalation(scope) => Self::new(Code::ScopeEscalation, why)
                .you_can(format!(
                    "leave `{scope}` out, or go on without this; `whoami` tells the scopes that \
                     this session holds"
                ))
                .only_the_person_can(format!(
                    "do it at the shell, or give this server a token that carries `{scope}`"
                )),
            Why::Outlives => Self::new(Code::ScopeEscalation, why)
                .you_can(
                    "leave out `expires`, or ask for an end no later than this session's own, which \
                     `whoami` tells",
                )
                .only_the_person_can("make a token that lives longer"),
            Why::Widens(_) | Why::Prolongs => Self::new(Code::ScopeEscalation, why)
                .you_can("make another token with `create_token`, as far as this session's own scopes and life go")
                .only_the_person_can("make one that is wider or lives longer"),
            Why::Hidden => Self::not_found(Thing::Something),
            Why::Role(_) => Self::new(Code::Forbidden, why)
                .only_the_person_can(
                    "ask an admin of the account to do it, or to give them the role",
                ),
            Why::NotYours => Self::new(Code::Forbidden, why)
                .you_can("list, narrow, disable or delete it")
                .only_the_person_can("ask its owner"),
            Why::OwnClaim => Self::new(Code::Forbidden, why).only_the_person_can(
                "pick it up: at the machine's shell, or with another token of its owner that \
                 carries `read:secrets`",
            ),
            Why::Oneself => Self::new(Code::Forbidden, why)
                .you_can("call `delete_token` with `allow_self: true`, if the person wants this session to end")
                .only_the_person_can("disable it"),
            Why::PersonDisabled => Self::new(Code::Forbidden, why)
                .you_can("make another token, if this session may")
                .only_the_person_can("enable it again"),
            Why::OperatorOnly => Self::new(Code::Forbidden, why)
                .only_the_person_can("do it at the machine's shell"),
        }
    }

    fn not_found(thing: Thing) -> Self {
        let problem = Self::new(Code::NotFound, &Error::NotFound(thing));
        match thing {
            Thing::Token => problem.you_can("call `list_tokens` to see the tokens there are"),
            Thing::CliToken => problem.only_the_person_can("make one"),
            Thing::AppEnv => problem.you_can("call `list_app_envs` to see those there are"),
            Thing::Claim => problem.you_can("rotate the token, which opens a new claim"),
            Thing::User | Thing::Account | Thing::Member | Thing::Something => {
                problem.you_can("call `whoami` to see where this session acts")
            }
        }
    }

    fn conflict(conflict: &Conflict) -> Self {
        let problem = Self::new(Code::Conflict, conflict);
        match conflict {
            Conflict::State(State::Disabled) => problem
                .you_can("enable it with `update_token` first, unless a person disabled it")
                .only_the_person_can("enable it again"),
            Conflict::State(State::Unclaimed) => {
                problem.only_the_person_can("pick its value up first")
            }
            Conflict::State(State::Active | State::Expired | State::Revoked) => {
                problem.you_can("make another one with `create_token`, unless it is a CLI token")
            }
            Conflict::ClaimUsed(_) | Conflict::ClaimOver(_) => {
                problem.you_can("rotate the token, which opens a new claim")
            }
            Conflict::OpenerGone => problem.only_the_person_can("make the token themselves"),
            Conflict::Overtaken => problem
                .you_can(
                    "go on with the value that this session presents; `whoami` tells until when",
                )
                .only_the_person_can("give this session the newest value of its token"),
            Conflict::OtherArguments => problem
                .you_can("choose another `idempotency_key`, or repeat the first call as it was"),
            Conflict::Taken(_) => problem.you_can("choose another name"),
            Conflict::Member => problem.you_can("change their role instead"),
            Conflict::KnownElsewhere => problem
                .you_can("choose another name")
                .only_the_person_can("make whoever has it a member, at the machine's shell"),
            Conflict::LastAdmin => problem.you_can("make another member an admin first"),
        }
    }
}
