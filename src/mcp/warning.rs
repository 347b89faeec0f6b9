//! What is told beside an answer: that the token which the session presents is about to end.

use rmcp::model::ContentBlock;

use crate::{
    authz::Request,
    domain::{clock, token},
};

/// The warning that belongs beside the answer to `request`, if one does. It costs nothing: the
/// verb that answered has recognized who asked.
pub(super) fn of(request: &Request) -> Option<ContentBlock> {
    let seen = request.seen()?;
    let end = seen
        .expires_at
        .filter(|end| token::ends_soon(*end, seen.at))?;
    Some(ContentBlock::text(format!(
        "warning: the token that this session presents ends at {}. You can: finish what you are at, \
         and tell the person now. Only the person can: give it a new end when they rotate it \
         themselves, or give this server another token, in its entry of the client's configuration.",
        clock::rfc3339(end)
    )))
}
