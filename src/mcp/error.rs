//! An [`Error`] as a tool's answer: words that a model can act on. What is no tool says the same
//! words in an error of the protocol.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use rmcp::{ErrorData, model::ErrorCode};

use crate::{authority::Error, domain::id::RequestId, wire::problem::Problem};

/// `code: sentence. You can: ... Only the person can: ...` and nothing else.
pub(crate) fn text(problem: &Problem) -> String {
    let mut text = format!("{}: {}.", problem.code.as_str(), problem.message);
    if let Some(what) = &problem.you_can {
        text.extend([" You can: ", what, "."]);
    }
    if let Some(what) = &problem.only_the_person_can {
        text.extend([" Only the person can: ", what, "."]);
    }
    text
}

/// Waits for what is no tool, and tells a refusal as an error of the protocol, in the same words.
pub(super) async fn told<T>(
    what: &str,
    request: RequestId,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, ErrorData> {
    caught(what, request, work).await.map_err(|error| {
        let code = error.as_ref().map_or(ErrorCode::INTERNAL_ERROR, code);
        let problem = problem(what, request, error.as_ref());
        ErrorData::new(code, text(&problem), None)
    })
}

/// Waits for work that must be answered even if it panics: then there is no error, but `None`.
pub(super) async fn caught<T>(
    what: &str,
    request: RequestId,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Option<Error>> {
    let Ok(done) = AssertUnwindSafe(work).catch_unwind().await else {
        tracing::error!(what, %request, "it panicked");
        return Err(None);
    };
    done.map_err(Some)
}

/// What went wrong, logged once and told in words; `None` is a panic.
pub(super) fn problem(what: &str, request: RequestId, error: Option<&Error>) -> Problem {
    match error {
        Some(error) => {
            log(error, what, request);
            Problem::of(error, request)
        }
        None => Problem::internal(request),
    }
}

fn code(error: &Error) -> ErrorCode {
    match error {
        Error::Unauthenticated
        | Error::Denied(_)
        | Error::Conflict(_)
        | Error::Unconfirmed(_)
        | Error::Withheld(_) => ErrorCode::INVALID_REQUEST,
        // To a modern client rmcp calls it invalid params, as that revision wants.
        Error::NotFound(_) => ErrorCode::RESOURCE_NOT_FOUND,
        Error::Invalid { .. } => ErrorCode::INVALID_PARAMS,
        Error::Store(_) | Error::Vault(_) | Error::Sink(_) => ErrorCode::INTERNAL_ERROR,
    }
}

/// Writes the source of what was our fault into the log, once.
fn log(error: &Error, tool: &str, request: RequestId) {
    match error {
        Error::Store(source) => {
            tracing::error!(tool, %request, %source, "the store failed");
        }
        Error::Vault(source) => tracing::error!(tool, %request, %source, "the vault failed"),
        Error::Sink(source) => tracing::error!(tool, %request, %source, "a sink failed"),
        Error::Unauthenticated
        | Error::Denied(_)
        | Error::NotFound(_)
        | Error::Invalid { .. }
        | Error::Conflict(_)
        | Error::Unconfirmed(_)
        | Error::Withheld(_) => tracing::debug!(tool, %request, %error, "refused"),
    }
}
