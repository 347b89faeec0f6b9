//! Spedy: `/api/v1/me/tokens`.

use chrono::Duration;

use super::NOW;
use crate::support::TestApp;

const PATH: &str = "/api/v1/me/tokens";

#[tokio::test]
async fn a_token_is_created_listed_read_and_revoked_as_documented() {
    let app = TestApp::new().await;
    let agent = app.usual().await;
    let ann = app.played().with(&agent.value);
    app.advance(Duration::milliseconds(999));

    let made = ann.raw("POST", PATH, r#"{"name": "CI Pipeline"}"#).await;
    let (id, value) = (made.text_at("/id"), made.text_at("/token"));
    let one = format!("{PATH}/{id}");
    let listed = ann.get(PATH).await;
    let read = ann.get(&one).await;
    let revoked = ann.ask("DELETE", &one).await;

    let first =
        format!(r#"{{"id":"{id}","name":"CI Pipeline","token":"{value}","createdAt":"{NOW}"}}"#);
    assert_eq!(made.told(), (201, &*first));
    let record =
        format!(r#"{{"id":"{id}","name":"CI Pipeline","lastUsedAt":null,"createdAt":"{NOW}"}}"#);
    assert_eq!(read.told(), (200, &*record));
    assert!(
        listed
            .text
            .starts_with(&format!(r#"{{"tokens":[{record},"#))
    );
    assert_eq!(listed.json()["tokens"].as_array().unwrap().len(), 2);
    assert_eq!(revoked.told(), (204, ""));
    assert!(!app.is_good(&value).await);
    assert_eq!((value.len(), &value[..10]), (58, "spedy_pat_"));
    assert!(id.starts_with("tok_") && id.len() == 26, "{id}");
}

#[tokio::test]
async fn the_last_use_is_told() {
    let app = TestApp::new().await;
    let ann = app.played().with(&app.usual().await.value);
    let made = ann.raw("POST", PATH, r#"{"name":"x"}"#).await;
    app.advance(Duration::minutes(1));

    ann.with(&made.text_at("/token")).get(PATH).await;

    let read = ann.get(&format!("{PATH}/{}", made.text_at("/id"))).await;
    assert_eq!(read.text_at("/lastUsedAt"), "2027-01-15T08:01:00Z");
}

#[tokio::test]
async fn every_refusal_has_its_three_fields() {
    let app = TestApp::new().await;
    let ann = app.played().with(&app.usual().await.value);
    let nobody = app.played();
    let told = |status: u16, message: &str, error: &str| {
        format!(r#"{{"statusCode":{status},"message":"{message}","error":"{error}"}}"#)
    };

    let unknown = nobody.get(PATH).await;
    let absent = ann.get(&format!("{PATH}/tok_abc123")).await;
    let nameless = ann.raw("POST", PATH, "{}").await;
    let method = ann.ask("PUT", PATH).await;

    let words = told(401, "Unauthorized", "Unauthorized");
    assert_eq!(unknown.told(), (401, &*words));
    let words = told(404, "Token not found", "Not Found");
    assert_eq!(absent.told(), (404, &*words));
    let words = told(400, "`name` cannot be used: it is missing", "Bad Request");
    assert_eq!(nameless.told(), (400, &*words));
    let words = told(
        405,
        "this path does not answer this method",
        "Method Not Allowed",
    );
    assert_eq!(method.told(), (405, &*words));
}

#[tokio::test]
async fn what_no_list_shows_is_not_there() {
    let app = TestApp::new().await;
    let agent = app.usual().await;
    let ann = app.played().with(&agent.value);
    let made = ann.raw("POST", PATH, r#"{"name":"x"}"#).await;
    let one = format!("{PATH}/{}", made.text_at("/id"));

    let first = ann.ask("DELETE", &one).await;
    let read = ann.get(&one).await;
    let again = ann.ask("DELETE", &one).await;

    assert_eq!(first.status.as_u16(), 204);
    assert_eq!((read.status.as_u16(), again.status.as_u16()), (404, 404));
    assert_eq!(read.text, again.text);
}
