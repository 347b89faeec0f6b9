//! An [`Error`] as a tool's answer: words that a model can act on.

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

/// Writes the source of what was our fault into the log, once.
pub(super) fn log(error: &Error, tool: &str, request: RequestId) {
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
