//! `/v1/claims`: a value reaches a person on another machine.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::client::Client;
use crate::support::TestApp;

/// A client of ann's that may pick values up, and the code of one that waits.
async fn waiting(app: &TestApp) -> (Client, String) {
    let agent = app.agent(["write:tokens", "read:notes"]).await;
    let (_, code) = app.waiting(&agent.asks(), "read:notes").await;
    let ann = app
        .agent(["read:tokens", "read:secrets", "read:notes"])
        .await;
    (app.client().with(&ann.value), code)
}

#[tokio::test]
async fn a_value_is_picked_up_once() {
    let app = TestApp::new().await;
    let (ann, code) = waiting(&app).await;

    let first = ann.post("/v1/claims", json!({ "code": code })).await;
    let second = ann.post("/v1/claims", json!({ "code": code })).await;

    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(first.header("cache-control"), "no-store");
    assert_eq!(first.json()["state"], "active");
    assert!(app.is_good(first.json()["token"].as_str().unwrap()).await);
    assert_eq!(
        (second.status, &*second.code()),
        (StatusCode::CONFLICT, "conflict")
    );
    assert_eq!(
        app.trail(2).await,
        [
            "token claim_token done: to the answer",
            "token claim_token refused: this claim was used before, at 2027-01-15T08:00:00.000Z"
        ]
    );
}

#[tokio::test]
async fn what_waits_is_listed_without_its_code_and_chosen_by_its_token() {
    let app = TestApp::new().await;
    let (ann, _) = waiting(&app).await;

    let listed = ann.get("/v1/claims").await.json();
    let claims = listed["claims"].as_array().unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0]["state"], "unclaimed");
    assert!(claims[0].get("code").is_none());
    let claimed = ann
        .post("/v1/claims", json!({ "token_id": claims[0]["id"] }))
        .await;

    assert_eq!(claimed.status, StatusCode::OK);
    assert_eq!(ann.get("/v1/claims").await.json()["claims"], json!([]));
}

#[tokio::test]
async fn whoever_may_not_claim_is_told_so() {
    let app = TestApp::new().await;
    let (ann, code) = waiting(&app).await;
    let agent = app
        .agent(["write:tokens", "read:secrets", "read:notes"])
        .await;
    let (_, own) = app.waiting(&agent.asks(), "read:notes").await;
    let weak = app.client().with(&app.agent(["read:tokens"]).await.value);
    let eve = app.client().with(&app.stranger().await.value);
    let agent = app.client().with(&agent.value);

    for (client, code, expected) in [
        (&app.client(), &code, "unauthenticated"),
        (&weak, &code, "insufficient_scope"),
        (&eve, &code, "not_found"),
        (&agent, &own, "forbidden"),
    ] {
        let refused = client.post("/v1/claims", json!({ "code": code })).await;
        assert_eq!(refused.code(), expected);
    }
    let unknown = eve
        .post("/v1/claims", json!({ "code": "0000-0000-0000" }))
        .await;
    let hidden = eve.post("/v1/claims", json!({ "code": code })).await;
    let without_id = |mut body: Value| {
        body["request_id"].take();
        body
    };
    assert_eq!(without_id(unknown.json()), without_id(hidden.json()));
    assert_eq!(
        ann.post("/v1/claims", json!({ "code": code })).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_claim_names_one_thing() {
    let app = TestApp::new().await;
    let (ann, code) = waiting(&app).await;

    for body in [
        json!({}),
        json!({ "code": code, "token_id": "019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001" }),
        json!({ "code": "x" }),
        json!({ "token_id": "x" }),
        json!({ "code": code, "sink": "x" }),
    ] {
        let refused = ann.post("/v1/claims", body).await;
        assert_eq!(
            (refused.status, &*refused.code()),
            (StatusCode::BAD_REQUEST, "invalid_argument")
        );
    }
}
