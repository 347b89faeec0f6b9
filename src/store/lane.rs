//! A verb on its way to a thread that owns a connection, and its answer on the way back.
//!
//! What was queued before the lane is closed is still done, and closing waits for it.

use std::{
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError, TryLockError,
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread::{self, JoinHandle},
};

use tokio::sync::oneshot;

use super::{Error, Refused};
use crate::authz::Record;

/// More verbs than this waiting, and new ones are turned away: whoever comes later would wait
/// longer than anybody listens, and every one of them holds memory.
const QUEUE: usize = 1024;

/// What is to be kept of what a verb did.
pub(super) enum Keep {
    /// All of it: the verb succeeded.
    All,
    /// Nothing but this record of its refusal.
    Only(Box<Record>),
    /// Nothing.
    Nothing,
}

/// A verb whose types the engine need not know.
pub(super) trait Job<T: ?Sized>: Send {
    /// Whether somebody still waits for it.
    fn is_wanted(&self) -> bool;
    /// Runs it, perhaps again. Never panics, whatever the verb does.
    fn run(&mut self, tx: &mut T) -> Keep;
    /// Answers, now that it is known whether what was to be kept is kept.
    fn settle(self: Box<Self>, kept: Result<(), Error>);
}

/// A verb, and the one who asked for it.
pub(super) struct Asked<V, A, E> {
    verb: V,
    outcome: Option<Result<A, E>>,
    answer: oneshot::Sender<Result<A, E>>,
}

impl<V, A, E> Asked<V, A, E> {
    /// The two ends: what is queued, and what the asker waits for.
    pub(super) fn new(verb: V) -> (Box<Self>, oneshot::Receiver<Result<A, E>>) {
        let (answer, wait) = oneshot::channel();
        let asked = Self {
            verb,
            outcome: None,
            answer,
        };
        (Box::new(asked), wait)
    }
}

impl<T, V, A, E> Job<T> for Asked<V, A, E>
where
    T: ?Sized,
    V: Fn(&mut T) -> Result<A, Refused<E>> + Send,
    A: Send,
    E: From<Error> + Send,
{
    fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    fn run(&mut self, tx: &mut T) -> Keep {
        // A verb that panics must not take the only writer with it. What it left half done is
        // rolled back by the engine, so nothing broken is seen afterwards.
        let ran = catch_unwind(AssertUnwindSafe(|| (self.verb)(tx)));
        let (outcome, keep) = match ran {
            Ok(Ok(answer)) => (Ok(answer), Keep::All),
            Ok(Err(Refused { error, entry })) => {
                (Err(error), entry.map_or(Keep::Nothing, Keep::Only))
            }
            Err(_) => {
                let panicked = Error::Unavailable("a verb panicked".into());
                (Err(panicked.into()), Keep::Nothing)
            }
        };
        self.outcome = Some(outcome);
        keep
    }

    fn settle(self: Box<Self>, kept: Result<(), Error>) {
        let outcome = match (kept, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => Err(Error::Unavailable("the verb did not run".into()).into()),
            // A refusal stands even if its record could not be kept.
            (Err(_), Some(Err(refusal))) => Err(refusal),
            (Err(error), _) => Err(error.into()),
        };
        // Nobody may be waiting any more; what was kept stays kept.
        drop(self.answer.send(outcome));
    }
}

/// The way to the threads of one kind.
pub(super) struct Lane<T: ?Sized> {
    /// Gone once the lane is closed, which is how its threads learn of it.
    queue: Mutex<Option<SyncSender<Box<dyn Job<T>>>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What a thread takes its verbs from.
pub(super) struct Jobs<T: ?Sized>(Arc<Mutex<Receiver<Box<dyn Job<T>>>>>);

impl<T: ?Sized + 'static> Lane<T> {
    /// A lane without threads yet, and what they will take their verbs from.
    pub(super) fn new() -> (Self, Jobs<T>) {
        let (sender, receiver) = mpsc::sync_channel(QUEUE);
        let lane = Self {
            queue: Mutex::new(Some(sender)),
            threads: Mutex::default(),
        };
        (lane, Jobs(Arc::new(Mutex::new(receiver))))
    }

    /// Starts a thread that ends when the lane is closed.
    pub(super) fn start(
        &self,
        name: &str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), io::Error> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work)?;
        self.threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(thread);
        Ok(())
    }

    /// Queues `job`, or says at once that it will not be done.
    pub(super) fn send(&self, job: Box<dyn Job<T>>) -> Result<(), Error> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = queue.as_ref() else {
            return Err(Error::Unavailable("the store is closed".into()));
        };
        queue.try_send(job).map_err(|error| {
            Error::Unavailable(match error {
                TrySendError::Full(_) => "too many requests are waiting; try again shortly".into(),
                TrySendError::Disconnected(_) => "the store's thread has ended; restart".into(),
            })
        })
    }
}

// Not bound to `'static`, so that a drop may call it.
impl<T: ?Sized> Lane<T> {
    /// Takes no more verbs, and returns when those that were queued are done and the threads have
    /// dropped their connections. A second call finds nothing to do.
    pub(super) fn close(&self) {
        drop(
            self.queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        // Held while joining, so that a second caller comes back no sooner than the first.
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // A verb can hold the last handle on the store; then its own thread closes the lane,
            // and cannot wait for itself.
            if thread.thread().id() != thread::current().id() && thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }
}

impl<T: ?Sized> Drop for Lane<T> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<T: ?Sized> Jobs<T> {
    /// The next verb, or `None` when the lane is closed and empty.
    pub(super) fn wait(&self) -> Option<Box<dyn Job<T>>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv()
            .ok()
    }

    /// The next verb, if one is waiting. While another thread waits for the next, none is: whoever
    /// waits holds the lock, and to wait for it would be to wait for a verb.
    pub(super) fn next(&self) -> Option<Box<dyn Job<T>>> {
        let receiver = match self.0.try_lock() {
            Ok(receiver) => receiver,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        receiver.try_recv().ok()
    }
}

impl<T: ?Sized> Clone for Jobs<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: ?Sized> fmt::Debug for Lane<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lane(..)")
    }
}
