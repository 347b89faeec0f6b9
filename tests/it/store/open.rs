//! A SQLite store is opened by anybody at any time, and closed when its work is done.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use keywright::store::{Durability, Error, Length, Options, Refused, Sqlite, Store, Tx, View};
use tempfile::TempDir;
use tokio::task::JoinSet;

const QUICK: Options = Options {
    create: true,
    durability: Durability::Off,
};

fn path(folder: &TempDir) -> PathBuf {
    folder.path().join("keywright").join("store.db")
}

fn store(folder: &TempDir) -> Arc<Store> {
    Arc::new(Store::Sqlite(Sqlite::open(&path(folder), QUICK).unwrap()))
}

#[expect(clippy::unnecessary_wraps, reason = "this is what a verb looks like")]
fn nothing(_: &mut Tx) -> Result<(), Refused<Error>> {
    Ok(())
}

/// Keeps the writer busy until something is sent.
async fn held(store: &Arc<Store>) -> mpsc::Sender<()> {
    let (started, wait) = tokio::sync::oneshot::channel();
    let (open, gate) = mpsc::channel();
    let hold = Mutex::new(Some((started, gate)));
    let store = Arc::clone(store);
    tokio::spawn(async move {
        let verb = move |_: &mut Tx| {
            if let Some((started, gate)) = hold.lock().unwrap().take() {
                started.send(()).unwrap();
                gate.recv().unwrap();
            }
            Ok::<_, Refused<Error>>(())
        };
        store.write(verb).await
    });
    wait.await.unwrap();
    open
}

#[test]
fn an_absent_store_is_not_made_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        create: false,
        ..QUICK
    };

    let refused = Sqlite::open(&path(&folder), options);

    assert_eq!(
        refused.unwrap_err().to_string(),
        format!(
            "there is no store at `{}`; look at the path",
            path(&folder).display()
        )
    );
    assert!(!path(&folder).parent().unwrap().exists());
}

#[test]
fn a_store_that_was_made_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    Sqlite::open(&path(&folder), Options::default())
        .unwrap()
        .close();

    let options = Options {
        create: false,
        ..Options::default()
    };
    Sqlite::open(&path(&folder), options).unwrap().close();
}

#[test]
fn opening_does_not_wait_for_whoever_writes() {
    let folder = tempfile::tempdir().unwrap();
    Sqlite::open(&path(&folder), QUICK).unwrap().close();
    let other = rusqlite::Connection::open(path(&folder)).unwrap();
    other.execute_batch("begin immediate").unwrap();

    // Whoever waited would be told after a minute that the store is busy.
    Sqlite::open(&path(&folder), QUICK).unwrap();
}

#[test]
fn many_threads_make_one_store_at_once() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| Sqlite::open(&path(&folder), QUICK).unwrap().close());
            }
        });
    }
}

#[test]
#[ignore = "one of those of `sixteen_processes_make_one_store_at_once`"]
fn one_process_of_many() {
    let path = std::env::var_os("KEYWRIGHT_TEST_STORE").expect("whoever starts it says where");
    Sqlite::open(Path::new(&path), QUICK).unwrap().close();
}

fn process(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "store::open::one_process_of_many"])
        .env("KEYWRIGHT_TEST_STORE", path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn sixteen_processes_make_one_store_at_once() {
    let folder = tempfile::tempdir().unwrap();

    let processes: Vec<_> = (0..16).map(|_| process(&path(&folder))).collect();

    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_queued_is_done_before_it_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let open = held(&store).await;
    let mut verbs = JoinSet::new();
    for _ in 0..100 {
        let store = Arc::clone(&store);
        verbs.spawn(async move { store.write(nothing).await });
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let closing = Arc::clone(&store);
    let closed = tokio::task::spawn_blocking(move || closing.close());

    open.send(()).unwrap();
    closed.await.unwrap();

    assert!(verbs.join_all().await.iter().all(Result::is_ok));
    assert_eq!(
        store.write(nothing).await.unwrap_err().to_string(),
        "the store is unavailable: the store is closed"
    );
    // The last connection to go takes the log with it: so they are all gone.
    assert!(!path(&folder).with_extension("db-wal").exists());
    store.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_waiting_verbs_are_turned_away() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let open = held(&store).await;

    let mut verbs = JoinSet::new();
    for _ in 0..1100 {
        let store = Arc::clone(&store);
        verbs.spawn(async move { store.write(nothing).await });
    }
    let mut turned_away = Vec::new();
    for _ in 0..(1100 - 1024) {
        turned_away.push(verbs.join_next().await.unwrap().unwrap().unwrap_err());
    }
    open.send(()).unwrap();

    assert!(verbs.join_all().await.iter().all(Result::is_ok));
    assert_eq!(
        turned_away[0].to_string(),
        "the store is unavailable: too many requests are waiting; try again shortly"
    );
}

#[tokio::test]
async fn a_short_look_does_not_wait_for_a_long_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let (go_on, waits) = std::sync::mpsc::channel::<()>();
    let waits = std::sync::Mutex::new(waits);
    let long = move |_: &mut View| -> Result<(), Refused<Error>> {
        waits.lock().unwrap().recv().unwrap();
        Ok(())
    };
    let short = |_: &mut View| Ok::<_, Refused<Error>>(());

    let long = store.read(Length::Long, long);
    let then = async {
        store.read(Length::Short, short).await.unwrap();
        go_on.send(()).unwrap();
    };

    tokio::join!(long, then).0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verb_that_panics_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);

    let write = |_: &mut Tx| -> Result<(), Refused<Error>> { panic!("on purpose") };
    let read = |_: &mut View| -> Result<(), Refused<Error>> { panic!("on purpose") };
    for _ in 0..4 {
        assert!(matches!(
            store.write(write).await,
            Err(Error::Unavailable(_))
        ));
        assert!(matches!(
            store.read(Length::Short, read).await,
            Err(Error::Unavailable(_))
        ));
    }

    store.write(nothing).await.unwrap();
    store
        .read(Length::Short, |_: &mut View| Ok::<_, Refused<Error>>(()))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn verbs_that_come_together_share_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let open = held(&store).await;
    let mut verbs = JoinSet::new();
    for _ in 0..63 {
        let store = Arc::clone(&store);
        verbs.spawn(async move { store.write(nothing).await });
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let before = store.commits();

    open.send(()).unwrap();
    verbs.join_all().await;

    assert_eq!(store.commits() - before, 1);
}

#[tokio::test]
async fn a_verb_whose_caller_is_gone_is_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let open = held(&store).await;
    let (began, told) = mpsc::channel();
    let late = store.write(move |_: &mut Tx| {
        began.send(()).unwrap();
        Ok::<_, Refused<Error>>(())
    });

    let waited = tokio::time::timeout(Duration::from_millis(50), late).await;
    assert!(waited.is_err());
    open.send(()).unwrap();
    store.write(nothing).await.unwrap();

    assert!(told.try_recv().is_err());
}
