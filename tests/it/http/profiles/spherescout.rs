//! `SphereScout`: `/api/user/api-keys`.

use chrono::Duration;

use super::NOW;
use crate::support::TestApp;

const PATH: &str = "/api/user/api-keys";

#[tokio::test]
async fn a_key_is_created_without_a_body_and_listed_by_its_prefix() {
    let app = TestApp::new().await;
    let ann = app.played().with(&app.usual().await.value);

    let made = ann.ask("POST", PATH).await;
    let value = made.text_at("/token");
    let (id, key) = (
        made.text_at("/api_key/id"),
        made.text_at("/api_key/token_key"),
    );
    let listed = ann.get(PATH).await;

    let record = format!(r#"{{"id":"{id}","token_key":"{key}","created":"{NOW}","expiry":null}}"#);
    let first = format!(r#"{{"token":"{value}","api_key":{record}}}"#);
    assert_eq!(made.told(), (201, &*first));
    assert!(
        listed.text.starts_with(&format!("[{record},")),
        "{}",
        listed.text
    );
    assert!(value.starts_with(&key) && value != key);
    assert!((8..=15).contains(&key.len()), "{key}");
    let token = app.token(id.parse().unwrap()).await;
    assert_eq!(token.label.as_str(), "SphereScout API key");
}

#[tokio::test]
async fn a_key_ends_when_it_is_asked_to() {
    let app = TestApp::new().await;
    let ann = app.played().with(&app.usual().await.value);

    for body in ["{}", r#"{"expiry":null}"#] {
        let made = ann.raw("POST", PATH, body).await;
        assert!(made.json()["api_key"]["expiry"].is_null(), "{body}");
    }
    let until = r#"{"expiry": "2027-02-01T01:00:00+01:00"}"#;
    let made = ann.raw("POST", PATH, until).await;

    assert_eq!(made.text_at("/api_key/expiry"), "2027-02-01T00:00:00Z");
    assert!(app.is_good(&made.text_at("/token")).await);
    app.advance(Duration::days(30));
    assert!(!app.is_good(&made.text_at("/token")).await);
}

#[tokio::test]
async fn an_expiry_that_is_none_is_refused() {
    let app = TestApp::new().await;
    let ann = app.played().with(&app.usual().await.value);
    let told = "expected a time such as `2027-01-01T00:00:00Z`";

    for (expiry, why) in [
        ("90d", told),
        ("never", told),
        ("", told),
        ("2027-02-01", told),
        ("2020-01-01T00:00:00Z", "it is in the past"),
    ] {
        let made = ann
            .raw("POST", PATH, format!(r#"{{"expiry":"{expiry}"}}"#))
            .await;
        let words = format!(r#"{{"detail":"`expiry` cannot be used: {why}"}}"#);
        assert_eq!(made.told(), (400, &*words), "{expiry}");
    }
}

#[tokio::test]
async fn a_key_ends_no_later_than_the_one_that_made_it() {
    let app = TestApp::new().await;
    let short = app.agent_until(Duration::days(10), super::TOKENS).await;
    let ann = app.played().with(&short.value);

    let usual = ann.ask("POST", PATH).await;
    let sooner = ann
        .raw("POST", PATH, r#"{"expiry":"2027-01-20T00:00:00Z"}"#)
        .await;
    let longer = ann
        .raw("POST", PATH, r#"{"expiry":"2027-01-30T00:00:00Z"}"#)
        .await;

    assert_eq!(usual.text_at("/api_key/expiry"), "2027-01-25T08:00:00Z");
    assert_eq!(sooner.text_at("/api_key/expiry"), "2027-01-20T00:00:00Z");
    let words = r#"{"detail":"a token cannot give a longer life than its own"}"#;
    assert_eq!(longer.told(), (403, words));
}

#[tokio::test]
async fn a_key_is_presented_as_a_bearer_or_as_a_token() {
    let app = TestApp::new().await;
    let agent = app.usual().await;
    let nobody = app.played();
    let with = |scheme: &str| format!("{scheme}{}", agent.value);

    for scheme in ["Bearer ", "Token ", "token ", "BEARER  "] {
        let answer = nobody.authorized("GET", PATH, &[&with(scheme)]).await;
        assert_eq!(answer.status.as_u16(), 200, "{scheme}");
    }
    for scheme in ["Basic ", "", "Tokens "] {
        let answer = nobody.authorized("GET", PATH, &[&with(scheme)]).await;
        assert_eq!(
            answer.told(),
            (401, r#"{"detail":"Invalid token."}"#),
            "{scheme}"
        );
    }
}

#[tokio::test]
async fn a_key_is_revoked() {
    let app = TestApp::new().await;
    let ann = app.played().with(&app.usual().await.value);
    let made = ann.ask("POST", PATH).await;

    let revoked = ann
        .ask("DELETE", &format!("{PATH}/{}", made.text_at("/api_key/id")))
        .await;

    assert_eq!(revoked.told(), (204, ""));
    let refused = ann.with(&made.text_at("/token")).get(PATH).await;
    assert_eq!(refused.told(), (401, r#"{"detail":"Invalid token."}"#));
}
