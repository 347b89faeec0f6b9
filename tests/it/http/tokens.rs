//! `/v1/tokens`.

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use crate::support::TestApp;

const MANAGES: [&str; 4] = ["read:tokens", "write:tokens", "delete:tokens", "read:notes"];

#[tokio::test]
async fn a_token_is_made_read_narrowed_and_ended() {
    let app = TestApp::new().await;
    let ann = app.client().with(&app.agent(MANAGES).await.value);

    let made = ann
        .post(
            "/v1/tokens",
            json!({ "label": "nightly", "scopes": ["read:notes"] }),
        )
        .await;
    let path = made.header("location").to_owned();
    let narrowed = ann
        .tell("PATCH", &path, &json!({ "scopes": [], "label": "daily" }))
        .await;
    let read = ann.get(&path).await;
    let ended = ann.ask("DELETE", &path).await;

    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(made.json()["state"], "unclaimed");
    assert_eq!(made.json()["token"], Value::Null);
    assert_eq!(made.header("cache-control"), "no-store");
    assert_eq!(narrowed.status, StatusCode::OK);
    assert_eq!(read.json(), narrowed.json());
    assert_eq!(read.json()["scopes"], json!([]));
    assert_eq!(
        (ended.status, ended.text.as_str()),
        (StatusCode::NO_CONTENT, "")
    );
    assert_eq!(ann.get(&path).await.json()["state"], "revoked");
}

#[tokio::test]
async fn a_value_needs_read_secrets() {
    let app = TestApp::new().await;
    let may = app.agent(["write:tokens", "read:secrets"]).await;
    let may_not = app.agent(["write:tokens"]).await;
    let body = json!({ "label": "x", "deliver": "inline" });

    let shown = app
        .client()
        .with(&may.value)
        .post("/v1/tokens", body.clone())
        .await;
    let refused = app
        .client()
        .with(&may_not.value)
        .post("/v1/tokens", body)
        .await;

    assert_eq!(shown.status, StatusCode::CREATED);
    let value = shown.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(
        app.client().with(&value).get("/v1/whoami").await.status,
        StatusCode::OK
    );
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.code(), "insufficient_scope");
    assert_eq!(
        refused.header("www-authenticate"),
        r#"Bearer realm="keywright", error="insufficient_scope", scope="write:tokens read:secrets""#
    );
}

#[tokio::test]
async fn a_key_makes_a_repeated_request_answer_with_the_same_token() {
    let app = TestApp::new().await;
    let ann = app.client().with(&app.agent(["write:tokens"]).await.value);
    let send = |label: &str| {
        let request = ann
            .request("POST", "/v1/tokens")
            .header("idempotency-key", "k1")
            .header(header::CONTENT_TYPE, "application/json");
        ann.send(
            request
                .body(json!({ "label": label }).to_string().into())
                .unwrap(),
        )
    };

    let first = send("x").await;
    let again = send("x").await;
    let other = send("y").await;

    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.json()["id"], first.json()["id"]);
    assert_eq!(again.json()["replayed"], true);
    assert_eq!(
        (other.status, other.code()),
        (StatusCode::CONFLICT, "conflict".to_owned())
    );
}

#[tokio::test]
async fn a_list_is_read_in_pages() {
    let app = TestApp::new().await;
    let ann = app.client().with(&app.agent(MANAGES).await.value);
    for label in ["a", "b", "c"] {
        ann.post("/v1/tokens", json!({ "label": label })).await;
    }

    let first = ann.get("/v1/tokens?limit=3").await.json();
    let cursor = first["next_cursor"].as_str().unwrap().to_owned();
    let rest = ann
        .get(&format!("/v1/tokens?limit=3&cursor={cursor}"))
        .await
        .json();

    let labels = |page: &Value| {
        let tokens = page["tokens"].as_array().unwrap();
        tokens
            .iter()
            .map(|token| token["label"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(labels(&first), ["c", "b", "a"]);
    assert_eq!(labels(&rest), ["agent"]);
    assert_eq!(rest["next_cursor"], Value::Null);
}

#[tokio::test]
async fn whoever_presents_no_good_token_is_told_nothing_else() {
    let app = TestApp::new().await;
    let revoked = app.agent(MANAGES).await;
    app.revoke(revoked.id).await;
    let nobody = app.client();

    let bare = nobody.post("/v1/tokens", json!({ "label": 5 })).await;
    let mut bodies = Vec::new();
    for value in ["noise", &revoked.value] {
        let refused = nobody
            .with(value)
            .post("/v1/tokens", json!({ "label": 5 }))
            .await;
        assert_eq!(
            refused.header("www-authenticate"),
            r#"Bearer realm="keywright", error="invalid_token""#
        );
        let mut body = refused.json();
        body["request_id"].take();
        bodies.push(body);
    }

    assert_eq!(
        (bare.status, bare.code()),
        (StatusCode::UNAUTHORIZED, "unauthenticated".to_owned())
    );
    assert_eq!(
        bare.header("www-authenticate"),
        r#"Bearer realm="keywright""#
    );
    assert_eq!(bodies[0], bodies[1]);
}
