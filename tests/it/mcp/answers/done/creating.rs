//! What `create_token` answers.

use serde_json::json;

use crate::{
    mcp::{client::Client, shown::Shown},
    support::{TestApp, local, local_with},
};

#[tokio::test]
async fn create_token_answers_with_a_claim() {
    let app = TestApp::new().await;
    let mut client = Client::of(&app, &local()).await;

    let arguments = json!({ "label": "Zapier", "scopes": ["notes:read"], "expires": "30d" });
    let answer = client.call("create_token", arguments).await;

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
        "label": "Zapier",
        "prefix": null,
        "scopes": [
          "notes:read"
        ],
        "state": "unclaimed",
        "owner": "user:[id 2]",
        "created_at": "2027-01-15T08:00:00.000Z",
        "created_by": "local:[id 2]",
        "parent": null,
        "last_used_at": null,
        "expires_at": "2027-02-14T08:00:00.000Z",
        "generated_at": null,
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
async fn create_token_answers_with_the_value_where_it_is_to_be_inline() {
    let app = TestApp::new().await;
    let agent = app.agent(["write:tokens", "read:secrets"]).await;
    let mut client = Client::of(&app, &agent.asks()).await;

    let arguments = json!({ "label": "Zapier", "deliver": "inline" });
    let answer = client.call("create_token", arguments).await;

    let value = answer["structuredContent"]["token"].as_str().unwrap();
    assert!(app.is_good(value).await);
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
        "label": "Zapier",
        "prefix": "kw_pat_[4 digits]",
        "scopes": [],
        "state": "active",
        "owner": "user:[id 2]",
        "created_at": "2027-01-15T08:00:00.000Z",
        "created_by": "token:[id 3]",
        "parent": "[id 3]",
        "last_used_at": null,
        "expires_at": "2027-04-15T08:00:00.000Z",
        "generated_at": "2027-01-15T08:00:00.000Z",
        "token": "kw_pat_[49 digits]",
        "replayed": false
      },
      "isError": false
    }
    "#);
}

#[tokio::test]
async fn create_token_answers_a_retry_without_a_second_value() {
    let app = TestApp::new().await;
    let who = local_with("write:tokens read:secrets");
    let mut client = Client::of(&app, &who).await;
    let arguments = json!({ "label": "Zapier", "deliver": "inline", "idempotency_key": "once" });

    let first = client.done("create_token", arguments.clone()).await;
    let second = client.done("create_token", arguments).await;

    assert_eq!(first["id"], second["id"]);
    assert_eq!(second.get("token"), None, "{second}");
    assert_eq!(
        (&first["replayed"], &second["replayed"]),
        (&json!(false), &json!(true))
    );
}
