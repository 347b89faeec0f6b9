//! Exit codes, and the last words of a command that failed: 0 done, 1 refused or failed, 2 misuse.

use std::process::ExitCode;

use serde::Serialize;

use crate::{
    authority::{Conflict, Error, Thing},
    authz::Why,
    domain::{credential, id::RequestId, token::State},
    store,
    wire::problem::{Code, Problem},
};

/// Why a command did not do as it was told.
#[derive(Debug)]
pub(super) enum Failure {
    /// The authority said no.
    Refused(Error),
    /// What was typed makes no sense.
    Misuse(String),
    /// A server elsewhere said no, in its words.
    RefusedElsewhere(Box<Elsewhere>),
    /// Something else went wrong. The text says what, and how to mend it.
    Failed(anyhow::Error),
    /// All was said already.
    Told,
    /// A command that was run ended with this code, and said itself what there was to say.
    Ended(u8),
}

/// What a server elsewhere said, as it is told here.
#[derive(Debug)]
pub(super) struct Elsewhere {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) mend: Option<String>,
}

/// The last words, for pipes.
#[derive(Serialize)]
struct Told {
    code: Code,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

impl Failure {
    /// The exit code.
    pub(super) fn code(&self) -> ExitCode {
        match self {
            Self::Misuse(_) | Self::Refused(Error::Invalid { .. }) => ExitCode::from(2),
            Self::Ended(code) => ExitCode::from(*code),
            Self::RefusedElsewhere(_) | Self::Refused(_) | Self::Failed(_) | Self::Told => {
                ExitCode::from(1)
            }
        }
    }

    /// The last words, for eyes or for pipes; none, if all was said already.
    pub(super) fn words(&self, json: bool) -> Option<String> {
        let told = self.told()?;
        Some(if json {
            serde_json::to_string(&told).unwrap_or(told.message)
        } else {
            match told.mend {
                Some(mend) => format!("error: {}\n  {mend}", told.message),
                None => format!("error: {}", told.message),
            }
        })
    }

    /// What went wrong, and what mends it, where that is told apart.
    pub(super) fn said(&self) -> (String, Option<String>) {
        self.told()
            .map_or_else(Default::default, |told| (told.message, told.mend))
    }

    fn told(&self) -> Option<Told> {
        Some(match self {
            Self::Told | Self::Ended(_) => return None,
            Self::Refused(error) => Told {
                code: code(error),
                message: message(error),
                mend: mend(error),
            },
            Self::RefusedElsewhere(said) => Told {
                code: said.code,
                message: said.message.clone(),
                mend: said.mend.clone(),
            },
            Self::Misuse(message) => Told {
                code: Code::InvalidArgument,
                message: message.clone(),
                mend: None,
            },
            Self::Failed(error) => Told {
                code: Code::Unavailable,
                // Paths that were typed stand in it.
                message: credential::without_values(&format!("{error:#}")),
                mend: None,
            },
        })
    }
}

/// A sink that takes nothing is no fault of ours here: whoever typed the command named it.
fn code(error: &Error) -> Code {
    match error {
        Error::Sink(_) => Code::Unavailable,
        Error::Unauthenticated
        | Error::Denied(_)
        | Error::NotFound(_)
        | Error::Invalid { .. }
        | Error::Conflict(_)
        | Error::Store(_)
        | Error::Unconfirmed(_)
        | Error::Withheld(_)
        | Error::Vault(_) => Problem::of(error, RequestId::fresh()).code,
    }
}

/// Whoever types a command owns the store: they are told what failed underneath, too.
fn message(error: &Error) -> String {
    match error {
        Error::Store(source) => source.to_string(),
        // Paths that were typed stand in it.
        Error::Sink(_) => credential::without_values(&error.to_string()),
        Error::Unauthenticated
        | Error::Denied(_)
        | Error::NotFound(_)
        | Error::Invalid { .. }
        | Error::Conflict(_)
        | Error::Unconfirmed(_)
        | Error::Withheld(_)
        | Error::Vault(_) => error.to_string(),
    }
}

/// What a person types next.
fn mend(error: &Error) -> Option<String> {
    let text = match error {
        Error::Unauthenticated => {
            "see `keywright user list`: the account knows no active user here"
        }
        Error::Denied(why) => return denied(why).map(str::to_owned),
        Error::NotFound(thing) => match thing {
            Thing::Token => "see `keywright token list --everyone --state all`",
            Thing::CliToken => "make one with `keywright cli-token set`",
            Thing::Claim => {
                "see `keywright claim` for what waits; a rotation opens a new claim: `keywright \
                 token rotate ID`"
            }
            Thing::AppEnv => "see `keywright env list`",
            Thing::User | Thing::Member => {
                "see `keywright user list`, and name one of the account with `--user`"
            }
            Thing::Account | Thing::Something => {
                "see `keywright account list`, and name one with `--account`"
            }
        },
        Error::Conflict(conflict) => match conflict {
            Conflict::State(State::Disabled) => {
                "enable it first: `keywright token update ID --enable`"
            }
            Conflict::State(State::Unclaimed) => "pick its value up first: `keywright claim`",
            Conflict::State(State::Active | State::Expired | State::Revoked) => {
                "make another one: `keywright token create`"
            }
            Conflict::ClaimUsed(_) => {
                "if that was not you, end the token: `keywright token revoke ID`; else rotate it for \
                 a new claim: `keywright token rotate ID`"
            }
            Conflict::ClaimOver(_) => "open a new one: `keywright token rotate ID`",
            Conflict::OpenerGone => "make the token yourself: `keywright token create`",
            Conflict::Overtaken => "rotate it here: `keywright token rotate ID --overlap 1h`",
            Conflict::OtherArguments => "choose another key",
            Conflict::Taken(_) => "choose another name",
            Conflict::Member => "change their role: `keywright member set NAME ROLE`",
            Conflict::KnownElsewhere => "`keywright member set NAME ROLE` makes them a member",
            Conflict::LastAdmin => {
                "make another member an admin first: `keywright member set NAME admin`"
            }
        },
        Error::Store(store::Error::Unavailable(_)) => "try again, and see `keywright store check`",
        Error::Store(store::Error::Corrupt(_)) => {
            "stop every keywright, and put a backup of the store back"
        }
        Error::Store(store::Error::Conflict) => "choose another name",
        Error::Invalid { .. }
        | Error::Store(store::Error::Refused(_))
        | Error::Unconfirmed(_)
        | Error::Withheld(_)
        | Error::Vault(_) => return None,
        Error::Sink(_) => "nothing is lost: see `keywright claim` for what waits",
    };
    Some(text.to_owned())
}

fn denied(why: &Why) -> Option<&'static str> {
    match why {
        Why::Widens(_) => Some("make another one: `keywright token create LABEL --scopes SCOPES`"),
        Why::Prolongs => {
            Some("a rotation may give it a new end: `keywright token rotate ID --expires 90d`")
        }
        Why::Unknown
        | Why::Scope(_)
        | Why::Escalation(_)
        | Why::Outlives
        | Why::Hidden
        | Why::Role(_)
        | Why::NotYours
        | Why::OwnClaim
        | Why::Oneself
        | Why::PersonDisabled
        | Why::OperatorOnly => None,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::Refused(Error::Store(error))
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}
