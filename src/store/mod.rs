//! What is kept. Decides nothing, and changes nothing without an [`Entry`](crate::authz::Entry).
//!
//! A verb is a closure over a [`Tx`]. It runs whole in one transaction, on a thread that owns a
//! connection, and is answered after the commit. It cannot wait for anything but its statements.
//! Once it has succeeded, its entries are written behind its changes, each with a digest of the
//! row as it was left.

mod accounts;
mod audit;
mod claims;
mod lane;
mod sqlite;
mod tokens;

use std::error::Error as StdError;

use tokio::sync::oneshot;

use crate::authz::Record;
pub use accounts::{ReadAccounts, WriteAccounts};
pub use audit::{AuditFilter, Kept, Link, ReadAudit, WriteAudit};
pub use claims::{ReadClaims, Replay, WriteClaims};
use lane::Asked;
pub use sqlite::{Durability, Options, Sqlite};
pub use tokens::{ReadTokens, Stake, StateFilter, TokenFilter, Use, WriteTokens};

/// The store, of whichever engine was chosen.
#[derive(Debug)]
pub enum Store {
    /// A file on this machine.
    Sqlite(Sqlite),
}

/// A transaction that may change things, of whichever engine.
pub type Tx = dyn Writes;

/// A transaction that only looks, of whichever engine.
pub type View = dyn Reads;

/// The statements that read: before a decision by value or for whose a thing is, after it by
/// permit.
pub trait Reads: ReadTokens + ReadClaims + ReadAccounts + ReadAudit {}

/// The statements that write. Each takes the entry that tells of it; the same entry may tell of
/// several statements, and is written once.
pub trait Writes: Reads + WriteTokens + WriteClaims + WriteAccounts + WriteAudit {}

/// How much a verb reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Length {
    /// As many look-ups as one request may name: it never waits for a long one.
    Short,
    /// As much as there may be.
    Long,
}

/// A verb that ends here: what it answers, and the one thing that is kept of it.
#[derive(Debug)]
pub struct Refused<E> {
    /// The answer.
    pub error: E,
    /// What the audit trail keeps of it.
    pub entry: Option<Box<Record>>,
}

/// Why the store could not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine is out of reach, busy or full.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// What is kept cannot be understood.
    #[error("the store is damaged: {0}")]
    Corrupt(#[source] Box<dyn StdError + Send + Sync>),
    /// The store is not to be opened as it stands. The text says how to mend it.
    #[error("{0}")]
    Refused(String),
    /// Something of that name is there already.
    #[error("there is one already")]
    Conflict,
}

impl Store {
    /// Runs `verb` whole in one transaction and answers once it is durable.
    ///
    /// What a refused verb did is undone, and its entry is kept. A verb may run again after a
    /// conflict; it goes on to its end when nobody waits for the answer any more.
    pub async fn write<A, E>(
        &self,
        verb: impl Fn(&mut Tx) -> Result<A, Refused<E>> + Send + 'static,
    ) -> Result<A, E>
    where
        A: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (job, answer) = Asked::new(verb);
        let sent = match self {
            Self::Sqlite(engine) => engine.write(job).await,
        };
        settled(sent, answer).await
    }

    /// Runs `verb` in a transaction that sees one moment and changes nothing.
    pub async fn read<A, E>(
        &self,
        length: Length,
        verb: impl Fn(&mut View) -> Result<A, Refused<E>> + Send + 'static,
    ) -> Result<A, E>
    where
        A: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        // A refusal is an answer here; its entry needs a transaction that may write.
        let (job, answer) = Asked::new(move |view: &mut View| Ok::<_, Refused<E>>(verb(view)));
        let sent = match self {
            Self::Sqlite(engine) => engine.read(length, job).await,
        };
        let refused = match settled(sent, answer).await? {
            Ok(answer) => return Ok(answer),
            Err(refused) => refused,
        };
        if let Some(entry) = refused.entry {
            let note = self.write(move |tx| Ok::<_, Refused<E>>(tx.append(&entry)?));
            // A refusal stands even if its entry could not be kept.
            drop(note.await);
        }
        Err(refused.error)
    }

    /// How often the engine has committed a change.
    pub fn commits(&self) -> u64 {
        match self {
            Self::Sqlite(engine) => engine.commits(),
        }
    }

    /// Does what is queued, then ends the store's threads and closes its connections.
    pub fn close(&self) {
        match self {
            Self::Sqlite(engine) => engine.close(),
        }
    }
}

async fn settled<A, E: From<Error>>(
    sent: Result<(), Error>,
    answer: oneshot::Receiver<Result<A, E>>,
) -> Result<A, E> {
    sent?;
    answer
        .await
        .unwrap_or_else(|gone| Err(Error::Unavailable(gone.into()).into()))
}

impl<E: From<Error>> From<Error> for Refused<E> {
    fn from(error: Error) -> Self {
        Self {
            error: error.into(),
            entry: None,
        }
    }
}
