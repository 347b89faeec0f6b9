//! `/v1/tokens` for an app environment: its tokens survive whoever made them.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::TestApp;

#[tokio::test]
async fn an_admin_makes_and_lists_an_app_environments_tokens() {
    let app = TestApp::new().await;
    let env = app.app_env("staging").await.id.to_string();
    let scopes = [
        "read:tokens",
        "write:tokens",
        "read:secrets",
        "read:envs",
        "write:envs",
    ];
    let agent = app.agent(scopes).await;
    let ann = app.client().with(&agent.value);
    let body = json!({ "label": "deploy", "app_env_id": env, "deliver": "inline" });

    let made = ann.post("/v1/tokens", body).await;
    let listed = ann
        .get(&format!("/v1/tokens?app_env_id={env}"))
        .await
        .json();
    let rotated = ann
        .ask("POST", &format!("{}/rotate", made.header("location")))
        .await;
    app.revoke(agent.id).await;

    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(made.json()["owner"], format!("app_env:{env}"));
    assert_eq!(listed["tokens"][0]["id"], made.json()["id"]);
    assert_eq!(rotated.status, StatusCode::OK);
    assert!(app.is_good(made.json()["token"].as_str().unwrap()).await);
}

#[tokio::test]
async fn without_the_scopes_over_environments_their_tokens_are_not_there() {
    let app = TestApp::new().await;
    let env = app.app_env("staging").await.id.to_string();
    let agent = app.agent(["read:tokens", "write:tokens"]).await;
    let ann = app.client().with(&agent.value);
    let eve = app.client().with(&app.stranger().await.value);
    let made = json!({ "label": "x", "app_env_id": env });
    let nowhere = json!({ "label": "x", "app_env_id": "019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001" });

    let refused = ann.post("/v1/tokens", made.clone()).await;
    let (there, not) = (
        eve.post("/v1/tokens", made).await,
        eve.post("/v1/tokens", nowhere).await,
    );

    assert_eq!(refused.code(), "insufficient_scope");
    assert!(refused.header("www-authenticate").contains("write:envs"));
    let without_id = |mut body: Value| {
        body["request_id"].take();
        body
    };
    assert_eq!(there.code(), "not_found");
    assert_eq!(without_id(there.json()), without_id(not.json()));
}
