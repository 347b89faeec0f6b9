//! Whether anything has changed is told to who waits for news, and waiting leaves no trace.

use chrono::Duration;
use keywright::authority::Mark;

use crate::support::{TestApp, bearer, local, rotate};

async fn mark(app: &TestApp) -> Mark {
    app.authority.mark().await.unwrap()
}

#[tokio::test]
async fn a_change_in_another_process_is_a_change() {
    let app = TestApp::new().await;
    let other = app.another_process();
    let agent = app.agent([]).await;

    let before = mark(&app).await;
    assert!(mark(&app).await.is_as(&before));
    other.rotate(&local(), rotate(agent.id)).await.unwrap();

    assert!(!mark(&app).await.is_as(&before));
}

#[tokio::test]
async fn a_use_is_no_change() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;

    let before = mark(&app).await;
    app.advance(Duration::seconds(1));
    app.authority.whoami(&agent.asks()).await.unwrap();
    app.authority.write_batches().await.unwrap();

    let after = mark(&app).await;
    assert!(after.is_as(&before));
    assert_eq!(after.at - before.at, Duration::seconds(1));
    assert!(app.token(agent.id).await.last_used_at.is_some());
}

#[tokio::test]
async fn looking_again_is_decided_like_any_request_and_is_no_use() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens"]).await;

    let look = agent.asks().looking_again();
    let seen = app.authority.get_token(&look, agent.id).await.unwrap().0;
    let written = app.authority.write_batches().await;
    app.revoke(agent.id).await;
    let refused = app.authority.get_token(&look, agent.id).await;

    assert_eq!((seen.id, seen.last_used_at), (agent.id, None));
    assert!(written.is_ok() && refused.is_err());
    assert_eq!(app.token(agent.id).await.last_used_at, None);
}

#[tokio::test]
async fn a_request_learns_whom_it_was_recognized_as() {
    let app = TestApp::new().await;
    let agent = app.agent_until(Duration::hours(1), []).await;
    let [mine, nobodys] = [agent.asks(), bearer("nothing")];

    let before = mine.seen();
    app.authority.whoami(&mine).await.unwrap();
    app.authority.whoami(&nobodys).await.unwrap_err();

    let seen = mine.seen().unwrap();
    assert_eq!(seen.at, app.clock.now());
    assert_eq!(seen.expires_at, Some(seen.at + Duration::hours(1)));
    assert_eq!((before, nobodys.seen()), (None, None));
}
