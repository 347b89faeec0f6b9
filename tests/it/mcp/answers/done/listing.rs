//! What the lists answer.

use keywright::domain::account::Role;
use serde_json::{Value, json};

use crate::{
    mcp::{client::Client, shown::Shown},
    support::{TestApp, local, local_with},
};

#[tokio::test]
async fn list_tokens_answers_with_pages() {
    let app = TestApp::new().await;
    let mut client = Client::of(&app, &local()).await;
    for label in ["one", "two", "three"] {
        client.done("create_token", json!({ "label": label })).await;
    }

    let first = client.call("list_tokens", json!({ "limit": 2 })).await;
    let cursor = &first["structuredContent"]["next_cursor"];
    let arguments = json!({ "limit": 2, "cursor": cursor });
    let second = client.call("list_tokens", arguments).await;

    let mut shown = Shown::default();
    let labels = labels(&first["structuredContent"]);
    assert_eq!(labels, ["three", "two"]);
    assert!(shown.answer(first)["structuredContent"]["next_cursor"] == "[cursor]");
    insta::assert_json_snapshot!(Shown::default().answer(second), @r#"
    {
      "content": [
        {
          "type": "text",
          "text": "[the same]"
        }
      ],
      "structuredContent": {
        "tokens": [
          {
            "id": "[id 1]",
            "kind": "pat",
            "label": "one",
            "prefix": null,
            "scopes": [],
            "state": "unclaimed",
            "owner": "user:[id 2]",
            "created_at": "2027-01-15T08:00:00.000Z",
            "created_by": "local:[id 2]",
            "parent": null,
            "last_used_at": null,
            "expires_at": "2027-04-15T08:00:00.000Z",
            "generated_at": null
          }
        ],
        "next_cursor": null
      },
      "isError": false
    }
    "#);
}

#[tokio::test]
async fn list_tokens_finds_what_is_asked_for() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    app.agent_of("bob", []).await;
    let mut client = Client::of(&app, &local_with("read:tokens write:tokens manage:account")).await;
    for (label, expires) in [("Night job", "1d"), ("Editor", "never")] {
        let arguments = json!({ "label": label, "expires": expires });
        client.done("create_token", arguments).await;
    }

    let mut found = Vec::new();
    for arguments in [
        json!({ "query": "NIGHT" }),
        json!({ "expiring_within": "7d" }),
        json!({ "unused_for": "30d" }),
        json!({ "state": "unclaimed" }),
        json!({ "state": "active", "owner": "me" }),
        json!({ "state": "active", "owner": "account" }),
        json!({ "state": "all", "owner": "account" }),
    ] {
        let listed = client.done("list_tokens", arguments.clone()).await;
        found.push(format!("{arguments} {:?}", labels(&listed)));
    }

    insta::assert_snapshot!(found.join("\n"), @r#"
    {"query":"NIGHT"} ["Night job"]
    {"expiring_within":"7d"} ["Night job"]
    {"unused_for":"30d"} []
    {"state":"unclaimed"} ["Editor", "Night job"]
    {"state":"active","owner":"me"} []
    {"state":"active","owner":"account"} ["agent"]
    {"state":"all","owner":"account"} ["Editor", "Night job", "agent"]
    "#);
}

#[tokio::test]
async fn list_app_envs_answers_with_the_accounts() {
    let app = TestApp::new().await;
    app.app_env("production").await;
    let mut client = Client::of(&app, &local()).await;

    let answer = client.call("list_app_envs", json!({})).await;

    insta::assert_json_snapshot!(Shown::default().answer(answer), @r#"
    {
      "content": [
        {
          "type": "text",
          "text": "[the same]"
        }
      ],
      "structuredContent": {
        "app_envs": [
          {
            "id": "[id 1]",
            "account": "[id 2]",
            "name": "production",
            "cli_env_name": "production",
            "created_at": "2027-01-15T08:00:00.000Z"
          }
        ],
        "next_cursor": null
      },
      "isError": false
    }
    "#);
}

#[tokio::test]
async fn list_audit_records_answers_with_the_entries() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:audit"]).await;
    let mut client = Client::of(&app, &agent.asks()).await;

    client.refused("list_tokens", json!({})).await;
    let arguments = json!({ "since": "24h", "action": "list_tokens" });
    let answer = client.call("list_audit_records", arguments).await;

    insta::assert_json_snapshot!(Shown::default().answer(answer), @r#"
    {
      "content": [
        {
          "type": "text",
          "text": "[the same]"
        }
      ],
      "structuredContent": {
        "records": [
          {
            "sequence": 3,
            "at": "2027-01-15T08:00:00.000Z",
            "actor": "token:[id 1]",
            "user": "[id 2]",
            "through": "mcp",
            "request": "[id 3]",
            "action": "list_tokens",
            "target": null,
            "outcome": "refused",
            "reason": "this needs the scope `read:tokens`",
            "count": 1,
            "hash": "[hash]"
          }
        ],
        "next_cursor": null
      },
      "isError": false
    }
    "#);
}

#[tokio::test]
async fn list_audit_records_finds_deletions_by_the_tools_name() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:audit", "delete:tokens"]).await;
    let other = app.agent([]).await;
    let mut client = Client::of(&app, &agent.asks()).await;
    let deleted = json!({ "id": other.id.to_string() });
    client.done("delete_token", deleted).await;

    for action in ["delete_token", "revoke_token"] {
        let arguments = json!({ "action": action });
        let listed = client.done("list_audit_records", arguments).await;

        let records = listed["records"].as_array().unwrap();
        assert_eq!(records.len(), 1, "{action}");
        assert_eq!(records[0]["target"], format!("token:{}", other.id));
        assert_eq!(records[0]["reason"], "without asking a person");
    }
}

fn labels(listed: &Value) -> Vec<&str> {
    let tokens = listed["tokens"].as_array().unwrap().iter();
    tokens
        .map(|token| token["label"].as_str().unwrap())
        .collect()
}
