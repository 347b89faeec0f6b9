//! CLI tokens are kept sealed, and shown again to whoever may see them, each time with an entry.

mod app_envs;
mod sealed;
mod setting;

use keywright::{
    authority::{For, RevealedOwner, SetCliToken, Update},
    domain::{account::Role, credential::PlainToken, token::Kind},
};

use crate::support::{TestApp, local, operator, operator_in, revoke, scopes, update, why};

fn imported(of: For, value: &str) -> SetCliToken {
    SetCliToken {
        of,
        scopes: scopes(""),
        imported: Some(PlainToken::imported(value)),
    }
}

async fn shown(app: &TestApp, of: For) -> String {
    let shown = app.reveal(&operator(), of).await;
    shown.unwrap().value.expose().to_owned()
}

#[tokio::test]
async fn a_users_own_cli_token_is_shown_to_who_holds_read_secrets() {
    let app = TestApp::new().await;
    let token = app.set_cli_token(For::Me, "").await;
    let ann = app.agent(["read:secrets"]).await;

    let shown = app.reveal(&ann.asks(), For::Me).await;
    let shown = shown.unwrap();

    let value = shown.value.expose();
    assert!(value.starts_with(token.present.unwrap().prefix.unwrap().as_str()));
    assert_eq!(token.kind, Kind::Cli);
    assert!(app.is_good(value).await);
    assert!(matches!(shown.owner, RevealedOwner::User(user) if user.username.as_str() == "ann"));
    assert_eq!(app.trail(1).await, ["token reveal_user_token done"]);
    let record = app.last_record().await;
    assert_eq!(record.target.unwrap().uuid(), token.id.as_uuid());
    app.is_sound().await;
}

#[tokio::test]
async fn without_read_secrets_nothing_is_shown() {
    let app = TestApp::new().await;
    app.set_cli_token(For::Me, "").await;
    let ann = app
        .agent(["read:tokens", "write:tokens", "manage:account"])
        .await;

    for asker in [ann.asks(), local()] {
        let refused = app.reveal(&asker, For::Me).await;

        assert_eq!(why(refused), "this needs the scope `read:secrets`");
    }
    assert_eq!(
        app.trail(1).await,
        ["local reveal_user_token refused: this needs the scope `read:secrets`"]
    );
}

#[tokio::test]
async fn a_cli_token_that_carries_more_than_the_asker_is_not_shown_to_it() {
    let app = TestApp::new().await;
    app.set_cli_token(For::Me, "read:notes").await;
    let narrow = app.agent(["read:secrets"]).await;
    let wide = app.agent(["read:secrets", "read:notes"]).await;

    let refused = app.reveal(&narrow.asks(), For::Me).await;
    let allowed = app.reveal(&wide.asks(), For::Me).await;

    assert!(why(refused).contains("cannot give or use the scope `read:notes`"));
    assert!(allowed.is_ok());
}

#[tokio::test]
async fn a_cli_token_does_what_its_scopes_allow() {
    let app = TestApp::new().await;
    let token = app.set_cli_token(For::Me, "read:tokens").await;
    let value = shown(&app, For::Me).await;

    let found = app
        .authority
        .get_token(&crate::support::bearer(&value), token.id)
        .await;

    assert_eq!(found.unwrap().0.id, token.id);
}

#[tokio::test]
async fn who_has_no_cli_token_is_told_so() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:secrets"]).await;

    let refused = app.reveal(&ann.asks(), For::Me).await;

    assert_eq!(why(refused), "there is no such CLI token here");
    assert_eq!(
        app.trail(1).await,
        ["token reveal_user_token refused: there is no such CLI token here"]
    );
}

#[tokio::test]
async fn another_members_cli_token_is_shown_to_nobody_but_the_operator() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bobs = || For::User("bob".parse().unwrap());
    app.set_cli_token(bobs(), "").await;
    let ann = app.agent(["read:secrets"]).await;
    let admin = app.agent(["read:secrets", "manage:account"]).await;

    let by_ann = app.reveal(&ann.asks(), bobs()).await;
    let by_admin = app.reveal(&admin.asks(), bobs()).await;

    assert_eq!(why(by_ann), "there is no such user here");
    assert!(why(by_admin).contains("only its owner"));
    assert!(!shown(&app, bobs()).await.is_empty());
}

#[tokio::test]
async fn a_cli_token_is_narrowed_like_any_other() {
    let app = TestApp::new().await;
    let token = app.set_cli_token(For::Me, "read:notes read:tokens").await;
    let ann = app.agent(["write:tokens", "delete:tokens"]).await;
    let narrower = Update {
        scopes: Some(scopes("read:notes")),
        ..update(token.id)
    };

    app.update(&ann.asks(), narrower).await.unwrap();
    let ended = app.revoke_by(&ann.asks(), revoke(token.id)).await;

    assert_eq!(ended.unwrap().revoked_count, 1);
    app.is_sound().await;
}

#[tokio::test]
async fn each_account_has_its_own_cli_token_for_its_people() {
    let app = TestApp::new().await;
    app.stranger().await;
    let ours = app.set_cli_token(For::Me, "").await;
    let eves = SetCliToken {
        of: For::User("eve".parse().unwrap()),
        scopes: scopes(""),
        imported: None,
    };

    let theirs = app
        .authority
        .set_cli_token(&operator_in("acme"), eves)
        .await;

    assert_ne!(theirs.unwrap().0.account, ours.account);
    app.is_sound().await;
}

#[tokio::test]
async fn what_was_revealed_does_not_show_itself_when_it_is_printed() {
    let app = TestApp::new().await;
    app.set_cli_token(For::Me, "").await;

    let revealed = app.reveal(&operator(), For::Me).await.unwrap();

    let value = revealed.value.expose();
    assert!(!format!("{revealed:?}").contains(&value["kw_cli_0000".len()..]));
}
