//! Header games: headers that other products believe, and requests that a proxy and a server could
//! read differently.

use axum::body::Body;
use serde_json::json;

use crate::{
    http::served::{Served, head},
    mcp::process::Home,
    support::{EVERYTHING, TestApp},
};

#[tokio::test]
async fn no_other_header_says_who_somebody_is() {
    let app = TestApp::new().await;
    let ann = app.agent_holding(EVERYTHING).await;
    let nobody = app.client();
    let refused = nobody.get("/v1/whoami").await;
    assert_eq!(refused.status, 401);

    for name in [
        "x-auth-token",
        "x-api-key",
        "x-access-token",
        "proxy-authorization",
        "x-forwarded-authorization",
        "x-original-authorization",
        "cookie",
        "mcp-session-id",
        "x-forwarded-user",
        "x-remote-user",
        "x-auth-subject",
        "x-auth-scopes",
        "x-keywright-token",
    ] {
        for value in [&ann.value, &format!("Bearer {}", ann.value), "ann", "root"] {
            let request = nobody.request("GET", "/v1/whoami").header(name, value);
            let answer = nobody.send(request.body(Body::empty()).unwrap()).await;

            assert_eq!(answer.status, 401, "{name}");
            assert_eq!(answer.code(), refused.code(), "{name}");
        }
    }
}

#[tokio::test]
async fn no_header_turns_a_request_into_another() {
    let app = TestApp::new().await;
    let ann = app.agent_holding(EVERYTHING).await;
    let client = app.client().with(&ann.value);
    let path = format!("/v1/tokens/{}", ann.id);

    for (name, value) in [
        ("x-http-method-override", "DELETE"),
        ("x-method-override", "DELETE"),
        ("x-original-url", "/v1/tokens"),
        ("x-rewrite-url", "/v1/tokens"),
        ("x-original-method", "DELETE"),
        ("x-forwarded-prefix", "/v1"),
    ] {
        let request = client.request("GET", &path).header(name, value);
        let answer = client.send(request.body(Body::empty()).unwrap()).await;

        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(answer.json()["id"], ann.id.to_string(), "{name}");
    }
    assert!(app.is_good(&ann.value).await);
}

/// A proxy that reads such a request otherwise than we do would hand on what it never saw.
#[test]
fn a_request_that_could_be_two_is_refused_or_is_one() {
    let home = Home::new();
    let admin = home.token("read:tokens write:tokens");
    let served = Served::at(&home, &[]);
    let inner = head("POST", "/v1/tokens", &admin, 23) + r#"{"label":"smuggled-in"}"#;
    let chunk = format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len());
    let begin = "GET /v1/tokens HTTP/1.1\r\nHost: localhost\r\n";

    for head in [
        format!("{begin}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}"),
        format!("{begin}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"),
        format!(
            "{begin}Content-Length: 0\r\nContent-Length: {}\r\n\r\n{inner}",
            inner.len()
        ),
        format!("{begin}Content-Length: +0\r\n\r\n"),
        format!("{begin}Content-Length : {}\r\n\r\n{inner}", inner.len()),
        format!("{begin}Transfer-Encoding: xchunked\r\n\r\n{chunk}"),
        format!("{begin}Transfer-Encoding : chunked\r\n\r\n{chunk}"),
        format!("{begin}X: a\r\n folded: b\r\n\r\n"),
        format!("{begin}Host: other.example\r\n\r\n"),
        "GET http://evil.example/v1/tokens HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        format!("GET /v1/tokens HTTP/1.1\nHost: localhost\nAuthorization: Bearer {admin}\n\n"),
    ] {
        let mut wire = served.wire();
        wire.write(&head);
        let mut answers = Vec::new();
        while let Some((status, _)) = wire.maybe_answer() {
            answers.push(status);
            if status != 401 {
                break;
            }
            // Nothing more may be there: an answer to a question of our own is the next.
            wire.write(&crate::http::served::head("GET", "/nowhere", "x", 0));
        }
        assert!(!answers.contains(&201), "{head}: {answers:?}");
    }
    let listed = home.json(&["token", "list", "--query", "smuggled"]);
    assert_eq!(listed["tokens"], json!([]));
}
