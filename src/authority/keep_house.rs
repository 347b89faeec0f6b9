//! What a process does beside its requests: sweeps now and then, and writes down in batches when
//! tokens were used and refusals that were counted. A clean exit loses none of it.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Authority, Error, Thing, decide};
use crate::{
    authz::{Action, Request},
    domain::audit::Target,
};

/// How often a process that goes on sweeps.
const SWEEP_EVERY: Duration = Duration::from_hours(1);

/// How often refusals whose minute is over are looked for.
const MINUTE: Duration = Duration::from_mins(1);

impl Authority {
    /// Keeps house until the future is dropped.
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
            drop(timeout(MINUTE, self.inner.uses.wait_for_news()).await);
            // What could not be written stays in the batch; the next round tries again.
            if let Err(error) = self.write_batches().await {
                tracing::warn!(%error, "what was used and refused lately is not written down yet");
            }
        }
    }

    /// Writes down what [`Self::keep_house`] would have written later. The overlap of a token
    /// whose new value is in use ends with it.
    pub async fn write_batches(&self) -> Result<(), Error> {
        let uses = self.inner.uses.batch();
        let refusals = self.inner.refusals.due(self.inner.clock.now());
        if uses.is_empty() && refusals.is_empty() {
            return Ok(());
        }
        let (written_uses, written_refusals) = (uses.clone(), refusals.len());
        self.write(&Request::housekeeping(), move |tx, who| {
            for used in &uses {
                if let Some(whose) = tx.overlap(used, who.at())? {
                    let permit = decide(who, Action::Sweep, whose, Thing::Token)?;
                    let entry = permit
                        .entry(Target::Token(used.token))
                        .because("the overlap is over: the new value is in use");
                    tx.end_overlap(used, who.at(), &entry)?;
                }
            }
            tx.use_tokens(&uses)?;
            for record in &refusals {
                tx.append(record)?;
            }
            Ok(())
        })
        .await?;
        self.inner.uses.written(&written_uses);
        self.inner.refusals.written(written_refusals);
        Ok(())
    }

    /// Writes down everything that waits, refusals of this minute too, and closes the store.
    pub async fn close(&self) -> Result<(), Error> {
        self.inner.refusals.end_the_minute();
        let written = self.write_batches().await;
        self.inner.store.close();
        written
    }
}
