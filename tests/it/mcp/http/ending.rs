//! The process is asked to stop: streams get their last word, calls their answer, and what takes too
//! long is cut.

use std::time::Duration;

use keywright::mcp::streamable_http::Limits;
use serde_json::json;

use super::{Served, busy};
use crate::support::TestApp;

#[tokio::test]
async fn streams_get_their_last_word_and_calls_their_answer() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens", "write:tokens"]).await;
    let served = Served::by(&app).await;
    let session = served.session(&agent).await;
    let mut news = session.wire(&agent, "GET").send().await;
    let listen = json!({ "notifications": { "resourcesListChanged": true } });
    let mut listens = served
        .modern(&agent, "subscriptions/listen", listen)
        .send()
        .await;
    listens.event().await.unwrap();
    let held = busy(&app);
    let call = json!({
        "name": "create_token", "arguments": { "label": "x" }, "_meta": { "progressToken": 1 },
    });
    let mut modern = served
        .modern(&agent, "tools/call", call.clone())
        .send()
        .await;
    let mut legacy = session.asks(&agent, "tools/call", call).send().await;
    for call in [&mut modern, &mut legacy] {
        assert_eq!(
            call.event().await.unwrap()["method"],
            "notifications/progress"
        );
    }

    served.stop.cancel();
    let last = listens.event().await.unwrap();
    let quiet = news.event().await;
    drop(held);

    assert_eq!(last["result"]["resultType"], "complete", "{last}");
    assert_eq!((listens.event().await, quiet), (None, None));
    for call in [&mut modern, &mut legacy] {
        let body = call.rest().await;
        assert!(body.contains("\"isError\":false"), "{body}");
    }
}

#[tokio::test]
async fn a_question_does_not_keep_the_process_waiting() {
    let app = TestApp::new().await;
    let [agent, target] = [app.agent(["delete:tokens"]).await, app.agent([]).await];
    let served = Served::by(&app).await;
    let session = served
        .session_of(&agent, json!({ "elicitation": {} }))
        .await;
    let target = json!({ "id": target.id.to_string() });
    let mut call = session.calls(&agent, "delete_token", target).send().await;
    call.event().await.unwrap();

    served.stop.cancel();

    let told = call.event().await.unwrap();
    let why = told["result"]["content"][0]["text"].as_str().unwrap();
    assert!(
        why.starts_with("forbidden: the person did not answer"),
        "{why}"
    );
}

#[tokio::test]
async fn what_takes_too_long_is_cut() {
    let app = TestApp::new().await;
    let agent = app.agent(["write:tokens"]).await;
    let limits = Limits {
        grace: Duration::from_millis(50),
        ..Limits::default()
    };
    let served = Served::with(&app, limits).await;
    let held = busy(&app);
    let call = json!({
        "name": "create_token", "arguments": { "label": "x" }, "_meta": { "progressToken": 1 },
    });
    let mut call = served.modern(&agent, "tools/call", call).send().await;
    call.event().await.unwrap();

    served.stop.cancel();

    assert!(!call.rest().await.contains("\"result\""));
    drop(held);
}
