//! Every route is tried by those who may not use it. A new one has to be given a body here before
//! this passes.

use chrono::Duration;
use keywright::domain::user::UserRef;
use serde_json::{Value, json};

use super::client::{Answer, Client};
use crate::support::{EVERYTHING, TestApp, env_named, operator};

/// What is asked for with a good token and no scope at all.
const NEED_NO_SCOPE: [&str; 4] = [
    "whoami",
    "verify_token",
    "verify_token_for",
    "list_accounts",
];

/// A route, as the description tells of it.
struct Route {
    verb: String,
    method: String,
    path: String,
}

/// Whose things there are: their ids stand in paths.
struct Things {
    token: String,
    app_env: String,
    user: String,
}

fn guarded(description: &Value) -> Vec<Route> {
    let mut routes = Vec::new();
    for (path, operations) in description["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            if operation["security"].is_array() {
                routes.push(Route {
                    verb: operation["operationId"].as_str().unwrap().to_owned(),
                    method: method.to_uppercase(),
                    path: path.clone(),
                });
            }
        }
    }
    routes
}

/// A body with which somebody who may could ask for `verb`; none, where there is none to send.
fn body(verb: &str) -> Option<Value> {
    Some(match verb {
        "create_token" | "update_token" => json!({ "label": "x" }),
        "rotate_token" => json!({}),
        "create_app_env" => json!({ "name": "x" }),
        "introspect_tokens" => json!({ "token": "x" }),
        "claim_token" => json!({ "code": "7K3M-Q9TX-2BWF" }),
        "create_user" => json!({ "username": "x" }),
        "set_membership" => json!({ "role": "member" }),
        "list_tokens"
        | "get_token"
        | "delete_token"
        | "reveal_user_token"
        | "reveal_app_env_token"
        | "list_app_envs"
        | "get_app_env"
        | "delete_app_env"
        | "whoami"
        | "list_audit_records"
        | "list_claims"
        | "list_users"
        | "get_user"
        | "remove_membership"
        | "list_accounts"
        | "verify_token"
        | "verify_token_for" => return None,
        new => panic!("`{new}` is not tried by those who may not use it: give it a body here"),
    })
}

async fn tried(client: &Client, route: &Route, things: &Things) -> Answer {
    let id = match route.path.split('/').nth(2) {
        Some("app-envs") => &things.app_env,
        Some("users") => &things.user,
        _ => &things.token,
    };
    let path = route.path.replace("{id}", id);
    let path = path.replace("{scopes}/{original}", "any/x");
    match body(&route.verb) {
        Some(body) => client.tell(&route.method, &path, &body).await,
        None => client.ask(&route.method, &path).await,
    }
}

async fn things(app: &TestApp, token: String) -> Things {
    let app_env = app.app_env("production").await.id.to_string();
    app.set_cli_token(env_named("production"), "").await;
    let ann = UserRef::Name("ann".parse().unwrap());
    let (ann, _) = app.authority.get_member(&operator(), ann).await.unwrap();
    Things {
        token,
        app_env,
        user: ann.id.to_string(),
    }
}

#[tokio::test]
async fn whom_nobody_knows_is_refused_everywhere_in_the_same_words() {
    let app = TestApp::new().await;
    let [expired, revoked] = [
        app.agent_until(Duration::hours(1), ["read:tokens"]).await,
        app.agent_holding(EVERYTHING).await,
    ];
    let things = things(&app, revoked.id.to_string()).await;
    app.revoke(revoked.id).await;
    app.advance(Duration::hours(1));
    let nobody = app.client();
    let description = nobody.get("/v1/openapi.json").await.json();

    for route in guarded(&description) {
        for value in [&expired.value, &revoked.value, "noise"] {
            let answer = tried(&nobody.with(value), &route, &things).await;

            assert_eq!(answer.code(), "unauthenticated", "{}", route.verb);
            assert!(answer.header("www-authenticate").contains("invalid_token"));
        }
        let answer = tried(&nobody, &route, &things).await;
        assert_eq!(
            answer.header("www-authenticate"),
            r#"Bearer realm="keywright""#
        );
    }
}

#[tokio::test]
async fn a_token_without_scopes_may_only_ask_who_it_is() {
    let app = TestApp::new().await;
    let bare = app.agent([]).await;
    let things = things(&app, bare.id.to_string()).await;
    let client = app.client().with(&bare.value);
    let description = client.get("/v1/openapi.json").await.json();

    for route in guarded(&description) {
        let answer = tried(&client, &route, &things).await;

        if NEED_NO_SCOPE.contains(&route.verb.as_str()) {
            assert_eq!(answer.status.as_u16(), 200, "{}", route.verb);
            continue;
        }
        assert_eq!(answer.code(), "insufficient_scope", "{}", route.verb);
        assert!(
            answer
                .header("www-authenticate")
                .contains("insufficient_scope")
        );
    }
}

#[tokio::test]
async fn a_stranger_finds_nothing_by_its_id() {
    let app = TestApp::new().await;
    let ann = app.agent_holding(EVERYTHING).await;
    let things = things(&app, ann.id.to_string()).await;
    let stranger = app.client().with(&app.stranger().await.value);
    let description = stranger.get("/v1/openapi.json").await.json();
    let none = Things {
        token: "019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001".to_owned(),
        app_env: "019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001".to_owned(),
        user: "019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001".to_owned(),
    };
    let without_id = |answer: &Answer| {
        let mut body = answer.json();
        body["request_id"].take();
        body
    };

    let mut seen = 0;
    for route in guarded(&description) {
        if !route.path.contains("{id}") {
            continue;
        }
        let hidden = tried(&stranger, &route, &things).await;
        let absent = tried(&stranger, &route, &none).await;

        assert_eq!(hidden.code(), "not_found", "{}", route.verb);
        assert_eq!(without_id(&hidden), without_id(&absent), "{}", route.verb);
        seen += 1;
    }
    assert!(seen >= 6, "{seen}");
    assert_eq!(
        app.client()
            .with(&ann.value)
            .get("/v1/whoami")
            .await
            .status
            .as_u16(),
        200
    );
}
