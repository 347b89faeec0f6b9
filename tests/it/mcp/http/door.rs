//! Who is let in, and what the others are told.

use axum::http::header::WWW_AUTHENTICATE;
use chrono::Duration;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{Served, wire::Wire};
use crate::support::{Agent, TestApp, list, operator};

/// Everything about an answer that does not change by itself.
async fn bytes(wire: Wire) -> (u16, Vec<String>, String) {
    let (answer, body) = wire.whole().await;
    (answer.status, answer.headers(), body)
}

/// Somebody who presents `value`.
fn who(value: &str, like: &Agent) -> Agent {
    Agent {
        id: like.id,
        value: value.to_owned(),
    }
}

#[tokio::test]
async fn whoever_is_not_known_is_told_the_same_whatever_the_reason() {
    let app = TestApp::new().await;
    let good = app.agent([]).await;
    let [revoked, disabled] = [app.agent([]).await, app.agent([]).await];
    let expired = app.agent_until(Duration::minutes(1), []).await;
    let served = Served::by(&app).await;
    app.advance(Duration::minutes(1));
    app.revoke(revoked.id).await;
    app.disable(&operator(), disabled.id).await;
    let wrong = format!("{}x", &good.value[..good.value.len() - 1]);
    let strangers = [&revoked.value, &disabled.value, &expired.value, &wrong, "x"];

    let asks = |agent: &Agent| served.modern(agent, "tools/list", json!({}));
    let first = bytes(asks(&who(strangers[0], &good))).await;
    for value in strangers {
        assert_eq!(bytes(asks(&who(value, &good))).await, first);
    }
    let (status, headers, body) = first;
    assert_eq!(status, 401);
    assert!(headers.contains(
        &"www-authenticate: Bearer realm=\"keywright\", error=\"invalid_token\"".to_owned()
    ));
    let body: Value = serde_json::from_str(&body).unwrap();
    let why = body["error"]["message"].as_str().unwrap();
    assert!(
        why.starts_with("unauthenticated: no valid token was presented. You can: "),
        "{why}"
    );
    assert_eq!(asks(&good).json().await.0, 200);
}

#[tokio::test]
async fn nobody_is_told_how_to_say_who_they_are_and_no_error() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let served = Served::by(&app).await;
    let session = served.session(&agent).await;

    for wire in [
        served.modern(&agent, "tools/list", json!({})),
        served.modern(&agent, "server/discover", json!({})),
        served.opening(&agent, json!({})),
        session.asks(&agent, "tools/list", json!({})),
        session.wire(&agent, "GET"),
        session.wire(&agent, "DELETE"),
        Wire::new(served.at, "PUT"),
        served.post(&agent).saying("not JSON"),
    ] {
        let (answer, _) = wire.without("authorization").whole().await;
        let challenge = answer.header(WWW_AUTHENTICATE.as_str());
        assert_eq!(
            (answer.status, challenge),
            (401, Some("Bearer realm=\"keywright\""))
        );
    }
}

#[tokio::test]
async fn strangers_are_counted_in_the_audit_trail() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let served = Served::by(&app).await;
    app.revoke(agent.id).await;

    for _ in 0..3 {
        served.modern(&agent, "tools/list", json!({})).json().await;
    }

    let app = app.restarted().await;
    let trail = app.system_trail(1).await;
    assert_eq!(
        trail,
        ["nobody authenticate refused x3: no valid token was presented"]
    );
}

#[tokio::test]
async fn a_store_out_of_reach_is_no_bad_token() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let served = Served::by(&app).await;
    app.authority.close().await.unwrap();

    let (answer, body) = served.modern(&agent, "tools/list", json!({})).whole().await;

    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(
        body.contains("unavailable: the store is unavailable"),
        "{body}"
    );
}

#[tokio::test]
async fn who_asks_is_looked_up_and_only_a_verb_uses_the_token() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let served = Served::by(&app).await;

    served.modern(&agent, "tools/list", json!({})).json().await;
    let before = app.token(agent.id).await.last_used_at;
    served.calls(&agent, "whoami", json!({})).json().await;
    let after = app.token(agent.id).await.last_used_at;

    assert_eq!(before, None);
    assert!(after.is_some());
}

#[tokio::test]
async fn a_request_that_was_half_there_before_the_revocation_changes_nothing() {
    let app = TestApp::new().await;
    let agent = app.agent(["write:tokens"]).await;
    let served = Served::by(&app).await;
    let params = json!({ "name": "create_token", "arguments": { "label": "x" }, "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    } });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let body = body.to_string();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
         content-type: application/json\r\naccept: */*\r\nmcp-protocol-version: 2026-07-28\r\n\
         mcp-method: tools/call\r\nmcp-name: create_token\r\ncontent-length: {}\r\n\r\n",
        agent.value,
        body.len()
    );
    let (half, other) = body.split_at(body.len() / 2);
    let mut stream = TcpStream::connect(served.at).await.unwrap();

    stream
        .write_all(format!("{head}{half}").as_bytes())
        .await
        .unwrap();
    // It is in the house once another, which came later, is answered.
    let others = app.agent([]).await;
    served.calls(&others, "whoami", json!({})).json().await;
    app.revoke(agent.id).await;
    stream.write_all(other.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();

    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    let labels = app.labels(&operator(), list()).await;
    assert!(!labels.contains(&"x".to_owned()));
}
