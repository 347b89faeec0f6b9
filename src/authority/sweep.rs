//! Forgets what ended long ago: tokens that nobody ever picked up, keys of repeated calls, and
//! claims that were used.

use chrono::Duration;

use super::{Authority, Error, Thing, decide};
use crate::{
    authz::{Action, Request},
    domain::{audit::Target, claim, idempotency, token::Whose},
};

/// How long a claim is remembered that was used, so that a second one is told when the first was,
/// or that lapsed.
const CLAIMS: Duration = Duration::days(7);

impl Authority {
    /// Sweeps, and says how many tokens went.
    pub async fn sweep(&self, request: &Request) -> Result<usize, Error> {
        self.write(request, |tx, who| {
            let permit = decide(who, Action::Sweep, Whose::System, Thing::Something)?;
            let unclaimed = tx.never_claimed(&permit, who.at() - claim::SWEPT_AFTER)?;
            for id in &unclaimed {
                let whose = tx.stake(*id)?.map(|stake| stake.whose);
                let permit = decide(who, Action::Sweep, whose, Thing::Token)?;
                let entry = permit.entry(Target::Token(*id)).because("never claimed");
                tx.remove_token(*id, &entry)?;
            }
            for id in tx.lapsed_claims(&permit, who.at() - CLAIMS)? {
                let whose = tx.stake(id)?.map(|stake| stake.whose);
                let permit = decide(who, Action::Sweep, whose, Thing::Token)?;
                let entry = permit.entry(Target::Token(id)).because("its claim lapsed");
                tx.close_claim(id, &entry)?;
            }
            tx.forget(&permit, who.at() - idempotency::LIFE, who.at() - CLAIMS)?;
            Ok(unclaimed.len())
        })
        .await
    }
}
