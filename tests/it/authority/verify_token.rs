//! A proxy asks, in the name of who wants to pass, whether their token is good and carries enough.

use keywright::domain::account::Role;

use crate::support::{TestApp, bearer, scopes, why};

#[tokio::test]
async fn a_token_that_carries_enough_passes() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:notes", "write:notes"]).await;

    let passed = app
        .authority
        .verify_token(&ann.asks(), scopes("read:notes"))
        .await;

    let passed = passed.unwrap();
    assert_eq!(passed.presented.token.id, ann.id);
    assert_eq!(passed.scopes, scopes("read:notes write:notes"));
    let username = passed.presented.username.as_ref();
    assert_eq!(username.unwrap().as_str(), "ann");
    let used_at = app.token(ann.id).await.last_used_at;
    assert_eq!(used_at, Some(app.clock.now()));
}

#[tokio::test]
async fn a_token_that_carries_less_is_refused_and_it_is_written_down() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:notes"]).await;

    let refused = app
        .authority
        .verify_token(&ann.asks(), scopes("read:notes write:notes"))
        .await;

    assert_eq!(why(refused), "this needs the scope `write:notes`");
    assert_eq!(
        app.trail(1).await,
        ["token verify_token refused: this needs the scope `write:notes`"]
    );
}

#[tokio::test]
async fn whom_nobody_knows_does_not_pass() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:notes"]).await;
    app.revoke(ann.id).await;

    for value in ["", "noise", &ann.value] {
        let refused = app.authority.verify_token(&bearer(value), scopes("")).await;

        assert_eq!(why(refused), "no valid token was presented");
    }
}

#[tokio::test]
async fn manage_account_passes_only_while_its_owner_is_an_admin() {
    let app = TestApp::new().await;
    let ann = app.agent(["manage:account"]).await;
    let asked = || scopes("manage:account");
    let as_admin = app.authority.verify_token(&ann.asks(), asked()).await;
    app.set_role("ann", Role::Member).await;

    let as_member = app.authority.verify_token(&ann.asks(), asked()).await;

    assert!(as_admin.is_ok());
    assert_eq!(why(as_member), "this needs the role `admin` in the account");
    let passed = app.authority.verify_token(&ann.asks(), scopes("")).await;
    assert_eq!(passed.unwrap().scopes, scopes(""));
}
