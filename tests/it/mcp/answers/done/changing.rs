//! What the tools answer that show, change or end one token.

use chrono::Duration;
use serde_json::json;

use crate::{
    mcp::{client::Client, shown::Shown},
    support::{TestApp, local, local_with},
};

#[tokio::test]
async fn get_token_answers_with_the_record() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens", "notes:read"]).await;
    app.advance(Duration::hours(1));
    let mut client = Client::of(&app, &agent.asks()).await;

    let answer = client
        .call("get_token", json!({ "id": agent.id.to_string() }))
        .await;

    insta::assert_json_snapshot!(Shown::default().answer(answer), @r#"
    {
      "content": [
        {
          "type": "text",
          "text": "[the same]"
        }
      ],
      "structuredContent": {
        "id": "[id 1]",
        "kind": "pat",
        "label": "agent",
        "prefix": "kw_pat_[4 digits]",
        "scopes": [
          "notes:read",
          "read:tokens"
        ],
        "state": "active",
        "owner": "user:[id 2]",
        "created_at": "2027-01-15T08:00:00.000Z",
        "created_by": "operator",
        "parent": null,
        "last_used_at": "2027-01-15T09:00:00.000Z",
        "expires_at": null,
        "generated_at": "2027-01-15T08:00:00.000Z"
      },
      "isError": false
    }
    "#);
}

#[tokio::test]
async fn update_token_answers_with_the_record_as_it_is_now() {
    let app = TestApp::new().await;
    let agent = app.agent(["notes:read", "notes:write"]).await;
    let mut client = Client::of(&app, &local()).await;

    let arguments = json!({
        "id": agent.id.to_string(), "label": " Old laptop ", "scopes": ["notes:read"],
        "expires": "2027-02-01T00:00:00+02:00", "enabled": false,
    });
    let answer = client.call("update_token", arguments).await;

    insta::assert_json_snapshot!(Shown::default().answer(answer), @r#"
    {
      "content": [
        {
          "type": "text",
          "text": "[the same]"
        }
      ],
      "structuredContent": {
        "id": "[id 1]",
        "kind": "pat",
        "label": "Old laptop",
        "prefix": "kw_pat_[4 digits]",
        "scopes": [
          "notes:read"
        ],
        "state": "disabled",
        "owner": "user:[id 2]",
        "created_at": "2027-01-15T08:00:00.000Z",
        "created_by": "operator",
        "parent": null,
        "last_used_at": null,
        "expires_at": "2027-01-31T22:00:00.000Z",
        "generated_at": "2027-01-15T08:00:00.000Z"
      },
      "isError": false
    }
    "#);
}

#[tokio::test]
async fn rotate_token_answers_with_a_claim_and_the_record_as_it_still_is() {
    let app = TestApp::new().await;
    let agent = app.agent(["notes:read"]).await;
    let mut client = Client::of(&app, &local()).await;

    let arguments = json!({ "id": agent.id.to_string(), "overlap": "1h" });
    let answer = client.call("rotate_token", arguments).await;

    assert!(app.is_good(&agent.value).await);
    insta::assert_json_snapshot!(Shown::default().answer(answer), @r#"
    {
      "content": [
        {
          "type": "text",
          "text": "[the same]"
        }
      ],
      "structuredContent": {
        "id": "[id 1]",
        "kind": "pat",
        "label": "agent",
        "prefix": "kw_pat_[4 digits]",
        "scopes": [
          "notes:read"
        ],
        "state": "active",
        "owner": "user:[id 2]",
        "created_at": "2027-01-15T08:00:00.000Z",
        "created_by": "operator",
        "parent": null,
        "last_used_at": null,
        "expires_at": null,
        "generated_at": "2027-01-15T08:00:00.000Z",
        "claim": {
          "code": "[code]",
          "command": "/usr/bin/keywright --store /srv/store.db claim [code]",
          "expires_at": "2027-01-15T08:10:00.000Z"
        },
        "replayed": false
      },
      "isError": false
    }
    "#);
}

#[tokio::test]
async fn rotate_token_answers_with_the_value_where_it_is_to_be_inline() {
    let app = TestApp::new().await;
    let agent = app.agent(["notes:read"]).await;
    app.advance(Duration::minutes(1));
    let mut client = Client::of(&app, &local_with("write:tokens read:secrets")).await;

    let arguments = json!({ "id": agent.id.to_string(), "deliver": "inline" });
    let answer = client.call("rotate_token", arguments).await;

    assert!(!app.is_good(&agent.value).await);
    insta::assert_json_snapshot!(Shown::default().answer(answer), @r#"
    {
      "content": [
        {
          "type": "text",
          "text": "[the same]"
        }
      ],
      "structuredContent": {
        "id": "[id 1]",
        "kind": "pat",
        "label": "agent",
        "prefix": "kw_pat_[4 digits]",
        "scopes": [
          "notes:read"
        ],
        "state": "active",
        "owner": "user:[id 2]",
        "created_at": "2027-01-15T08:00:00.000Z",
        "created_by": "operator",
        "parent": null,
        "last_used_at": null,
        "expires_at": null,
        "generated_at": "2027-01-15T08:01:00.000Z",
        "token": "kw_pat_[49 digits]",
        "replayed": false
      },
      "isError": false
    }
    "#);
}

#[tokio::test]
async fn delete_token_answers_what_ended() {
    let app = TestApp::new().await;
    let agent = app.agent(["write:tokens"]).await;
    app.child(&agent, "").await;
    let mut client = Client::of(&app, &local()).await;
    let id = agent.id.to_string();

    let alone = client.call("delete_token", json!({ "id": id })).await;
    let again = client
        .done("delete_token", json!({ "id": id, "cascade": true }))
        .await;

    assert!(!app.is_good(&agent.value).await);
    assert_eq!(
        (&again["revoked_count"], &again["live_children"]),
        (&json!(1), &json!(0))
    );
    insta::assert_json_snapshot!(Shown::default().answer(alone), @r#"
    {
      "content": [
        {
          "type": "text",
          "text": "[the same]"
        }
      ],
      "structuredContent": {
        "id": "[id 1]",
        "revoked_at": "2027-01-15T08:00:00.000Z",
        "revoked_count": 1,
        "live_children": 1
      },
      "isError": false
    }
    "#);
}
