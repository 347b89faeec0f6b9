//! How the lists refuse, and what is told of an id that leads nowhere.

use keywright::domain::account::Role;
use serde_json::json;

use super::{said, usable};
use crate::{
    mcp::client::Client,
    support::{EVERYTHING, TestApp, env_named, local, local_with},
};

#[tokio::test]
async fn list_tokens_refuses_what_it_cannot_use() {
    let app = TestApp::new().await;
    let tries = [
        json!({ "limit": 0 }),
        json!({ "limit": 201 }),
        json!({ "limit": -1 }),
        json!({ "limit": 1.5 }),
        json!({ "limit": "5" }),
        json!({ "limit": u64::MAX }),
        json!({ "state": "dead" }),
        json!({ "owner": "bob" }),
        json!({ "unused_for": "long" }),
        json!({ "expiring_within": "-7d" }),
        json!({ "cursor": "garbage" }),
        json!({ "cursor": "0".repeat(48) }),
        json!({ "owner": "account" }),
    ];

    insta::assert_snapshot!(said(&app, &local(), "list_tokens", &tries).await, @r#"
    {"limit":0}
      invalid_argument: `limit` cannot be used: expected a whole number from 1 to 200. You can: call again with that argument put right.
    {"limit":201}
      invalid_argument: `limit` cannot be used: expected a whole number from 1 to 200. You can: call again with that argument put right.
    {"limit":-1}
      invalid_argument: `limit` cannot be used: expected a whole number from 1 to 200. You can: call again with that argument put right.
    {"limit":1.5}
      invalid_argument: `limit` cannot be used: expected a whole number. You can: call again with that argument put right.
    {"limit":"5"}
      invalid_argument: `limit` cannot be used: expected a whole number. You can: call again with that argument put right.
    {"limit":18446744073709551615}
      invalid_argument: `limit` cannot be used: expected a whole number. You can: call again with that argument put right.
    {"state":"dead"}
      invalid_argument: `state` cannot be used: expected one of `unclaimed`, `active`, `disabled`, `expired`, `revoked`, `all`. You can: call again with that argument put right.
    {"owner":"bob"}
      invalid_argument: `owner` cannot be used: expected one of `me`, `account`. You can: call again with that argument put right.
    {"unused_for":"long"}
      invalid_argument: `unused_for` cannot be used: expected a duration such as `30s`, `15m`, `12h` or `90d`. You can: call again with that argument put right.
    {"expiring_within":"-7d"}
      invalid_argument: `expiring_within` cannot be used: expected a duration such as `30s`, `15m`, `12h` or `90d`. You can: call again with that argument put right.
    {"cursor":"garbage"}
      invalid_argument: `cursor` cannot be used: it is not a `next_cursor` of this list. You can: call again with that argument put right.
    {"cursor":"000000000000000000000000000000000000000000000000"}
      invalid_argument: `cursor` cannot be used: it is not a `next_cursor` of this list. You can: call again with that argument put right.
    {"owner":"account"}
      insufficient_scope: this needs the scope `manage:account`. You can: call `whoami` to see what this session may do. Only the person can: grant `manage:account`: by a token that carries it, or by `--scopes` in the client's configuration.
    "#);
}

#[tokio::test]
async fn a_cursor_serves_nobody_else_and_no_other_list() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", ["read:tokens"]).await;
    let mut client = Client::of(&app, &local()).await;
    for label in ["one", "two"] {
        client.done("create_token", json!({ "label": label })).await;
    }
    let page = client.done("list_tokens", json!({ "limit": 1 })).await;
    let cursor = page["next_cursor"].as_str().unwrap();

    let other = json!({ "cursor": cursor, "query": "o" });
    let other = client.refused("list_tokens", other).await;
    let mut client = Client::of(&app, &bob.asks()).await;
    let bobs = client
        .refused("list_tokens", json!({ "cursor": cursor }))
        .await;

    assert_eq!(other, bobs);
    insta::assert_snapshot!(bobs, @r#"invalid_argument: `cursor` cannot be used: it is not a `next_cursor` of this list. You can: call again with that argument put right."#);
}

#[tokio::test]
async fn what_is_another_s_is_told_like_what_is_not_there() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bobs = app.agent_of("bob", []).await;
    let stranger = app.stranger().await;
    let env = app.app_env("production").await;
    app.set_cli_token(env_named("production"), "").await;
    let nothing = "0198c1c0-0000-7000-8000-000000000000";
    let ann = local_with("read:tokens write:tokens delete:tokens read:secrets");
    let mut client = Client::of(&app, &ann).await;

    let mut said = Vec::new();
    for id in [nothing, &bobs.id.to_string(), &stranger.id.to_string()] {
        for (tool, arguments) in &usable(id)[2..6] {
            said.push(client.refused(tool, arguments.clone()).await);
        }
    }
    let mut client = Client::of(&app, &stranger.asks()).await;
    for arguments in [
        json!({ "app_env_id": nothing }),
        json!({ "app_env_id": env.id.to_string() }),
        json!({ "env_name": "production" }),
    ] {
        said.push(client.refused("reveal_app_env_token", arguments).await);
    }

    said.dedup();
    insta::assert_snapshot!(said.join("\n"), @r#"
    not_found: there is no such token here. You can: call `list_tokens` to see the tokens there are.
    not_found: there is no such app environment here. You can: call `list_app_envs` to see those there are.
    "#);
}

#[tokio::test]
async fn an_id_that_is_none_is_not_looked_up() {
    let app = TestApp::new().await;
    let other_spelling = "0198C1C0000070008000000000000000";
    let tries = ["", "5", "not-an-id", other_spelling].map(|id| json!({ "id": id }));

    let mut said_by_all = Vec::new();
    for tool in ["get_token", "update_token", "rotate_token", "delete_token"] {
        said_by_all.push(said(&app, &local(), tool, &tries).await);
    }

    said_by_all.dedup();
    insta::assert_snapshot!(said_by_all.join("\n"), @r#"
    {"id":""}
      invalid_argument: `id` cannot be used: expected an id: a UUID such as `019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001`. You can: call again with that argument put right.
    {"id":"5"}
      invalid_argument: `id` cannot be used: expected an id: a UUID such as `019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001`. You can: call again with that argument put right.
    {"id":"not-an-id"}
      invalid_argument: `id` cannot be used: expected an id: a UUID such as `019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001`. You can: call again with that argument put right.
    {"id":"0198C1C0000070008000000000000000"}
      invalid_argument: `id` cannot be used: expected an id: a UUID such as `019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001`. You can: call again with that argument put right.
    "#);
}

#[tokio::test]
async fn tools_that_need_an_id_say_so() {
    let app = TestApp::new().await;
    let mut texts = Vec::new();

    for tool in ["get_token", "update_token", "rotate_token", "delete_token"] {
        let tries = [
            json!({}),
            json!({ "id": null }),
            json!({ "id": 5 }),
            json!({ "token": "x" }),
        ];
        texts.push(said(&app, &local(), tool, &tries).await);
    }

    texts.dedup();
    insta::assert_snapshot!(texts.join("\n"), @r#"
    {}
      invalid_argument: `id` cannot be used: it is missing, and this tool needs it. You can: call again with that argument put right.
    {"id":null}
      invalid_argument: `id` cannot be used: it is missing, and this tool needs it. You can: call again with that argument put right.
    {"id":5}
      invalid_argument: `id` cannot be used: expected a string. You can: call again with that argument put right.
    {"token":"x"}
      invalid_argument: `id` cannot be used: it is missing, and this tool needs it. You can: call again with that argument put right.
    "#);
}

#[tokio::test]
async fn list_app_envs_and_list_audit_records_refuse_what_they_cannot_use() {
    let app = TestApp::new().await;
    let who = local_with(EVERYTHING);
    let tries = [
        json!({ "limit": 0 }),
        json!({ "cursor": "garbage" }),
        json!({ "name": "x" }),
    ];
    let envs = said(&app, &who, "list_app_envs", &tries).await;
    let tries = [
        json!({ "limit": 0 }),
        json!({ "cursor": "garbage" }),
        json!({ "since": "yesterday" }),
        json!({ "token_id": "5" }),
        json!({ "action": 5 }),
        json!({ "system": true }),
    ];
    let records = said(&app, &who, "list_audit_records", &tries).await;

    insta::assert_snapshot!(envs + &records, @r#"
    {"limit":0}
      invalid_argument: `limit` cannot be used: expected a whole number from 1 to 200. You can: call again with that argument put right.
    {"cursor":"garbage"}
      invalid_argument: `cursor` cannot be used: it is not a `next_cursor` of this list. You can: call again with that argument put right.
    {"name":"x"}
      invalid_argument: `arguments` cannot be used: one is unknown; this tool takes `limit`, `cursor`. You can: call again with that argument put right.
    {"limit":0}
      invalid_argument: `limit` cannot be used: expected a whole number from 1 to 200. You can: call again with that argument put right.
    {"cursor":"garbage"}
      invalid_argument: `cursor` cannot be used: it is not a `next_cursor` of this list. You can: call again with that argument put right.
    {"since":"yesterday"}
      invalid_argument: `since` cannot be used: expected a time such as `2027-01-01T00:00:00Z`, or how long ago, such as `24h`. You can: call again with that argument put right.
    {"token_id":"5"}
      invalid_argument: `token_id` cannot be used: expected an id: a UUID such as `019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001`. You can: call again with that argument put right.
    {"action":5}
      invalid_argument: `action` cannot be used: expected a string. You can: call again with that argument put right.
    {"system":true}
      invalid_argument: `arguments` cannot be used: one is unknown; this tool takes `since`, `action`, `token_id`, `limit`, `cursor`. You can: call again with that argument put right.
    "#);
}
