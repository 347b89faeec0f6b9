//! Counts refusals that repeat, so that nobody fills the audit trail by asking again.
//!
//! The first of a kind in a minute is written at once, those after it as one entry with a count.
//! Of those whom nobody knows only the count is written.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Error;
use crate::{
    authz::Record,
    domain::{actor::Actor, clock::Time, id::RequestId},
    store::Refused,
};

const MINUTE: i64 = 60_000;

/// More kinds in one minute than this, and their counts are written early.
const MOST: usize = 4096;

/// The refusals of this minute.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    minute: Mutex<Minute>,
}

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    counted: Vec<Counted>,
    due: Vec<Record>,
}

#[derive(Debug)]
struct Counted {
    last: Record,
    /// The request whose entry was written at once, if one was.
    written: Option<RequestId>,
    /// How many came besides.
    others: u32,
}

impl Refusals {
    /// Leaves the entry with the refusal if it is to be written now, or takes it away and counts.
    pub(super) fn weigh(&self, mut refused: Refused<Error>) -> Refused<Error> {
        if let Some(record) = refused.entry.take() {
            refused.entry = self.count(record);
        }
        refused
    }

    fn count(&self, record: Box<Record>) -> Option<Box<Record>> {
        let mut minute = self.minute();
        minute.turn(record.at().timestamp_millis() / MINUTE);
        let seen = minute
            .counted
            .iter_mut()
            .find(|counted| counted.last.is_repeated_by(&record));
        if let Some(seen) = seen {
            // A verb that runs again is one refusal.
            if seen.written == Some(record.request()) {
                return Some(record);
            }
            if seen.last.request() != record.request() {
                seen.others += 1;
            }
            seen.last = *record;
            return None;
        }
        if minute.counted.len() >= MOST {
            minute.end();
        }
        let is_nobodys = record.actor == Actor::Nobody;
        minute.counted.push(Counted {
            last: Record::clone(&record),
            written: (!is_nobodys).then_some(record.request()),
            others: u32::from(is_nobodys),
        });
        (!is_nobodys).then_some(record)
    }

    /// The counts of minutes that are over at `now`. They stay due until they are written.
    pub(super) fn due(&self, now: Time) -> Vec<Record> {
        let mut minute = self.minute();
        minute.turn(now.timestamp_millis() / MINUTE);
        minute.due.clone()
    }

    /// Forgets the first `count` of those that were due: they are written.
    pub(super) fn written(&self, count: usize) {
        self.minute().due.drain(..count);
    }

    /// Makes the counts of this minute due.
    pub(super) fn end_the_minute(&self) {
        self.minute().end();
    }

    fn minute(&self) -> MutexGuard<'_, Minute> {
        self.minute.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Minute {
    fn turn(&mut self, number: i64) {
        if self.number != number {
            self.end();
            self.number = number;
        }
    }

    fn end(&mut self) {
        let counted = std::mem::take(&mut self.counted).into_iter();
        let due = counted
            .filter(|counted| counted.others > 0)
            .map(|counted| counted.last.counted(counted.others));
        self.due.extend(due);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        authz::{self, Action, Credential, Found, Request},
        domain::{audit::Front, clock::from_millis, token::Whose},
    };

    /// A request is refused for a reason that is none of ours.
    fn refusal(front: Front, why: &str) -> Box<Record> {
        let request = Request::new(Credential::Keywright, front);
        let who = authz::recognize(&request, Found::Nothing, from_millis(0)).unwrap();
        let permit = authz::decide(&who, Action::Sweep, Whose::System).unwrap();
        permit.failure(None, why)
    }

    /// Whether such a refusal is written at once.
    fn refused(refusals: &Refusals, why: usize) -> bool {
        let record = refusal(Front::Cli, &why.to_string());
        refusals.count(record).is_some()
    }

    #[test]
    fn only_the_same_refusal_through_the_same_door_is_a_repetition() {
        let first = refusal(Front::Cli, "a");

        assert!(first.is_repeated_by(&refusal(Front::Cli, "a")));
        assert!(!first.is_repeated_by(&refusal(Front::Cli, "b")));
        assert!(!first.is_repeated_by(&refusal(Front::Http, "a")));
    }

    #[test]
    fn more_kinds_than_there_is_room_for_are_written_early() {
        let refusals = Refusals::default();
        assert!((0..MOST).all(|why| refused(&refusals, why)));
        assert!(!refused(&refusals, 0) && !refused(&refusals, 0));
        assert!(refusals.due(from_millis(0)).is_empty());

        assert!(refused(&refusals, MOST));

        let due = refusals.due(from_millis(0));
        assert_eq!(
            due.iter().map(|record| record.count).collect::<Vec<_>>(),
            [2]
        );
    }
}
