//! [`Recent`]: what a reader looked up since the store last changed.

use std::{collections::HashMap, sync::Arc};

use crate::domain::{credential::HashedToken, token::Presented};

/// So many are kept at most, a few hundred bytes each.
const ROOM: usize = 16 << 10;

/// The values that were found, by their prints.
///
/// A row is as it was for as long as SQLite goes on using the page that it stands in: until anybody
/// has committed anything. The reader asks for that at the beginning of every transaction, which
/// then sees one moment, and forgets all of them when it is so.
#[derive(Debug, Default)]
pub(super) struct Recent {
    found: HashMap<HashedToken, Arc<Presented>>,
}

impl Recent {
    /// What was found for this print.
    pub(super) fn get(&self, hash: &HashedToken) -> Option<Arc<Presented>> {
        self.found.get(hash).map(Arc::clone)
    }

    /// Keeps what was found, if there is room.
    pub(super) fn keep(&mut self, hash: &HashedToken, found: &Arc<Presented>) {
        if self.found.len() < ROOM {
            self.found.insert(*hash, Arc::clone(found));
        }
    }

    /// Forgets everything.
    pub(super) fn forget(&mut self) {
        self.found.clear();
    }
}
