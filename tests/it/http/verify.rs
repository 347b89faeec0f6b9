//! `/v1/verify` and `/v1/verify-for`: what a reverse proxy asks.

use axum::{
    body::Body,
    http::{StatusCode, header},
};

use super::client::{Answer, Client};
use crate::support::TestApp;

/// The question in both ways, for somebody who asked for something with a query of their own.
const ASKED: [&str; 3] = [
    "/v1/verify?scope=read:page",
    "/v1/verify-for/read:page/",
    "/v1/verify-for/read:page/some/thing%ff?scope=x&token=y",
];

async fn ask_all(client: &Client) -> Vec<Answer> {
    let mut answers = Vec::new();
    for path in ASKED {
        answers.push(client.get(path).await);
    }
    answers
}

#[tokio::test]
async fn who_carries_enough_passes_and_is_named() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:page", "read:notes"]).await;
    let token = app.token(ann.id).await;

    for passed in ask_all(&app.client().with(&ann.value)).await {
        assert_eq!((passed.status, &*passed.text), (StatusCode::OK, ""));
        assert_eq!(passed.header("x-auth-token-id"), ann.id.to_string());
        assert_eq!(passed.header("x-auth-subject"), token.owner.word());
        assert_eq!(passed.header("x-auth-user"), "ann");
        assert_eq!(passed.header("x-auth-account"), token.account.to_string());
        assert_eq!(passed.header("x-auth-scopes"), "read:notes read:page");
        assert!(passed.headers.contains_key("x-auth-expires-at"));
        assert_eq!(passed.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn who_carries_too_little_does_not() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:notes"]).await;

    for refused in ask_all(&app.client().with(&ann.value)).await {
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(refused.code(), "insufficient_scope");
        assert_eq!(
            refused.header("www-authenticate"),
            r#"Bearer realm="keywright", error="insufficient_scope", scope="read:page""#
        );
        assert!(!refused.headers.contains_key("x-auth-subject"));
    }
}

#[tokio::test]
async fn whom_nobody_knows_is_challenged() {
    let app = TestApp::new().await;
    let gone = app.agent(["read:page"]).await;
    app.revoke(gone.id).await;
    let nobody = app.client();
    let bad = r#"Bearer realm="keywright", error="invalid_token""#;

    for (client, challenge) in [
        (nobody.clone(), r#"Bearer realm="keywright""#),
        (nobody.with("noise"), bad),
        (nobody.with(&gone.value), bad),
    ] {
        for refused in ask_all(&client).await {
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
            assert_eq!(refused.header("www-authenticate"), challenge);
        }
    }
}

#[tokio::test]
async fn a_store_out_of_reach_is_no_bad_token() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:page"]).await;
    app.authority.close().await.unwrap();

    for refused in ask_all(&app.client().with(&ann.value)).await {
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.code(), "unavailable");
        assert_eq!(refused.header("retry-after"), "1");
        assert!(!refused.headers.contains_key(header::WWW_AUTHENTICATE));
    }
}

#[tokio::test]
async fn every_scope_that_is_named_is_needed() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:page"]).await;
    let ann = app.client().with(&ann.value);

    for (path, status) in [
        ("/v1/verify", 200),
        ("/v1/verify-for/any/x", 200),
        ("/v1/verify-for/read%3Apage/x", 200),
        ("/v1/verify-for/read%3Apage%2Cwrite%3Apage/x", 403),
        ("/v1/verify?scope=read:page&scope=read:page", 200),
        ("/v1/verify?scope=read:page&scope=write:page", 403),
        ("/v1/verify?scope=read:page+write:page", 403),
        ("/v1/verify-for/read:page,write:page/x", 403),
    ] {
        assert_eq!(ann.get(path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_question_with_a_mistake_in_it_lets_nobody_pass() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:page"]).await;
    let ann = app.client().with(&ann.value);

    for (path, status) in [
        ("/v1/verify?scope=", 400),
        ("/v1/verify?scopes=read:page", 400),
        ("/v1/verify?Scope=read:page", 400),
        ("/v1/verify?scope[]=read:page", 400),
        ("/v1/verify?scope=$scope", 400),
        ("/v1/verify-for/,/x", 400),
        ("/v1/verify-for/%ff/x", 400),
        ("/v1/verify-for/any%2Fx/x", 400),
        ("/v1/verify-for/page/x", 400),
        ("/v1/verify-for/read:page", 404),
        ("/v1/verify/any/x", 404),
    ] {
        assert_eq!(ann.get(path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn the_original_request_may_be_of_any_kind() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:page"]).await;
    let ann = app.client().with(&ann.value);

    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PURGE"] {
        for path in ASKED {
            let original = ann
                .request(method, path)
                .header(header::ORIGIN, "https://app.example.com")
                .header(header::CONTENT_TYPE, "text/plain")
                .body(Body::empty());
            assert_eq!(ann.send(original.unwrap()).await.status, StatusCode::OK);
        }
    }
}

#[tokio::test]
async fn a_token_in_the_proxys_own_query_is_refused() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:page"]).await;

    let asked = format!("/v1/verify?scope=read:page&token={}", ann.value);
    let refused = app.client().with(&ann.value).get(&asked).await;

    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.code(), "invalid_argument");
}
