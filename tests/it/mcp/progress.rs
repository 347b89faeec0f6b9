//! A call that takes long is told of, and one that is cancelled while it waits is never done.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::client::{Client, Era};
use crate::support::{TestApp, local, local_with};

/// Another process that writes, until it is dropped: no other can.
fn busy(app: &TestApp) -> Connection {
    let other = app.database();
    other.execute_batch("begin immediate").unwrap();
    other
}

fn call(label: &str, token: Option<Value>) -> Value {
    let mut call = json!({ "name": "create_token", "arguments": { "label": label } });
    if let Some(token) = token {
        call["_meta"] = json!({ "progressToken": token });
    }
    call
}

#[tokio::test]
async fn a_call_that_takes_long_is_told_of_until_it_is_answered() {
    for (era, token) in [(Era::Legacy, json!("it")), (Era::Modern, json!(7))] {
        let app = TestApp::new().await;
        let mut client = Client::in_era(era, &app, &local()).await;
        let other = busy(&app);

        let id = client
            .begin("tools/call", call("x", Some(token.clone())))
            .await;
        let mut seen = 0.0;
        for _ in 0..2 {
            let (method, told) = client.hears().await;
            assert_eq!(method, "notifications/progress");
            assert_eq!(told["progressToken"], token);
            assert!(
                told["message"]
                    .as_str()
                    .unwrap()
                    .starts_with("still at work")
            );
            assert!(told["progress"].as_f64().unwrap() > seen);
            seen = told["progress"].as_f64().unwrap();
        }
        drop(other);

        let answer = client.answer_to(id).await;
        assert_eq!(answer["result"]["isError"], false, "{answer}");
        // There may be one more before the answer, and there is none behind it.
        while !client.has_heard_nothing() {
            client.hears().await;
        }
        client.done("whoami", json!({})).await;
        assert!(client.has_heard_nothing());
    }
}

#[tokio::test]
async fn nobody_is_told_who_did_not_ask() {
    let app = TestApp::new().await;
    let mut client = Client::of(&app, &local()).await;
    let other = busy(&app);

    let silent = client.begin("tools/call", call("silent", None)).await;
    let told = client
        .begin("tools/call", call("told", Some(json!(1))))
        .await;
    let (_, notice) = client.hears().await;
    drop(other);
    client.answer_to(silent).await;
    client.answer_to(told).await;

    assert_eq!(notice["progressToken"], 1);
}

#[tokio::test]
async fn a_call_that_is_cancelled_while_it_waits_is_neither_done_nor_answered() {
    for era in [Era::Legacy, Era::Modern] {
        let app = TestApp::new().await;
        let mut client = Client::in_era(era, &app, &local_with("read:tokens write:tokens")).await;
        let other = busy(&app);

        // The first waits for the lock itself, the second behind it.
        let ids = [
            client.begin("tools/call", call("first", None)).await,
            client.begin("tools/call", call("second", None)).await,
        ];
        let last = client.begin("tools/call", call("last", None)).await;
        for id in ids {
            client
                .tell("notifications/cancelled", json!({ "requestId": id }))
                .await;
        }
        // Once this is answered, the notices have been read.
        client.begin("tools/list", json!({})).await;
        client.answer_to(last + 1).await;
        drop(other);
        client.answer_to(last).await;

        let listed = client.done("list_tokens", json!({})).await;
        let tokens = listed["tokens"].as_array().unwrap();
        let labels: Vec<_> = tokens.iter().map(|token| &token["label"]).collect();
        assert_eq!(labels, ["last"]);
    }
}
