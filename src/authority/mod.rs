//! What can be done: a file a verb. Every front calls here, and nothing else changes anything.
//!
//! Every verb reads the same way: authenticate, load what the decision needs, decide, act, record,
//! answer, all of it in one transaction.

mod authenticate;
mod check_store;
mod claim_token;
mod create_token;
mod deliver;
mod error;
mod found_store;
mod get_token;
mod introspect_token;
mod list_tokens;
mod manage_app_envs;
mod manage_users;
mod read_audit;
mod refusals;
mod replay;
mod reveal_cli_token;
mod revoke_token;
mod rotate_token;
mod set_cli_token;
mod subject;
mod sweep;
mod update_token;
mod uses;
mod verify_audit;
mod whoami;

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};

use crate::{
    authz::{self, Action, Permit, Principal, Request},
    domain::{clock::Clock, credential::Brand, token::Whose},
    store::{Refused, Store, Tx, View},
    vault::Vault,
};
use authenticate::authenticate;
pub use check_store::Checked;
pub use claim_token::{ClaimRef, Claimed, Sink, WaitingClaim};
pub use create_token::NewToken;
pub use deliver::{Deliver, Delivered, Minted};
pub use error::{Conflict, Error, Thing};
pub use found_store::FirstUser;
pub use introspect_token::Introspected;
pub use list_tokens::{ListTokens, Of};
pub use manage_app_envs::NewAppEnv;
pub use manage_users::{NewAccount, NewUser};
pub use read_audit::ReadAudit;
use refusals::Refusals;
pub use reveal_cli_token::{Revealed, RevealedOwner};
pub use revoke_token::{Revoke, Revoked};
pub use rotate_token::Rotate;
pub use set_cli_token::SetCliToken;
pub use subject::For;
pub use update_token::Update;
use uses::Uses;
pub use verify_audit::{Fault, Verified};
pub use whoami::Whoami;

/// How often a process that goes on sweeps.
const SWEEP_EVERY: Duration = Duration::from_hours(1);

/// How often refusals that were counted are looked for.
const MINUTE: Duration = Duration::from_mins(1);

/// The authority: a store, a vault and a clock behind one door.
#[derive(Clone, Debug)]
pub struct Authority {
    store: Arc<Store>,
    vault: Arc<Vault>,
    clock: Clock,
    brand: Brand,
    uses: Arc<Uses>,
    refusals: Arc<Refusals>,
}

impl Authority {
    /// An authority over `store`, whose tokens begin with `brand`.
    pub fn new(store: Store, vault: Vault, clock: Clock, brand: Brand) -> Self {
        Self {
            store: Arc::new(store),
            vault: Arc::new(vault),
            clock,
            brand,
            uses: Arc::default(),
            refusals: Arc::default(),
        }
    }

    /// A verb that writes: who asks, and all that follows, in one transaction.
    async fn write<A: Send + 'static>(
        &self,
        request: &Request,
        verb: impl Fn(&mut Tx, &Principal) -> Result<A, Refused<Error>> + Send + 'static,
    ) -> Result<A, Error> {
        let (house, request) = (self.clone(), request.clone());
        self.store
            .write(move |tx| {
                let asked = authenticate(tx, &request, house.clock.now());
                let done = asked.and_then(|who| {
                    house.uses.see(&who);
                    verb(tx, &who)
                });
                done.map_err(|refused| house.refusals.weigh(refused))
            })
            .await
    }

    /// A verb that only looks, in the same order.
    async fn read<A: Send + 'static>(
        &self,
        request: &Request,
        verb: impl Fn(&mut View, &Principal) -> Result<A, Refused<Error>> + Send + 'static,
    ) -> Result<A, Error> {
        let (house, request) = (self.clone(), request.clone());
        self.store
            .read(move |view| {
                let asked = authenticate(view, &request, house.clock.now());
                let done = asked.and_then(|who| {
                    house.uses.see(&who);
                    verb(view, &who)
                });
                done.map_err(|refused| house.refusals.weigh(refused))
            })
            .await
    }

    /// Keeps house until the future is dropped: sweeps now and then, and writes down when tokens
    /// were used, and refusals that were counted, in batches.
    pub async fn keep_house(&self) {
        let mut last_sweep = None;
        loop {
            if last_sweep.is_none_or(|last: Instant| last.elapsed() > SWEEP_EVERY) {
                last_sweep = Some(Instant::now());
                if let Err(error) = self.sweep(&Request::housekeeping()).await {
                    tracing::warn!(%error, "the store could not be swept");
                }
            }
            // Without uses there may still be refusals whose minute is over.
            drop(timeout(MINUTE, self.uses.wait_for_news()).await);
            // What could not be written stays in the batch; the next round tries again.
            if let Err(error) = self.write_batches().await {
                tracing::warn!(%error, "what was used and refused lately is not written down yet");
            }
        }
    }

    /// Writes down what [`Self::keep_house`] would have written later.
    pub async fn write_batches(&self) -> Result<(), Error> {
        let uses = self.uses.batch();
        let refusals = self.refusals.due(self.clock.now());
        if uses.is_empty() && refusals.is_empty() {
            return Ok(());
        }
        let (kept_uses, kept_refusals) = (uses.clone(), refusals.clone());
        let written = self
            .store
            .write(move |tx| {
                tx.use_tokens(&uses)?;
                for record in &refusals {
                    tx.append(record)?;
                }
                Ok::<_, Refused<Error>>(())
            })
            .await;
        match written {
            Ok(()) => self.uses.written(&kept_uses),
            Err(_) => self.refusals.still_due(kept_refusals),
        }
        written
    }

    /// Writes down everything that waits, refusals of this minute too, and closes the store.
    pub async fn close(&self) -> Result<(), Error> {
        self.refusals.end_the_minute();
        let written = self.write_batches().await;
        self.store.close();
        written
    }
}

/// May `who` do `action` to a thing that is `whose`? If it is hidden, it is called a missing
/// `thing`, as one that is not there.
fn decide(
    who: &Principal,
    action: Action,
    whose: impl Into<Option<Whose>>,
    thing: Thing,
) -> Result<Permit<'_>, Refused<Error>> {
    authz::decide(who, action, whose).map_err(|denial| Refused::from(denial).naming(thing))
}

/// What was permitted finds no `thing`: answered as what is hidden is, and written down as that is.
fn missing(permit: &Permit<'_>, thing: Thing) -> Refused<Error> {
    let error = Error::NotFound(thing);
    let record = permit.failure(None, &error.to_string());
    Refused {
        error,
        entry: Some(record),
    }
}
