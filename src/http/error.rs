//! [`Refusal`]: an [`Error`] as a status, headers and a problem body (RFC 9457). The one place where
//! HTTP learns why not.

use std::{fmt::Display, slice, sync::Arc};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::bearer::Asked;
use crate::{
    authority::{Authority, Error},
    authz::{Missed, Why},
    domain::id::RequestId,
    wire::{
        challenge::Challenge,
        problem::{Code, Problem},
    },
};

/// The media type of a refusal.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// How long who is told that we are out of reach should wait, in seconds.
const SECONDS_UNTIL_AGAIN: u64 = 1;

/// Why a request was not served. It becomes words when the answer leaves, where the request's id
/// is known, and in whichever form the path's product has.
#[derive(Clone, Debug)]
pub(crate) struct Refusal(Arc<Reason>);

#[derive(Debug)]
enum Reason {
    /// The authority's.
    Authority(Error),
    /// HTTP's own.
    Http {
        status: StatusCode,
        problem: Problem,
        /// Whether who asks is told this only after it is known who asks.
        is_about_arguments: bool,
        retry_after: Option<u64>,
    },
    /// Our fault, logged already.
    Panic,
}

/// A refusal, ready to be written in whichever form.
#[derive(Debug)]
pub(crate) struct Told {
    /// The status.
    pub(crate) status: StatusCode,
    /// The words.
    pub(crate) problem: Problem,
    /// What else goes into the head.
    pub(crate) headers: HeaderMap,
}

/// The body of a refusal.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct ProblemBody {
    /// The status of the answer.
    status: u16,
    #[serde(flatten)]
    problem: Problem,
    /// UUID of the request, in the log and in the audit trail.
    request_id: String,
}

impl Refusal {
    /// Something is wrong with what was sent.
    pub(crate) fn malformed(status: StatusCode, message: impl Display, you_can: &str) -> Self {
        Self(Arc::new(Reason::Http {
            status,
            problem: Problem::http(Code::InvalidArgument, &message).you_can(you_can),
            is_about_arguments: true,
            retry_after: None,
        }))
    }

    /// Nobody can be asked for with this, whoever it is.
    pub(crate) fn bad_request(message: impl Display, you_can: &str) -> Self {
        Self::plain(
            StatusCode::BAD_REQUEST,
            Code::InvalidArgument,
            &message,
            you_can,
        )
    }

    /// Not from there.
    pub(super) fn forbidden(message: impl Display, you_can: &str) -> Self {
        Self::plain(StatusCode::FORBIDDEN, Code::Forbidden, &message, you_can)
    }

    /// No such path.
    pub(crate) fn no_such_path() -> Self {
        Self::plain(
            StatusCode::NOT_FOUND,
            Code::NotFound,
            &"there is no such path here",
            "see `/v1/openapi.json` for those there are",
        )
    }

    /// The path is there, and is asked for in another way.
    pub(crate) fn no_such_method() -> Self {
        Self::plain(
            StatusCode::METHOD_NOT_ALLOWED,
            Code::InvalidArgument,
            &"this path does not answer this method",
            "use a method that `Allow` names",
        )
    }

    /// Too often.
    pub(crate) fn rate_limited(of: &str, retry_after: u64) -> Self {
        Self::later(
            StatusCode::TOO_MANY_REQUESTS,
            Code::RateLimited,
            &format!("there are too many requests {of}"),
            retry_after,
        )
    }

    /// Too much at once.
    pub(super) fn busy() -> Self {
        let why = "as many requests as may be are being answered";
        Self::later(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::Unavailable,
            &why,
            SECONDS_UNTIL_AGAIN,
        )
    }

    /// A handler panicked.
    pub(super) fn panicked() -> Self {
        Self(Arc::new(Reason::Panic))
    }

    fn later(status: StatusCode, code: Code, message: &dyn Display, seconds: u64) -> Self {
        Self(Arc::new(Reason::Http {
            status,
            problem: Problem::http(code, message)
                .you_can("wait as long as `Retry-After` says, and ask again"),
            is_about_arguments: false,
            retry_after: Some(seconds),
        }))
    }

    fn plain(status: StatusCode, code: Code, message: &dyn Display, you_can: &str) -> Self {
        Self(Arc::new(Reason::Http {
            status,
            problem: Problem::http(code, message).you_can(you_can),
            is_about_arguments: false,
            retry_after: None,
        }))
    }

    /// The same, unless it would tell somebody unknown what is expected: who asks comes before what
    /// is asked.
    pub(crate) async fn after_asking_who(self, authority: &Authority, asked: &Asked) -> Self {
        let is_about_arguments = match &*self.0 {
            Reason::Authority(Error::Invalid { .. }) => true,
            Reason::Http {
                is_about_arguments, ..
            } => *is_about_arguments,
            Reason::Authority(_) | Reason::Panic => false,
        };
        if !is_about_arguments {
            return self;
        }
        match authority.whoami(&asked.request).await {
            Ok(_) => self,
            Err(error) => error.into(),
        }
    }

    /// The refusal in words, for who `asked`.
    pub(crate) fn told(&self, asked: &Asked) -> Told {
        let request = asked.request.id;
        let (status, problem, retry_after) = match &*self.0 {
            Reason::Authority(error) => {
                log(error, request);
                let problem = Problem::of(error, request);
                let retry_after = is_out_of_reach(error).then_some(SECONDS_UNTIL_AGAIN);
                (status(problem.code), problem, retry_after)
            }
            Reason::Http {
                status,
                problem,
                retry_after,
                ..
            } => (*status, problem.clone(), *retry_after),
            Reason::Panic => {
                tracing::error!(%request, "a request panicked");
                let problem = Problem::internal(request);
                (status(problem.code), problem, None)
            }
        };
        let mut headers = HeaderMap::new();
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = self.challenge(asked) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        Told {
            status,
            problem,
            headers,
        }
    }

    /// What a client is told to present (RFC 6750 section 3).
    fn challenge(&self, asked: &Asked) -> Option<HeaderValue> {
        let Reason::Authority(error) = &*self.0 else {
            return None;
        };
        let challenge = match error {
            Error::Unauthenticated if asked.presented => Challenge::InvalidToken,
            Error::Unauthenticated => Challenge::Nothing,
            Error::Denied(Why::Scope(scope)) => match asked.request.what_was_missed() {
                // All that the verb needs: who comes back with one of two is refused again.
                Some(Missed::Scopes(all)) if all.contains(scope) => {
                    Challenge::InsufficientScope(all)
                }
                Some(Missed::Scopes(_) | Missed::Token) | None => {
                    Challenge::InsufficientScope(slice::from_ref(scope))
                }
            },
            Error::Denied(_)
            | Error::NotFound(_)
            | Error::Invalid { .. }
            | Error::Conflict(_)
            | Error::Store(_)
            | Error::Vault(_)
            | Error::Unconfirmed(_)
            | Error::Withheld(_)
            | Error::Sink(_) => return None,
        };
        HeaderValue::try_from(challenge.text()).ok()
    }
}

impl Told {
    /// As a problem body.
    pub(super) fn into_problem(self, request: RequestId) -> Response {
        let body = ProblemBody {
            status: self.status.as_u16(),
            problem: self.problem,
            request_id: request.to_string(),
        };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, PROBLEM_JSON)];
        (self.status, self.headers, kind, body).into_response()
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(Arc::new(Reason::Authority(error)))
    }
}

/// The refusal itself, to be put into words on the way out.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Takes the refusal out of an answer, if it is one, and what else the answer's head has.
pub(crate) fn taken(response: &mut Response) -> Option<(Refusal, HeaderMap)> {
    let refusal = response.extensions_mut().remove::<Refusal>()?;
    let mut headers = std::mem::take(response.headers_mut());
    // Of the empty body that stood in for the words.
    let of_the_body: [HeaderName; 2] = [header::CONTENT_TYPE, header::CONTENT_LENGTH];
    for name in of_the_body {
        headers.remove(name);
    }
    Some((refusal, headers))
}

/// The status of a code. What is wrong with a request before it is one of ours has a status of its own.
pub fn status(code: Code) -> StatusCode {
    match code {
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::InvalidArgument => StatusCode::BAD_REQUEST,
        Code::InsufficientScope | Code::ScopeEscalation | Code::Forbidden => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Conflict | Code::LimitExceeded => StatusCode::CONFLICT,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn is_out_of_reach(error: &Error) -> bool {
    match error {
        Error::Store(_) | Error::Vault(_) => true,
        Error::Unauthenticated
        | Error::Denied(_)
        | Error::NotFound(_)
        | Error::Invalid { .. }
        | Error::Conflict(_)
        | Error::Unconfirmed(_)
        | Error::Withheld(_)
        | Error::Sink(_) => false,
    }
}

/// Writes the source of what was our fault into the log, once.
fn log(error: &Error, request: RequestId) {
    match error {
        Error::Store(source) => tracing::error!(%request, %source, "the store failed"),
        Error::Vault(source) => tracing::error!(%request, %source, "the vault failed"),
        Error::Sink(source) => tracing::error!(%request, %source, "a sink failed"),
        Error::Unauthenticated
        | Error::Denied(_)
        | Error::NotFound(_)
        | Error::Invalid { .. }
        | Error::Conflict(_)
        | Error::Unconfirmed(_)
        | Error::Withheld(_) => tracing::debug!(%request, %error, "refused"),
    }
}
