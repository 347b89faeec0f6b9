//! What stands beside an answer while the end of the session's own token is near.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    mcp::client::Client,
    support::{TestApp, local},
};

fn blocks(answer: &Value) -> usize {
    answer["content"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_end_is_told_when_it_is_seven_days_away_and_not_before() {
    let app = TestApp::new().await;
    let life = Duration::days(7) + Duration::milliseconds(1);
    let agent = app.agent_until(life, ["read:tokens"]).await;
    let mut client = Client::of(&app, &agent.asks()).await;

    let before = client.call("list_tokens", json!({})).await;
    app.advance(Duration::milliseconds(1));
    let after = client.call("list_tokens", json!({})).await;

    assert_eq!(blocks(&before), 1);
    assert_eq!(blocks(&after), 2);
    let warning = after["content"][1]["text"].as_str().unwrap();
    assert!(
        warning.starts_with("warning: the token that this session presents ends at 2027-01-22T"),
        "{warning}"
    );
    assert!(warning.contains(" Only the person can: "), "{warning}");
    // What reads the structure finds nothing new in it.
    let text = after["content"][0]["text"].as_str().unwrap();
    let told: Value = serde_json::from_str(text).unwrap();
    assert_eq!(told, after["structuredContent"]);
}

#[tokio::test]
async fn a_refusal_is_told_alone() {
    let app = TestApp::new().await;
    let agent = app.agent_until(Duration::days(1), ["read:tokens"]).await;
    let mut client = Client::of(&app, &agent.asks()).await;

    let refused = client.call("list_app_envs", json!({})).await;

    assert_eq!(blocks(&refused), 1);
}

#[tokio::test]
async fn whoever_has_no_end_is_warned_of_none() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens"]).await;

    for who in [local(), agent.asks()] {
        let mut client = Client::of(&app, &who).await;
        let answer = client.call("list_tokens", json!({})).await;
        assert_eq!(blocks(&answer), 1);
    }
}
