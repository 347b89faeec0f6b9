//! Who is asking, with what, and what is missing for the rest.

use chrono::Duration;
use keywright::{
    authz::Why,
    domain::{
        account::Role,
        scope::{Reach, Scope},
    },
};

use crate::support::{TestApp, bearer, local, operator_in, scopes, why};

#[tokio::test]
async fn a_token_is_told_whose_it_is_and_what_it_holds() {
    let app = TestApp::new().await;
    let ann = app.agent_until(Duration::days(1), ["read:tokens"]).await;

    let me = app.authority.whoami(&ann.asks()).await.unwrap();

    assert_eq!(me.user.unwrap().username.as_str(), "ann");
    assert_eq!(me.account.slug.as_str(), "default");
    assert_eq!(me.role, Some(Role::Admin));
    assert_eq!(me.reach, Reach::Exactly(scopes("read:tokens")));
    assert_eq!(me.expires_at, Some(app.clock.now() + Duration::days(1)));
    let token = me.token.unwrap();
    assert_eq!((token.id, token.last_used_at), (ann.id, Some(me.at)));
}

#[tokio::test]
async fn a_narrowed_session_is_told_what_is_left() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:tokens", "write:tokens"]).await;

    let asked = ann.narrowed("read:tokens delete:tokens");
    let me = app.authority.whoami(&asked).await.unwrap();

    assert_eq!(me.reach, Reach::Exactly(scopes("read:tokens")));
}

#[tokio::test]
async fn an_empty_token_only_says_who_it_is() {
    let app = TestApp::new().await;
    let ann = app.agent([]).await;

    let me = app.authority.whoami(&ann.asks()).await.unwrap();

    let allowed = me.outlook.iter().filter(|(_, why)| why.is_none());
    let allowed: Vec<_> = allowed.map(|(action, _)| *action).collect();
    assert_eq!(allowed, ["whoami"]);
    let create = me.outlook.iter().find(|(name, _)| *name == "create_token");
    assert_eq!(create.unwrap().1, Some(Why::Scope(Scope::WRITE_TOKENS)));
}

#[tokio::test]
async fn the_local_session_has_no_token_and_a_user() {
    let app = TestApp::new().await;

    let me = app.authority.whoami(&local()).await.unwrap();

    assert_eq!(me.user.unwrap().os_uid, Some(1000));
    assert!(me.token.is_none() && me.expires_at.is_none());
}

#[tokio::test]
async fn nobody_is_told_nothing() {
    let app = TestApp::new().await;

    for value in ["", "noise", "kw_pat_x"] {
        let refused = app.authority.whoami(&bearer(value)).await;

        assert_eq!(why(refused), "no valid token was presented");
    }
}

#[tokio::test]
async fn an_operator_who_names_an_account_that_is_not_there_is_told_so() {
    let app = TestApp::new().await;

    let refused = app.authority.whoami(&operator_in("nowhere")).await;

    assert_eq!(why(refused), "there is no such account here");
}

#[tokio::test]
async fn a_last_use_is_shown_at_once_and_kept_with_the_next_batch() {
    let app = TestApp::new().await;
    let ann = app.agent([]).await;
    let other = app.another_process();
    app.authority.whoami(&ann.asks()).await.unwrap();
    let used_at = Some(app.clock.now());

    assert_eq!(app.token(ann.id).await.last_used_at, used_at);
    assert_eq!(other.token(ann.id).await.last_used_at, None);

    app.authority.write_batches().await.unwrap();
    assert_eq!(other.token(ann.id).await.last_used_at, used_at);
    app.is_sound().await;
}

#[tokio::test]
async fn closing_keeps_when_tokens_were_last_used() {
    let app = TestApp::new().await;
    let ann = app.agent([]).await;
    app.authority.whoami(&ann.asks()).await.unwrap();
    let used_at = Some(app.clock.now());

    let app = app.restarted().await;

    assert_eq!(app.token(ann.id).await.last_used_at, used_at);
}

#[tokio::test]
async fn an_older_use_never_hides_a_newer_one() {
    let app = TestApp::new().await;
    let ann = app.agent([]).await;
    let other = app.another_process();
    other.authority.whoami(&ann.asks()).await.unwrap();
    app.advance(Duration::minutes(1));
    app.authority.whoami(&ann.asks()).await.unwrap();
    let used_at = Some(app.clock.now());

    app.authority.write_batches().await.unwrap();
    other.authority.write_batches().await.unwrap();

    assert_eq!(other.token(ann.id).await.last_used_at, used_at);
}

#[tokio::test]
async fn a_refused_call_is_a_use_too() {
    let app = TestApp::new().await;
    let ann = app.agent([]).await;

    let refused = app.authority.get_token(&ann.asks(), ann.id).await;

    assert!(refused.is_err());
    let used_at = Some(app.clock.now());
    assert_eq!(app.token(ann.id).await.last_used_at, used_at);
}
