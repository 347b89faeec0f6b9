//! Looks every second whether whoever has something open is still known, in whichever process that
//! changed; forgets sessions that nobody needs; and cuts what goes on for too long at the end.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::House;
use crate::{
    authority::{Authority, Error, Mark},
    authz::{Credential, Request},
    domain::{audit::Front, clock::Time},
};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(1);

/// Those who have something open, and what ends it.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    open: Arc<Mutex<HashMap<u64, Open>>>,
    next: Arc<AtomicU64>,
}

/// What is presented, which may be another value later on, and what ends with it.
type Open = (Arc<Mutex<Presented>>, CancellationToken);

/// What was presented, and until when it is good by the clock alone.
#[derive(Clone, Debug)]
pub(super) struct Presented {
    pub(super) credential: Credential,
    pub(super) until: Option<Time>,
}

/// That somebody is watched, for as long as it is there.
#[derive(Debug)]
pub(super) struct Watching {
    watched: Watched,
    number: u64,
}

impl Watched {
    /// Cancels `end` soon after what was presented is good no longer.
    pub(super) fn add(&self, presented: Presented, end: CancellationToken) -> Watching {
        self.add_lasting(&Arc::new(Mutex::new(presented)), end)
    }

    /// The same for what was presented last.
    pub(super) fn add_lasting(
        &self,
        presented: &Arc<Mutex<Presented>>,
        end: CancellationToken,
    ) -> Watching {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.open().insert(number, (Arc::clone(presented), end));
        Watching {
            watched: self.clone(),
            number,
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Open>> {
        lock(&self.open)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.watched.open().remove(&self.number);
    }
}

/// What was known when it was looked last.
#[derive(Default)]
struct Looked {
    mark: Option<Mark>,
    /// How many were there by then: others may have come since.
    count: u64,
}

/// Keeps house until the process ends.
pub(super) async fn keep(house: Arc<House>) {
    let mut looked = Looked::default();
    loop {
        tokio::select! {
            biased;
            () = house.stop.cancelled() => break,
            () = sleep(EVERY) => {}
        }
        looked.look(&house).await;
        house.sessions.forget_idle();
        house.calls.forget();
        house.streams.forget();
    }
    // Streams have their last word, and calls that wait for a person go on without them.
    house.sessions.hush();
    sleep(house.grace).await;
    house.cut.cancel();
}

impl Looked {
    async fn look(&mut self, house: &House) {
        let authority = &house.server.authority;
        let mark = match authority.mark().await {
            Ok(mark) => mark,
            Err(error) => {
                // It is tried again in a second.
                tracing::debug!(%error, "it cannot be told whether anything has changed");
                return;
            }
        };
        let count = house.watched.next.load(Ordering::Relaxed);
        let is_same = count == self.count && self.mark.is_some_and(|before| mark.is_as(&before));
        let open: Vec<_> = house.watched.open().values().cloned().collect();
        let mut is_whole = true;
        for (presented, end) in open {
            let Presented { credential, until } = lock(&presented).clone();
            if is_same && until.is_none_or(|until| mark.at < until) {
                continue;
            }
            match still_known(authority, credential).await {
                Ok(until) => lock(&presented).until = until,
                Err(Error::Unauthenticated) => end.cancel(),
                Err(error) => {
                    tracing::debug!(%error, "it cannot be told whether somebody is still known");
                    is_whole = false;
                }
            }
        }
        if is_whole {
            *self = Self {
                mark: Some(mark),
                count,
            };
        }
    }
}

/// What a mutex holds. Nothing is half done where one is held here, whoever panicked.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Until when whoever presents this is known by the clock.
async fn still_known(authority: &Authority, credential: Credential) -> Result<Option<Time>, Error> {
    let request = Request::new(credential, Front::Mcp);
    authority.recognize(&request).await?;
    Ok(request.seen().and_then(|seen| seen.expires_at))
}
