//! `/v1/app-envs`.

use axum::http::StatusCode;
use keywright::domain::account::Role;
use serde_json::json;

use crate::support::TestApp;

const LOOKS_AFTER: [&str; 2] = ["read:envs", "write:envs"];

#[tokio::test]
async fn an_app_environment_is_made_read_and_removed() {
    let app = TestApp::new().await;
    let ann = app.client().with(&app.agent(LOOKS_AFTER).await.value);
    let body = json!({ "name": "Production", "cli_env_name": "production" });

    let made = ann.post("/v1/app-envs", body.clone()).await;
    let again = ann.post("/v1/app-envs", body).await;
    let path = made.header("location").to_owned();
    let read = ann.get(&path).await;
    let list = ann.get("/v1/app-envs").await;
    let gone = ann.ask("DELETE", &path).await;

    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(again.code(), "conflict");
    assert_eq!(read.json(), made.json());
    assert_eq!(list.json()["app_envs"][0], made.json());
    assert_eq!(
        (gone.status, gone.text.as_str()),
        (StatusCode::NO_CONTENT, "")
    );
    assert_eq!(ann.get(&path).await.code(), "not_found");
}

#[tokio::test]
async fn only_an_admin_makes_and_removes_one() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app
        .client()
        .with(&app.agent_of("bob", LOOKS_AFTER).await.value);
    let path = format!("/v1/app-envs/{}", app.app_env("production").await.id);

    let made = bob.post("/v1/app-envs", json!({ "name": "x" })).await;
    let removed = bob.ask("DELETE", &path).await;

    assert_eq!(
        (made.code(), removed.code()),
        ("forbidden".into(), "forbidden".into())
    );
    assert_eq!(bob.get(&path).await.status, StatusCode::OK);
}
