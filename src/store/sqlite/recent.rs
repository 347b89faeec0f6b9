//! [`Recent`]: what a reader found good since the store last changed.

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::clock,
        store::{
            Durability, ReadTokens as _,
            sqlite::{File, files},
        },
    };

    const TOKEN: &str = "
        insert into accounts (id, slug, name, created_at) values (randomblob(16), 'a', 'A', 0);
        insert into users (id, username, created_at) values (randomblob(16), 'ann', 0);
        insert into memberships (account_id, user_id, role)
            select a.id, u.id, 'admin' from accounts a, users u;
        insert into tokens (id, kind, account_id, owner_kind, owner_id, label, scopes, created_at,
                created_by)
            select randomblob(16), 'pat', account_id, 'user', user_id, 'x', 'read:notes', 0, x'6f'
            from memberships;";

    fn at() -> clock::Time {
        clock::from_millis(1)
    }

    /// A store with one token, its writer, a reader, and the token's print.
    struct Pair {
        _folder: tempfile::TempDir,
        writer: File,
        reader: File,
        hash: HashedToken,
    }

    impl Pair {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("keywright").join("store.db");
            let (place, queue) = files::prepare(&path, true).unwrap();
            let writer = File::to_write(&place, &queue, Durability::Off).unwrap();
            let hash = HashedToken::of("anything");
            writer.connection.execute_batch(TOKEN).unwrap();
            let value = "insert into token_values (token_id, generation, hash, generated_at)
                select id, 1, ?1, 0 from tokens";
            writer.connection.execute(value, [hash.as_bytes()]).unwrap();
            Self {
                _folder: folder,
                reader: File::to_read(&place).unwrap(),
                writer,
                hash,
            }
        }

        fn commit(&self, sql: &str) {
            self.writer.connection.execute(sql, []).unwrap();
        }

        /// Whether the token is good, as a new transaction sees it.
        fn is_good(&mut self) -> bool {
            self.reader.begin("begin").unwrap();
            let is_good = self.is_good_still();
            self.reader.undo();
            is_good
        }

        /// The same in the transaction that is under way.
        fn is_good_still(&mut self) -> bool {
            let found = self.reader.presented(&self.hash, at()).unwrap();
            found.is_some_and(|found| found.is_good(at()))
        }

        fn knows(&self) -> usize {
            self.reader.recent.as_ref().unwrap().found.len()
        }
    }

    #[test]
    fn what_was_found_is_known_until_anything_is_committed() {
        for change in [
            "update tokens set revoked_at = 1",
            "update tokens set expires_at = 1",
            "update tokens set disabled_at = 1",
            "delete from token_values",
            "update token_values set dies_at = 1",
            "update users set deactivated_at = 1",
            "delete from memberships",
        ] {
            let mut pair = Pair::new();
            assert!(pair.is_good());
            assert_eq!(pair.knows(), 1);
            assert!(pair.is_good());

            pair.commit(change);

            assert!(!pair.is_good(), "{change}");
            // Nor is one kept that is no good: it takes the same way each time, as one does that is
            // not there.
            assert_eq!(pair.knows(), 0, "{change}");
        }
    }

    #[test]
    fn a_transaction_sees_one_moment() {
        let mut pair = Pair::new();
        pair.reader.begin("begin").unwrap();
        assert!(pair.is_good_still());

        pair.commit("update tokens set revoked_at = 1");

        assert!(pair.is_good_still());
        pair.reader.undo();
        assert!(!pair.is_good());
    }

    /// The control: without the question, what was found would be good for ever.
    #[test]
    fn only_the_question_at_the_beginning_makes_it_forget() {
        let mut pair = Pair::new();
        assert!(pair.is_good());
        pair.commit("update tokens set revoked_at = 1");

        pair.reader.connection.execute_batch("begin").unwrap();

        assert!(pair.is_good_still());
        pair.reader.undo();
        assert!(!pair.is_good());
    }

    #[test]
    fn a_writer_keeps_nothing_and_nobody_keeps_what_is_not_there() {
        let mut pair = Pair::new();

        pair.writer.begin("begin").unwrap();
        assert!(pair.writer.presented(&pair.hash, at()).unwrap().is_some());
        pair.writer.undo();
        assert!(pair.writer.recent.is_none());

        pair.reader.begin("begin").unwrap();
        let other = HashedToken::of("another");
        assert!(pair.reader.presented(&other, at()).unwrap().is_none());
        pair.reader.undo();
        assert_eq!(pair.knows(), 0);
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let mut pair = Pair::new();
        pair.reader.begin("begin").unwrap();
        let found = pair.reader.presented(&pair.hash, at()).unwrap().unwrap();
        let mut recent = Recent::default();

        for number in 0..=ROOM {
            recent.keep(&HashedToken::of(&number.to_string()), &found);
        }

        assert_eq!(recent.found.len(), ROOM);
    }
}
