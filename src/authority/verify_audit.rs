//! Checks that what happened was not rewritten, and that nothing was changed behind our back.

use super::{Authority, Error, Thing, decide};
use crate::{
    authz::{Action, Request},
    crypto::digest::{self, Digest},
    domain::{
        audit::{ABSENT, Chain, ORIGIN, Target},
        id::AccountId,
        token::Whose,
    },
};

/// How many entries are read at once: it bounds the memory that a long chain takes.
const PIECE: u32 = 1_000;

/// What was found.
#[derive(Debug)]
pub struct Verified {
    /// Every chain, how many entries it has, and the hash at its end.
    pub chains: Vec<(Chain, u64, Digest)>,
    /// How many rows were held against what was last told of them.
    pub rows: u64,
    /// What does not hold.
    pub faults: Vec<Fault>,
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
    /// An account without a trail.
    #[error("the account {0} has no chain, and every account begins one")]
    NoChain(AccountId),
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
    /// it. All of it is of one moment.
    pub async fn verify_audit(&self, request: &Request) -> Result<Verified, Error> {
        self.read(request, |view, who| {
            let permit = decide(who, Action::VerifyAudit, Whose::System, Thing::Something)?;
            let mut faults = Vec::new();
            let mut chains = Vec::new();
            for (chain, told, head) in view.chains(&permit)? {
                let (mut last, mut before) = (0, ORIGIN);
                loop {
                    let piece = view.chain(&permit, chain, last, PIECE)?;
                    for record in &piece {
                        let sequence = record.sequence;
                        if sequence != last + 1 {
                            faults.push(Fault::Gap { chain, sequence });
                        }
                        if !digest::equal(&record.chained(&before), &record.hash) {
                            faults.push(Fault::Altered { chain, sequence });
                        }
                        (last, before) = (sequence, record.hash);
                    }
                    if piece.len() < PIECE as usize {
                        break;
                    }
                }
                if last != told || !digest::equal(&before, &head) {
                    let found = last;
                    faults.push(Fault::End { chain, told, found });
                }
                chains.push((chain, last, before));
            }
            for account in view.accounts(&permit)? {
                let chain = Chain::Account(account.id);
                if !chains.iter().any(|(found, ..)| *found == chain) {
                    faults.push(Fault::NoChain(account.id));
                }
            }
            if !view.is_schema_ours(&permit)? {
                faults.push(Fault::Schema);
            }
            let kept = view.everything_kept(&permit)?;
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
                faults,
            })
        })
        .await
    }
}
