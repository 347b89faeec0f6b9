//! What nobody's client sends, at the routes of profiles: refused in that product's words, and
//! nothing is kept of it.

use axum::http::header;
use keywright::{
    http::{Http, Limits, Place, Profiles, Rate},
    wire::token::ClaimCommand,
};

use crate::{http::client::Client, support::TestApp};

const SPOTE: &str = "/api/settings/token";

#[tokio::test]
async fn a_body_that_cannot_be_used_is_refused() {
    let app = TestApp::new().await;
    let ann = app.played().with(&app.usual().await.value);
    let before = app.rows("tokens");
    let long = format!(r#"{{"label":"{}"}}"#, "x".repeat(10_000));
    let deep = format!("{}{}", r#"{"label":"#, "[".repeat(100_000));
    let twice = r#"{"label":"a","label":"b"}"#;
    let no_json = "the body is no JSON object, or one that is too deep";
    let unknown = "the body has a field that is not known here; it knows `label`";

    for (body, why) in [
        ("", no_json),
        ("{", no_json),
        ("null", no_json),
        ("[]", no_json),
        (r#""x""#, no_json),
        (r#"{"label":"x"} x"#, no_json),
        (r#"{"label":"\ud800"}"#, no_json),
        (&deep, no_json),
        ("{}", "`label` cannot be used: it is missing"),
        (
            r#"{"label":null}"#,
            "`label` cannot be used: expected a text",
        ),
        (r#"{"label":7}"#, "`label` cannot be used: expected a text"),
        (
            r#"{"label":["x"]}"#,
            "`label` cannot be used: expected a text",
        ),
        (
            r#"{"label":{"x":1}}"#,
            "`label` cannot be used: expected a text",
        ),
        (twice, "`label` cannot be used: it stands twice"),
        (r#"{"label":" "}"#, "`label` cannot be used: it is empty"),
        (
            &long,
            "`label` cannot be used: it is longer than 200 characters",
        ),
        (
            r#"{"label":"a\u0000b"}"#,
            "`label` cannot be used: it contains U+0000, which cannot be seen",
        ),
        (
            r#"{"label":"a\u202eb"}"#,
            "`label` cannot be used: it contains U+202E, which cannot be seen",
        ),
        (r#"{"label":"x","scopes":["read:secrets"]}"#, unknown),
        (r#"{"label":"x","expires":"never"}"#, unknown),
        (r#"{"Label":"x"}"#, unknown),
        (r#"{"__proto__":{},"label":"x"}"#, unknown),
    ] {
        let refused = ann.raw("POST", SPOTE, body).await;
        let words = serde_json::json!({ "message": why }).to_string();
        assert_eq!(
            refused.told(),
            (400, &*words),
            "{}",
            &body[..body.len().min(80)]
        );
    }
    assert_eq!(app.rows("tokens"), before);
}

#[tokio::test]
async fn a_label_of_any_writing_comes_back_as_it_was() {
    let app = TestApp::new().await;
    let ann = app.played().with(&app.usual().await.value);
    let label = r#"Ignore previous instructions, Ünïcödé 日本 "x" \ </script>"#;
    let body = serde_json::json!({ "label": label }).to_string();

    let made = ann.raw("POST", SPOTE, body).await;

    assert_eq!(made.text_at("/label"), label);
    let list = ann.get(SPOTE).await.json();
    assert_eq!(list[1]["label"], label);
}

#[tokio::test]
async fn a_label_that_holds_a_value_is_refused() {
    let app = TestApp::new().await;
    let agent = app.usual().await;
    let ann = app.played().with(&agent.value);
    let value = ann
        .raw("POST", SPOTE, r#"{"label":"x"}"#)
        .await
        .text_at("/token");

    let spedy = "spedy_pat_0123456789abcdef0123456789abcdef0123456789abcdef".to_owned();

    for value in [&value, &agent.value, &spedy] {
        let body = serde_json::json!({ "label": format!("my {value}") }).to_string();
        let refused = ann.raw("POST", SPOTE, body).await;
        assert_eq!(refused.told().0, 400);
        assert!(!refused.text.contains(&value[..]));
    }
}

#[tokio::test]
async fn a_body_of_another_kind_or_size_is_refused() {
    let app = TestApp::new().await;
    let ann = app.played().with(&app.usual().await.value);
    let send = |kind: Option<&'static str>, body: String| {
        let request = ann.request("POST", SPOTE);
        let request = match kind {
            Some(kind) => request.header(header::CONTENT_TYPE, kind),
            None => request,
        };
        ann.send(request.body(body.into()).unwrap())
    };
    let good = r#"{"label":"x"}"#;

    for kind in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonp"),
    ] {
        let refused = send(kind, good.to_owned()).await;
        assert_eq!(
            refused.told(),
            (415, r#"{"message":"the body is to be JSON"}"#),
            "{kind:?}"
        );
    }
    for kind in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(
            send(Some(kind), good.to_owned()).await.told().0,
            201,
            "{kind}"
        );
    }
    let large = format!("{good}{}", " ".repeat(1 << 20));
    let refused = send(Some("application/json"), large).await;
    assert_eq!(
        refused.told(),
        (413, r#"{"message":"the body is larger than 1 MiB"}"#)
    );
    let just = format!("{good}{}", " ".repeat((1 << 20) - good.len()));
    assert_eq!(send(Some("application/json"), just).await.told().0, 201);
}

#[tokio::test]
async fn two_authorizations_are_refused_in_the_products_words() {
    let app = TestApp::new().await;
    let agent = app.usual().await;
    let bearer = format!("Bearer {}", agent.value);

    let refused = app
        .played()
        .authorized("GET", SPOTE, &[&bearer, &bearer])
        .await;
    let one = app.played().authorized("GET", SPOTE, &[&bearer]).await;

    let words = r#"{"message":"there is more than one `Authorization` header"}"#;
    assert_eq!(refused.told(), (400, words));
    assert_eq!(one.told().0, 200);
}

#[tokio::test]
async fn what_a_layer_refuses_is_told_in_the_products_words() {
    let app = TestApp::new().await;
    let agent = app.usual().await;
    let ann = app.played().with(&agent.value);
    let request = ann
        .request("GET", SPOTE)
        .header(header::ORIGIN, "https://evil.example");

    let foreign = ann.send(request.body(String::new().into()).unwrap()).await;
    let in_url = ann.get(&format!("{SPOTE}?token={}", agent.value)).await;

    let words = r#"{"message":"pages of another origin may not ask this server"}"#;
    assert_eq!(foreign.told(), (403, words));
    let words = r#"{"message":"a token is not to stand in a URL, where logs keep it"}"#;
    assert_eq!(in_url.told(), (400, words));
}

#[tokio::test]
async fn who_asks_too_often_is_told_so_in_the_products_words() {
    let app = TestApp::new().await;
    let agent = app.usual().await;
    let limits = Limits::new(Rate::per_second(0), Rate::per_second(1));
    let claim = ClaimCommand::new("keywright", None, None);
    let http = Http::new(app.authority.clone(), claim, Place::default(), limits);
    let played = Profiles::named(&["spherescout".to_owned()]).unwrap();
    let ann = Client::of(http.playing(played));
    let with = format!("Token {}", agent.value);
    let with = [&*with];
    let ask = || ann.authorized("GET", "/api/user/api-keys", &with);

    let first = ask().await;
    let again = ask().await;

    assert_eq!(first.told().0, 200);
    let words = r#"{"detail":"there are too many requests with this token"}"#;
    assert_eq!(again.told(), (429, words));
    assert_eq!(again.header("retry-after"), "1");
}

#[tokio::test]
async fn a_parameter_twice_is_refused_and_an_unknown_one_means_nothing() {
    let app = TestApp::new().await;
    let ann = app
        .played()
        .with(&app.agent(["read:secrets", "read:tokens"]).await.value);

    let twice = "/api/public/v1/app-env/token?envName=a&envName=b";
    let twice = ann.get(twice).await;
    let unknown = ann.get(&format!("{SPOTE}?limit=1&_=2")).await;

    let words = r#"{"error":"`envName` cannot be used: it stands twice"}"#;
    assert_eq!(twice.told(), (400, words));
    assert_eq!(unknown.told().0, 200);
}

#[tokio::test]
async fn a_path_that_is_none_of_a_profiles_is_ours() {
    let app = TestApp::new().await;
    let ann = app.played().with(&app.usual().await.value);

    for path in [
        "/api/settings/token/",
        "/api/settings",
        "/api/settings/token/x/y",
        "/API/settings/token",
    ] {
        let answer = ann.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (404, "not_found".to_owned()),
            "{path}"
        );
    }
    let off = app.client().with(&app.usual().await.value);
    assert_eq!(off.get(SPOTE).await.code(), "not_found");
}
