//! What is open for long: who hears of what, and when it ends.

use keywright::authority::Deliver;
use serde_json::{Value, json};

use super::{Served, wire::Answer};
use crate::support::{Agent, TestApp, label, operator, rotate, update};

fn uri(agent: &Agent) -> String {
    format!("keywright://tokens/{}", agent.id)
}

async fn relabel(app: &TestApp, agent: &Agent) {
    let mut asked = update(agent.id);
    asked.label = Some(label("changed"));
    app.authority
        .update_token(&operator(), asked)
        .await
        .unwrap();
}

/// A stream of 2026-07-28 that waits for this, and is acknowledged.
async fn listens(served: &Served, agent: &Agent, wanted: Value) -> Answer {
    let params = json!({ "notifications": wanted });
    let mut stream = served
        .modern(agent, "subscriptions/listen", params)
        .send()
        .await;
    let first = stream.event().await.unwrap();
    assert_eq!(
        first["method"], "notifications/subscriptions/acknowledged",
        "{first}"
    );
    stream
}

#[tokio::test]
async fn a_stream_of_2026_07_28_tells_what_another_process_changes() {
    let app = TestApp::new().await;
    let [agent, other] = [app.agent(["read:tokens"]).await, app.agent([]).await];
    let served = Served::by(&app).await;
    let wanted = json!({
        "resourcesListChanged": true, "resourceSubscriptions": [uri(&other)],
    });
    let mut stream = listens(&served, &agent, wanted).await;

    relabel(&app.another_process(), &other).await;
    let changed = stream.event().await.unwrap();
    app.another_process().agent([]).await;
    let listed = stream.event().await.unwrap();

    assert_eq!(changed["method"], "notifications/resources/updated");
    assert_eq!(changed["params"]["uri"], uri(&other));
    let id = &changed["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
    assert_eq!(*id, 7);
    assert_eq!(listed["method"], "notifications/resources/list_changed");
}

#[tokio::test]
async fn a_session_tells_its_news_on_its_own_stream() {
    let app = TestApp::new().await;
    let [agent, other] = [app.agent(["read:tokens"]).await, app.agent([]).await];
    let served = Served::by(&app).await;
    let session = served.session(&agent).await;
    let mut stream = session.wire(&agent, "GET").send().await;

    let subscribe = session.asks(&agent, "resources/subscribe", json!({ "uri": uri(&other) }));
    let (status, told) = subscribe.json().await;
    relabel(&app.another_process(), &other).await;
    let changed = stream.event().await.unwrap();
    app.another_process().agent([]).await;
    let listed = stream.event().await.unwrap();

    assert_eq!((status, &told["result"]), (200, &json!({})));
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    assert_eq!(changed["method"], "notifications/resources/updated");
    assert_eq!(listed["method"], "notifications/resources/list_changed");
}

#[tokio::test]
async fn a_stream_ends_when_its_token_is_revoked_by_another_process() {
    let app = TestApp::new().await;
    let [agent, other] = [
        app.agent(["read:tokens"]).await,
        app.agent(["read:tokens"]).await,
    ];
    let served = Served::by(&app).await;
    let something = json!({ "resourceSubscriptions": [uri(&agent)] });
    let mut waits = listens(&served, &agent, something.clone()).await;
    let mut for_nothing = listens(&served, &agent, json!({})).await;
    let mut others = listens(&served, &other, something).await;
    let session = served.session(&agent).await;
    let mut news = session.wire(&agent, "GET").send().await;

    app.another_process().revoke(agent.id).await;

    for stream in [&mut waits, &mut for_nothing] {
        let last = stream.event().await.unwrap();
        assert_eq!(last["result"]["resultType"], "complete", "{last}");
        assert_eq!(stream.event().await, None);
    }
    assert_eq!(news.event().await, None);
    // What it waits for has ended, and it has not.
    assert_eq!(
        others.event().await.unwrap()["method"],
        "notifications/resources/updated"
    );
}

#[tokio::test]
async fn a_stream_ends_when_its_token_expires() {
    let app = TestApp::new().await;
    let life = chrono::Duration::hours(1);
    let agent = app.agent_until(life, ["read:tokens"]).await;
    let served = Served::by(&app).await;
    let mut waits = listens(&served, &agent, json!({})).await;
    let session = served.session(&agent).await;
    let mut news = session.wire(&agent, "GET").send().await;

    app.advance(life);

    assert!(waits.event().await.unwrap().get("result").is_some());
    assert_eq!(news.event().await, None);
}

#[tokio::test]
async fn a_stream_keeps_the_value_that_it_was_opened_with() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens"]).await;
    let served = Served::by(&app).await;
    let mut stream = listens(&served, &agent, json!({})).await;

    let mut asked = rotate(agent.id);
    asked.deliver = Deliver::Inline;
    app.rotate(&operator(), asked).await.unwrap();

    assert!(stream.event().await.unwrap().get("result").is_some());
}

#[tokio::test]
async fn a_stream_that_broke_off_goes_on_where_it_was() {
    let app = TestApp::new().await;
    let [agent, other] = [app.agent(["read:tokens"]).await, app.agent([]).await];
    let served = Served::by(&app).await;
    let session = served.session(&agent).await;
    session
        .asks(&agent, "resources/subscribe", json!({ "uri": uri(&other) }))
        .json()
        .await;
    let stream = session.wire(&agent, "GET").send().await;
    drop(stream);

    relabel(&app, &other).await;
    let again = session.wire(&agent, "GET").with("last-event-id", "0");
    let heard = again.send().await.event().await.unwrap();

    assert_eq!(heard["method"], "notifications/resources/updated");
}
