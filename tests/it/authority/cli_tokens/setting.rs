//! A CLI token is set by the operator; what ends or replaces its value ends the showing of it.

use keywright::authority::{For, SetCliToken, Update};

use super::{imported, shown};
use crate::support::{TestApp, TestSink, by_code, code, operator, rotate, scopes, update, why};

#[tokio::test]
async fn setting_it_again_keeps_the_id_and_ends_the_old_value_at_once() {
    let app = TestApp::new().await;
    let first = app.set_cli_token(For::Me, "").await;
    let old = shown(&app, For::Me).await;

    let second = app.set_cli_token(For::Me, "read:tokens").await;

    assert_eq!(first.id, second.id);
    assert_eq!(second.powers.scopes, scopes("read:tokens"));
    assert!(!app.is_good(&old).await);
    assert!(app.is_good(&shown(&app, For::Me).await).await);
    app.is_sound().await;
}

#[tokio::test]
async fn only_the_operator_sets_a_cli_token() {
    let app = TestApp::new().await;
    let ann = app
        .agent([
            "write:tokens",
            "read:secrets",
            "write:envs",
            "manage:account",
        ])
        .await;
    let set = SetCliToken {
        of: For::Me,
        scopes: scopes(""),
        imported: None,
    };

    let refused = app.authority.set_cli_token(&ann.asks(), set).await;

    assert_eq!(why(refused), "this is done at the machine's shell");
}

#[tokio::test]
async fn a_value_that_was_made_elsewhere_is_shown_and_authenticates_nobody() {
    let app = TestApp::new().await;
    let set = imported(For::Me, "ghp_elsewhere");
    let set = app.authority.set_cli_token(&operator(), set).await;

    let (token, _) = set.unwrap();

    assert_eq!(token.present.unwrap().prefix, None);
    assert_eq!(shown(&app, For::Me).await, "ghp_elsewhere");
    assert!(!app.is_good("ghp_elsewhere").await);
    app.is_sound().await;
}

#[tokio::test]
async fn a_value_that_was_made_elsewhere_carries_no_scopes() {
    let app = TestApp::new().await;
    let set = SetCliToken {
        scopes: scopes("read:notes"),
        ..imported(For::Me, "ghp_elsewhere")
    };

    let refused = app.authority.set_cli_token(&operator(), set).await;

    assert!(why(refused).starts_with("`scopes` cannot be used"));
    assert_eq!(app.rows("tokens"), 0);
}

#[tokio::test]
async fn a_revoked_cli_token_is_not_shown_and_its_sealed_value_is_gone() {
    let app = TestApp::new().await;
    let token = app.set_cli_token(For::Me, "").await;
    app.revoke(token.id).await;

    let refused = app.reveal(&operator(), For::Me).await;

    assert_eq!(why(refused), "there is no such CLI token here");
    let sealed: i64 = app
        .database()
        .query_row("select count(sealed) from token_values", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(sealed, 0);
    app.is_sound().await;
}

#[tokio::test]
async fn a_disabled_cli_token_is_not_shown() {
    let app = TestApp::new().await;
    let token = app.set_cli_token(For::Me, "").await;
    app.disable(&operator(), token.id).await;
    let ann = app.agent(["read:secrets"]).await;

    let refused = app.reveal(&ann.asks(), For::Me).await;

    assert_eq!(why(refused), "the token is disabled");
}

#[tokio::test]
async fn a_rotation_by_claim_shows_the_old_value_until_it_is_claimed() {
    let app = TestApp::new().await;
    let cli_token = app.set_cli_token(For::Me, "").await;
    let old = shown(&app, For::Me).await;
    let rotated = app.rotate(&operator(), rotate(cli_token.id)).await.unwrap();
    let mut broken = TestSink::failing_to("publish");

    let code = code(&rotated);
    app.claim_to(by_code(&code), &mut broken).await.unwrap_err();
    assert_eq!(shown(&app, For::Me).await, old);
    let new = app.claim(&code).await.unwrap();

    assert_eq!(shown(&app, For::Me).await, new);
    assert!(app.is_good(&new).await && !app.is_good(&old).await);
    app.is_sound().await;
}

#[tokio::test]
async fn one_that_is_over_makes_room_for_a_new_one() {
    let app = TestApp::new().await;
    let cli_token = app.set_cli_token(For::Me, "").await;
    let sooner = Update {
        expires: Some("1h".parse().unwrap()),
        ..update(cli_token.id)
    };
    app.update(&operator(), sooner).await.unwrap();
    app.advance(chrono::Duration::hours(1));

    let again = app.set_cli_token(For::Me, "").await;

    assert_eq!(again.id, cli_token.id);
    assert_eq!(again.powers.expires_at, None);
    assert!(app.is_good(&shown(&app, For::Me).await).await);
    app.is_sound().await;
}

#[tokio::test]
async fn setting_it_again_ends_a_claim_that_waits() {
    let app = TestApp::new().await;
    let cli_token = app.set_cli_token(For::Me, "").await;
    let rotated = app.rotate(&operator(), rotate(cli_token.id)).await.unwrap();
    app.set_cli_token(For::Me, "").await;

    let refused = app.claim(&code(&rotated)).await;

    assert_eq!(why(refused), "there is no such claim here");
}

#[tokio::test]
async fn setting_one_that_is_switched_off_switches_it_on() {
    let app = TestApp::new().await;
    let token = app.set_cli_token(For::Me, "read:tokens").await;
    let mut off = update(token.id);
    off.enabled = Some(false);
    app.update(&operator(), off).await.unwrap();

    app.set_cli_token(For::Me, "read:tokens").await;

    assert!(app.is_good(&shown(&app, For::Me).await).await);
    app.is_sound().await;
}
