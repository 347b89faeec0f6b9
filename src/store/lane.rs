//! A verb on its way to a thread that owns a connection, and its answer on the way back.
//!
//! What was queued before the lane is closed is still done, and closing waits for it.

use std::{
    collections::VecDeque,
    fmt, io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use tokio::{sync::oneshot, task::yield_now};

use super::{Error, Refused};
use crate::authz::Record;

/// More verbs than this waiting, and new ones are turned away: whoever comes later would wait
/// longer than anybody listens, and every one of them holds memory.
const QUEUE: usize = 1024;

/// So many verbs share one transaction at most: it bounds how long the first of them waits.
pub(super) const BATCH: usize = 64;

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

/// The way to one thread.
pub(super) struct Lane<T: ?Sized> {
    waiting: Arc<Waiting<T>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread takes its verbs from.
pub(super) struct Jobs<T: ?Sized>(Arc<Waiting<T>>);

struct Waiting<T: ?Sized> {
    queue: Mutex<Queue<T>>,
    news: Condvar,
}

struct Queue<T: ?Sized> {
    jobs: VecDeque<Box<dyn Job<T>>>,
    stage: Stage,
    /// Whether the thread sleeps and has not been told of anything.
    is_asleep: bool,
}

#[derive(Clone, Copy)]
enum Stage {
    Open,
    /// What is queued is done, and nothing besides.
    Closed,
    /// The thread has ended by itself, by a panic.
    Ended,
}

/// Tells of what is queued when it is dropped: whoever waits may be gone by then, and what they
/// queued is not to lie about.
struct Telling<'a, T: ?Sized>(&'a Waiting<T>);

impl<T: ?Sized> Lane<T> {
    /// A lane without its thread yet.
    pub(super) fn new() -> Self {
        let queue = Queue {
            jobs: VecDeque::new(),
            stage: Stage::Open,
            is_asleep: false,
        };
        let waiting = Waiting {
            queue: Mutex::new(queue),
            news: Condvar::new(),
        };
        Self {
            waiting: Arc::new(waiting),
            thread: Mutex::default(),
        }
    }

    /// Starts its thread, which is to end when the lane is closed.
    pub(super) fn start(
        &self,
        name: &str,
        work: impl FnOnce(Jobs<T>) + Send + 'static,
    ) -> Result<(), io::Error>
    where
        T: 'static,
    {
        let jobs = Jobs(Arc::clone(&self.waiting));
        let thread = thread::Builder::new().name(name.to_owned());
        *self.thread() = Some(thread.spawn(move || work(jobs))?);
        Ok(())
    }

    /// Queues `job`, or says at once that it will not be done.
    ///
    /// Whoever else can ask something right now does so before the thread is told: they share its
    /// transaction, and it is woken once. As many as one transaction takes are not kept waiting.
    pub(super) async fn send(&self, job: Box<dyn Job<T>>) -> Result<(), Error> {
        let queued = self.waiting.push(job)?;
        let _telling = Telling(&self.waiting);
        if queued < BATCH {
            yield_now().await;
        }
        Ok(())
    }

    /// Takes no more verbs, and returns when those that were queued are done and the thread has
    /// dropped its connection. A second call finds nothing to do.
    pub(super) fn close(&self) {
        let mut queue = self.waiting.queue();
        if let Stage::Open = queue.stage {
            queue.stage = Stage::Closed;
        }
        drop(queue);
        self.waiting.news.notify_all();
        // Held while joining, so that a second caller comes back no sooner than the first.
        let mut thread = self.thread();
        // A verb can hold the last handle on the store; then its own thread closes the lane, and
        // cannot wait for itself.
        if let Some(thread) = thread.take()
            && thread.thread().id() != thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("a thread of the store panicked");
        }
    }

    fn thread(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: ?Sized> Drop for Lane<T> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<T: ?Sized> Waiting<T> {
    /// Queues `job`, and says how many are queued now.
    fn push(&self, job: Box<dyn Job<T>>) -> Result<usize, Error> {
        let mut queue = self.queue();
        let why = match queue.stage {
            Stage::Open if queue.jobs.len() < QUEUE => {
                queue.jobs.push_back(job);
                return Ok(queue.jobs.len());
            }
            Stage::Open => "too many requests are waiting; try again shortly",
            Stage::Closed => "the store is closed",
            Stage::Ended => "the store's thread has ended; restart keywright",
        };
        Err(Error::Unavailable(why.into()))
    }

    /// Tells the thread of what is queued, unless it is on its way.
    fn tell(&self) {
        let mut queue = self.queue();
        if queue.is_asleep && !queue.jobs.is_empty() {
            queue.is_asleep = false;
            drop(queue);
            self.news.notify_one();
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: ?Sized> Drop for Telling<'_, T> {
    fn drop(&mut self) {
        self.0.tell();
    }
}

impl<T: ?Sized> Jobs<T> {
    /// The next verb, or `None` when the lane is closed and empty.
    pub(super) fn wait(&self) -> Option<Box<dyn Job<T>>> {
        let mut queue = self.0.queue();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            let Stage::Open = queue.stage else {
                return None;
            };
            queue.is_asleep = true;
            let woken = self.0.news.wait(queue);
            queue = woken.unwrap_or_else(PoisonError::into_inner);
            queue.is_asleep = false;
        }
    }

    /// The next verb, if one is queued.
    pub(super) fn next(&self) -> Option<Box<dyn Job<T>>> {
        self.0.queue().jobs.pop_front()
    }
}

impl<T: ?Sized> Drop for Jobs<T> {
    /// Takes along what nobody will do any more: whoever waits for it is told.
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        if let Stage::Open = queue.stage {
            queue.stage = Stage::Ended;
        }
        let left = mem::take(&mut queue.jobs);
        // A verb can hold the last handle on the store, which closes the lane.
        drop(queue);
        drop(left);
    }
}

impl<T: ?Sized> fmt::Debug for Lane<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lane(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        sync::mpsc,
        task::{Context, Poll, Waker},
        time::Duration,
    };

    use super::*;

    /// A verb that says that it was done, or that it was dropped.
    struct Says(mpsc::Sender<bool>, bool);

    impl Job<()> for Says {
        fn is_wanted(&self) -> bool {
            true
        }

        fn run(&mut self, (): &mut ()) -> Keep {
            self.1 = true;
            Keep::Nothing
        }

        fn settle(self: Box<Self>, _: Result<(), Error>) {}
    }

    impl Drop for Says {
        fn drop(&mut self) {
            self.0.send(self.1).ok();
        }
    }

    fn work(jobs: &Jobs<()>) {
        while let Some(mut job) = jobs.wait() {
            job.run(&mut ());
        }
    }

    const PATIENCE: Duration = Duration::from_secs(20);

    /// Whether it goes on at once.
    fn is_sent(sending: Pin<&mut impl Future<Output = Result<(), Error>>>) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        matches!(sending.poll(&mut cx), Poll::Ready(Ok(())))
    }

    #[tokio::test]
    async fn what_is_queued_is_handed_on_though_its_asker_is_gone() {
        let lane = Lane::<()>::new();
        lane.start("test", |jobs| work(&jobs)).unwrap();
        let (says, said) = mpsc::channel();

        let mut sending = Box::pin(lane.send(Box::new(Says(says, false))));
        assert!(!is_sent(sending.as_mut()));
        drop(sending);

        assert_eq!(said.recv_timeout(PATIENCE), Ok(true));
    }

    #[tokio::test]
    async fn as_many_as_share_a_transaction_wait_for_nobody_else() {
        let lane = Lane::<()>::new();
        let (says, said) = mpsc::channel();
        let mut sending: Vec<_> = (0..BATCH)
            .map(|_| Box::pin(lane.send(Box::new(Says(says.clone(), false)))))
            .collect();

        let sent = sending.iter_mut().map(|one| is_sent(one.as_mut()));
        assert_eq!(sent.filter(|is_sent| *is_sent).count(), 1);

        lane.start("test", |jobs| work(&jobs)).unwrap();
        for _ in 0..BATCH {
            assert_eq!(said.recv_timeout(PATIENCE), Ok(true));
        }
    }

    #[tokio::test]
    async fn what_is_queued_when_a_lane_is_closed_is_still_done() {
        let lane = Lane::<()>::new();
        let (says, said) = mpsc::channel();
        lane.waiting
            .push(Box::new(Says(says.clone(), false)))
            .unwrap();
        lane.start("test", |jobs| work(&jobs)).unwrap();

        lane.close();

        assert_eq!(said.try_recv(), Ok(true));
        let refused = lane.send(Box::new(Says(says, false))).await.unwrap_err();
        assert!(refused.to_string().ends_with("the store is closed"));
    }

    #[tokio::test]
    async fn who_waits_for_a_thread_that_is_gone_is_told() {
        let lane = Lane::<()>::new();
        let (says, said) = mpsc::channel();
        lane.waiting
            .push(Box::new(Says(says.clone(), false)))
            .unwrap();

        lane.start("test", drop).unwrap();

        assert_eq!(said.recv_timeout(PATIENCE), Ok(false));
        let refused = lane.send(Box::new(Says(says, false))).await.unwrap_err();
        assert!(refused.to_string().ends_with("restart keywright"));
    }
}
