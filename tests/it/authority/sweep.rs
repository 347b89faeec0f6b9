//! What ended long ago is forgotten: tokens that nobody picked up, keys of calls, used claims.

use chrono::Duration;
use keywright::authority::{Error, NewToken};

use crate::support::{TestApp, code, keywright, local, operator, rotate, token, why};

#[tokio::test]
async fn a_token_that_nobody_claimed_is_swept_after_a_day() {
    let app = TestApp::new().await;
    let (id, _) = app.waiting(&local(), "").await;

    app.advance(Duration::hours(24) - Duration::milliseconds(1));
    assert_eq!(app.authority.sweep(&keywright()).await.unwrap(), 0);
    app.advance(Duration::milliseconds(1));
    assert_eq!(app.authority.sweep(&keywright()).await.unwrap(), 1);

    assert_eq!(app.rows("tokens") + app.rows("claims"), 0);
    assert_eq!(app.trail(1).await, ["keywright sweep done: never claimed"]);
    let gone = app.authority.get_token(&operator(), id).await;
    assert!(matches!(gone, Err(Error::NotFound(_))));
    app.is_sound().await;
}

#[tokio::test]
async fn a_fresh_claim_puts_the_sweep_off() {
    let app = TestApp::new().await;
    let (id, _) = app.waiting(&local(), "").await;
    app.advance(Duration::hours(23));
    app.rotate(&local(), rotate(id)).await.unwrap();
    app.advance(Duration::hours(2));

    assert_eq!(app.authority.sweep(&keywright()).await.unwrap(), 0);
    assert_eq!(app.token(id).await.id, id);
}

#[tokio::test]
async fn what_was_claimed_stays() {
    let app = TestApp::new().await;
    let (_, code) = app.waiting(&local(), "").await;
    let value = app.claim(&code).await.unwrap();
    app.advance(Duration::days(30));

    assert_eq!(app.authority.sweep(&keywright()).await.unwrap(), 0);

    assert!(app.is_good(&value).await);
    app.is_sound().await;
}

#[tokio::test]
async fn a_rotation_that_nobody_claimed_leaves_its_token() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    app.rotate(&ann.asks(), rotate(ann.id)).await.unwrap();
    app.advance(Duration::days(30));

    assert_eq!(app.authority.sweep(&keywright()).await.unwrap(), 0);

    assert!(app.is_good(&ann.value).await);
    assert_eq!(app.rows("claims"), 0);
    app.is_sound().await;
}

#[tokio::test]
async fn a_rotation_that_waits_is_not_swept() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let rotated = app.rotate(&ann.asks(), rotate(ann.id)).await.unwrap();

    app.authority.sweep(&keywright()).await.unwrap();

    let value = app.claim(&code(&rotated)).await.unwrap();
    assert!(app.is_good(&value).await);
}

#[tokio::test]
async fn a_used_claim_is_remembered_for_a_week() {
    let app = TestApp::new().await;
    let (_, code) = app.waiting(&local(), "").await;
    app.claim(&code).await.unwrap();

    app.advance(Duration::days(7));
    app.authority.sweep(&keywright()).await.unwrap();
    assert!(why(app.claim(&code).await).starts_with("this claim was used before"));

    app.advance(Duration::minutes(10));
    app.authority.sweep(&keywright()).await.unwrap();
    assert_eq!(why(app.claim(&code).await), "there is no such claim here");
}

#[tokio::test]
async fn keys_of_calls_are_forgotten_after_a_day() {
    let app = TestApp::new().await;
    let keyed = NewToken {
        idempotency_key: Some("k1".parse().unwrap()),
        ..token("x")
    };
    let minted = app.create(&local(), keyed).await.unwrap();
    app.claim(&code(&minted)).await.unwrap();

    app.advance(Duration::hours(24) - Duration::milliseconds(1));
    app.authority.sweep(&keywright()).await.unwrap();
    assert_eq!(app.rows("idempotency_keys"), 1);
    app.advance(Duration::milliseconds(1));
    app.authority.sweep(&keywright()).await.unwrap();

    assert_eq!(app.rows("idempotency_keys"), 0);
}

#[tokio::test]
async fn no_token_and_no_local_session_sweeps() {
    let app = TestApp::new().await;
    let ann = app.agent(["delete:tokens", "manage:account"]).await;

    for asker in [ann.asks(), local()] {
        let refused = app.authority.sweep(&asker).await;

        assert_eq!(why(refused), "this is done at the machine's shell");
    }
}

#[tokio::test]
async fn the_program_itself_does_nothing_but_keep_house() {
    let app = TestApp::new().await;

    let made = app.create(&keywright(), token("x")).await;
    let list = app.authority.list_users(&keywright()).await;

    assert!(made.is_err());
    assert_eq!(why(list), "this is done at the machine's shell");
    assert_eq!(app.rows("tokens"), 0);
}
