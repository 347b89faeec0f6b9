//! Hands out the whole trail, to be kept where whoever owns this machine does not write.

use super::{Authority, Error, Thing, decide, verify_audit::PIECE};
use crate::{
    authz::{Action, Permit, Request},
    domain::{
        audit::{AuditRecord, Chain},
        token::{Unknown, Whose},
    },
    store::{self, View},
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
            let place = match from {
                Some(place) => Some(place),
                None => behind(view, &permit, None)?,
            };
            let Some(Place { chain, sequence }) = place else {
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
                Some(_) | None => behind(view, &permit, Some(chain))?,
            };
            Ok(Exported { records, next })
        })
        .await
    }
}

/// Where the chain behind `last` begins; without one, the first. Whoever asks has all entries looked
/// through for chains that have lost their head.
fn behind(
    view: &mut View,
    permit: &Permit<'_>,
    last: Option<Chain>,
) -> Result<Option<Place>, store::Error> {
    let mut chains = view.chains(permit)?.into_iter().map(|(chain, ..)| chain);
    let next = chains.find(|chain| last.is_none_or(|last| chain.key() > last.key()));
    Ok(next.map(|chain| Place { chain, sequence: 1 }))
}
