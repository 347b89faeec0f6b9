//! The CLI token of an app environment is shown to the admins of its account, by id and by name.

use keywright::{
    authority::{For, RevealedOwner},
    domain::{account::Role, app_env::AppEnvRef, id::AppEnvId},
};

use super::shown;
use crate::support::{Agent, TestApp, bearer, env_named, why};

#[tokio::test]
async fn an_app_environments_cli_token_is_found_by_id_and_by_name() {
    let app = TestApp::new().await;
    let env = app.app_env("staging").await;
    app.set_cli_token(env_named("staging"), "").await;
    let admin = app.agent(["read:secrets"]).await;

    for of in [For::AppEnv(AppEnvRef::Id(env.id)), env_named("staging")] {
        let shown = app.reveal(&admin.asks(), of).await;
        let shown = shown.unwrap();

        assert!(shown.value.expose().starts_with("kw_cli_"));
        assert!(matches!(shown.owner, RevealedOwner::AppEnv(found) if found.id == env.id));
    }
    assert_eq!(app.trail(1).await, ["token reveal_app_env_token done"]);
    app.is_sound().await;
}

#[tokio::test]
async fn an_app_environment_that_is_not_there_or_not_ours_is_not_found() {
    let app = TestApp::new().await;
    let env = app.app_env("staging").await;
    app.set_cli_token(env_named("staging"), "").await;
    let stranger = app.stranger().await;
    let theirs = For::AppEnv(AppEnvRef::Id(env.id));
    let nobodys = For::AppEnv(AppEnvRef::Id(AppEnvId::fresh()));

    for of in [theirs, nobodys, env_named("staging")] {
        let refused = app.reveal(&stranger.asks(), of).await;

        assert_eq!(why(refused), "there is no such app environment here");
    }
}

#[tokio::test]
async fn an_app_environments_cli_token_needs_the_role_admin() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    app.app_env("staging").await;
    app.set_cli_token(env_named("staging"), "").await;
    let bob = app
        .agent_of("bob", ["read:secrets", "manage:account"])
        .await;
    let admin = app.agent(["manage:account"]).await;
    let reveal = async |by: &Agent| app.reveal(&by.asks(), env_named("staging")).await;

    let without_role = reveal(&bob).await;
    let without_scope = reveal(&admin).await;

    assert_eq!(
        why(without_role),
        "this needs the role `admin` in the account"
    );
    assert_eq!(why(without_scope), "this needs the scope `read:secrets`");
}

#[tokio::test]
async fn an_app_environments_token_that_carries_more_is_not_shown() {
    let app = TestApp::new().await;
    app.app_env("staging").await;
    app.set_cli_token(env_named("staging"), "deploy:app").await;
    let narrow = app.agent(["read:secrets"]).await;
    let wide = app.agent(["read:secrets", "deploy:app"]).await;

    let refused = app.reveal(&narrow.asks(), env_named("staging")).await;
    let allowed = app.reveal(&wide.asks(), env_named("staging")).await;

    assert!(why(refused).contains("`deploy:app`"));
    assert!(allowed.is_ok());
}

#[tokio::test]
async fn an_admin_who_is_made_a_member_is_refused_at_the_next_call() {
    let app = TestApp::new().await;
    app.app_env("staging").await;
    app.set_cli_token(env_named("staging"), "").await;
    let ann = app.agent(["read:secrets"]).await;
    let reveal = async |by: &Agent| app.reveal(&by.asks(), env_named("staging")).await;
    reveal(&ann).await.unwrap();

    app.set_role("ann", Role::Member).await;

    let refused = reveal(&ann).await;
    assert_eq!(why(refused), "this needs the role `admin` in the account");
    assert_eq!(
        app.trail(1).await,
        ["token reveal_app_env_token refused: this needs the role `admin` in the account"]
    );
}

#[tokio::test]
async fn an_app_environments_own_token_is_no_shorter_way_to_its_value() {
    let app = TestApp::new().await;
    app.app_env("staging").await;
    let of_env = app
        .set_cli_token(env_named("staging"), "read:secrets")
        .await;
    let value = shown(&app, env_named("staging")).await;
    let id = of_env.id.as_uuid();

    for of in [For::Me, env_named("staging")] {
        let refused = app.reveal(&bearer(&value), of).await;

        assert_eq!(why(refused), "this needs the role `admin` in the account");
    }
    assert_eq!(
        app.trail(1).await,
        ["token reveal_app_env_token refused: this needs the role `admin` in the account"]
    );
    assert_eq!(
        app.last_record().await.actor.to_string(),
        format!("token:{id}")
    );
    app.is_sound().await;
}

#[tokio::test]
async fn an_app_environment_reveals_no_users_token_either() {
    let app = TestApp::new().await;
    app.app_env("staging").await;
    app.set_cli_token(For::Me, "").await;
    app.set_cli_token(env_named("staging"), "read:secrets")
        .await;
    let value = shown(&app, env_named("staging")).await;

    let refused = app
        .reveal(&bearer(&value), For::User("ann".parse().unwrap()))
        .await;

    assert_eq!(why(refused), "there is no such user here");
}
