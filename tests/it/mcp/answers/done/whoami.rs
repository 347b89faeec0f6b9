//! What `whoami` answers, and which tools it says one may call.

use chrono::Duration;
use keywright::domain::account::Role;
use serde_json::{Value, json};

use crate::{
    mcp::{client::Client, shown::Shown},
    support::{TestApp, local},
};

#[tokio::test]
async fn whoami_answers_for_a_token() {
    let app = TestApp::new().await;
    let agent = app
        .agent_until(Duration::days(7), ["read:tokens", "read:secrets"])
        .await;
    app.set_role("ann", Role::Member).await;
    let mut client = Client::of(&app, &agent.asks()).await;

    let answer = client.call("whoami", json!({})).await;

    let mut shown = Shown::default().answer(answer);
    let tools = outlook(&shown["structuredContent"]["tools"].take());
    insta::assert_json_snapshot!(shown, @r#"
    {
      "content": [
        {
          "type": "text",
          "text": "[the same]"
        },
        {
          "type": "text",
          "text": "warning: the token that this session presents ends at 2027-01-22T08:00:00.000Z. You can: finish what you are at, and tell the person now. Only the person can: give it a new end when they rotate it themselves, or give this server another token, in its entry of the client's configuration."
        }
      ],
      "structuredContent": {
        "user": {
          "id": "[id 1]",
          "username": "ann",
          "email": null,
          "active": true,
          "created_at": "2027-01-15T08:00:00.000Z"
        },
        "account": {
          "id": "[id 2]",
          "slug": "default",
          "name": "Default",
          "created_at": "2027-01-15T08:00:00.000Z"
        },
        "role": "member",
        "current_token": {
          "id": "[id 3]",
          "kind": "pat",
          "label": "agent",
          "prefix": "kw_pat_[4 digits]",
          "scopes": [
            "read:secrets",
            "read:tokens"
          ],
          "state": "active",
          "owner": "user:[id 1]",
          "created_at": "2027-01-15T08:00:00.000Z",
          "created_by": "operator",
          "parent": null,
          "last_used_at": "2027-01-15T08:00:00.000Z",
          "expires_at": "2027-01-22T08:00:00.000Z",
          "generated_at": "2027-01-15T08:00:00.000Z"
        },
        "current_value": {
          "generation": 1,
          "is_newest": true,
          "ends_at": null
        },
        "scopes": [
          "read:secrets",
          "read:tokens"
        ],
        "any_service_scope": false,
        "expires_at": "2027-01-22T08:00:00.000Z",
        "tools": null
      },
      "isError": false
    }
    "#);
    insta::assert_snapshot!(tools, @r#"
    create_token: this needs the scope `write:tokens`
    list_tokens: allowed
    get_token: allowed
    update_token: this needs the scope `write:tokens`
    rotate_token: this needs the scope `write:tokens`
    delete_token: this needs the scope `delete:tokens`
    reveal_user_token: allowed
    reveal_app_env_token: this needs the role `admin` in the account
    list_app_envs: this needs the scope `read:envs`
    whoami: allowed
    list_audit_records: this needs the scope `read:audit`
    "#);
}

#[tokio::test]
async fn whoami_answers_for_a_local_session() {
    let app = TestApp::new().await;
    let mut client = Client::of(&app, &local()).await;

    let answer = client.done("whoami", json!({})).await;

    let (token, role) = (&answer["current_token"], &answer["role"]);
    assert_eq!((token, role), (&Value::Null, &json!("admin")));
    assert_eq!(answer["any_service_scope"], true);
    insta::assert_snapshot!(outlook(&answer["tools"]), @r#"
    create_token: allowed
    list_tokens: allowed
    get_token: allowed
    update_token: allowed
    rotate_token: allowed
    delete_token: allowed
    reveal_user_token: this needs the scope `read:secrets`
    reveal_app_env_token: this needs the scope `read:secrets`
    list_app_envs: allowed
    whoami: allowed
    list_audit_records: this needs the scope `read:audit`
    "#);
}

/// Each tool, and what is missing.
fn outlook(tools: &Value) -> String {
    let lines = tools.as_array().unwrap().iter().map(|tool| {
        let missing = tool["missing"].as_str();
        assert_eq!(tool["allowed"], missing.is_none());
        let name = tool["tool"].as_str().unwrap();
        format!("{name}: {}", missing.unwrap_or("allowed"))
    });
    lines.collect::<Vec<_>>().join("\n")
}
