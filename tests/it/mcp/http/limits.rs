//! How much one caller may have under way, and what the others have then.

use std::time::Duration;

use keywright::mcp::streamable_http::Limits;
use serde_json::json;

use super::{Served, busy};
use crate::support::TestApp;

#[tokio::test]
async fn calls_beyond_what_may_be_in_flight_are_told_to_come_again() {
    let app = TestApp::new().await;
    let [agent, other] = [
        app.agent(["write:tokens"]).await,
        app.agent(["write:tokens"]).await,
    ];
    let limits = Limits {
        calls: 2,
        calls_each: 1,
        patience: Duration::from_millis(10),
        ..Limits::default()
    };
    let served = Served::with(&app, limits).await;
    let held = busy(&app);
    let call = json!({
        "name": "create_token", "arguments": { "label": "x" }, "_meta": { "progressToken": 1 },
    });
    let mut waits = served
        .modern(&agent, "tools/call", call.clone())
        .send()
        .await;
    waits.event().await.unwrap();

    let (answer, body) = served.calls(&agent, "whoami", json!({})).whole().await;
    let (status, _) = served.calls(&other, "whoami", json!({})).json().await;
    drop(held);
    waits.rest().await;

    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(body.contains("too many calls are in flight"), "{body}");
    assert_eq!(status, 200);
    assert_eq!(
        served.calls(&agent, "whoami", json!({})).json().await.0,
        200
    );
}

#[tokio::test]
async fn streams_beyond_what_may_be_open_are_refused_until_one_is_closed() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens"]).await;
    let limits = Limits {
        streams_each: 1,
        ..Limits::default()
    };
    let served = Served::with(&app, limits).await;
    let listen = json!({ "notifications": { "resourcesListChanged": true } });
    let listen = served.modern(&agent, "subscriptions/listen", listen);
    let mut first = listen.send().await;
    first.event().await.unwrap();

    let (answer, body) = listen.whole().await;
    drop(first);
    let opened = async {
        loop {
            let again = listen.send().await;
            if again.status == 200 {
                break;
            }
        }
    };
    tokio::time::timeout(super::wire::PATIENCE, opened)
        .await
        .unwrap();

    assert_eq!(answer.status, 429);
    assert!(body.contains("Close one first"), "{body}");
}
