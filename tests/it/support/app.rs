//! [`TestApp`]: a store in a folder of its own, an authority over it, and its clock.

use std::{fs, path::PathBuf, sync::Arc};

use chrono::Duration;
use keywright::{
    authority::{Authority, FirstUser},
    domain::{
        clock::{self, Clock},
        credential::Brand,
    },
    store::{Durability, Options, Sqlite, Store},
    vault::Vault,
};
use rusqlite::Connection;
use tempfile::TempDir;

use super::requests::{ANN, keywright};

/// A store in a folder of its own, an authority over it, and a clock that stands until it is set.
pub(crate) struct TestApp {
    pub(crate) authority: Authority,
    pub(crate) clock: Clock,
    folder: Arc<TempDir>,
}

impl TestApp {
    /// A store with ann in it.
    pub(crate) async fn new() -> Self {
        let app = Self::empty();
        let first = FirstUser {
            username: "ann".parse().unwrap(),
            uid: ANN,
        };
        let founded = app.authority.found_store(&keywright(), first).await;
        founded.unwrap();
        app
    }

    /// A store in which nobody is yet.
    pub(crate) fn empty() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let clock = Clock::fixed(clock::from_millis(1_800_000_000_000));
        Self {
            authority: authority(&folder, &clock),
            clock,
            folder,
        }
    }

    /// Another process on the same file.
    pub(crate) fn another_process(&self) -> Self {
        Self {
            authority: authority(&self.folder, &self.clock),
            clock: self.clock.clone(),
            folder: Arc::clone(&self.folder),
        }
    }

    /// The same store after a restart, which forgets what was only known in memory.
    pub(crate) async fn restarted(self) -> Self {
        self.authority.close().await.unwrap();
        Self {
            authority: authority(&self.folder, &self.clock),
            ..self
        }
    }

    /// The file itself, as an attacker would open it.
    pub(crate) fn database(&self) -> Connection {
        let connection = Connection::open(store_path(&self.folder)).unwrap();
        connection
            .pragma_update(None, "foreign_keys", false)
            .unwrap();
        connection
    }

    /// Does `sql` behind the authority's back, with the triggers that guard the audit trail out of
    /// the way and back in their places afterwards.
    pub(crate) fn attack(&self, sql: &str) {
        let database = self.database();
        let triggers = "select group_concat(sql, '; ') from sqlite_schema where type = 'trigger'";
        let triggers: String = database.query_row(triggers, [], |row| row.get(0)).unwrap();
        let drop_triggers = "drop trigger audit_is_not_edited; drop trigger audit_is_not_cut;";
        database
            .execute_batch(&format!("{drop_triggers} {sql}; {triggers};"))
            .unwrap();
    }

    /// How many rows `table` has.
    pub(crate) fn rows(&self, table: &str) -> u64 {
        let sql = format!("select count(*) from {table}");
        self.database()
            .query_row(&sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
            .try_into()
            .unwrap()
    }

    pub(crate) fn key_path(&self) -> PathBuf {
        key_path(&self.folder)
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

fn authority(folder: &TempDir, clock: &Clock) -> Authority {
    let options = Options {
        create: true,
        durability: Durability::Off,
    };
    let store = Store::Sqlite(Sqlite::open(&store_path(folder), options).unwrap());
    let vault = Vault::at(key_path(folder));
    Authority::new(store, vault, clock.clone(), Brand::default())
}

fn store_path(folder: &TempDir) -> PathBuf {
    folder.path().join("keywright").join("store.db")
}

fn key_path(folder: &TempDir) -> PathBuf {
    folder.path().join("keywright").join("vault.key")
}

/// Puts another key file in the place of `app`'s.
pub(crate) fn swap_keys(app: &TestApp, other: &TestApp) {
    fs::copy(other.key_path(), app.key_path()).unwrap();
}
