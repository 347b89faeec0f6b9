//! A claim fails once whoever opened it could not ask for the value any more.

use chrono::Duration;
use keywright::{authority::Update, domain::account::Role};

use super::waiting;
use crate::support::{Agent, TestApp, local, operator, revoke, scopes, update, why};

async fn narrow(app: &TestApp, agent: &Agent, to: &str) {
    let narrower = Update {
        scopes: Some(scopes(to)),
        ..update(agent.id)
    };
    app.update(&operator(), narrower).await.unwrap();
}

const OPENER_GONE: &str = "whoever asked for this value may not have it made any more";

#[tokio::test]
async fn a_claim_fails_once_its_opener_is_revoked() {
    let app = TestApp::new().await;
    let (ann, id, code) = waiting(&app).await;
    app.revoke(ann.id).await;

    assert_eq!(why(app.claim(&code).await), OPENER_GONE);
    assert_eq!(app.token(id).await.present, None);
    let line = format!("operator claim_token refused: {OPENER_GONE}");
    assert_eq!(app.trail(1).await, [line]);
    app.is_sound().await;
}

#[tokio::test]
async fn a_claim_fails_while_its_opener_is_disabled() {
    let app = TestApp::new().await;
    let (ann, _, code) = waiting(&app).await;
    app.disable(&operator(), ann.id).await;

    assert_eq!(why(app.claim(&code).await), OPENER_GONE);
}

#[tokio::test]
async fn a_claim_fails_once_its_token_is_over() {
    let app = TestApp::new().await;
    let ann = app
        .agent_until(Duration::minutes(5), ["write:tokens"])
        .await;
    let (_, code) = app.waiting(&ann.asks(), "").await;
    app.advance(Duration::minutes(5));

    assert_eq!(why(app.claim(&code).await), "the token is expired");
    assert_eq!(
        app.trail(1).await,
        ["operator claim_token refused: the token is expired"]
    );
}

#[tokio::test]
async fn a_claim_fails_once_its_opener_lacks_a_scope_that_the_token_carries() {
    let app = TestApp::new().await;
    let (ann, _, code) = waiting(&app).await;
    narrow(&app, &ann, "write:tokens").await;

    assert_eq!(why(app.claim(&code).await), OPENER_GONE);
}

#[tokio::test]
async fn a_claim_fails_once_its_opener_lacks_write_tokens() {
    let app = TestApp::new().await;
    let (ann, _, code) = waiting(&app).await;
    narrow(&app, &ann, "read:notes").await;

    assert_eq!(why(app.claim(&code).await), OPENER_GONE);
}

#[tokio::test]
async fn a_claim_fails_once_its_opener_ends_before_the_token() {
    let app = TestApp::new().await;
    let (ann, _, code) = waiting(&app).await;
    let sooner = Update {
        expires: Some("1h".parse().unwrap()),
        ..update(ann.id)
    };
    app.update(&operator(), sooner).await.unwrap();

    assert_eq!(why(app.claim(&code).await), OPENER_GONE);
}

#[tokio::test]
async fn a_claim_fails_once_its_openers_user_is_switched_off() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", ["write:tokens"]).await;
    let (_, code) = app.waiting(&bob.asks(), "").await;
    app.set_active("bob", false).await;

    assert_eq!(why(app.claim(&code).await), OPENER_GONE);
}

#[tokio::test]
async fn a_claim_of_the_local_session_fails_once_its_user_is_switched_off() {
    let app = TestApp::new().await;
    let (_, code) = app.waiting(&local(), "read:notes").await;
    app.set_active("ann", false).await;

    assert_eq!(why(app.claim(&code).await), OPENER_GONE);
}

#[tokio::test]
async fn revoking_the_opener_afterwards_leaves_what_was_claimed() {
    let app = TestApp::new().await;
    let (ann, _, code) = waiting(&app).await;
    let value = app.claim(&code).await.unwrap();

    app.revoke_by(&operator(), revoke(ann.id)).await.unwrap();

    assert!(app.is_good(&value).await);
}
