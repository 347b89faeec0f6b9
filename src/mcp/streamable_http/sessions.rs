//! The sessions there are: whose, how many, and for how long.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use super::{Full, Limits, caller::Caller, keeper::lock, session::Session};

/// Every open session, by its id.
#[derive(Debug)]
pub(super) struct Sessions {
    most: usize,
    most_each: usize,
    idle: Duration,
    open: Mutex<HashMap<String, Arc<Session>>>,
}

/// There are as many as may be, and all are in use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NotOpened(pub(super) Full);

impl Sessions {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            most: limits.sessions,
            most_each: limits.sessions_each,
            idle: limits.idle,
            open: Mutex::default(),
        }
    }

    /// Adds one. Where there is no place for it, the one that was idle longest goes: of the same
    /// token's, if that has as many as it may.
    pub(super) fn add(&self, session: &Arc<Session>) -> Result<(), NotOpened> {
        let mut open = self.open();
        let ones = |open: &Arc<Session>| open.actor == session.actor;
        if open.values().filter(|open| ones(open)).count() >= self.most_each {
            let oldest = longest_idle(open.values().filter(|open| ones(open)));
            drop_one(&mut open, oldest).ok_or(NotOpened(Full::Ones))?;
        } else if open.len() >= self.most {
            let oldest = longest_idle(open.values());
            drop_one(&mut open, oldest).ok_or(NotOpened(Full::All))?;
        }
        open.insert(session.id.clone(), Arc::clone(session));
        Ok(())
    }

    /// The session with this id, if it is the caller's. A stranger finds what is not there.
    pub(super) fn find(&self, id: &str, caller: &Caller) -> Option<Arc<Session>> {
        let session = self.open().get(id).cloned();
        let session = session.filter(|session| session.actor == caller.actor)?;
        session.use_by(caller);
        Some(session)
    }

    /// Ends one, if it is still there.
    pub(super) fn end(&self, session: &Session) {
        let ended = self.open().remove(&session.id);
        if let Some(ended) = ended {
            ended.close();
        }
    }

    /// Ends those that nobody has needed for long, and those whose token is good no longer.
    pub(super) fn forget_idle(&self) {
        self.open().retain(|_, session| {
            let is_old = session
                .idle_since()
                .is_some_and(|since| since.elapsed() >= self.idle);
            let is_over = is_old || session.end().is_cancelled();
            if is_over {
                session.close();
            }
            !is_over
        });
    }

    /// The process is about to end: nothing waits for a client any more.
    pub(super) fn hush(&self) {
        for session in self.open().values() {
            session.end().cancel();
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        lock(&self.open)
    }
}

fn longest_idle<'a>(sessions: impl Iterator<Item = &'a Arc<Session>>) -> Option<Arc<Session>> {
    let idle = sessions.filter_map(|session| Some((session.idle_since()?, session)));
    let longest = idle.min_by_key(|(since, _)| *since);
    longest.map(|(_, session)| Arc::clone(session))
}

fn drop_one(open: &mut HashMap<String, Arc<Session>>, which: Option<Arc<Session>>) -> Option<()> {
    let which = open.remove(&which?.id)?;
    which.close();
    Some(())
}
