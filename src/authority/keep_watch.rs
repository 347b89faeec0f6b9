//! Tells whether anything has changed, in whichever process, so that those who wait for news look
//! again only then.

use super::{Authority, Error};
use crate::{authz::Request, domain::clock::Time};

/// How things stood at a moment. It says nothing of what changed, nor whose it is: who wants to
/// know looks again by the verbs, as themselves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mark {
    entries: u64,
    /// The moment.
    pub at: Time,
}

impl Mark {
    /// Whether nothing was done between this mark and an earlier one.
    pub fn is_as(&self, earlier: &Self) -> bool {
        self.entries == earlier.entries
    }
}

impl Authority {
    /// How things stand now. Nothing changes without an entry in the audit trail, and that a token
    /// was used is no change.
    pub async fn mark(&self) -> Result<Mark, Error> {
        self.look(&Request::housekeeping(), |view, who| {
            Ok(Mark {
                entries: view.entries()?,
                at: who.at(),
            })
        })
        .await
    }
}
