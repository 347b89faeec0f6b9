//! A service asks whether some token is good; whatever the reason, a bad one is not there.

use chrono::Duration;
use keywright::{
    authority::{Error, For, Introspected},
    authz::Request,
    domain::account::Role,
};

use crate::support::{Agent, TestApp, env_named, operator, scopes, why};

/// What `asks` is told of one value.
async fn introspect(
    app: &TestApp,
    asks: &Request,
    value: &str,
) -> Result<Option<Introspected>, Error> {
    let answers = app.authority.introspect_tokens(asks, &[value]).await?;
    let [answer] = answers.try_into().unwrap();
    Ok(answer)
}

async fn service(app: &TestApp) -> Agent {
    app.agent(["introspect:tokens"]).await
}

#[tokio::test]
async fn a_good_token_is_told_with_its_scopes_and_owner() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let ann = app.agent(["read:notes"]).await;

    let found = introspect(&app, &service.asks(), &ann.value).await;
    let found = found.unwrap().unwrap();

    assert_eq!(found.presented.token.id, ann.id);
    assert_eq!(found.scopes, scopes("read:notes"));
    let username = found.presented.username.as_ref();
    assert_eq!(username.unwrap().as_str(), "ann");
    let used_at = app.token(ann.id).await.last_used_at;
    assert_eq!(used_at, Some(app.clock.now()));
}

#[tokio::test]
async fn every_bad_token_is_not_there_and_leaves_no_entry() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    app.user("bob", Role::Member).await;
    let [revoked, disabled] = [app.agent([]).await, app.agent([]).await];
    let bobs = app.agent_of("bob", []).await;
    let expired = app.agent_until(Duration::hours(1), []).await;
    let theirs = app.stranger().await;
    app.revoke(revoked.id).await;
    app.disable(&operator(), disabled.id).await;
    app.set_active("bob", false).await;
    app.advance(Duration::hours(1));
    let (ours, systems) = (app.trail(200).await, app.system_trail(200).await);

    for value in [
        "",
        "noise",
        "kw_pat_x",
        &revoked.value,
        &disabled.value,
        &bobs.value,
        &expired.value,
        &theirs.value,
    ] {
        let found = introspect(&app, &service.asks(), value).await;

        assert!(found.unwrap().is_none());
    }
    assert_eq!(app.trail(200).await, ours);
    assert_eq!(app.system_trail(200).await, systems);
}

#[tokio::test]
async fn asking_needs_introspect_tokens() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:tokens", "read:secrets"]).await;

    let refused = introspect(&app, &ann.asks(), &ann.value).await;

    assert_eq!(why(refused), "this needs the scope `introspect:tokens`");
    assert_eq!(
        app.trail(1).await,
        ["token introspect_token refused: this needs the scope `introspect:tokens`"]
    );
}

#[tokio::test]
async fn manage_account_is_told_only_while_its_owner_is_an_admin() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let ann = app.agent(["manage:account", "read:notes"]).await;
    let as_admin = introspect(&app, &service.asks(), &ann.value).await;
    app.set_role("ann", Role::Member).await;

    let as_member = introspect(&app, &service.asks(), &ann.value).await;

    assert_eq!(
        as_admin.unwrap().unwrap().scopes,
        scopes("manage:account read:notes")
    );
    assert_eq!(as_member.unwrap().unwrap().scopes, scopes("read:notes"));
}

#[tokio::test]
async fn an_app_environments_cli_token_has_no_username() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    app.app_env("staging").await;
    app.set_cli_token(env_named("staging"), "deploy:app").await;
    let shown = app.reveal(&operator(), env_named("staging")).await.unwrap();

    let found = introspect(&app, &service.asks(), shown.value.expose()).await;

    let found = found.unwrap().unwrap();
    assert_eq!(found.presented.username, None);
    assert_eq!(found.scopes, scopes("deploy:app"));
}

#[tokio::test]
async fn a_users_cli_token_is_told_like_any_other() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let token = app.set_cli_token(For::Me, "read:notes").await;
    let shown = app.reveal(&operator(), For::Me).await;
    let shown = shown.unwrap();

    let found = introspect(&app, &service.asks(), shown.value.expose()).await;

    assert_eq!(found.unwrap().unwrap().presented.token.id, token.id);
}
