//! [`Recent`]: what the look-up thread found good since the store last changed.

use std::{collections::HashMap, sync::Arc};

use crate::domain::{clock::Time, credential::HashedToken, token::Presented};

/// So many are kept at most: a few hundred bytes each as a rule, and 7 kB with as many scopes as a
/// token may carry.
const ROOM: usize = 16 << 10;

/// The values that were found, by their prints.
///
/// They stand for as long as SQLite's `data_version` does: nobody else has committed since.
/// `File::begin` asks for it inside each transaction, and empties this when it moved.
/// <https://sqlite.org/pragma.html#pragma_data_version>
///
/// What is no good is neither kept nor told from here: it takes the way of one that is not there,
/// each time, so that the time of a refusal does not tell its reason.
#[derive(Debug, Default)]
pub(super) struct Recent {
    found: HashMap<HashedToken, Arc<Presented>>,
}

impl Recent {
    /// What was found for this print, if it is good at `at`.
    pub(super) fn get(&self, hash: &HashedToken, at: Time) -> Option<Arc<Presented>> {
        let known = self.found.get(hash)?;
        known.is_good(at).then(|| Arc::clone(known))
    }

    /// Keeps what was found, if it is good at `at` and there is room.
    pub(super) fn keep(&mut self, hash: &HashedToken, found: &Arc<Presented>, at: Time) {
        if found.is_good(at) && self.found.len() < ROOM {
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
    use rusqlite::StatementStatus;

    use super::*;
    use crate::{
        domain::clock,
        store::{
            Durability, ReadTokens as _,
            sqlite::{File, tests::fresh, token_rows::BY_HASH},
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
            let (folder, place, writer) = fresh(Durability::Off);
            let hash = HashedToken::of("anything");
            writer.connection.execute_batch(TOKEN).unwrap();
            let value = "insert into token_values (token_id, generation, hash, generated_at)
                select id, 1, ?1, 0 from tokens";
            writer.connection.execute(value, [hash.as_bytes()]).unwrap();
            Self {
                _folder: folder,
                reader: File::to_look(&place).unwrap(),
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
    fn one_that_runs_out_meanwhile_is_looked_up_as_one_that_is_not_there() {
        let mut pair = Pair::new();
        pair.commit("update tokens set expires_at = 10");
        pair.reader.begin("begin").unwrap();
        let mut ran = |at| {
            pair.reader
                .presented(&pair.hash, clock::from_millis(at))
                .unwrap();
            let look_up = pair.reader.prepare(&BY_HASH).unwrap();
            look_up.get_status(StatementStatus::Run)
        };

        assert_eq!([ran(1), ran(9), ran(10), ran(11)], [1, 1, 2, 3]);
    }

    #[test]
    fn what_nobody_had_takes_the_steps_of_what_is_no_good() {
        let mut pair = Pair::new();
        pair.commit("update tokens set revoked_at = 1");
        let [first, last] = [[0; 32], [0xff; 32]].map(HashedToken::from_kept);
        pair.reader.begin("begin").unwrap();
        let mut steps = |hash| {
            pair.reader.presented(hash, at()).unwrap();
            let look_up = pair.reader.prepare(&BY_HASH).unwrap();
            look_up.reset_status(StatementStatus::VmStep)
        };
        // Once opens what is read.
        steps(&first);

        let [before, revoked, behind] = [steps(&first), steps(&pair.hash), steps(&last)];

        assert!(revoked > 100);
        assert!(before.abs_diff(revoked) < 3, "{before} and {revoked}");
        // It looks behind the last, too, where there is nothing to read.
        assert!((revoked..revoked + 30).contains(&behind), "{behind}");
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

    /// The look-up comes to the next print where nobody has the one that is looked for.
    #[test]
    fn a_print_beside_one_that_is_there_is_nobodys() {
        let mut pair = Pair::new();
        let ours = *pair.hash.as_bytes();
        pair.reader.begin("begin").unwrap();

        for at_byte in 0..ours.len() {
            for by in [1, 0x80] {
                let mut beside = ours;
                beside[at_byte] ^= by;
                let beside = HashedToken::from_kept(beside);
                let found = pair.reader.presented(&beside, at()).unwrap();
                assert!(found.is_none(), "byte {at_byte}");
            }
        }
        assert_eq!(pair.knows(), 0);
        assert!(pair.is_good_still());
    }

    /// ... and a row that cannot be read is the trouble of its own token alone.
    #[test]
    fn a_spoilt_row_stops_nobody_elses_refusal() {
        let mut pair = Pair::new();
        pair.commit("update tokens set scopes = 'no scope'");
        pair.reader.begin("begin").unwrap();

        assert!(pair.reader.presented(&pair.hash, at()).is_err());
        for beside in [[0; 32], [0xff; 32]].map(HashedToken::from_kept) {
            let found = pair.reader.presented(&beside, at());
            assert!(found.unwrap().is_none());
        }
    }

    /// The index still leads to the row, whose print was taken away.
    #[test]
    fn a_row_without_its_print_is_nobodys() {
        let mut pair = Pair::new();
        let path = pair.reader.connection.path().unwrap().to_owned();
        for behind_its_back in [
            "create table aside as select * from sqlite_schema where name = 'token_values_by_hash';
             delete from sqlite_schema where name = 'token_values_by_hash'",
            "update token_values set hash = null;
             insert into sqlite_schema select * from aside; drop table aside",
        ] {
            let file = rusqlite::Connection::open(&path).unwrap();
            file.pragma_update(None, "writable_schema", true).unwrap();
            file.execute_batch(behind_its_back).unwrap();
        }
        pair.reader.begin("begin").unwrap();

        let [own, other] = [pair.hash, HashedToken::from_kept([0; 32])];

        for print in [own, other] {
            let found = pair.reader.presented(&print, at());
            assert!(found.unwrap().is_none());
        }
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let mut pair = Pair::new();
        pair.reader.begin("begin").unwrap();
        let found = pair.reader.presented(&pair.hash, at()).unwrap().unwrap();
        let mut recent = Recent::default();

        for number in 0..=ROOM {
            recent.keep(&HashedToken::of(&number.to_string()), &found, at());
        }

        assert_eq!(recent.found.len(), ROOM);
    }
}
