//! When tokens were last used: known at once in this process, written down in batches.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time};

use crate::{
    authz::Principal,
    domain::{
        clock::Time,
        id::TokenId,
        token::{Presented, Token},
    },
    store::Use,
};

/// How long a use waits for others before all of them are written.
const BATCH_EVERY: Duration = Duration::from_secs(5);

/// How long a token's first use waits, so that its owner sees soon that it works.
const FIRST_USE_AFTER: Duration = Duration::from_millis(100);

/// The latest use of each token that is not written down yet.
#[derive(Debug, Default)]
pub(super) struct Uses {
    latest: Mutex<HashMap<TokenId, Use>>,
    some: Notify,
    first: Notify,
    is_first: AtomicBool,
}

impl Uses {
    /// Notes that `who` used its token, if it asks with one.
    pub(super) fn see(&self, who: &Principal) {
        if let Some(presented) = who.presented() {
            self.used(presented, who.at());
        }
    }

    /// Notes that what was presented was used at `at`.
    pub(super) fn used(&self, presented: &Presented, at: Time) {
        let token = &presented.token;
        let mut used = Use {
            token: token.id,
            generation: presented.generation,
            at,
        };
        let is_first = match self.latest().entry(token.id) {
            Entry::Occupied(mut known) => {
                // The newest value that was used ends the overlap, whichever was used last.
                used.generation = used.generation.max(known.get().generation);
                known.insert(used);
                false
            }
            Entry::Vacant(place) => {
                place.insert(used);
                token.last_used_at.is_none()
            }
        };
        if is_first {
            self.is_first.store(true, Ordering::Relaxed);
            self.first.notify_one();
        }
        self.some.notify_one();
    }

    /// Shows what is known and not written down yet.
    pub(super) fn overlay(&self, token: &mut Token) {
        let seen = self.latest().get(&token.id).map(|used| used.at);
        token.last_used_at = token.last_used_at.max(seen);
    }

    /// Returns when there is a batch to write.
    pub(super) async fn wait_for_news(&self) {
        self.some.notified().await;
        if !self.is_first.swap(false, Ordering::Relaxed) {
            // A first use does not wait for the others.
            drop(time::timeout(BATCH_EVERY, self.first.notified()).await);
        }
        time::sleep(FIRST_USE_AFTER).await;
    }

    /// What is not written down yet, in the order of the ids: neighbours share pages.
    pub(super) fn batch(&self) -> Vec<Use> {
        let mut batch: Vec<_> = self.latest().values().copied().collect();
        batch.sort_unstable_by_key(|used| used.token);
        batch
    }

    /// Forgets what is written down now, unless a later use came in between.
    pub(super) fn written(&self, batch: &[Use]) {
        let mut latest = self.latest();
        for used in batch {
            if latest.get(&used.token) == Some(used) {
                latest.remove(&used.token);
            }
        }
    }

    fn latest(&self) -> MutexGuard<'_, HashMap<TokenId, Use>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        actor::Actor,
        clock::from_millis,
        label::Label,
        token::{Kind, Owner, OwnerNow, Powers},
    };

    fn presented(last_used_at: Option<Time>) -> Presented {
        let token = Token {
            id: TokenId::fresh(),
            kind: Kind::Pat,
            account: uuid::Uuid::nil().into(),
            owner: Owner::AppEnv(uuid::Uuid::nil().into()),
            label: Label::parse("x").unwrap(),
            powers: Powers::default(),
            created_at: from_millis(0),
            created_by: Actor::Operator,
            parent: None,
            last_used_at,
            disabled: None,
            revoked_at: None,
            present: None,
        };
        Presented {
            token,
            generation: 1,
            dies_at: None,
            owner: OwnerNow::AppEnv,
            username: None,
        }
    }

    #[test]
    fn only_the_first_use_of_a_token_does_not_wait_for_others() {
        for (last_used_at, is_first) in [(None, true), (Some(from_millis(1)), false)] {
            let uses = Uses::default();

            uses.used(&presented(last_used_at), from_millis(2));

            assert_eq!(uses.is_first.load(Ordering::Relaxed), is_first);
        }
    }

    #[test]
    fn what_is_written_down_is_forgotten_but_for_later_uses() {
        let uses = Uses::default();
        let [one, other] = [presented(None), presented(None)];
        uses.used(&one, from_millis(1));
        uses.used(&other, from_millis(1));
        let batch = uses.batch();
        uses.used(&other, from_millis(2));

        uses.written(&batch);

        let left = uses.batch();
        let left: Vec<_> = left.iter().map(|used| (used.token, used.at)).collect();
        assert_eq!(left, [(other.token.id, from_millis(2))]);
    }

    #[test]
    fn the_newest_value_that_was_used_counts_and_the_latest_use() {
        let uses = Uses::default();
        let mut newer = presented(None);
        newer.generation = 2;
        uses.used(&newer, from_millis(1));
        let older = Presented {
            generation: 1,
            ..newer.clone()
        };

        uses.used(&older, from_millis(2));

        let latest = Use {
            token: newer.token.id,
            generation: 2,
            at: from_millis(2),
        };
        assert_eq!(uses.batch(), [latest]);
        let mut shown = newer.token;
        uses.overlay(&mut shown);
        assert_eq!(shown.last_used_at, Some(from_millis(2)));
    }
}
