//! How each tool refuses: one text of one form, and nothing done.

mod changing;
mod creating;
mod finding;
mod revealing;

use std::fmt::Write as _;

use chrono::Duration;
use keywright::authz::Request;
use serde_json::{Value, json};

use crate::{
    mcp::client::Client,
    support::{TestApp, bearer, local, mistyped, operator},
};

/// Each tool with arguments that it could use.
fn usable(id: &str) -> [(&'static str, Value); 11] {
    [
        ("create_token", json!({ "label": "Zapier" })),
        ("list_tokens", json!({})),
        ("get_token", json!({ "id": id })),
        ("update_token", json!({ "id": id, "label": "Zapier" })),
        ("rotate_token", json!({ "id": id })),
        ("delete_token", json!({ "id": id })),
        ("reveal_user_token", json!({})),
        ("reveal_app_env_token", json!({ "env_name": "production" })),
        ("list_app_envs", json!({})),
        ("whoami", json!({})),
        ("list_audit_records", json!({})),
    ]
}

/// What is kept of tokens, to see that nothing was done.
fn kept(app: &TestApp) -> [u64; 4] {
    ["tokens", "token_values", "claims", "idempotency_keys"].map(|table| app.rows(table))
}

/// What `tool` says to each of these, a line each: `arguments: refusal`.
async fn said(app: &TestApp, who: &Request, tool: &str, tries: &[Value]) -> String {
    let before = kept(app);
    let mut client = Client::of(app, who).await;
    let mut said = String::new();
    for arguments in tries {
        let text = client.refused(tool, arguments.clone()).await;
        writeln!(said, "{}\n  {text}", short(arguments)).unwrap();
    }
    assert_eq!(kept(app), before);
    said
}

/// Arguments that fit a line, with what cannot be seen written out.
fn short(arguments: &Value) -> String {
    let text: String = arguments
        .to_string()
        .chars()
        .map(|c| {
            if c.is_ascii_graphic() || c == ' ' {
                c.to_string()
            } else {
                c.escape_unicode().to_string()
            }
        })
        .collect();
    if text.len() > 90 {
        format!("{}... ({} bytes)", &text[..40], text.len())
    } else {
        text
    }
}

#[tokio::test]
async fn nobody_is_told_the_same_by_every_tool() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let over = app.agent_until(Duration::minutes(1), ["read:tokens"]).await;
    let ended = app.agent(["read:tokens"]).await;
    app.revoke(ended.id).await;
    let off = app.agent(["read:tokens"]).await;
    app.disable(&operator(), off.id).await;
    app.advance(Duration::hours(1));
    let mistyped = mistyped(&agent.value);
    let elsewhere = TestApp::new().await.agent(["read:tokens"]).await;
    let before = kept(&app);

    let mut texts = Vec::new();
    for value in [
        "",
        "hunter2",
        &mistyped,
        &over.value,
        &ended.value,
        &off.value,
        &elsewhere.value,
    ] {
        let mut client = Client::of(&app, &bearer(value)).await;
        for (tool, arguments) in usable(&agent.id.to_string()) {
            texts.push(client.refused(tool, arguments).await);
            // Who asks comes before what is asked.
            texts.push(client.refused(tool, json!({ "unknown": 1 })).await);
        }
    }

    texts.dedup();
    assert_eq!(kept(&app), before);
    insta::assert_snapshot!(texts.join("\n"), @r#"unauthenticated: no valid token was presented. You can: tell the person; the next call is looked up anew. Only the person can: give it a token that is good: in the client's configuration, or over HTTP as the bearer; for a local session, see to it that the user is active and in the account."#);
}

#[tokio::test]
async fn too_small_a_scope_is_told_with_what_is_missing() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let before = kept(&app);
    let mut client = Client::of(&app, &agent.asks()).await;

    let mut said = String::new();
    for (tool, arguments) in usable(&agent.id.to_string()) {
        if tool != "whoami" {
            let text = client.refused(tool, arguments).await;
            writeln!(said, "{tool}\n  {text}").unwrap();
        }
    }

    assert_eq!(kept(&app), before);
    insta::assert_snapshot!(said, @r#"
    create_token
      insufficient_scope: this needs the scope `write:tokens`. You can: call `whoami` to see what this session may do. Only the person can: grant `write:tokens`: by a token that carries it, or by `--scopes` in the client's configuration.
    list_tokens
      insufficient_scope: this needs the scope `read:tokens`. You can: call `whoami` to see what this session may do. Only the person can: grant `read:tokens`: by a token that carries it, or by `--scopes` in the client's configuration.
    get_token
      insufficient_scope: this needs the scope `read:tokens`. You can: call `whoami` to see what this session may do. Only the person can: grant `read:tokens`: by a token that carries it, or by `--scopes` in the client's configuration.
    update_token
      insufficient_scope: this needs the scope `write:tokens`. You can: call `whoami` to see what this session may do. Only the person can: grant `write:tokens`: by a token that carries it, or by `--scopes` in the client's configuration.
    rotate_token
      insufficient_scope: this needs the scope `write:tokens`. You can: call `whoami` to see what this session may do. Only the person can: grant `write:tokens`: by a token that carries it, or by `--scopes` in the client's configuration.
    delete_token
      insufficient_scope: this needs the scope `delete:tokens`. You can: call `whoami` to see what this session may do. Only the person can: grant `delete:tokens`: by a token that carries it, or by `--scopes` in the client's configuration.
    reveal_user_token
      insufficient_scope: this needs the scope `read:secrets`. You can: go on without the value; `deliver: "claim"`, the default, sends a new one to the person and not through you. Only the person can: grant `read:secrets`: by a token that carries it, or by `--scopes` in the client's configuration.
    reveal_app_env_token
      insufficient_scope: this needs the scope `read:secrets`. You can: go on without the value; `deliver: "claim"`, the default, sends a new one to the person and not through you. Only the person can: grant `read:secrets`: by a token that carries it, or by `--scopes` in the client's configuration.
    list_app_envs
      insufficient_scope: this needs the scope `read:envs`. You can: call `whoami` to see what this session may do. Only the person can: grant `read:envs`: by a token that carries it, or by `--scopes` in the client's configuration.
    list_audit_records
      insufficient_scope: this needs the scope `read:audit`. You can: call `whoami` to see what this session may do. Only the person can: grant `read:audit`: by a token that carries it, or by `--scopes` in the client's configuration.
    "#);
}

#[tokio::test]
async fn a_value_is_not_given_without_read_secrets() {
    let app = TestApp::new().await;
    let agent = app.agent(["write:tokens"]).await;
    let inline = json!({ "label": "Zapier", "deliver": "inline" });
    let created = said(&app, &agent.asks(), "create_token", &[inline]).await;
    let inline = json!({ "id": agent.id.to_string(), "deliver": "inline" });
    let mut client = Client::of(&app, &agent.asks()).await;
    let rotated = client.refused("rotate_token", inline).await;

    assert!(app.is_good(&agent.value).await);
    insta::assert_snapshot!(format!("{created}{rotated}"), @r#"
    {"label":"Zapier","deliver":"inline"}
      insufficient_scope: this needs the scope `read:secrets`. You can: go on without the value; `deliver: "claim"`, the default, sends a new one to the person and not through you. Only the person can: grant `read:secrets`: by a token that carries it, or by `--scopes` in the client's configuration.
    insufficient_scope: this needs the scope `read:secrets`. You can: go on without the value; `deliver: "claim"`, the default, sends a new one to the person and not through you. Only the person can: grant `read:secrets`: by a token that carries it, or by `--scopes` in the client's configuration.
    "#);
}

#[tokio::test]
async fn whoami_takes_no_arguments() {
    let app = TestApp::new().await;

    insta::assert_snapshot!(said(&app, &local(), "whoami", &[json!({ "id": "x" })]).await, @r#"
    {"id":"x"}
      invalid_argument: `arguments` cannot be used: this tool takes none. You can: call again with that argument put right.
    "#);
}
