//! What bad input gets: a problem body with a code, never a 500, never a value.

use std::time::{Duration, Instant};

use axum::{
    body::{Body, Bytes},
    http::{StatusCode, header},
};
use serde_json::json;

use super::client::{Answer, Client};
use crate::support::{EVERYTHING, TestApp};

const JSON: &str = "application/json";

async fn everyone(app: &TestApp) -> Client {
    let agent = app.agent_holding(EVERYTHING).await;
    app.client().with(&agent.value)
}

/// Sends `body` as what `kind` says it is.
async fn send(client: &Client, kind: &str, body: impl Into<Body>) -> Answer {
    let request = client
        .request("POST", "/v1/tokens")
        .header(header::CONTENT_TYPE, kind);
    client.send(request.body(body.into()).unwrap()).await
}

fn is(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (status, code),
        "{answer:?}"
    );
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_from_each_other() {
    let app = TestApp::new().await;
    let client = everyone(&app).await;

    for path in [
        "/",
        "/v1",
        "/v1/token",
        "/v1/tokens/",
        "/v2/tokens",
        "/v1/tokens/a/b",
        "/%00",
    ] {
        is(&client.get(path).await, 404, "not_found");
    }
    for method in ["PUT", "DELETE", "OPTIONS", "TRACE", "BREW"] {
        let answer = client.ask(method, "/v1/tokens").await;
        is(&answer, 405, "invalid_argument");
        assert!(answer.header("allow").contains("POST"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_path_that_is_no_text_is_refused_in_our_words() {
    let app = TestApp::new().await;
    let client = everyone(&app).await;

    for path in ["/v1/tokens/%ff", "/v1/users/a%b4", "/v1/app-envs/%c3("] {
        is(&client.get(path).await, 400, "invalid_argument");
        is(&app.client().get(path).await, 401, "unauthenticated");
    }
}

#[tokio::test]
async fn a_body_is_json_and_says_so() {
    let app = TestApp::new().await;
    let client = everyone(&app).await;
    let body = r#"{"label":"x"}"#;

    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "",
        "application/jsonp",
        "multipart/form-data; boundary=x",
    ] {
        is(&send(&client, kind, body).await, 415, "invalid_argument");
    }
    for kind in [JSON, "Application/JSON; charset=utf-8"] {
        assert_eq!(send(&client, kind, body).await.status, StatusCode::CREATED);
    }
}

#[tokio::test]
async fn what_is_no_body_of_ours_is_refused() {
    let app = TestApp::new().await;
    let client = everyone(&app).await;
    let deep = format!(
        r#"{{"label":{}{}}}"#,
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    let many: Vec<_> = (0..10_000).map(|n| format!("read:n{n}")).collect();
    let many = json!({ "label": "x", "scopes": many }).to_string();

    for body in [
        "",
        "{",
        "null",
        "[]",
        r#"["x"]"#,
        r#" ["x",[],null,"claim",null]"#,
        "5",
        r#""x""#,
        "{}",
        r#"{"label":null}"#,
        r#"{"label":{"$ne":1}}"#,
        r#"{"label":"x","label":"y"}"#,
        r#"{"label":"x","Label":"y"}"#,
        r#"{"label":"x","admin":true}"#,
        r#"{"label":"x","deliver":"email"}"#,
        r#"{"label":"x","scopes":"read:tokens"}"#,
        r#"{"label":"x","scopes":["*"]}"#,
        r#"{"label":"x","expires":-1}"#,
        r#"{"label":"x","expires":"yesterday"}"#,
        r#"{"label":"x","app_env_id":"production"}"#,
        r#"{"label":"\u0000"}"#,
        r#"{"label":"\ud800"}"#,
        r#"{"label":"x"} {"label":"y"}"#,
        "\u{feff}{\"label\":\"x\"}",
        deep.as_str(),
        many.as_str(),
    ] {
        let answer = send(&client, JSON, body.to_owned()).await;
        is(&answer, 400, "invalid_argument");
        assert!(answer.text.len() < 1500, "{answer:?}");
    }
    is(
        &send(&client, JSON, &b"{\"label\":\"\xff\"}"[..]).await,
        400,
        "invalid_argument",
    );
    assert_eq!(app.rows("tokens"), 1);
}

#[tokio::test]
async fn what_was_sent_is_not_repeated() {
    let app = TestApp::new().await;
    let client = everyone(&app).await;

    for body in [
        r#"{"label":"x","deliver":"SENT"}"#,
        r#"{"label":"x","deliver":"unknown field SENT"}"#,
        r#"{"label":"x","scopes":"SENT"}"#,
        r#"{"label":"x","scopes":", expected SENT"}"#,
        r#"{"label":"x","scopes":["SENT, expected SENT"]}"#,
        r#"{"label":"x","expires":"SENT"}"#,
        r#"{"label":"x","app_env_id":"SENT"}"#,
    ] {
        let answer = send(&client, JSON, body).await;
        is(&answer, 400, "invalid_argument");
        assert!(!answer.text.contains("SENT"), "{answer:?}");
    }
    for query in ["state=SENT", "limit=SENT", "limit=,+expected+SENT"] {
        let answer = client.get(&format!("/v1/tokens?{query}")).await;
        is(&answer, 400, "invalid_argument");
        assert!(!answer.text.contains("SENT"), "{answer:?}");
    }
    let unknown = send(&client, JSON, r#"{"label":"x","admin":true}"#).await;
    assert!(unknown.text.contains("unknown field `admin`"));
}

#[tokio::test]
async fn a_body_has_one_mebibyte_at_most() {
    let app = TestApp::new().await;
    let client = everyone(&app).await;

    let large = send(&client, JSON, vec![b' '; (1 << 20) + 1]).await;
    let fits = send(
        &client,
        JSON,
        [&vec![b' '; 1 << 19][..], br#"{"label":"x"}"#].concat(),
    )
    .await;

    is(&large, 413, "invalid_argument");
    assert_eq!(fits.status, StatusCode::CREATED);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let app = TestApp::new().await;
    let client = everyone(&app).await;
    let never = futures::stream::pending::<Result<Bytes, std::io::Error>>();

    let answer = send(&client, JSON, Body::from_stream(never)).await;

    is(&answer, 408, "invalid_argument");
}

#[tokio::test]
async fn a_strangers_body_is_not_waited_for_at_all() {
    let app = TestApp::new().await;
    let never = || futures::stream::pending::<Result<Bytes, std::io::Error>>();
    let begun = Instant::now();

    for kind in [JSON, "application/x-www-form-urlencoded"] {
        for path in ["/v1/tokens", "/v1/introspect", "/v1/claims"] {
            let request = app.client().request("POST", path);
            let request = request.header(header::CONTENT_TYPE, kind);
            let request = request.body(Body::from_stream(never())).unwrap();
            is(&app.client().send(request).await, 401, "unauthenticated");
        }
    }

    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn a_value_that_was_sent_is_not_repeated() {
    let app = TestApp::new().await;
    let client = everyone(&app).await;
    let secret = app.agent([]).await.value;
    let part = &secret[12..];

    for body in [
        json!({ "label": 5, "scopes": [secret] }),
        json!({ "label": "x", "deliver": secret }),
        json!({ "label": "x", "expires": secret }),
        json!({ "label": secret }),
        json!({ "label": "x", secret.as_str(): 1 }),
        json!({ "label": "x", "scopes": secret }),
        json!({ "label": "x", "app_env_id": secret }),
    ] {
        let answer = client.post("/v1/tokens", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(!answer.text.contains(part), "{answer:?}");
    }
    let answer = client.get(&format!("/v1/tokens/{secret}")).await;
    assert!(!answer.text.contains(part), "{answer:?}");
}

#[tokio::test]
async fn a_query_is_read_as_strictly_as_a_body() {
    let app = TestApp::new().await;
    let client = everyone(&app).await;

    for query in [
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=1&limit=2",
        "sort=label",
        "owner=bob",
        "owner=account&app_env_id=019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001",
        "state=gone",
        "cursor=x",
        "unused_for=long",
        "query=%00",
    ] {
        let answer = client.get(&format!("/v1/tokens?{query}")).await;
        is(&answer, 400, "invalid_argument");
    }
    is(&client.get("/v1/tokens/x").await, 400, "invalid_argument");
    is(
        &client
            .get("/v1/tokens/019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001")
            .await,
        404,
        "not_found",
    );
}

#[tokio::test]
async fn authorization_is_one_header_of_one_kind() {
    let app = TestApp::new().await;
    let ann = app.agent([]).await;
    let nobody = app.client();
    let with = async |values: &[&[u8]]| {
        let mut request = nobody.request("GET", "/v1/whoami");
        for value in values {
            request = request.header(header::AUTHORIZATION, *value);
        }
        nobody.send(request.body(Body::empty()).unwrap()).await
    };
    let good = format!("Bearer {}", ann.value);
    let long = format!("Bearer {}", "x".repeat(8 << 10));

    for value in [
        ann.value.as_str(),
        "Bearer",
        "Bearer ",
        "Basic eDp5",
        &format!("Token {}", ann.value),
        &format!("Bearer {} x", ann.value),
        &format!("Bearer \"{}\"", ann.value),
        &format!("Bearer {},{}", ann.value, ann.value),
        &long,
    ] {
        is(&with(&[value.as_bytes()]).await, 401, "unauthenticated");
    }
    is(
        &with(&["Bearer tök".as_bytes()]).await,
        401,
        "unauthenticated",
    );
    is(
        &with(&[good.as_bytes(), good.as_bytes()]).await,
        400,
        "invalid_argument",
    );
    assert_eq!(with(&[good.as_bytes()]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_in_a_url_is_refused_whoever_asks() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:tokens"]).await;
    let client = app.client().with(&ann.value);

    for path in [
        format!("/v1/tokens?access_token={}", ann.value),
        format!("/v1/tokens?query={}", ann.value),
        "/v1/verify?token=x".to_owned(),
    ] {
        let answer = client.get(&path).await;
        is(&answer, 400, "invalid_argument");
        assert!(!answer.text.contains(&ann.value[12..]));
    }
}

#[tokio::test]
async fn a_page_of_another_site_gets_nothing() {
    let app = TestApp::new().await;
    let client = everyone(&app).await;
    let from = async |name, value: &str| {
        let mut request = client.request("GET", "/v1/whoami");
        if name == header::HOST {
            request.headers_mut().unwrap().remove(header::HOST);
        }
        client
            .send(request.header(name, value).body(Body::empty()).unwrap())
            .await
    };

    is(
        &from(header::ORIGIN, "https://evil.example").await,
        403,
        "forbidden",
    );
    is(&from(header::ORIGIN, "null").await, 403, "forbidden");
    is(&from(header::HOST, "evil.example").await, 403, "forbidden");
    is(&from(header::HOST, "a b").await, 400, "invalid_argument");
    let own = from(header::ORIGIN, "http://localhost:8484").await;
    assert_eq!(own.status, StatusCode::OK);
}

#[tokio::test]
async fn introspection_takes_one_token_or_some() {
    let app = TestApp::new().await;
    let client = everyone(&app).await;
    let many = vec!["x"; 101];

    for body in [
        json!({}),
        json!({ "token": "x", "tokens": ["x"] }),
        json!({ "tokens": [] }),
        json!({ "tokens": many }),
        json!({ "token": 5 }),
        json!({ "token": ["x"] }),
    ] {
        is(
            &client.post("/v1/introspect", body).await,
            400,
            "invalid_argument",
        );
    }
    let form = async |text: &'static str| {
        let request = client
            .request("POST", "/v1/introspect")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        client.send(request.body(text.into()).unwrap()).await
    };
    is(&form("").await, 400, "invalid_argument");
    is(&form("token=x&token=y").await, 400, "invalid_argument");
    let answer = form("token=x&token_type_hint=access_token").await;
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (StatusCode::OK, r#"{"active":false}"#)
    );
}
