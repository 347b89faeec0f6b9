//! A token's rights are its scopes and what its owner is now: every change counts at the next call.

use chrono::Duration;
use keywright::{
    authority::{Deliver, Error, For, ListTokens, NewToken, Of},
    domain::{account::Role, app_env::AppEnvRef},
};

use crate::support::{TestApp, agent, list, local, operator, token, why};

#[tokio::test]
async fn a_switched_off_users_tokens_are_refused_until_they_are_on_again() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", []).await;

    app.set_active("bob", false).await;
    assert!(!app.is_good(&bob.value).await);
    app.set_active("bob", true).await;
    assert!(app.is_good(&bob.value).await);

    assert_eq!(
        app.system_trail(2).await,
        [
            "operator update_user done: deactivated",
            "operator update_user done: activated"
        ]
    );
    app.is_sound().await;
}

#[tokio::test]
async fn a_switched_off_local_user_has_no_session() {
    let app = TestApp::new().await;
    app.set_active("ann", false).await;

    let refused = app.authority.whoami(&local()).await;

    assert_eq!(why(refused), "no valid token was presented");
}

#[tokio::test]
async fn tokens_of_who_left_the_account_are_refused() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", []).await;

    let name = "bob".parse().unwrap();
    app.authority
        .remove_membership(&operator(), name)
        .await
        .unwrap();

    assert!(!app.is_good(&bob.value).await);
    assert_eq!(app.trail(1).await, ["operator remove_membership done"]);
    app.set_role("bob", Role::Member).await;
    assert!(app.is_good(&bob.value).await);
    app.is_sound().await;
}

#[tokio::test]
async fn whoever_left_one_account_keeps_their_tokens_in_another() {
    let app = TestApp::new().await;
    let eve = app.stranger().await;
    app.set_role("eve", Role::Member).await;
    let here = app.agent_of("eve", []).await;

    let name = "eve".parse().unwrap();
    app.authority
        .remove_membership(&operator(), name)
        .await
        .unwrap();

    assert!(!app.is_good(&here.value).await);
    assert!(app.is_good(&eve.value).await);
}

#[tokio::test]
async fn an_admin_who_is_one_no_more_manages_nothing_at_the_next_call() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", []).await;
    let ann = app.agent(["read:tokens", "manage:account"]).await;
    let account = || ListTokens {
        of: Of::Account,
        ..list()
    };
    assert_eq!(app.labels(&ann.asks(), account()).await.len(), 2);

    app.set_role("ann", Role::Member).await;

    let listed = app.authority.list_tokens(&ann.asks(), account()).await;
    let read = app.authority.get_token(&ann.asks(), bob.id).await;
    assert_eq!(why(listed), "this needs the role `admin` in the account");
    assert!(matches!(read, Err(Error::NotFound(_))));
    assert_eq!(
        app.trail(3).await,
        [
            "operator set_membership done: member",
            "token list_tokens refused: this needs the role `admin` in the account",
            "token get_token refused: there is no such thing here"
        ]
    );
}

#[tokio::test]
async fn who_is_made_an_admin_is_one_at_the_next_call() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", ["read:tokens", "manage:account"]).await;
    let ann = app.agent([]).await;
    let before = app.authority.get_token(&bob.asks(), ann.id).await;

    app.set_role("bob", Role::Admin).await;

    assert!(before.is_err());
    let after = app.authority.get_token(&bob.asks(), ann.id).await;
    assert_eq!(after.unwrap().0.id, ann.id);
}

#[tokio::test]
async fn an_owner_change_in_one_process_counts_in_the_other() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", []).await;
    let other = app.another_process();
    assert!(other.is_good(&bob.value).await);

    app.set_active("bob", false).await;

    assert!(!other.is_good(&bob.value).await);
}

#[tokio::test]
async fn what_a_switched_off_users_token_minted_is_refused_too() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", ["write:tokens"]).await;
    let child = app.child(&bob, "").await;

    app.set_active("bob", false).await;

    assert!(!app.is_good(&child.value).await);
}

#[tokio::test]
async fn a_token_made_for_an_app_environment_ends_with_it() {
    let app = TestApp::new().await;
    let env = app.app_env("staging").await;
    let named = || AppEnvRef::Id(env.id);
    let new = NewToken {
        owner: For::AppEnv(named()),
        deliver: Deliver::Inline,
        ..token("deployer")
    };
    let deployer = agent(&app.create(&operator(), new).await.unwrap());
    assert!(app.is_good(&deployer.value).await);

    app.authority
        .delete_app_env(&operator(), named())
        .await
        .unwrap();

    assert!(!app.is_good(&deployer.value).await);
    app.is_sound().await;
}

#[tokio::test]
async fn whoever_is_off_already_stays_off_since_the_first_time() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    app.set_active("bob", false).await;
    let since = app.clock.now();
    app.advance(Duration::hours(1));

    app.set_active("bob", false).await;

    let users = app.authority.list_users(&operator()).await.unwrap();
    assert_eq!(users[1].0.deactivated_at, Some(since));
}
