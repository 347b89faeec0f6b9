//! A server elsewhere: a value that waits there reaches a person here.
//!
//! `GET /v1/claims` lists what waits for the owner of the token that asks, and `POST /v1/claims`
//! picks one of them up. The answer holds the value and is given once. Nobody confirms that it
//! arrived: one that gets lost is worth nothing to anybody, and a rotation opens a new claim.

mod address;
mod call;

use std::{io, path::Path};

use hyper::{Method, StatusCode, header::HeaderValue};
use serde::{Deserialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::{
    error::{Elsewhere, Failure},
    hidden,
    serve::parsed,
    session_token,
};
use crate::{
    authority::Error,
    domain::{
        credential::{self, without_values},
        text::escaped,
    },
    wire::{
        problem::Code,
        token::{ClaimToken, ClaimedToken, Claims, Token},
    },
};
use address::Address;
use call::{Answer, Call, NoAnswer, call};

/// A server, and what it is asked with.
pub(super) struct Server {
    address: Address,
    authorization: HeaderValue,
}

/// A problem body, as far as it is told here.
#[derive(Deserialize)]
struct Problem {
    code: String,
    message: String,
    #[serde(default)]
    you_can: Option<String>,
    #[serde(default)]
    only_the_person_can: Option<String>,
}

impl Server {
    /// The server at `address`, asked with the token in `token_file`, or with one that a person
    /// types.
    pub(super) fn at(address: &str, token_file: Option<&Path>) -> Result<Self, Failure> {
        let address: Address = parsed("--at", address)?;
        let token = match token_file {
            Some(path) => {
                session_token::warn_if_open_to_others(path);
                session_token::read(path).map_err(|why| {
                    Failure::Failed(anyhow::Error::new(why).context(path.display().to_string()))
                })?
            }
            None if hidden::can_ask() => hidden::ask(&format!("Your token for {address}:"))
                .map_err(|why| Failure::Failed(anyhow::Error::new(why).context("your token")))?,
            None => {
                return Err(Failure::Misuse(
                    "a server is asked with a token of yours: name its file with `--token-file FILE`"
                        .to_owned(),
                ));
            }
        };
        Ok(Self {
            address,
            authorization: bearer(token.trim())?,
        })
    }

    /// What waits there.
    pub(super) async fn claims(&self) -> Result<Claims, Failure> {
        let asked = Call {
            method: Method::GET,
            path: "/v1/claims",
            body: Vec::new(),
        };
        match call(&self.address, self.authorization.clone(), asked, || Ok(())).await {
            Ok(answer) => self.read(&answer),
            Err(NoAnswer::Unasked(why) | NoAnswer::Unknown(why)) => Err(Failure::Failed(why)),
        }
    }

    /// Picks a value up. From when `ready` is called on, the claim may be used.
    pub(super) async fn claim(
        &self,
        claim: &ClaimToken,
        ready: impl FnOnce() -> io::Result<()>,
    ) -> Result<ClaimedToken, Failure> {
        let asked = Call {
            method: Method::POST,
            path: "/v1/claims",
            body: serde_json::to_vec(claim).map_err(anyhow::Error::new)?,
        };
        match call(&self.address, self.authorization.clone(), asked, ready).await {
            Ok(answer) => {
                let claimed: ClaimedToken = self.read(&answer)?;
                // It goes to a terminal or into a file as it is.
                let is_value = |token: &str| {
                    (1..=credential::LONGEST).contains(&token.len())
                        && token.bytes().all(|byte| byte.is_ascii_graphic())
                };
                if is_value(&claimed.token) {
                    Ok(claimed)
                } else {
                    Err(self.strange(answer.status))
                }
            }
            Err(NoAnswer::Unasked(why)) => Err(Failure::Failed(why)),
            Err(NoAnswer::Unknown(why)) => {
                let mend = "claim it once more: if it was used, you are told when, and a rotation \
                            of the token opens a new claim";
                Err(told(
                    Code::Unavailable,
                    format!("{why:#}"),
                    Some(mend.to_owned()),
                ))
            }
        }
    }

    /// What is said of a value that came and could not be handed over.
    pub(super) fn lost(&self, record: &Token, why: &io::Error) -> Failure {
        let message = format!(
            "the value could not be handed over: {why}; nobody has it, and the claim is used"
        );
        let mend = format!(
            "rotate the token {} at {} for a new claim, or end it",
            escaped(&record.id),
            self.address
        );
        told(Code::Unavailable, without_values(&message), Some(mend))
    }

    /// What is said of an answer that is none of ours.
    fn strange(&self, status: StatusCode) -> Failure {
        let message = format!(
            "`{}` answered {status}, which is no answer of Keywright's",
            self.address
        );
        let mend = if status.is_redirection() {
            "a token is not sent on to elsewhere: name the address that it leads to with `--at`"
        } else {
            "see that `--at` names Keywright itself, without `/v1`"
        };
        told(Code::Unavailable, message, Some(mend.to_owned()))
    }

    fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Failure> {
        let strange = || self.strange(answer.status);
        if answer.status.is_success() {
            // What serde says of it could repeat a part of the value.
            return serde_json::from_slice(&answer.body).map_err(|_| strange());
        }
        let Ok(problem) = serde_json::from_slice::<Problem>(&answer.body) else {
            return Err(strange());
        };
        let code = Code::ALL
            .into_iter()
            .find(|code| code.as_str() == problem.code);
        let code = code.unwrap_or(Code::Unavailable);
        let mend = self.mend(code).or(problem.only_the_person_can);
        Err(told(code, problem.message, mend.or(problem.you_can)))
    }

    /// What a person does about a refusal, where the server's words are for somebody else.
    fn mend(&self, code: Code) -> Option<String> {
        let text = match code {
            Code::Unauthenticated => "ask with a token of yours that is good there".to_owned(),
            Code::InsufficientScope => "ask with a token of yours that carries it".to_owned(),
            Code::ScopeEscalation => {
                "ask with a token of yours that carries all that the waiting one does".to_owned()
            }
            Code::NotFound => format!(
                "see `keywright claim --at {}` for what waits for the owner of your token",
                self.address
            ),
            Code::InvalidArgument
            | Code::Forbidden
            | Code::Conflict
            | Code::LimitExceeded
            | Code::RateLimited
            | Code::Unavailable
            | Code::Internal => return None,
        };
        Some(text)
    }
}

/// The header that presents `token`.
fn bearer(token: &str) -> Result<HeaderValue, Failure> {
    let not_one = || Failure::Refused(Error::invalid("your token", "it is no token"));
    if credential::is_malformed(token) {
        return Err(not_one());
    }
    let header = Zeroizing::new(format!("Bearer {token}"));
    let mut header = HeaderValue::from_str(&header).map_err(|_| not_one())?;
    header.set_sensitive(true);
    Ok(header)
}

/// Words of a server's, or about it, for a terminal.
fn told(code: Code, message: String, mend: Option<String>) -> Failure {
    let shown = |text: String| without_values(&escaped(&text));
    Failure::RefusedElsewhere(Box::new(Elsewhere {
        code,
        message: shown(message),
        mend: mend.map(shown),
    }))
}
