//! What a reveal answers.

use keywright::authority::For;
use serde_json::json;

use crate::{
    mcp::{client::Client, shown::Shown},
    support::{TestApp, env_named, local_with},
};

#[tokio::test]
async fn reveal_user_token_answers_with_the_value() {
    let app = TestApp::new().await;
    app.set_cli_token(For::Me, "").await;
    let agent = app.agent(["read:secrets"]).await;
    let mut client = Client::of(&app, &agent.asks()).await;

    let answer = client.call("reveal_user_token", json!({})).await;

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
        "token": "kw_cli_[49 digits]",
        "username": "ann",
        "email": null,
        "generated_at": "2027-01-15T08:00:00.000Z"
      },
      "isError": false
    }
    "#);
}

#[tokio::test]
async fn reveal_app_env_token_answers_with_the_value_and_the_id_wins() {
    let app = TestApp::new().await;
    let env = app.app_env("production").await;
    app.app_env("staging").await;
    app.set_cli_token(env_named("production"), "").await;
    let mut client = Client::of(&app, &local_with("read:secrets")).await;

    let arguments = json!({ "app_env_id": env.id.to_string(), "env_name": "staging" });
    let answer = client.call("reveal_app_env_token", arguments).await;
    let by_name = client
        .done("reveal_app_env_token", json!({ "env_name": "production" }))
        .await;

    assert_eq!(by_name, answer["structuredContent"]);
    insta::assert_json_snapshot!(Shown::default().answer(answer), @r#"
    {
      "content": [
        {
          "type": "text",
          "text": "[the same]"
        }
      ],
      "structuredContent": {
        "token": "kw_cli_[49 digits]",
        "app_env_id": "[id 1]",
        "cli_env_name": "production",
        "name": "production",
        "generated_at": "2027-01-15T08:00:00.000Z"
      },
      "isError": false
    }
    "#);
}
