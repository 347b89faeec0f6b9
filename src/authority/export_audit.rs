//! Hands out the whole trail, to be kept where whoever owns this machine does not write.

use super::{Authority, Error, Thing, decide, verify_audit::PIECE};
use crate::{
    authz::{Action, Request},
    domain::{
        audit::{AuditRecord, Chain},
        token::{Unknown, Whose},
    },
    store,
};

/// A piece of the trail.
#[derive(Debug)]
pub struct Exported {
    /// Entries of one chain, oldest first.
    pub records: Vec<AuditRecord>,
    /// Where the next piece begins; `None` behind the last.
    pub next: Option<Place>,
}

/// A place in the trail.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    chain: Chain,
    sequence: u64,
}

impl Authority {
    /// The entries of every chain, one chain behind the other, from `from` on; without it, from the
    /// first. Each ends where it ended when its last piece was read. An entry that cannot be read
    /// is an error: [`Authority::verify_audit`] says which.
    pub async fn export_audit(
        &self,
        request: &Request,
        from: Option<Place>,
    ) -> Result<Exported, Error> {
        self.read(request, move |view, who| {
            // Whoever may walk the chains may take them along.
            let permit = decide(who, Action::VerifyAudit, Whose::System, Thing::Something)?;
            let mut chains = view.chains(&permit)?.into_iter().map(|(chain, ..)| chain);
            let first = |chain| Place { chain, sequence: 1 };
            let Some(Place { chain, sequence }) = from.or_else(|| chains.next().map(first)) else {
                return Ok(Exported {
                    records: Vec::new(),
                    next: None,
                });
            };
            let begin = i64::try_from(sequence).unwrap_or(i64::MAX);
            let links = view.chain(&permit, chain, begin, PIECE)?.into_iter();
            let records: Option<Vec<_>> = links.map(|link| link.record).collect();
            let records = records.ok_or_else(|| store::Error::Corrupt(Unknown.into()))?;
            let next = match records.last() {
                Some(last) if records.len() == PIECE as usize => Some(Place {
                    chain,
                    sequence: last.sequence + 1,
                }),
                Some(_) | None => chains.find(|other| other.key() > chain.key()).map(first),
            };
            Ok(Exported { records, next })
        })
        .await
    }
}
