//! How much may be under way at a time, for everybody and for each: nobody has all of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::keeper::lock;
use crate::domain::actor::Actor;

/// Places for everybody, of which each may have some.
#[derive(Debug)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    most_each: usize,
    each: Mutex<HashMap<Actor, Arc<Semaphore>>>,
}

/// A place. It is free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _ones: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Full {
    /// Who asks has as many as it may.
    Ones,
    /// Everybody together has.
    All,
}

impl Places {
    pub(super) fn new(most: usize, most_each: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(most)),
            most_each,
            each: Mutex::default(),
        }
    }

    /// A place for `actor`, for which it waits as long as `patience`.
    pub(super) async fn take(&self, actor: Actor, patience: Duration) -> Result<Place, Full> {
        let ones = timeout(patience, self.of(actor).acquire_owned()).await;
        let Ok(Ok(ones)) = ones else {
            return Err(Full::Ones);
        };
        let of_all = timeout(patience, Arc::clone(&self.all).acquire_owned()).await;
        let Ok(Ok(of_all)) = of_all else {
            return Err(Full::All);
        };
        Ok(Place {
            _ones: ones,
            _of_all: of_all,
        })
    }

    /// Forgets who has no place.
    pub(super) fn forget(&self) {
        let most = self.most_each;
        self.each().retain(|_, places| {
            // Nobody waits for one, and nobody holds one.
            Arc::strong_count(places) > 1 || places.available_permits() < most
        });
    }

    fn of(&self, actor: Actor) -> Arc<Semaphore> {
        let mut each = self.each();
        let places = each
            .entry(actor)
            .or_insert_with(|| Arc::new(Semaphore::new(self.most_each)));
        Arc::clone(places)
    }

    fn each(&self) -> MutexGuard<'_, HashMap<Actor, Arc<Semaphore>>> {
        lock(&self.each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::TokenId;

    #[tokio::test(start_paused = true)]
    async fn nobody_has_all_of_them() {
        let places = Places::new(3, 2);
        let [one, other] = [
            Actor::Token(TokenId::fresh()),
            Actor::Token(TokenId::fresh()),
        ];
        let patience = Duration::from_secs(1);

        let held = [
            places.take(one, patience).await,
            places.take(one, patience).await,
        ];
        let more = places.take(one, patience).await;
        let others = places.take(other, patience).await;
        let last = places.take(other, patience).await;

        assert!(held.iter().all(Result::is_ok) && others.is_ok());
        assert_eq!(
            (more.err(), last.err()),
            (Some(Full::Ones), Some(Full::All))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_free_when_it_is_dropped() {
        let places = Places::new(1, 1);
        let actor = Actor::Operator;
        let held = places.take(actor, Duration::ZERO).await;

        places.forget();
        let before = places.take(actor, Duration::ZERO).await;
        drop(held);
        places.forget();
        let after = places.take(actor, Duration::ZERO).await;

        assert_eq!(before.err(), Some(Full::Ones));
        assert!(after.is_ok());
        assert_eq!(places.each().len(), 1);
    }
}
