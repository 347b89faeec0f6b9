//! Opening a connection: what is looked at before, and how each is set.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{
    Durability, File,
    failure::is_busy,
    files::{self, Line, Place},
    identity::{Identity, place_of},
    migrate,
    recent::Recent,
};
use crate::store::Error;

/// As many statements as the store has, with room: a statement that falls out of the cache costs
/// ten times its execution.
const STATEMENTS: usize = 128;

/// How long a transaction waits for another process before its askers are told.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long opening waits: another process may be in the middle of a long migration.
const PATIENCE_AT_OPEN: Duration = Duration::from_mins(1);

/// How long it naps meanwhile.
const BRIEFLY: Range<Duration> = Duration::from_micros(50)..Duration::from_micros(300);

impl File {
    pub(super) fn to_write(
        place: &Place,
        line: &Line,
        durability: Durability,
    ) -> Result<Self, Error> {
        let mut connection = connect(place, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // SQLite opens a file that it may not write as one to read, and says nothing.
        if connection.is_readonly("main")? {
            return Err(Error::Refused(format!(
                "the store `{}` cannot be written; look at its owner, its mode and its file system",
                place.store().display()
            )));
        }
        let refused = |error| place.about(error);
        // Before anything is changed: the file may be somebody else's. A store that is up to date
        // is left here without ever having been locked.
        let is_current = migrate::is_current(&connection).map_err(refused)?;
        let synchronous = match durability {
            Durability::Full => "full",
            Durability::Off => "off",
        };
        connection.pragma_update(None, "synchronous", synchronous)?;
        // On macOS a plain fsync stops at the drive's cache. Elsewhere these do nothing.
        connection.pragma_update(None, "fullfsync", durability == Durability::Full)?;
        connection.pragma_update(None, "checkpoint_fullfsync", durability == Durability::Full)?;
        if is_current {
            into_wal(&connection)?;
        } else {
            let _turn = line.wait();
            // Whoever made the folders may have been killed before it could. A store that is up to
            // date has names that last.
            place.sync()?;
            into_wal(&connection)?;
            migrate::apply(&mut connection).map_err(refused)?;
        }
        // A sealed value that was deleted must be gone from the file.
        connection.pragma_update(None, "secure_delete", true)?;
        let file = Self::settled(connection, place)?;
        if durability == Durability::Full {
            place.sync_log()?;
        }
        Ok(file)
    }

    pub(super) fn to_read(place: &Place) -> Result<Self, Error> {
        let connection = connect(place, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.pragma_update(None, "query_only", true)?;
        Self::settled(connection, place)
    }

    /// The same, remembering what it looked up.
    pub(super) fn to_look(place: &Place) -> Result<Self, Error> {
        Ok(Self {
            recent: Some(Recent::default()),
            ..Self::to_read(place)?
        })
    }

    /// Once the file is known to be a store.
    fn settled(mut connection: Connection, place: &Place) -> Result<Self, Error> {
        settle(&mut connection)?;
        // SQLite opens the log with the first look.
        connection.pragma_query_value(None, "user_version", |_| Ok(()))?;
        Ok(Self {
            connection,
            identity: Identity::of(place.store())?,
            state: None,
            recent: None,
            pending: Vec::new(),
        })
    }
}

/// Opens the file for one of our connections.
fn connect(place: &Place, access: OpenFlags) -> Result<Connection, Error> {
    // One thread a connection needs no mutex. The path has no link in it; one that appears in
    // the meantime is not followed. The file is there already, with its mode: never created.
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let path = place.store();
    let opened = place_of(path)?;
    let mut connection = Connection::open_with_flags(path, flags)?;
    // First of all: every other line may meet another process.
    patient(&mut connection, PATIENCE_AT_OPEN)?;
    // Without it, statements with joins are prepared anew each time: ten times the work.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // Ours hold off whoever edits the file by other means; nobody's runs in a verb of ours.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    if place_of(path)? != opened {
        return Err(Error::Unavailable(
            "another file was put in the store's place while it was opened; try again".into(),
        ));
    }
    Ok(connection)
}

/// What every connection is told.
fn settle(connection: &mut Connection) -> Result<(), Error> {
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // Mapped memory turns a failing disk into a signal that ends the process.
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // KiB, a connection: the working set of a store is small, and there may be many processes.
    connection.pragma_update(None, "cache_size", -2048)?;
    patient(connection, PATIENCE)
}

/// Makes `connection` try again when another one is in its way, for as long as `patience`.
///
/// SQLite's own handler sleeps longer each time, up to a tenth of a second, so that a newcomer
/// overtakes whoever has waited longest, and of eight busy processes some never get to write. The
/// [`Line`] leaves only one process at the lock, so its sleeps can be short.
fn patient(connection: &mut Connection, patience: Duration) -> Result<(), Error> {
    let mut since = Instant::now();
    let wait = move |tries: i32| {
        if tries == 0 {
            since = Instant::now();
        }
        files::nap(BRIEFLY);
        since.elapsed() < patience
    };
    Ok(connection.busy_handler(Some(wait))?)
}

/// Switches the file to a write-ahead log, if it has none yet.
fn into_wal(connection: &Connection) -> Result<(), Error> {
    let since = Instant::now();
    loop {
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(Error::Refused(format!(
                    "the store's file system allows no write-ahead log (SQLite stays in mode \
                     `{mode}`); keep the store on a local disk"
                )));
            }
            // For this one switch SQLite does not ask the busy handler.
            Err(error) if is_busy(&error) && since.elapsed() < PATIENCE_AT_OPEN => {
                files::nap(BRIEFLY);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::tests::fresh;

    #[test]
    fn every_connection_is_set_as_it_must_be() {
        let (_folder, place, writer) = fresh(Durability::Full);
        let reader = File::to_read(&place).unwrap();

        for (file, own) in [
            (&writer, &[("synchronous", 2), ("secure_delete", 1)][..]),
            (&reader, &[("query_only", 1)][..]),
        ] {
            let all = [
                ("foreign_keys", 1),
                ("cell_size_check", 1),
                ("trusted_schema", 0),
                ("temp_store", 2),
                ("cache_size", -2048),
            ];
            for (name, wanted) in all.iter().chain(own) {
                let set = file
                    .connection
                    .pragma_query_value(None, name, |row| row.get::<_, i64>(0));
                assert_eq!(set.unwrap(), *wanted, "{name}");
            }
            let mode = file
                .connection
                .pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
            assert_eq!(mode.unwrap(), "wal");
            for config in [
                DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG,
                DbConfig::SQLITE_DBCONFIG_DEFENSIVE,
            ] {
                assert!(file.connection.db_config(config).unwrap(), "{config:?}");
            }
            let triggers = DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER;
            assert!(!file.connection.db_config(triggers).unwrap());
        }
        assert!(reader.connection.is_readonly("main").unwrap());
    }
}
