//! Brings a store's tables up to what this program knows, one numbered step after another.
//!
//! A store that had other steps, or more of them, is refused and left as it is. One that is up to
//! date is only read.

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use crate::{crypto::digest, store::Error};

/// `KWRT`: what SQLite keeps in the file's header to say whose it is. Must never change, or no
/// store there is would be known again.
const APPLICATION: i64 = 0x4B57_5254;

/// A step. Its text never changes once it is released: stores remember its digest.
struct Migration {
    number: i64,
    name: &'static str,
    sql: &'static str,
}

/// Every step, from an empty file on.
const KNOWN: &[Migration] = &[
    Migration {
        number: 1,
        name: "init",
        sql: include_str!("../../../migrations/sqlite/0001_init.sql"),
    },
    Migration {
        number: 2,
        name: "formats",
        sql: include_str!("../../../migrations/sqlite/0002_formats.sql"),
    },
    Migration {
        number: 3,
        name: "smaller",
        sql: include_str!("../../../migrations/sqlite/0003_smaller.sql"),
    },
];

/// A step that a store has been through.
struct Applied {
    number: i64,
    name: String,
    sha256: Vec<u8>,
}

/// What a file says of itself.
struct Found {
    application: i64,
    version: i64,
    is_empty: bool,
    applied: Vec<Applied>,
}

impl Migration {
    fn sha256(&self) -> Vec<u8> {
        digest::sha256(self.sql.as_bytes()).to_vec()
    }
}

/// Whether nothing is to be done. Refuses a file that is not a store, or not one for this program.
pub(super) fn is_current(connection: &Connection) -> Result<bool, Error> {
    Ok(done(connection, KNOWN)? == KNOWN.len())
}

/// Does what is to be done, in one transaction. Others may be doing the same.
pub(super) fn apply(connection: &mut Connection) -> Result<(), Error> {
    apply_all(connection, KNOWN)
}

/// A line of `sqlite_schema`: type, name, table, and the statement that made it, if one did.
pub(super) type Made = (String, String, String, Option<String>);

/// What the steps make of an empty file.
pub(super) fn schema() -> Result<Vec<Made>, Error> {
    let mut connection = Connection::open_in_memory()?;
    apply(&mut connection)?;
    let sql = "select type, name, tbl_name, sql from sqlite_schema order by type, name";
    let mut statement = connection.prepare(sql)?;
    let made = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    Ok(made.collect::<Result<_, _>>()?)
}

/// Refuses to go on with tables that have changed since the store was opened.
pub(super) fn is_ours(version: i64) -> Result<(), Error> {
    if version == latest(KNOWN) {
        return Ok(());
    }
    Err(Error::Unavailable(
        format!(
            "the store was brought to schema {version} while this program knows {}, by a newer \
             keywright or from a backup; restart this one",
            latest(KNOWN)
        )
        .into(),
    ))
}

fn latest(known: &[Migration]) -> i64 {
    known.last().map_or(0, |last| last.number)
}

/// How many of the `known` steps the store has been through.
fn done(connection: &Connection, known: &[Migration]) -> Result<usize, Error> {
    // All that is read must be of one moment: another process may be at work.
    let moment = connection.unchecked_transaction()?;
    let found = look(&moment).map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => Error::Refused(
            "it is not a SQLite database, or its beginning is damaged; give another path, or \
             restore a backup"
                .to_owned(),
        ),
        _ => error.into(),
    })?;
    judge(&found, known)
}

fn look(connection: &Connection) -> rusqlite::Result<Found> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let application = number("pragma application_id")?;
    let version = number("pragma user_version")?;
    let is_empty = number("select count(*) from sqlite_schema")? == 0;
    let is_recorded = number("select count(*) from sqlite_schema where name = 'migrations'")? > 0;
    let mut applied = Vec::new();
    if application == APPLICATION && is_recorded {
        let mut rows =
            connection.prepare("select number, name, sha256 from migrations order by number")?;
        let rows = rows.query_map([], |row| {
            Ok(Applied {
                number: row.get(0)?,
                name: row.get(1)?,
                sha256: row.get(2)?,
            })
        })?;
        applied = rows.collect::<Result<_, _>>()?;
    }
    Ok(Found {
        application,
        version,
        is_empty,
        applied,
    })
}

fn judge(found: &Found, known: &[Migration]) -> Result<usize, Error> {
    let refused = |why: String| Err(Error::Refused(why));
    if found.is_empty && found.application == 0 && found.version == 0 {
        return Ok(0);
    }
    if found.application != APPLICATION {
        return refused(
            "it is a SQLite database, but not a store of keywright; give another path".to_owned(),
        );
    }
    if found.version > latest(known) {
        return refused(format!(
            "the store's schema {} is newer than this program's {}; use a newer keywright",
            found.version,
            latest(known)
        ));
    }
    let mut steps = known.iter();
    for applied in &found.applied {
        let Applied { number, name, .. } = applied;
        let Some(step) = steps.next() else {
            return refused(format!(
                "the store went through migration {number} `{name}`, which this program does not \
                 know; use a newer keywright"
            ));
        };
        if step.number != *number {
            return refused(format!(
                "the store's record lacks migration {} `{}`; restore a backup",
                step.number, step.name
            ));
        }
        if step.sha256() != applied.sha256 {
            return refused(format!(
                "the store went through another migration {number} than this program's `{}`; use \
                 the keywright that made the store, or restore a backup",
                step.name
            ));
        }
    }
    let recorded = found.applied.last().map_or(0, |last| last.number);
    if recorded != found.version {
        return refused(format!(
            "the store says schema {}, and its record ends with migration {recorded}; restore a \
             backup",
            found.version
        ));
    }
    Ok(found.applied.len())
}

fn apply_all(connection: &mut Connection, known: &[Migration]) -> Result<(), Error> {
    // Rebuilding a table drops the old one, and with foreign keys on, its children's rows too.
    // They cannot be turned off within a transaction.
    connection.pragma_update(None, "foreign_keys", false)?;
    let end = in_one_transaction(connection, known);
    connection.pragma_update(None, "foreign_keys", true)?;
    end
}

fn in_one_transaction(connection: &mut Connection, known: &[Migration]) -> Result<(), Error> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Looked at again with the lock held: whoever had it before may have done the work.
    let done = judge(&look(&tx)?, known)?;
    for step in &known[done..] {
        apply_one(&tx, step)?;
    }
    if has_orphans(&tx)? {
        return Err(Error::Corrupt(
            "after the migration some rows refer to rows that are not there".into(),
        ));
    }
    tx.commit()?;
    Ok(())
}

fn apply_one(tx: &Transaction<'_>, step: &Migration) -> Result<(), Error> {
    tx.execute_batch(
        "create table if not exists migrations (
           number     integer primary key,
           name       text    not null,
           sha256     blob    not null check (length(sha256) = 32),
           applied_at integer not null -- unix milliseconds
         ) strict",
    )?;
    tx.execute_batch(step.sql)?;
    tx.execute(
        "insert into migrations (number, name, sha256, applied_at)
         values (?1, ?2, ?3, cast(unixepoch('subsec') * 1000 as integer))",
        (step.number, step.name, step.sha256()),
    )?;
    tx.pragma_update(None, "application_id", APPLICATION)?;
    tx.pragma_update(None, "user_version", step.number)?;
    Ok(())
}

fn has_orphans(tx: &Transaction<'_>) -> Result<bool, Error> {
    Ok(tx.prepare("pragma foreign_key_check")?.exists([])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Migration = Migration {
        number: 1,
        name: "one",
        sql: "create table parents (id integer primary key) strict;
              create table children (parent integer references parents on delete cascade) strict;",
    };
    const TWO: Migration = Migration {
        number: 2,
        name: "two",
        sql: "create table others (id integer primary key) strict;",
    };
    const BROKEN: Migration = Migration {
        number: 2,
        name: "broken",
        sql: "create table others (id integer primary key) strict; create nonsense;",
    };

    fn file(known: &[Migration]) -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        apply_all(&mut connection, known).unwrap();
        connection
    }

    fn why(connection: &Connection, known: &[Migration]) -> String {
        match done(connection, known) {
            Err(Error::Refused(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_steps_are_numbered_from_one() {
        for (place, step) in (1..).zip(KNOWN) {
            assert_eq!(step.number, place);
        }
    }

    #[test]
    fn the_values_of_an_old_store_stay_as_they_were() {
        let mut connection = file(&KNOWN[..1]);
        let blank = |length: usize| "00".repeat(length);
        let old = format!(
            "pragma foreign_keys = on;
            insert into accounts values (x'{id}', 'default', 'Default', 1);
            insert into tokens (id, kind, account_id, owner_kind, owner_id, label, scopes,
                created_at, created_by)
                values (x'{id}', 'pat', x'{id}', 'user', x'{id}', 'x', '', 1, 'operator');
            insert into token_values values
                (x'{id}', 1, null, 'imported', null, 2, 3, x'01', 'k'),
                (x'{id}', 2, x'{hash}', 'keywright', 'kw_pat_abcd', 4, null, null, null);",
            id = blank(16),
            hash = blank(32),
        );
        connection.execute_batch(&old).unwrap();
        let values = |connection: &Connection| -> String {
            let sql = "select group_concat(concat_ws(' ', hex(token_id), generation, hex(hash),
                coalesce(format, 'keywright'), prefix, generated_at, dies_at, hex(sealed), key_id), '; ') from token_values";
            connection.query_row(sql, [], |row| row.get(0)).unwrap()
        };
        let before = values(&connection);

        apply_all(&mut connection, KNOWN).unwrap();

        assert_eq!(values(&connection), before);
        let shaped = "update token_values set format = 'acme_<32 hex>' where generation = 2";
        assert_eq!(connection.execute(shaped, []).unwrap(), 1);
    }

    #[test]
    fn who_made_the_tokens_of_an_old_store_is_still_known() {
        let mut connection = file(&KNOWN[..2]);
        let uuid = "01234567-89ab-7cde-8f01-23456789abcd";
        let made_by = [
            format!("token:{uuid}"),
            format!("local:{uuid}"),
            "operator".to_owned(),
            "keywright".to_owned(),
        ];
        let insert =
            "insert into tokens (id, kind, account_id, owner_kind, owner_id, label, scopes,
                created_at, created_by)
            values (?1, 'pat', ?2, 'user', ?2, 'x', '', 1, ?3)";
        let one = [1; 16];
        let account = "insert into accounts values (?1, 'default', 'Default', 1)";
        connection.execute(account, [one]).unwrap();
        for (number, by) in (0..).zip(&made_by) {
            connection.execute(insert, ([number; 16], one, by)).unwrap();
        }

        apply_all(&mut connection, KNOWN).unwrap();

        let mut rows = connection
            .prepare("select created_by from tokens order by id")
            .unwrap();
        let found = rows.query_map([], |row| super::super::rows::actor(row, 0));
        let found: Vec<_> = found
            .unwrap()
            .map(|actor| actor.unwrap().to_string())
            .collect();
        assert_eq!(found, made_by);
    }

    #[test]
    fn an_old_store_with_a_maker_that_nobody_knows_is_left_as_it_was() {
        let mut connection = file(&KNOWN[..2]);
        let stranger = "pragma foreign_keys = off;
            insert into tokens (id, kind, account_id, owner_kind, owner_id, label, scopes,
                created_at, created_by)
            values (zeroblob(16), 'pat', zeroblob(16), 'user', zeroblob(16), 'x', '', 1, 'token:x')";
        connection.execute_batch(stranger).unwrap();

        assert!(apply_all(&mut connection, KNOWN).is_err());

        assert_eq!(done(&connection, KNOWN).unwrap(), 2);
    }

    #[test]
    fn a_store_is_brought_up_step_by_step() {
        let mut connection = file(&[ONE]);
        assert_eq!(done(&connection, &[ONE, TWO]).unwrap(), 1);

        apply_all(&mut connection, &[ONE, TWO]).unwrap();
        apply_all(&mut connection, &[ONE, TWO]).unwrap();

        assert_eq!(done(&connection, &[ONE, TWO]).unwrap(), 2);
        assert_eq!(look(&connection).unwrap().version, 2);
    }

    #[test]
    fn a_step_that_fails_leaves_the_store_as_it_was() {
        let mut connection = file(&[ONE]);

        assert!(apply_all(&mut connection, &[ONE, BROKEN]).is_err());

        assert_eq!(done(&connection, &[ONE, TWO]).unwrap(), 1);
        apply_all(&mut connection, &[ONE, TWO]).unwrap();
    }

    #[test]
    fn a_step_that_rebuilds_a_table_keeps_its_childrens_rows() {
        const REBUILT: Migration = Migration {
            number: 2,
            name: "rebuilt",
            sql: "create table fresh (id integer primary key, label text) strict;
                  insert into fresh (id) select id from parents;
                  drop table parents;
                  alter table fresh rename to parents;",
        };
        let mut connection = file(&[ONE]);
        connection
            .execute_batch("insert into parents values (1); insert into children values (1)")
            .unwrap();

        apply_all(&mut connection, &[ONE, REBUILT]).unwrap();

        let children = "select count(*) from children";
        let left: i64 = connection
            .query_row(children, [], |row| row.get(0))
            .unwrap();
        assert_eq!(left, 1);
    }

    #[test]
    fn a_step_that_leaves_orphans_is_undone() {
        const CARELESS: Migration = Migration {
            number: 2,
            name: "careless",
            sql: "delete from parents;",
        };
        let mut connection = file(&[ONE]);
        connection
            .execute_batch("insert into parents values (1); insert into children values (1)")
            .unwrap();

        let end = apply_all(&mut connection, &[ONE, CARELESS]);

        assert!(matches!(end, Err(Error::Corrupt(_))));
        assert_eq!(done(&connection, &[ONE]).unwrap(), 1);
    }

    #[test]
    fn a_newer_store_is_refused() {
        assert_eq!(
            why(&file(&[ONE, TWO]), &[ONE]),
            "the store's schema 2 is newer than this program's 1; use a newer keywright"
        );
    }

    #[test]
    fn a_changed_step_is_refused() {
        let changed = Migration {
            sql: "select 1",
            ..ONE
        };
        assert_eq!(
            why(&file(&[ONE]), &[changed]),
            "the store went through another migration 1 than this program's `one`; use the \
             keywright that made the store, or restore a backup"
        );
    }

    #[test]
    fn a_step_that_this_program_lacks_is_refused() {
        let connection = file(&[ONE, TWO]);
        connection.pragma_update(None, "user_version", 1).unwrap();
        assert_eq!(
            why(&connection, &[ONE]),
            "the store went through migration 2 `two`, which this program does not know; use a \
             newer keywright"
        );
    }

    #[test]
    fn a_gap_in_the_record_is_refused() {
        let connection = file(&[ONE, TWO]);
        connection
            .execute("delete from migrations where number = 1", [])
            .unwrap();
        assert_eq!(
            why(&connection, &[ONE, TWO]),
            "the store's record lacks migration 1 `one`; restore a backup"
        );
    }

    #[test]
    fn a_record_that_ends_too_soon_is_refused() {
        let connection = file(&[ONE, TWO]);
        connection
            .execute("delete from migrations where number = 2", [])
            .unwrap();
        assert_eq!(
            why(&connection, &[ONE, TWO]),
            "the store says schema 2, and its record ends with migration 1; restore a backup"
        );
    }

    #[test]
    fn somebody_elses_database_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("create table t (v)").unwrap();
        assert_eq!(
            why(&connection, &[ONE]),
            "it is a SQLite database, but not a store of keywright; give another path"
        );
    }
}
