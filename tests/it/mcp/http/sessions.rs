//! Sessions of 2025-11-25 and before: whose they are, how many, and for how long.

use std::time::Duration;

use keywright::{authority::Deliver, mcp::streamable_http::Limits};
use serde_json::{Value, json};

use super::{Served, busy};
use crate::support::{Agent, TestApp, bearer, operator, rotate, value};

#[tokio::test]
async fn a_session_is_opened_asked_and_ended() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens"]).await;
    let served = Served::by(&app).await;

    let session = served.session(&agent).await;
    let (answer, body) = session
        .calls(&agent, "list_tokens", json!({}))
        .whole()
        .await;
    let (ended, _) = session.wire(&agent, "DELETE").whole().await;
    let (after, _) = session.asks(&agent, "ping", json!({})).json().await;

    assert_eq!(session.id.len(), 64);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&told["id"], &told["result"]["isError"]),
        (&json!(9), &json!(false))
    );
    assert_eq!((ended.status, after), (204, 404));
}

#[tokio::test]
async fn a_call_that_lacks_a_scope_is_the_tools_answer_in_a_session() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let served = Served::by(&app).await;
    let session = served.session(&agent).await;

    let (answer, body) = session
        .calls(&agent, "list_tokens", json!({}))
        .whole()
        .await;

    assert_eq!(
        (answer.status, answer.header("www-authenticate")),
        (200, None)
    );
    assert!(body.contains("\"isError\":true"), "{body}");
    assert!(body.contains("insufficient_scope: this needs"), "{body}");
}

#[tokio::test]
async fn somebody_elses_session_is_not_there() {
    let app = TestApp::new().await;
    let [agent, stranger] = [
        app.agent(["read:tokens"]).await,
        app.agent(["read:tokens"]).await,
    ];
    let served = Served::by(&app).await;
    let session = served.session(&agent).await;
    let ping = session.asks(&agent, "ping", json!({}));

    for wire in [
        ping.clone(),
        session.wire(&agent, "GET"),
        session.wire(&agent, "DELETE"),
    ] {
        let bearer = format!("Bearer {}", stranger.value);
        let theirs = wire.clone().with("authorization", &bearer);
        let nobodys = wire
            .with("authorization", &bearer)
            .with("mcp-session-id", "f".repeat(64));
        let (told, body) = theirs.whole().await;
        let (other, nothing) = nobodys.whole().await;
        assert_eq!(told.status, 404);
        assert_eq!((told.headers(), body), (other.headers(), nothing));
    }
    assert_eq!(ping.json().await.0, 200);
}

#[tokio::test]
async fn a_new_value_of_the_same_token_has_the_same_session() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens"]).await;
    let served = Served::by(&app).await;
    let session = served.session(&agent).await;

    let mut asked = rotate(agent.id);
    asked.deliver = Deliver::Inline;
    let minted = app.rotate(&operator(), asked).await.unwrap();
    let renewed = Agent {
        id: agent.id,
        value: value(&minted),
    };
    let new = session
        .calls(&renewed, "list_tokens", json!({}))
        .json()
        .await;
    let old = session.calls(&agent, "list_tokens", json!({})).json().await;

    assert_eq!(
        (new.0, &new.1["result"]["isError"]),
        (200, &json!(false)),
        "{}",
        new.1
    );
    assert_eq!(old.0, 401);
    assert!(app.authority.whoami(&bearer(&agent.value)).await.is_err());
}

#[tokio::test]
async fn every_request_of_a_session_acts_with_what_it_brings() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens", "write:tokens"]).await;
    let served = Served::by(&app).await;
    let session = served.session(&agent).await;
    let create = session.calls(&agent, "create_token", json!({ "label": "x" }));
    assert_eq!(create.json().await.1["result"]["isError"], false);

    let mut narrower = crate::support::update(agent.id);
    narrower.scopes = Some(crate::support::scopes("read:tokens"));
    app.authority
        .update_token(&operator(), narrower)
        .await
        .unwrap();

    let (_, told) = create.json().await;
    assert_eq!(told["result"]["isError"], true, "{told}");
    app.revoke(agent.id).await;
    assert_eq!(create.json().await.0, 401);
}

#[tokio::test]
async fn a_token_has_no_more_sessions_than_it_may_and_the_idlest_goes() {
    let app = TestApp::new().await;
    let [agent, other] = [app.agent([]).await, app.agent([]).await];
    let limits = Limits {
        sessions: 3,
        sessions_each: 2,
        ..Limits::default()
    };
    let served = Served::with(&app, limits).await;

    let first = served.session(&agent).await;
    let second = served.session(&agent).await;
    let third = served.session(&agent).await;
    let others = served.session(&other).await;

    let status = async |session: &super::Session, agent| {
        session.asks(agent, "ping", json!({})).json().await.0
    };
    assert_eq!(status(&first, &agent).await, 404);
    for (session, agent) in [(&second, &agent), (&third, &agent), (&others, &other)] {
        assert_eq!(status(session, agent).await, 200);
    }
}

#[tokio::test]
async fn a_session_in_use_does_not_go_for_another() {
    let app = TestApp::new().await;
    let [agent, other] = [app.agent([]).await, app.agent([]).await];
    let limits = Limits {
        sessions: 1,
        sessions_each: 1,
        ..Limits::default()
    };
    let served = Served::with(&app, limits).await;
    let session = served.session(&agent).await;
    let listens = session.wire(&agent, "GET").send().await;

    for (who, status) in [(&agent, 429), (&other, 503)] {
        let (answer, body) = served.opening(who, json!({})).whole().await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert!(body.contains("as many sessions as may be"), "{body}");
    }
    assert_eq!(listens.status, 200);
    assert_eq!(session.asks(&agent, "ping", json!({})).json().await.0, 200);
}

#[tokio::test]
async fn a_session_that_nobody_needs_is_forgotten() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let limits = Limits {
        idle: Duration::from_millis(1),
        ..Limits::default()
    };
    let served = Served::with(&app, limits).await;
    let [idle, used] = [served.session(&agent).await, served.session(&agent).await];

    let mut listens = used.wire(&agent, "GET").send().await;
    let gone = async {
        while idle.asks(&agent, "ping", json!({})).json().await.0 == 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(super::wire::PATIENCE, gone)
        .await
        .unwrap();

    assert_eq!(used.asks(&agent, "ping", json!({})).json().await.0, 200);
    used.wire(&agent, "DELETE").whole().await;
    assert_eq!(listens.event().await, None);
}

#[tokio::test]
async fn two_calls_in_flight_have_two_ids() {
    let app = TestApp::new().await;
    let agent = app.agent(["write:tokens"]).await;
    let served = Served::by(&app).await;
    let session = served.session(&agent).await;
    let held = busy(&app);
    let call = json!({
        "name": "create_token", "arguments": { "label": "x" }, "_meta": { "progressToken": 1 },
    });
    let asked = session.asks(&agent, "tools/call", call);
    let mut first = asked.send().await;
    first.event().await.unwrap();

    let (status, told) = asked.json().await;
    drop(held);
    let answer = first.rest().await;
    let (later, _) = session.asks(&agent, "ping", json!({})).json().await;

    let why = told["error"]["message"].as_str().unwrap();
    assert_eq!((status, &told["id"]), (400, &json!(9)), "{why}");
    assert!(why.contains("another call in flight has this id"), "{why}");
    assert!(answer.contains("\"isError\":false"), "{answer}");
    assert_eq!(later, 200);
}

#[tokio::test]
async fn a_request_without_a_session_is_told_to_open_one() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let served = Served::by(&app).await;
    let session = served.session(&agent).await;

    let ping = session.asks(&agent, "ping", json!({}));
    let (status, told) = ping.without("mcp-session-id").json().await;

    assert_eq!(status, 400);
    let why = told["error"]["message"].as_str().unwrap();
    assert!(why.contains("Open a session with `initialize`"), "{why}");
}
