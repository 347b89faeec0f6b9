//! SQLite: one thread writes, one looks up what is presented, one reads the rest. Transactions, and
//! the group commit.
//!
//! Whatever goes wrong in a batch (a full disk, a failed write, another process at the lock),
//! it is kept whole or not at all, its askers are told, and the threads go on.

mod accounts;
mod audit;
mod claims;
mod failure;
mod files;
mod identity;
mod migrate;
mod open;
mod recent;
mod rows;
mod token_rows;
mod tokens;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rusqlite::{CachedStatement, Connection, config::DbConfig};

use self::{failure::again, files::Line, identity::Identity, recent::Recent};
use super::{
    Error, Length, Tx, View,
    lane::{BATCH, Job, Jobs, Keep, Lane},
};
use crate::authz::Record;

/// The first SQLite without the race that can corrupt a WAL when it is reset.
/// <https://sqlite.org/wal.html#walresetbug>
const OLDEST: i32 = 3_051_003;

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether a file that is not there is made. Else its absence is refused.
    pub create: bool,
    /// What a commit promises.
    pub durability: Durability,
}

/// What a commit promises.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// Whatever was answered survives a power cut. Anything less brings revoked tokens back.
    #[default]
    Full,
    /// Nothing survives a power cut, the file itself included. For tests on throw-away files.
    Off,
}

impl Default for Options {
    /// Made if it is new, and durable.
    fn default() -> Self {
        Self {
            create: true,
            durability: Durability::Full,
        }
    }
}

/// The threads that own the connections to one file.
///
/// Dropping it closes it, as [`close`](Self::close) does.
#[derive(Debug)]
pub struct Sqlite {
    // The readers come first, here and in `close`: the last connection to go cleans up the WAL,
    // which a connection that may not write cannot do.
    /// Apart from the other readers, so that no listing holds up a look-up.
    looker: Lane<View>,
    reader: Lane<View>,
    writer: Lane<Tx>,
    commits: Arc<AtomicU64>,
}

/// One connection, on the one thread that uses it. The statements of each noun are implemented
/// on it, and take every statement from [`prepare`](Self::prepare).
struct File {
    connection: Connection,
    /// The files that it has open.
    identity: Identity,
    /// SQLite's number for what others have committed, as of the last transaction.
    state: Option<i64>,
    /// What was looked up in that state. A writer keeps nothing: the number leaves out its own.
    recent: Option<Recent>,
    /// What the running verb has done and the log must tell of. Filled by its statements, written
    /// by `write_pending` when it has succeeded, forgotten when it is undone.
    pending: Vec<Record>,
}

/// A verb of a batch, and whether what it did is in the batch.
struct Taken {
    job: Box<dyn Job<Tx>>,
    kept: Result<(), Error>,
}

impl Sqlite {
    /// Opens the store at `path`, brings it up to date, and starts its threads.
    pub fn open(path: &Path, options: Options) -> Result<Self, Error> {
        if rusqlite::version_number() < OLDEST {
            return Err(Error::Refused(format!(
                "SQLite {} can corrupt a store; build keywright with the SQLite it brings",
                rusqlite::version()
            )));
        }
        let (place, line) = files::prepare(path, options.create)?;
        let writer = File::to_write(&place, &line, options.durability)?;
        let (looker, reader) = (File::to_look(&place)?, File::to_read(&place)?);

        let store = Self {
            looker: Lane::new(),
            reader: Lane::new(),
            writer: Lane::new(),
            commits: Arc::default(),
        };
        let commits = Arc::clone(&store.commits);
        let write = move |jobs| writer.write(&jobs, &line, &commits);
        let started = store
            .writer
            .start("store-writer", write)
            .and_then(|()| {
                store
                    .reader
                    .start("store-reader", |jobs| reader.look(&jobs))
            })
            .and_then(|()| {
                store
                    .looker
                    .start("store-looker", |jobs| looker.look(&jobs))
            });
        started.map_err(|error| Error::Unavailable(error.into()))?;
        Ok(store)
    }

    pub(super) async fn write(&self, job: Box<dyn Job<Tx>>) -> Result<(), Error> {
        self.writer.send(job).await
    }

    pub(super) async fn read(&self, length: Length, job: Box<dyn Job<View>>) -> Result<(), Error> {
        let lane = match length {
            Length::Short => &self.looker,
            Length::Long => &self.reader,
        };
        lane.send(job).await
    }

    /// How often it has committed since it was opened.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Takes no more verbs, and returns when the queued ones are done and answered and every
    /// connection is closed. Blocks for as long as that takes.
    pub fn close(&self) {
        self.looker.close();
        self.reader.close();
        self.writer.close();
    }
}

impl File {
    /// The statement `sql`, compiled once a connection. Refused outside a transaction: after a
    /// full disk SQLite ends the transaction by itself, and a verb that overheard the failure
    /// would go on to write for good, line by line, what can no longer be undone.
    fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>, Error> {
        self.in_transaction()?;
        Ok(self.connection.prepare_cached(sql)?)
    }

    fn in_transaction(&self) -> Result<(), Error> {
        if self.connection.is_autocommit() {
            return Err(Error::Unavailable(
                "the transaction was ended by a failure of the disk".into(),
            ));
        }
        Ok(())
    }

    /// Takes what has queued up into one transaction, again and again, until the lane is closed.
    fn write(mut self, jobs: &Jobs<Tx>, line: &Line, commits: &AtomicU64) {
        while let Some(job) = jobs.wait() {
            if !job.is_wanted() {
                continue;
            }
            let mut batch = vec![Taken::new(job)];
            match self.together(&mut batch, jobs, line) {
                Ok(()) => {
                    commits.fetch_add(1, Ordering::Relaxed);
                    for Taken { job, kept } in batch {
                        job.settle(kept);
                    }
                }
                Err(error) => {
                    self.undo();
                    tracing::error!(%error, verbs = batch.len(), "a transaction failed");
                    for Taken { job, .. } in batch {
                        job.settle(Err(again(&error)));
                    }
                }
            }
        }
        self.let_go();
    }

    /// Closing, SQLite brings the log into the file as far as it knows it, and takes it away by its
    /// name. It sees to it that the file is still ours, but not the log and its index: what it takes
    /// away then is what others have written there since, their revocations with it.
    fn let_go(self) {
        if self.identity.is_replaced() {
            tracing::warn!("another file was put in the store's place; ours is left as it is");
            let kept = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            if let Err(error) = self.connection.set_db_config(kept, true) {
                tracing::error!(%error, "the log of the store that was replaced cannot be kept");
            }
        }
    }

    /// Runs the verbs that are waiting and commits them. An error is the end of them all.
    fn together(
        &mut self,
        batch: &mut Vec<Taken>,
        jobs: &Jobs<Tx>,
        line: &Line,
    ) -> Result<(), Error> {
        let turn = line.wait();
        self.begin("begin immediate")?;
        // Whoever is next may start to wait for the lock itself.
        drop(turn);
        for place in 0..BATCH {
            if place == batch.len() {
                let Some(job) = jobs.next() else { break };
                batch.push(Taken::new(job));
            }
            let taken = &mut batch[place];
            if taken.job.is_wanted() {
                taken.kept = self.run(&mut *taken.job)?;
            }
        }
        self.step("commit")
    }

    /// Runs one verb in its own savepoint. The inner answer is the verb's own; an outer error is
    /// the end of the whole batch.
    fn run(&mut self, job: &mut dyn Job<Tx>) -> Result<Result<(), Error>, Error> {
        self.pending.clear();
        self.step("savepoint verb")?;
        let keep = job.run(self);
        self.in_transaction()?;
        let kept = match keep {
            Keep::All => {
                let written = self.write_pending();
                self.pending.clear();
                if written.is_ok() {
                    self.step("release verb")?;
                    return Ok(Ok(()));
                }
                // What the log does not tell of has not happened.
                self.step("rollback to verb")?;
                written
            }
            Keep::Only(record) => {
                self.pending.clear();
                self.step("rollback to verb")?;
                let written = self.append_refusal(&record);
                if let Err(error) = &written {
                    tracing::error!(%error, "a refusal could not be recorded");
                    self.step("rollback to verb")?;
                }
                written
            }
            Keep::Nothing => {
                self.pending.clear();
                self.step("rollback to verb")?;
                Ok(())
            }
        };
        self.step("release verb")?;
        Ok(kept)
    }

    /// Lets the verbs that have queued up look at one moment, again and again, until the lane is
    /// closed.
    ///
    /// All of them were asked before that moment, so each sees what anybody was told before it was
    /// asked: beginning costs as much as a look-up, and is shared.
    fn look(mut self, looks: &Jobs<View>) {
        while let Some(job) = looks.wait() {
            let mut batch = vec![job];
            while batch.len() < BATCH
                && let Some(job) = looks.next()
            {
                batch.push(job);
            }
            let begun = self.begin("begin");
            for mut job in batch {
                if !job.is_wanted() {
                    continue;
                }
                let seen = match &begun {
                    Ok(()) => {
                        // Nothing is to be kept; a refusal is recorded by a writing verb of its own.
                        let _keep = job.run(&mut self);
                        self.in_transaction()
                    }
                    Err(error) => Err(again(error)),
                };
                job.settle(seen);
            }
            self.undo();
        }
    }

    /// Begins, and sees to it that the tables are still those that this program knows, and that
    /// nothing is remembered of which somebody has committed a change.
    fn begin(&mut self, sql: &str) -> Result<(), Error> {
        // A store that was put in our file's place, by a restore or a move, may hold revocations
        // that ours will never see.
        self.identity.hold()?;
        // Not by `prepare`: here there is no transaction yet.
        self.connection.prepare_cached(sql)?.execute([])?;
        let state = Some(self.number("pragma data_version")?);
        if self.state != state {
            if let Some(recent) = &mut self.recent {
                recent.forget();
            }
            migrate::is_ours(self.number("pragma user_version")?)?;
            self.state = state;
        }
        Ok(())
    }

    fn number(&self, pragma: &str) -> Result<i64, Error> {
        Ok(self.prepare(pragma)?.query_row([], |row| row.get(0))?)
    }

    fn step(&mut self, sql: &str) -> Result<(), Error> {
        self.prepare(sql)?.execute([])?;
        Ok(())
    }

    /// Ends whatever is left of a transaction, so that it does not leak into the next one.
    fn undo(&mut self) {
        self.pending.clear();
        if self.connection.is_autocommit() {
            return;
        }
        if let Err(error) = self.step("rollback") {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }
}

impl Taken {
    fn new(job: Box<dyn Job<Tx>>) -> Self {
        Self { job, kept: Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new store, and its writer. It is gone with the folder.
    pub(super) fn fresh(durability: Durability) -> (tempfile::TempDir, files::Place, File) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keywright").join("store.db");
        let (place, line) = files::prepare(&path, true).unwrap();
        let writer = File::to_write(&place, &line, durability).unwrap();
        (folder, place, writer)
    }

    #[test]
    fn no_statement_runs_outside_a_transaction() {
        let (_folder, _, mut file) = fresh(Durability::Off);

        assert!(file.prepare("select 1").is_err());
        file.begin("begin immediate").unwrap();
        assert!(file.prepare("select 1").is_ok());
        // As SQLite does by itself when the disk is full.
        file.step("rollback").unwrap();

        assert!(file.prepare("select 1").is_err());
    }
}
