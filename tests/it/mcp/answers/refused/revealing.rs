//! How a reveal refuses.

use keywright::{authority::For, domain::account::Role};
use serde_json::json;

use super::said;
use crate::{
    mcp::client::Client,
    support::{TestApp, env_named, local_with},
};

#[tokio::test]
async fn reveal_user_token_refuses() {
    let app = TestApp::new().await;
    let who = local_with("read:secrets");
    let nothing = said(&app, &who, "reveal_user_token", &[json!({})]).await;
    app.set_cli_token(For::Me, "deploy:run").await;
    let agent = app.agent(["read:secrets"]).await;
    let too_wide = said(&app, &agent.asks(), "reveal_user_token", &[json!({})]).await;
    let unknown = [json!({ "username": "bob" })];
    let unknown = said(&app, &who, "reveal_user_token", &unknown).await;

    insta::assert_snapshot!(nothing + &too_wide + &unknown, @r#"
    {}
      not_found: there is no such CLI token here. Only the person can: make one.
    {}
      scope_escalation: a token cannot give or use the scope `deploy:run`, which it lacks itself. You can: leave `deploy:run` out, or go on without this; `whoami` tells the scopes that this session holds. Only the person can: do it at the shell, or give this server a token that carries `deploy:run`.
    {"username":"bob"}
      invalid_argument: `arguments` cannot be used: this tool takes none. You can: call again with that argument put right.
    "#);
}

#[tokio::test]
async fn reveal_app_env_token_refuses() {
    let app = TestApp::new().await;
    app.app_env("production").await;
    let who = local_with("read:secrets");
    let tries = [
        json!({}),
        json!({ "app_env_id": "production" }),
        json!({ "env_name": "Production!" }),
        json!({ "env_name": "staging" }),
        json!({ "env_name": "production" }),
    ];
    let unusable = said(&app, &who, "reveal_app_env_token", &tries).await;
    app.set_cli_token(env_named("production"), "").await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", ["read:secrets"]).await;
    let tries = [json!({ "env_name": "production" })];
    let bobs = said(&app, &bob.asks(), "reveal_app_env_token", &tries).await;

    insta::assert_snapshot!(unusable + &bobs, @r#"
    {}
      invalid_argument: `app_env_id` cannot be used: either it or `env_name` is needed; `list_app_envs` tells both. You can: call again with that argument put right.
    {"app_env_id":"production"}
      invalid_argument: `app_env_id` cannot be used: expected an id: a UUID such as `019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001`. You can: call again with that argument put right.
    {"env_name":"Production!"}
      invalid_argument: `env_name` cannot be used: expected 1 to 64 lower-case letters, digits, `.`, `_` and `-`, the first a letter or digit. You can: call again with that argument put right.
    {"env_name":"staging"}
      not_found: there is no such app environment here. You can: call `list_app_envs` to see those there are.
    {"env_name":"production"}
      not_found: there is no such CLI token here. Only the person can: make one.
    {"env_name":"production"}
      forbidden: this needs the role `admin` in the account. Only the person can: ask an admin of the account to do it, or to give them the role.
    "#);
}

#[tokio::test]
async fn a_missing_vault_key_is_told_with_what_mends_it() {
    let app = TestApp::new().await;
    app.set_cli_token(For::Me, "").await;
    std::fs::remove_file(app.key_path()).unwrap();
    let app = app.restarted().await;
    let mut client = Client::of(&app, &local_with("read:secrets write:tokens")).await;

    let text = client.refused("reveal_user_token", json!({})).await;
    client
        .done("create_token", json!({ "label": "Zapier" }))
        .await;

    let folder = app.key_path().display().to_string();
    insta::assert_snapshot!(text.replace(&folder, "[the key]"), @r#"unavailable: the vault key `[the key]` is missing, and there are values sealed with it; put the file back, or name it with `--key-file`. You can: go on without it; tokens that are not revealed work as before. Only the person can: put the right vault key back."#);
}
