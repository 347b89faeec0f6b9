//! `/v1/users` and `/v1/accounts`: the people of the account.

use axum::http::StatusCode;
use keywright::domain::account::Role;
use serde_json::{Value, json};

use super::client::Client;
use crate::support::TestApp;

async fn manager(app: &TestApp) -> Client {
    app.client()
        .with(&app.agent(["manage:account"]).await.value)
}

#[tokio::test]
async fn a_person_is_added_read_changed_and_taken_out() {
    let app = TestApp::new().await;
    let ann = manager(&app).await;

    let made = ann.post("/v1/users", json!({ "username": "bob" })).await;
    let path = made.header("location").to_owned();
    let read = ann.get(&path).await;
    let changed = ann.tell("PATCH", &path, &json!({ "role": "admin" })).await;
    let removed = ann.ask("DELETE", &path).await;

    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(read.json(), made.json());
    assert_eq!(read.json()["memberships"][0]["role"], "member");
    assert_eq!(changed.json()["memberships"][0]["role"], "admin");
    assert_eq!(
        (removed.status, &*removed.text),
        (StatusCode::NO_CONTENT, "")
    );
    assert_eq!(ann.get(&path).await.code(), "not_found");
    app.is_sound().await;
}

#[tokio::test]
async fn a_name_that_is_taken_elsewhere_tells_nothing_but_that() {
    let app = TestApp::new().await;
    app.stranger().await;
    let ann = manager(&app).await;
    let add = |name| {
        ann.post(
            "/v1/users",
            json!({ "username": name, "email": "e@example.com" }),
        )
    };

    let (taken, fresh) = (add("eve").await, add("bob").await);

    assert_eq!(
        (taken.status, taken.code()),
        (StatusCode::CONFLICT, "conflict".to_owned())
    );
    assert_eq!(taken.json()["message"], "the username is taken");
    assert_eq!(fresh.status, StatusCode::CREATED);
    assert_eq!(fresh.json()["email"], Value::Null);
    assert_eq!(fresh.json()["memberships"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn people_are_listed_in_pages() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    app.user("cyd", Role::Member).await;
    let ann = manager(&app).await;

    let first = ann.get("/v1/users?limit=2").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = ann
        .get(&format!("/v1/users?limit=2&cursor={cursor}"))
        .await
        .json();

    let names = |page: &Value| -> Vec<Value> {
        let users = page["users"].as_array().unwrap().iter();
        users.map(|user| user["username"].clone()).collect()
    };
    assert_eq!(
        (names(&first), names(&rest)),
        (vec!["ann".into(), "bob".into()], vec!["cyd".into()])
    );
    assert_eq!(rest["next_cursor"], Value::Null);
}

#[tokio::test]
async fn whoever_may_not_look_after_people_is_told_so() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let weak = app.client().with(&app.agent(["read:tokens"]).await.value);
    let bob = app.agent_of("bob", ["manage:account"]).await;
    let bob = app.client().with(&bob.value);
    let nobody = app.client();

    for (client, expected) in [
        (&nobody, "unauthenticated"),
        (&weak, "insufficient_scope"),
        (&bob, "forbidden"),
    ] {
        let some = "/v1/users/019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001";
        let body = json!({ "username": "x" });
        assert_eq!(client.get("/v1/users").await.code(), expected);
        assert_eq!(client.get(some).await.code(), expected);
        assert_eq!(client.post("/v1/users", body).await.code(), expected);
        let change = client
            .tell("PATCH", some, &json!({ "role": "admin" }))
            .await;
        assert_eq!(change.code(), expected);
        assert_eq!(client.ask("DELETE", some).await.code(), expected);
    }
    assert_eq!(nobody.get("/v1/accounts").await.code(), "unauthenticated");
    assert_eq!(app.rows("users"), 2);
}

#[tokio::test]
async fn the_last_admin_stays() {
    let app = TestApp::new().await;
    let ann = manager(&app).await;
    let listed = ann.get("/v1/users").await.json();
    let path = format!("/v1/users/{}", listed["users"][0]["id"].as_str().unwrap());

    let removed = ann.ask("DELETE", &path).await;
    let demoted = ann.tell("PATCH", &path, &json!({ "role": "member" })).await;
    let again = ann.post("/v1/users", json!({ "username": "ann" })).await;

    for refused in [removed, demoted, again] {
        assert_eq!(
            (refused.status, &*refused.code()),
            (StatusCode::CONFLICT, "conflict")
        );
        assert!(refused.json()["you_can"].is_string());
    }
}

#[tokio::test]
async fn a_token_sees_its_own_account() {
    let app = TestApp::new().await;
    let eve = app.client().with(&app.stranger().await.value);

    let accounts = eve.get("/v1/accounts").await;

    assert_eq!(accounts.status, StatusCode::OK);
    let accounts = accounts.json();
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 1);
    assert_eq!(accounts["accounts"][0]["slug"], "acme");
}
