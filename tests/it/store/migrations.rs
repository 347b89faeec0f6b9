//! A file is opened only if its tables are those that this program knows.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::PathBuf,
};

use keywright::store::{Durability, Error, Length, Options, Refused, Sqlite, Store, Tx, View};
use rusqlite::Connection;
use tempfile::TempDir;

const QUICK: Options = Options {
    create: true,
    durability: Durability::Off,
};

fn path(folder: &TempDir) -> PathBuf {
    folder.path().join("keywright").join("store.db")
}

/// A store, in the hands of somebody else.
fn tampered(sql: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    Sqlite::open(&path(&folder), QUICK).unwrap().close();
    Connection::open(path(&folder))
        .unwrap()
        .execute_batch(sql)
        .unwrap();
    folder
}

/// Why it is not opened. Whatever it is, it is left as it was.
fn why(folder: &TempDir) -> String {
    let before = fs::read(path(folder)).unwrap();
    let error = Sqlite::open(&path(folder), QUICK).unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error:?}");
    assert_eq!(fs::read(path(folder)).unwrap(), before);
    let said = error.to_string();
    let opening = format!("cannot open `{}`: ", path(folder).display());
    said.strip_prefix(&opening).unwrap_or(&said).to_owned()
}

/// Some file, with the mode that a store has.
fn file(bytes: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    DirBuilder::new()
        .mode(0o700)
        .create(path(&folder).parent().unwrap())
        .unwrap();
    fs::write(path(&folder), bytes).unwrap();
    fs::set_permissions(path(&folder), fs::Permissions::from_mode(0o600)).unwrap();
    folder
}

#[test]
fn a_store_says_whose_it_is_and_what_it_went_through() {
    let folder = tampered("");

    let file = Connection::open(path(&folder)).unwrap();
    let number = |sql| file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();

    assert_eq!(number("pragma application_id"), 0x4B57_5254);
    let version = number("pragma user_version");
    assert_eq!(number("select count(*) from migrations"), version);
    assert_eq!(number("select max(number) from migrations"), version);
    assert_eq!(number("select min(length(sha256)) from migrations"), 32);
    assert!(number("select min(applied_at) from migrations") > 1_700_000_000_000);
}

#[test]
fn an_empty_file_becomes_a_store() {
    let folder = file(b"");
    Sqlite::open(&path(&folder), QUICK).unwrap();
}

#[test]
fn a_newer_store_is_refused() {
    let said = why(&tampered("pragma user_version = 9999"));
    assert!(
        said.starts_with("the store's schema 9999 is newer than this program's "),
        "{said}"
    );
    assert!(said.ends_with("; use a newer keywright"), "{said}");
}

#[test]
fn a_store_that_went_through_another_migration_is_refused() {
    assert_eq!(
        why(&tampered(
            "update migrations set sha256 = zeroblob(32) where number = 1"
        )),
        "the store went through another migration 1 than this program's `init`; use the \
         keywright that made the store, or restore a backup"
    );
}

#[test]
fn a_store_that_went_through_an_unknown_migration_is_refused() {
    assert_eq!(
        why(&tampered(
            "insert into migrations values (9999, 'late', zeroblob(32), 0)"
        )),
        "the store went through migration 9999 `late`, which this program does not know; use a \
         newer keywright"
    );
}

#[test]
fn a_store_whose_record_is_lost_is_refused() {
    let said = why(&tampered("delete from migrations"));
    assert!(
        said.ends_with("and its record ends with migration 0; restore a backup"),
        "{said}"
    );
}

#[test]
fn somebody_elses_database_is_refused() {
    let folder = file(b"");
    Connection::open(path(&folder))
        .unwrap()
        .execute_batch("create table notes (text)")
        .unwrap();

    assert_eq!(
        why(&folder),
        "it is a SQLite database, but not a store of keywright; give another path"
    );
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    assert_eq!(
        why(&file("Dear diary, ".repeat(1000).as_bytes())),
        "it is not a SQLite database, or its beginning is damaged; give another path, or restore \
         a backup"
    );
}

#[test]
fn a_very_short_file_that_is_no_database_is_refused() {
    assert_eq!(
        why(&file(b"hello")),
        "it is not a SQLite database, or its beginning is damaged; give another path, or restore \
         a backup"
    );
}

#[tokio::test]
async fn a_store_that_is_migrated_while_it_is_open_asks_for_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::Sqlite(Sqlite::open(&path(&folder), QUICK).unwrap());
    let write = |_: &mut Tx| Ok::<_, Refused<Error>>(());
    let read = |_: &mut View| Ok::<_, Refused<Error>>(());
    store.write(write).await.unwrap();
    store.read(Length::Short, read).await.unwrap();

    Connection::open(path(&folder))
        .unwrap()
        .pragma_update(None, "user_version", 9999)
        .unwrap();

    for refused in [
        store.write(write).await,
        store.read(Length::Short, read).await,
    ] {
        let error = refused.unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
        assert!(error.to_string().ends_with("; restart this one"), "{error}");
    }
}
