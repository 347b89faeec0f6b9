//! Checks that what happened was not rewritten, and that nothing was changed behind our back.

use std::collections::BTreeMap;

use super::{Authority, Error, Thing, decide};
use crate::{
    authz::{Action, Request},
    crypto::digest::{self, Digest},
    domain::{
        audit::{ABSENT, Chain, ORIGIN, Target},
        id::AccountId,
        token::Whose,
    },
    store::Link,
};

/// How many entries are read at once: it bounds the memory that a long chain takes.
pub(super) const PIECE: u32 = 1_000;

/// What was found.
#[derive(Debug)]
pub struct Verified {
    /// Every chain, how many entries it has, and the hash at its end.
    pub chains: Vec<(Chain, u64, Digest)>,
    /// How many rows were held against what was last told of them.
    pub rows: u64,
    /// How many of the entries that were known are there.
    pub known: u64,
    /// What does not hold.
    pub faults: Vec<Fault>,
}

/// An entry as somebody knows it who kept it elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// In which chain.
    pub chain: Chain,
    /// Its place there.
    pub sequence: u64,
    /// Its hash, and so that of all before it.
    pub hash: Digest,
}

/// Something that does not hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// An entry was altered, or the one before it was.
    #[error("entry {sequence} was altered, or what stood before it")]
    Altered {
        /// In which chain.
        chain: Chain,
        /// Which.
        sequence: u64,
    },
    /// An entry that none of ours could be: they are counted from 1.
    #[error("entry {sequence} stands before the first")]
    OutOfPlace {
        /// In which chain.
        chain: Chain,
        /// Which.
        sequence: i64,
    },
    /// Entries are missing.
    #[error("entries are missing before entry {sequence}")]
    Gap {
        /// In which chain.
        chain: Chain,
        /// The one behind the gap.
        sequence: u64,
    },
    /// The chain does not end where it is said to.
    #[error("the chain ends at entry {found}, and should at entry {told}")]
    End {
        /// Which chain.
        chain: Chain,
        /// Where it is said to end.
        told: u64,
        /// Where it ends.
        found: u64,
    },
    /// The trail is another one by now.
    #[error("entry {sequence} is not there as it was kept elsewhere{}", behind(*.more))]
    Rewritten {
        /// Which chain.
        chain: Chain,
        /// The first entry that is not there any more.
        sequence: u64,
        /// How many are not that were known behind it.
        more: u64,
    },
    /// An account without a trail.
    #[error("the account {0} has no chain, and every account begins one")]
    NoChain(AccountId),
    /// The file is damaged, or an index was edited.
    #[error("the file is damaged, or an index says what its table does not")]
    Damaged,
    /// Tables, indexes or triggers that no migration made, or that one made and are gone.
    #[error("the tables, indexes and triggers are not those that keywright makes")]
    Schema,
    /// A row is not as it was left.
    #[error("{0} is not as the last entry about it left it")]
    Row(Target),
    /// A row of which nothing was told.
    #[error("{0} is there, and no entry tells of it")]
    Untold(Target),
    /// A row that was taken away.
    #[error("{0} is gone, and no entry tells of that")]
    Gone(Target),
}

impl Authority {
    /// Walks every chain from its first entry, and holds every row against the last entry about
    /// it, and the chains against what is `known` of them. All of it is of one moment.
    pub async fn verify_audit(
        &self,
        request: &Request,
        known: Vec<Known>,
    ) -> Result<Verified, Error> {
        self.read(request, move |view, who| {
            let permit = decide(who, Action::VerifyAudit, Whose::System, Thing::Something)?;
            let mut faults = Vec::new();
            let mut met = 0;
            let mut known: BTreeMap<_, _> = known
                .iter()
                .map(|known| ((known.chain.key(), known.sequence, known.hash), known.chain))
                .collect();
            let mut chains = Vec::new();
            for (chain, told, head) in view.chains(&permit)? {
                let (mut last, mut before) = (0, ORIGIN);
                // From before the first: what stands there would be told of by nobody.
                let mut from = Some(i64::MIN);
                while let Some(begin) = from {
                    let piece = view.chain(&permit, chain, begin, PIECE)?;
                    for link in &piece {
                        let (found, place) = walked(chain, link, last, &before);
                        faults.extend(found);
                        if let Some((sequence, hash)) = place {
                            let known = known.remove(&(chain.key(), sequence, hash));
                            met += u64::from(known.is_some());
                            (last, before) = (sequence, hash);
                        }
                    }
                    let is_full = piece.len() == PIECE as usize;
                    let end = piece.last().filter(|_| is_full);
                    from = end.and_then(|link| link.sequence.checked_add(1));
                }
                if last != told || !digest::equal(&before, &head) {
                    let found = last;
                    faults.push(Fault::End { chain, told, found });
                }
                chains.push((chain, last, before));
            }
            // What is still known was not met.
            for (&(key, sequence, _), &chain) in &known {
                match faults.last_mut() {
                    Some(Fault::Rewritten { chain, more, .. }) if chain.key() == key => *more += 1,
                    Some(_) | None => faults.push(Fault::Rewritten {
                        chain,
                        sequence,
                        more: 0,
                    }),
                }
            }
            let kept = view.everything_kept(&permit)?;
            for row in &kept {
                if let Target::Account(id) = row.target
                    && row.found != ABSENT
                    && !chains
                        .iter()
                        .any(|(found, ..)| *found == Chain::Account(id))
                {
                    faults.push(Fault::NoChain(id));
                }
            }
            if !view.is_whole(&permit)? {
                faults.push(Fault::Damaged);
            }
            if !view.is_schema_ours(&permit)? {
                faults.push(Fault::Schema);
            }
            for row in &kept {
                match row.told {
                    None => faults.push(Fault::Untold(row.target)),
                    Some(told) if told == row.found => {}
                    Some(_) if row.found == ABSENT => faults.push(Fault::Gone(row.target)),
                    Some(_) => faults.push(Fault::Row(row.target)),
                }
            }
            Ok(Verified {
                chains,
                rows: kept.len() as u64,
                known: met,
                faults,
            })
        })
        .await
    }
}

fn behind(more: u64) -> String {
    match more {
        0 => String::new(),
        more => format!(", nor {more} behind it"),
    }
}

/// Holds the next entry of a chain against the place and the hash of the one before: what is wrong
/// with it, and its own place and hash, if it has one in the chain.
fn walked(
    chain: Chain,
    link: &Link,
    last: u64,
    before: &Digest,
) -> (Vec<Fault>, Option<(u64, Digest)>) {
    let mut faults = Vec::new();
    let Some(sequence) = u64::try_from(link.sequence).ok().filter(|place| *place > 0) else {
        let sequence = link.sequence;
        return (vec![Fault::OutOfPlace { chain, sequence }], None);
    };
    if sequence != last + 1 {
        faults.push(Fault::Gap { chain, sequence });
    }
    let record = link.record.as_ref();
    if !record.is_some_and(|record| digest::equal(&record.chained(before), &record.hash)) {
        faults.push(Fault::Altered { chain, sequence });
    }
    // The hash of one that cannot be read is not believed: the next is found altered, too.
    let hash = record.map_or(ORIGIN, |record| record.hash);
    (faults, Some((sequence, hash)))
}
