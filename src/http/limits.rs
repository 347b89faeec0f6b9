//! How much at once, and how often: per address and per token (the generic cell rate algorithm, of
//! the crate `governor`). What one client asks for too much is not taken from the others.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::{
    DefaultKeyedRateLimiter, Quota,
    clock::{Clock as _, DefaultClock},
};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{error::Refusal, passage::Peer};
use crate::authz::Credential;

/// So many requests are answered at a time; those that come besides are told to come again.
const AT_ONCE: usize = 1024;

/// Of which so many may be asked with one token: whoever sends slowly does not have all of them.
const AT_ONCE_EACH: u32 = 256;

/// How often something may be asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate(Option<NonZeroU32>);

/// What may be asked of this server at most.
#[derive(Debug)]
pub struct Limits {
    at_once: Semaphore,
    /// How many are being answered that were asked with a token, by the key of its print.
    of_each: Mutex<HashMap<u64, u32>>,
    per_address: Option<DefaultKeyedRateLimiter<IpAddr>>,
    per_token: Option<DefaultKeyedRateLimiter<u64>>,
}

impl Rate {
    /// So often a second, and so many at once; 0 is without a limit.
    pub fn per_second(times: u32) -> Self {
        Self(NonZeroU32::new(times))
    }

    fn quota(self) -> Option<Quota> {
        self.0.map(Quota::per_second)
    }
}

impl Limits {
    /// These rates.
    pub fn new(per_address: Rate, per_token: Rate) -> Self {
        Self {
            at_once: Semaphore::new(AT_ONCE),
            of_each: Mutex::default(),
            per_address: per_address.quota().map(DefaultKeyedRateLimiter::keyed),
            per_token: per_token.quota().map(DefaultKeyedRateLimiter::keyed),
        }
    }

    /// Forgets, every minute, who has not asked for a while: until the future is dropped.
    pub async fn keep_small(&self) {
        loop {
            tokio::time::sleep(Duration::from_mins(1)).await;
            if let Some(addresses) = &self.per_address {
                addresses.retain_recent();
                addresses.shrink_to_fit();
            }
            if let Some(tokens) = &self.per_token {
                tokens.retain_recent();
                tokens.shrink_to_fit();
            }
        }
    }

    /// A place for one more request, if what is presented from there may ask it.
    pub(super) fn admit(
        &self,
        peer: Option<Peer>,
        credential: &Credential,
    ) -> Result<Admitted<'_>, Refusal> {
        if let Some(peer) = peer {
            self.admits_address(peer)?;
        }
        self.admits_token(credential)?;
        let share = self
            .share(credential)
            .ok_or_else(|| Refusal::rate_limited("under way with this token", 1))?;
        let place = self.at_once.try_acquire().map_err(|_| Refusal::busy())?;
        Ok(Admitted {
            _share: share,
            _place: place,
        })
    }

    fn admits_address(&self, peer: Peer) -> Result<(), Refusal> {
        within(
            self.per_address.as_ref(),
            &one_client(peer.0.ip()),
            "from this address",
        )
    }

    /// Whether what is presented may ask once more. Whoever presents nothing is counted by address.
    pub(crate) fn admits_token(&self, credential: &Credential) -> Result<(), Refusal> {
        let Some(key) = key(credential) else {
            return Ok(());
        };
        within(self.per_token.as_ref(), &key, "with this token")
    }

    /// A place among those of its token, for a request that presents this. `None` is too many.
    fn share(&self, credential: &Credential) -> Option<Share<'_>> {
        let key = key(credential);
        if let Some(key) = key {
            let mut of_each = self.of_each();
            let taken = of_each.entry(key).or_default();
            if *taken >= AT_ONCE_EACH {
                return None;
            }
            *taken += 1;
        }
        Some(Share { limits: self, key })
    }

    fn of_each(&self) -> MutexGuard<'_, HashMap<u64, u32>> {
        self.of_each.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being answered. Its places are free again when it is dropped.
#[derive(Debug)]
pub(super) struct Admitted<'a> {
    _share: Share<'a>,
    _place: SemaphorePermit<'a>,
}

/// A place among those of a token. It is free again when it is dropped.
#[derive(Debug)]
struct Share<'a> {
    limits: &'a Limits,
    key: Option<u64>,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key else {
            return;
        };
        let mut of_each = self.limits.of_each();
        if let Some(taken) = of_each.get_mut(&key) {
            *taken -= 1;
            if *taken == 0 {
                of_each.remove(&key);
            }
        }
    }
}

/// Which token it is, if one was presented. Eight bytes of a print tell tokens apart as well as all
/// of them.
fn key(credential: &Credential) -> Option<u64> {
    match credential {
        Credential::Token { hash, .. } => {
            let mut key = [0; 8];
            key.copy_from_slice(&hash.as_bytes()[..8]);
            Some(u64::from_le_bytes(key))
        }
        Credential::Nobody
        | Credential::LocalSession { .. }
        | Credential::Operator { .. }
        | Credential::Keywright => None,
    }
}

fn within<K: Clone + Eq + std::hash::Hash>(
    limiter: Option<&DefaultKeyedRateLimiter<K>>,
    key: &K,
    of: &str,
) -> Result<(), Refusal> {
    let Some(limiter) = limiter else {
        return Ok(());
    };
    limiter.check_key(key).map_err(|until| {
        let wait = until.wait_time_from(DefaultClock::default().now());
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Refusal::rate_limited(of, seconds.max(1))
    })
}

/// One client may have a whole /64 of IPv6. A listener for both protocols shows an address of the
/// older one as one of the newer, and all of those stand in one such network.
fn one_client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Peer {
        Peer(address.parse().unwrap())
    }

    #[test]
    fn who_asks_too_often_is_told_and_nobody_else() {
        let limits = Limits::new(Rate::per_second(2), Rate::per_second(1));
        let [one, other] = ["x", "y"].map(|value| Credential::bearer(value, None));

        for _ in 0..2 {
            assert!(limits.admits_address(peer("[2001:db8::1]:1")).is_ok());
        }
        assert!(limits.admits_address(peer("[2001:db8::2]:1")).is_err());
        assert!(limits.admits_address(peer("127.0.0.1:1")).is_ok());
        assert!(limits.admits_token(&one).is_ok());
        assert!(limits.admits_token(&one).is_err());
        assert!(limits.admits_token(&other).is_ok());
    }

    #[test]
    fn nobody_has_all_places() {
        let limits = Limits::new(Rate::per_second(0), Rate::per_second(0));
        let [one, other] = ["x", "y"].map(|value| Credential::bearer(value, None));

        let held: Vec<_> = (0..AT_ONCE_EACH).map(|_| limits.share(&one)).collect();

        assert!(held.iter().all(Option::is_some));
        assert!(limits.share(&one).is_none());
        assert!(limits.share(&other).is_some());
        assert!(limits.share(&Credential::Nobody).is_some());
        drop(held);
        assert!(limits.share(&one).is_some());
        assert!(limits.of_each().is_empty());
    }

    #[test]
    fn addresses_of_the_older_protocol_are_told_apart_by_a_listener_for_both() {
        let limits = Limits::new(Rate::per_second(1), Rate::per_second(0));

        assert!(limits.admits_address(peer("[::ffff:192.0.2.1]:1")).is_ok());
        assert!(limits.admits_address(peer("[::ffff:192.0.2.2]:1")).is_ok());
        assert!(limits.admits_address(peer("192.0.2.1:1")).is_err());
    }

    #[test]
    fn without_a_rate_there_is_no_limit() {
        let limits = Limits::new(Rate::per_second(0), Rate::per_second(0));
        let token = Credential::bearer("x", None);

        for _ in 0..10_000 {
            assert!(limits.admits_address(peer("127.0.0.1:1")).is_ok());
            assert!(limits.admits_token(&token).is_ok());
        }
    }
}
