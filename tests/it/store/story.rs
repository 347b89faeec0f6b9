//! The store's story, told through the door: many at once, one that revokes, one that hangs up.

use std::{fs, path::PathBuf};

use futures::future::join_all;
use keywright::{
    authority::{Authority, Error, Revoke},
    authz::Request,
    domain::id::TokenId,
    store,
};
use rusqlite::Connection;
use tokio::task::{self, JoinHandle};

use crate::support::{TestApp, carrying, operator, revoke, token};

/// More than one transaction takes in, and less than the queue holds.
const MANY: usize = 64;

/// Somebody else holds the file, so that everything that is asked for waits in one line.
struct Held(Connection);

impl Held {
    fn by_another_process(app: &TestApp) -> Self {
        let other = app.database();
        other.execute_batch("begin immediate").unwrap();
        Self(other)
    }

    fn let_go(self) {
        self.0.execute_batch("rollback").unwrap();
    }
}

/// Asks for something and is in the line when this returns: on one thread, everything that was
/// spawned before runs until it waits.
async fn in_line<T: Send + 'static>(
    authority: &Authority,
    verb: impl AsyncFnOnce(Authority) -> T + 'static,
) -> JoinHandle<T> {
    let asked = task::spawn_local(verb(authority.clone()));
    task::yield_now().await;
    asked
}

async fn create(authority: Authority, by: Request) -> Result<TokenId, Error> {
    let minted = authority.create_token(&by, carrying("")).await;
    minted.map(|minted| minted.token.id)
}

/// Runs on one thread, so that who is asked first is first in the line.
fn alone(story: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    task::LocalSet::new().block_on(&runtime, story);
}

#[test]
fn sixty_four_creates_at_once_share_their_commits() {
    alone(async {
        let app = TestApp::new().await;
        let before = commits(&app);
        let held = Held::by_another_process(&app);
        let mut asked = Vec::new();
        for _ in 0..MANY {
            let by = operator();
            asked.push(in_line(&app.authority, async |door| create(door, by).await).await);
        }

        held.let_go();
        let made = join_all(asked).await;

        assert!(made.iter().all(|made| made.as_ref().unwrap().is_ok()));
        assert_eq!(app.rows("tokens"), 64);
        let shared = commits(&app) - before;
        assert!((1..=2).contains(&shared), "{shared} commits");
        app.is_sound().await;
    });
}

#[test]
fn a_revocation_beats_a_create_in_flight() {
    alone(async {
        let app = TestApp::new().await;
        let agent = app.agent(["write:tokens"]).await;
        let held = Held::by_another_process(&app);
        let (person, by) = (operator(), agent.asks());
        let ended = in_line(&app.authority, async move |door| {
            door.revoke_token(&person, revoke(agent.id)).await.map(drop)
        });
        let ended = ended.await;
        let made = in_line(&app.authority, async |door| create(door, by).await).await;

        held.let_go();

        assert!(ended.await.unwrap().is_ok());
        let made = made.await.unwrap();
        assert!(matches!(made, Err(Error::Unauthenticated)), "{made:?}");
        assert_eq!(app.rows("tokens"), 1);
        app.is_sound().await;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_done_after_a_revocation_whatever_the_order() {
    for _ in 0..20 {
        let app = TestApp::new().await;
        let agent = app.agent(["write:tokens", "delete:tokens"]).await;
        let mut asked = Vec::new();
        for place in 0..12 {
            let (door, by, id) = (app.authority.clone(), agent.asks(), agent.id);
            asked.push(tokio::spawn(async move {
                let end = Revoke {
                    allow_self: true,
                    ..revoke(id)
                };
                match place % 6 {
                    3 => door.revoke_token(&by, end).await.map(drop),
                    _ => create(door, by).await.map(drop),
                }
            }));
        }
        join_all(asked).await;

        let trail = app.trail(50).await;
        let ended = trail
            .iter()
            .position(|line| line.starts_with("token revoke_token done"));
        let after = &trail[ended.unwrap() + 1..];
        let done = after.iter().filter(|line| line.contains("done"));
        assert_eq!(done.count(), 0, "{trail:?}");
        let made = trail
            .iter()
            .filter(|line| *line == "token create_token done");
        assert_eq!(app.rows("tokens"), 1 + made.count() as u64);
        app.is_sound().await;
    }
}

#[tokio::test]
async fn a_refused_verb_leaves_its_entry_and_nothing_else() {
    let app = TestApp::new().await;
    let agent = app.agent(["write:tokens"]).await;
    let tables = ["tokens", "token_values", "claims", "idempotency_keys"];
    let before = tables.map(|table| app.rows(table));
    let entries = app.rows("audit");

    let refused = app.create(&agent.asks(), carrying("read:notes")).await;

    assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    assert_eq!(tables.map(|table| app.rows(table)), before);
    assert_eq!(app.rows("audit"), entries + 1);
    assert!(app.trail(1).await[0].starts_with("token create_token refused"));
}

#[test]
fn callers_that_hang_up_leave_whole_verbs_or_none() {
    alone(async {
        let app = TestApp::new().await;
        let held = Held::by_another_process(&app);
        let mut asked = Vec::new();
        for _ in 0..50 {
            let by = operator();
            asked.push(in_line(&app.authority, async |door| create(door, by).await).await);
        }
        for gone in asked.iter().step_by(2) {
            gone.abort();
        }

        held.let_go();
        let made = join_all(asked).await;

        let heard = made.iter().filter(|made| made.is_ok()).count() as u64;
        // Whoever comes last in the line is answered last.
        app.create(&operator(), token("last")).await.unwrap();
        let rows = app.rows("tokens") - 1;
        assert_eq!(heard, 25);
        assert!((25..=50).contains(&rows), "{rows}");
        let told = app.trail(200).await;
        let told = told
            .iter()
            .filter(|line| line.contains("create_token done"))
            .count();
        assert_eq!(told as u64, rows + 1);
        app.is_sound().await;
    });
}

#[test]
fn whoever_comes_to_a_full_queue_is_turned_away_at_once() {
    alone(async {
        let app = TestApp::new().await;
        let held = Held::by_another_process(&app);
        let mut asked = Vec::new();
        for _ in 0..1100 {
            let by = operator();
            asked.push(in_line(&app.authority, async |door| create(door, by).await).await);
        }
        let away = asked.iter().filter(|asked| asked.is_finished()).count();

        held.let_go();
        let made = join_all(asked).await;

        // One more than the queue holds is already with the writer.
        assert!((1100 - 1025..=1100 - 1024).contains(&away), "{away}");
        let mut refused = made
            .iter()
            .filter_map(|made| made.as_ref().unwrap().as_ref().err());
        assert!(refused.all(|why| matches!(why, Error::Store(store::Error::Unavailable(_)))));
        assert_eq!(app.rows("tokens"), 1100 - away as u64);
        app.is_sound().await;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_does_what_is_queued_and_then_nothing() {
    let app = TestApp::new().await;
    let asked: Vec<_> = (0..MANY)
        .map(|_| tokio::spawn(create(app.authority.clone(), operator())))
        .collect();

    app.authority.close().await.unwrap();

    let made = join_all(asked).await;
    let made = made
        .iter()
        .filter(|made| made.as_ref().unwrap().is_ok())
        .count();
    let late = create(app.authority.clone(), operator()).await;
    assert!(
        matches!(late, Err(Error::Store(store::Error::Unavailable(_)))),
        "{late:?}"
    );
    assert!(!log(&app).exists());
    assert_eq!(app.rows("tokens"), made as u64);
}

fn log(app: &TestApp) -> PathBuf {
    app.key_path().with_file_name("store.db-wal")
}

/// How many commits are in the log: a frame that ends one has the size of the file in it
/// (sqlite.org/fileformat2.html, section 4.1). Frames of the log's last round alone count.
fn commits(app: &TestApp) -> usize {
    let log = fs::read(log(app)).unwrap();
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let frame = 24 + number(8) as usize;
    let salt = &log[16..24];
    (32..log.len().saturating_sub(frame - 1))
        .step_by(frame)
        .take_while(|at| &log[at + 8..at + 16] == salt)
        .filter(|at| number(at + 4) != 0)
        .count()
}
