//! Requests of 2026-07-28, which stand for themselves.

use serde_json::{Value, json};

use super::{Served, busy};
use crate::support::{TestApp, list, operator};

#[tokio::test]
async fn the_tools_are_listed_and_called_with_json() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens"]).await;
    let served = Served::by(&app).await;

    let (status, listed) = served.modern(&agent, "tools/list", json!({})).json().await;
    let (answer, body) = served.calls(&agent, "list_tokens", json!({})).whole().await;

    assert_eq!(
        (status, listed["result"]["tools"].as_array().unwrap().len()),
        (200, 11)
    );
    assert_eq!(listed["result"]["cacheScope"], "private");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("mcp-session-id"), None);
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&told["id"], &told["result"]["isError"]),
        (&json!(7), &json!(false))
    );
    let id = &told["result"]["structuredContent"]["tokens"][0]["id"];
    assert_eq!(*id, agent.id.to_string());
}

#[tokio::test]
async fn a_call_that_lacks_a_scope_is_told_all_that_it_needs_and_no_more() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens"]).await;
    let served = Served::by(&app).await;

    for (tool, arguments, scopes) in [
        ("create_token", json!({ "label": "x" }), "write:tokens"),
        (
            "create_token",
            json!({ "label": "x", "deliver": "inline" }),
            "write:tokens read:secrets",
        ),
        ("list_app_envs", json!({}), "read:envs"),
    ] {
        let (answer, body) = served.calls(&agent, tool, arguments).whole().await;
        let challenge =
            format!("Bearer realm=\"keywright\", error=\"insufficient_scope\", scope=\"{scopes}\"");
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (403, Some(&*challenge))
        );
        let body: Value = serde_json::from_str(&body).unwrap();
        let why = body["error"]["message"].as_str().unwrap();
        assert!(
            why.starts_with("insufficient_scope: this needs the scope"),
            "{why}"
        );
        assert_eq!(body["id"], 7);
    }
    let trail = app.trail(3).await.join("\n");
    assert!(
        trail.contains("token create_token refused: this needs the scope"),
        "{trail}"
    );
    assert!(trail.contains("token list_app_envs refused"), "{trail}");
}

#[tokio::test]
async fn what_is_no_tool_is_told_in_the_same_way() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let served = Served::by(&app).await;
    let uri = json!({ "uri": "keywright://audit/recent" });
    let listen = json!({ "notifications": { "resourceSubscriptions": [uri["uri"]] } });

    for (method, params) in [("resources/read", uri), ("subscriptions/listen", listen)] {
        let (answer, _) = served.modern(&agent, method, params).whole().await;
        let challenge =
            "Bearer realm=\"keywright\", error=\"insufficient_scope\", scope=\"read:audit\"";
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (403, Some(challenge))
        );
    }
}

#[tokio::test]
async fn a_refusal_that_no_scope_mends_is_the_tools_answer() {
    let app = TestApp::new().await;
    let agent = app.agent(["write:tokens"]).await;
    let served = Served::by(&app).await;

    let wider = json!({ "label": "x", "scopes": ["delete:tokens"] });
    let (answer, body) = served.calls(&agent, "create_token", wider).whole().await;

    assert_eq!(
        (answer.status, answer.header("www-authenticate")),
        (200, None)
    );
    assert!(body.contains("scope_escalation: "), "{body}");
}

#[tokio::test]
async fn what_is_not_there_has_the_status_that_the_revision_gives_it() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens"]).await;
    let served = Served::by(&app).await;

    for (wire, status, code) in [
        (served.calls(&agent, "no_such_tool", json!({})), 200, -32602),
        (
            served.modern(&agent, "no/such/method", json!({})),
            404,
            -32601,
        ),
        (served.modern(&agent, "ping", json!({})), 404, -32601),
        (served.modern(&agent, "initialize", json!({})), 404, -32601),
        (
            served.modern(&agent, "resources/subscribe", json!({})),
            404,
            -32601,
        ),
    ] {
        let (told, body) = wire.json().await;
        assert_eq!(
            (told, &body["error"]["code"]),
            (status, &json!(code)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_call_that_takes_long_is_told_of_in_a_stream() {
    let app = TestApp::new().await;
    let agent = app.agent(["write:tokens"]).await;
    let served = Served::by(&app).await;
    let other = busy(&app);
    let call = json!({
        "name": "create_token", "arguments": { "label": "x" }, "_meta": { "progressToken": 1 },
    });

    let mut answer = served.modern(&agent, "tools/call", call).send().await;
    let told = answer.event().await.unwrap();
    drop(other);
    let mut last = answer.event().await.unwrap();
    while last.get("method").is_some() {
        last = answer.event().await.unwrap();
    }

    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
    assert_eq!(told["method"], "notifications/progress");
    assert_eq!(last["result"]["isError"], false, "{last}");
    assert_eq!(answer.event().await, None);
}

#[tokio::test]
async fn a_call_whose_client_is_gone_is_never_done() {
    let app = TestApp::new().await;
    let agent = app.agent(["write:tokens"]).await;
    let served = Served::by(&app).await;
    let other = busy(&app);
    let call = |label: &str| {
        let arguments = json!({ "label": label });
        let call = json!({
            "name": "create_token", "arguments": arguments, "_meta": { "progressToken": 1 },
        });
        served.modern(&agent, "tools/call", call)
    };

    // The first has the writer's turn, the second waits for it, and its client hangs up.
    let mut first = call("stays").send().await;
    let mut second = call("goes").send().await;
    second.event().await.unwrap();
    drop(second);
    let calls = served.calls(&agent, "whoami", json!({}));
    for _ in 0..3 {
        calls.json().await;
    }
    drop(other);
    let body = first.rest().await;

    assert!(body.contains("\"isError\":false"), "{body}");
    let labels = app.labels(&operator(), list()).await;
    assert_eq!(labels, ["stays", "agent"]);
}

#[tokio::test]
async fn a_request_is_one_in_the_log_and_in_the_audit_trail() {
    let app = TestApp::new().await;
    let agent = app.agent(["write:tokens"]).await;
    let served = Served::by(&app).await;

    let (status, _) = served
        .calls(&agent, "create_token", json!({ "label": "x" }))
        .json()
        .await;

    assert_eq!(status, 200);
    assert_eq!(app.trail(1).await, ["token create_token done"]);
    assert_eq!(app.last_record().await.front.as_str(), "mcp");
}
