//! What cannot be published takes nothing from anybody: the claim waits again,
//! and what came in between stands.

use std::{io, sync::mpsc, thread};

use chrono::Duration;
use keywright::{
    authority::{Deliver, Error, Rotate, Sink},
    domain::{credential::PlainToken, id::TokenId, token::State},
};
use tokio::runtime::Runtime;

use super::waiting;
use crate::{
    mcp::process::PATIENCE,
    support::{
        TestApp, TestSink, bearer, by_code, code, keywright, operator, rotate, token, value, why,
    },
};

#[tokio::test]
async fn a_sink_that_cannot_publish_lets_the_claim_wait_again() {
    let app = TestApp::new().await;
    let (_, id, code) = waiting(&app).await;
    let mut sink = TestSink::failing_to("publish");

    let failed = app.claim_to(by_code(&code), &mut sink).await;

    assert!(matches!(failed, Err(Error::Sink(_))));
    assert_eq!(sink.steps, ["prepare", "publish", "withdraw"]);
    assert_eq!(app.token(id).await.present, None);
    assert_eq!(
        app.trail(2).await,
        [
            "operator claim_token done: to test",
            "operator claim_token done: taken back: the value could not be handed over"
        ]
    );
    assert!(app.is_good(&app.claim(&code).await.unwrap()).await);
    app.is_sound().await;
}

#[tokio::test]
async fn a_rotation_that_cannot_be_published_leaves_the_old_value_standing() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let other = app.agent([]).await;
    let before = app.token(other.id).await.present;
    let code = code(&app.rotate(&ann.asks(), rotate(other.id)).await.unwrap());
    let mut sink = TestSink::failing_to("publish");

    app.claim_to(by_code(&code), &mut sink).await.unwrap_err();

    assert_eq!(app.token(other.id).await.present, before);
    assert!(app.is_good(&other.value).await);
    app.claim(&code).await.unwrap();
    assert!(!app.is_good(&other.value).await);
    app.is_sound().await;
}

/// A sink that does something when the value comes, and then fails to publish it.
struct Meanwhile<F>(Option<F>);

impl<F: FnOnce(&str) + Send> Sink for Meanwhile<F> {
    fn prepare(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn publish(&mut self, value: &PlainToken) -> io::Result<()> {
        self.0.take().unwrap()(value.expose());
        Err(io::Error::other("the disk is full"))
    }

    fn withdraw(&mut self) {}

    fn name(&self) -> String {
        "test".into()
    }
}

/// Waits in a thread of its own, where one may.
fn wait_for<T: Send>(done: impl Future<Output = T> + Send) -> T {
    thread::scope(|scope| {
        let waiting = scope.spawn(|| Runtime::new().unwrap().block_on(done));
        waiting.join().unwrap()
    })
}

/// Picks up `code` into a sink that fails, while `meanwhile` is done.
async fn fail_to_claim(app: &TestApp, code: &str, meanwhile: impl FnOnce(&str) + Send) {
    let mut sink = Meanwhile(Some(meanwhile));
    let failed = app
        .authority
        .claim_token(&operator(), by_code(code), &mut sink)
        .await;
    assert!(matches!(failed, Err(Error::Sink(_))), "{failed:?}");
}

#[tokio::test]
async fn a_rotation_that_came_in_between_stands_when_publishing_fails() {
    let app = TestApp::new().await;
    let other = app.another_process();
    let (_, id, code) = waiting(&app).await;
    let inline = Rotate {
        deliver: Deliver::Inline,
        ..rotate(id)
    };
    let mut rotated = None;

    fail_to_claim(&app, &code, |_| {
        rotated = Some(wait_for(other.rotate(&operator(), inline)).unwrap());
    })
    .await;

    let new = value(&rotated.unwrap());
    assert!(app.is_good(&new).await);
    assert_eq!(app.token(id).await.present.unwrap().generation, 2);
    assert!(app.claim(&code).await.is_err());
    assert!(app.is_good(&new).await);
    app.is_sound().await;
}

#[tokio::test]
async fn a_revocation_that_came_in_between_stands_when_publishing_fails() {
    let app = TestApp::new().await;
    let other = app.another_process();
    let (_, id, code) = waiting(&app).await;

    fail_to_claim(&app, &code, |_| wait_for(other.revoke(id))).await;

    let token = app.token(id).await;
    assert_eq!(token.state(app.clock.now()), State::Revoked);
    assert_eq!(app.trail(1).await, ["operator revoke_token done"]);
    assert!(why(app.claim(&code).await).starts_with("this claim was used before"));
    let waits = app.authority.list_claims(&operator()).await.unwrap();
    assert!(waits.is_empty());
    app.is_sound().await;
}

#[tokio::test]
async fn a_newer_claim_that_came_in_between_stands_when_publishing_fails() {
    let app = TestApp::new().await;
    let other = app.another_process();
    let (_, id, first) = waiting(&app).await;
    let mut rotated = None;

    fail_to_claim(&app, &first, |_| {
        rotated = Some(wait_for(other.rotate(&operator(), rotate(id))).unwrap());
    })
    .await;

    assert_eq!(app.token(id).await.present, None);
    assert!(app.claim(&first).await.is_err());
    let second = code(&rotated.unwrap());
    let claimed = app.claim(&second).await.unwrap();
    assert!(app.is_good(&claimed).await);
    app.is_sound().await;
}

/// A token whose value is about to change, and the code for that.
async fn renewing(app: &TestApp) -> (TokenId, String) {
    let agent = app.agent([]).await;
    let rotated = app.rotate(&operator(), rotate(agent.id)).await;
    (agent.id, code(&rotated.unwrap()))
}

/// The token has a value and waits for another, which is good once somebody comes for it.
async fn can_still_be_claimed(app: &TestApp, id: TokenId, code: &str) {
    let token = app.token(id).await;
    assert_eq!(token.state(app.clock.now()), State::Active);
    assert!(token.present.is_some());
    app.is_sound().await;
    assert!(app.is_good(&app.claim(code).await.unwrap()).await);
    app.is_sound().await;
}

#[tokio::test]
async fn a_failing_hand_over_inside_another_leaves_the_token_a_value() {
    let app = TestApp::new().await;
    let other = app.another_process();
    let (id, first) = renewing(&app).await;
    let mut second = None;

    fail_to_claim(&app, &first, |_| {
        second = Some(wait_for(async {
            let rotated = other.rotate(&operator(), rotate(id)).await;
            let second = code(&rotated.unwrap());
            fail_to_claim(&other, &second, |_| ()).await;
            second
        }));
    })
    .await;

    can_still_be_claimed(&app, id, &second.unwrap()).await;
}

#[tokio::test]
async fn two_failing_hand_overs_at_once_leave_the_token_a_value() {
    let app = TestApp::new().await;
    let other = app.another_process();
    let (id, first) = renewing(&app).await;
    let (committed, is_committed) = mpsc::channel();
    let (fail, may_fail) = mpsc::channel();
    let (failed, has_failed) = mpsc::channel();

    let one = thread::spawn(move || {
        wait_for(fail_to_claim(&other, &first, move |_| {
            committed.send(()).unwrap();
            may_fail.recv_timeout(PATIENCE).unwrap();
        }));
        failed.send(()).unwrap();
    });
    is_committed.recv_timeout(PATIENCE).unwrap();
    let rotated = app.rotate(&operator(), rotate(id)).await;
    let second = code(&rotated.unwrap());
    fail_to_claim(&app, &second, move |_| {
        fail.send(()).unwrap();
        has_failed.recv_timeout(PATIENCE).unwrap();
    })
    .await;
    one.join().unwrap();

    can_still_be_claimed(&app, id, &second).await;
}

#[tokio::test]
async fn a_token_that_minted_one_before_its_hand_over_failed_is_swept_behind_it() {
    let app = TestApp::new().await;
    let other = app.another_process();
    let ann = app.agent(["write:tokens"]).await;
    let (id, code) = app.waiting(&ann.asks(), "write:tokens").await;
    let mut child = None;
    fail_to_claim(&app, &code, |value| {
        let minted = wait_for(other.create(&bearer(value), token("child")));
        child = Some(minted.unwrap().token.id);
    })
    .await;
    app.advance(Duration::days(2));

    let first = app.authority.sweep(&keywright()).await.unwrap();
    let second = app.authority.sweep(&keywright()).await.unwrap();

    // The child goes first, and its parent once it has none.
    assert_eq!((first, second), (1, 1));
    for id in [child.unwrap(), id] {
        let gone = app.authority.get_token(&operator(), id).await;
        assert!(matches!(gone, Err(Error::NotFound(_))));
    }
    app.is_sound().await;
}
