//! How each tool refuses: one text of one form, and nothing done.

use std::fmt::Write as _;

use chrono::Duration;
use keywright::{authority::For, authz::Request, domain::account::Role};
use serde_json::{Value, json};

use crate::{
    mcp::client::Client,
    support::{Agent, EVERYTHING, TestApp, bearer, env_named, local, local_with, operator},
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
    let mistyped = format!("{}x", &agent.value[..agent.value.len() - 1]);
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
    insta::assert_snapshot!(texts.join("\n"), @r#"unauthenticated: no valid token was presented. You can: tell the person; this session goes on, and its next call is looked up anew. Only the person can: give this session a token that is good, in this server's entry of the client's configuration; for a local session, see to it that the user is active and in the account."#);
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
      insufficient_scope: this needs the scope `write:tokens`. You can: call `whoami` to see what this session may do. Only the person can: grant `write:tokens`: by a token that carries it, or by this server's `--scopes`, in its entry of the client's configuration.
    list_tokens
      insufficient_scope: this needs the scope `read:tokens`. You can: call `whoami` to see what this session may do. Only the person can: grant `read:tokens`: by a token that carries it, or by this server's `--scopes`, in its entry of the client's configuration.
    get_token
      insufficient_scope: this needs the scope `read:tokens`. You can: call `whoami` to see what this session may do. Only the person can: grant `read:tokens`: by a token that carries it, or by this server's `--scopes`, in its entry of the client's configuration.
    update_token
      insufficient_scope: this needs the scope `write:tokens`. You can: call `whoami` to see what this session may do. Only the person can: grant `write:tokens`: by a token that carries it, or by this server's `--scopes`, in its entry of the client's configuration.
    rotate_token
      insufficient_scope: this needs the scope `write:tokens`. You can: call `whoami` to see what this session may do. Only the person can: grant `write:tokens`: by a token that carries it, or by this server's `--scopes`, in its entry of the client's configuration.
    delete_token
      insufficient_scope: this needs the scope `delete:tokens`. You can: call `whoami` to see what this session may do. Only the person can: grant `delete:tokens`: by a token that carries it, or by this server's `--scopes`, in its entry of the client's configuration.
    reveal_user_token
      insufficient_scope: this needs the scope `read:secrets`. You can: go on without the value; `deliver: "claim"`, the default, sends a new one to the person and not through you. Only the person can: grant `read:secrets`: by a token that carries it, or by this server's `--scopes`, in its entry of the client's configuration.
    reveal_app_env_token
      insufficient_scope: this needs the scope `read:secrets`. You can: go on without the value; `deliver: "claim"`, the default, sends a new one to the person and not through you. Only the person can: grant `read:secrets`: by a token that carries it, or by this server's `--scopes`, in its entry of the client's configuration.
    list_app_envs
      insufficient_scope: this needs the scope `read:envs`. You can: call `whoami` to see what this session may do. Only the person can: grant `read:envs`: by a token that carries it, or by this server's `--scopes`, in its entry of the client's configuration.
    list_audit_records
      insufficient_scope: this needs the scope `read:audit`. You can: call `whoami` to see what this session may do. Only the person can: grant `read:audit`: by a token that carries it, or by this server's `--scopes`, in its entry of the client's configuration.
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
      insufficient_scope: this needs the scope `read:secrets`. You can: go on without the value; `deliver: "claim"`, the default, sends a new one to the person and not through you. Only the person can: grant `read:secrets`: by a token that carries it, or by this server's `--scopes`, in its entry of the client's configuration.
    insufficient_scope: this needs the scope `read:secrets`. You can: go on without the value; `deliver: "claim"`, the default, sends a new one to the person and not through you. Only the person can: grant `read:secrets`: by a token that carries it, or by this server's `--scopes`, in its entry of the client's configuration.
    "#);
}

#[tokio::test]
async fn create_token_refuses_labels_that_are_none() {
    let app = TestApp::new().await;
    let labels = [
        "x".repeat(201),
        String::new(),
        "   ".into(),
        "a\u{1b}[31mb".into(),
        "a\u{202e}b".into(),
        "a\u{200b}b".into(),
        "a\nb".into(),
    ];
    let tries = labels.map(|label| json!({ "label": label }));

    insta::assert_snapshot!(said(&app, &local(), "create_token", &tries).await, @r#"
    {"label":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... (213 bytes)
      invalid_argument: `label` cannot be used: it is longer than 200 characters. You can: call again with that argument put right.
    {"label":""}
      invalid_argument: `label` cannot be used: it is empty. You can: call again with that argument put right.
    {"label":"   "}
      invalid_argument: `label` cannot be used: it is empty. You can: call again with that argument put right.
    {"label":"a\u001b[31mb"}
      invalid_argument: `label` cannot be used: it contains U+001B, which cannot be seen. You can: call again with that argument put right.
    {"label":"a\u{202e}b"}
      invalid_argument: `label` cannot be used: it contains U+202E, which cannot be seen. You can: call again with that argument put right.
    {"label":"a\u{200b}b"}
      invalid_argument: `label` cannot be used: it contains U+200B, which cannot be seen. You can: call again with that argument put right.
    {"label":"a\nb"}
      invalid_argument: `label` cannot be used: it contains U+000A, which cannot be seen. You can: call again with that argument put right.
    "#);
}

#[tokio::test]
async fn create_token_refuses_scopes_that_are_none() {
    let app = TestApp::new().await;
    let many: Vec<_> = (0..65).map(|number| format!("read:n{number}")).collect();
    let tries: Vec<_> = [
        json!(["READ:SECRETS"]),
        json!(["read:*"]),
        json!(["*"]),
        json!(["read:tokens "]),
        json!(["read:tokens write:tokens"]),
        json!(["steal:tokens"]),
        json!([format!("read:{}", "n".repeat(60))]),
        json!([""]),
        json!(many),
        json!("read:tokens"),
        json!([1]),
    ]
    .map(|scopes| json!({ "label": "Zapier", "scopes": scopes }))
    .into();

    insta::assert_snapshot!(said(&app, &local(), "create_token", &tries).await, @r#"
    {"label":"Zapier","scopes":["READ:SECRETS"]}
      invalid_argument: `scopes` cannot be used: a scope is `verb:noun` in lower-case letters, digits, `.`, `_` and `-`, without wildcards or spaces. You can: call again with that argument put right.
    {"label":"Zapier","scopes":["read:*"]}
      invalid_argument: `scopes` cannot be used: a scope is `verb:noun` in lower-case letters, digits, `.`, `_` and `-`, without wildcards or spaces. You can: call again with that argument put right.
    {"label":"Zapier","scopes":["*"]}
      invalid_argument: `scopes` cannot be used: a scope is `verb:noun` in lower-case letters, digits, `.`, `_` and `-`, without wildcards or spaces. You can: call again with that argument put right.
    {"label":"Zapier","scopes":["read:tokens "]}
      invalid_argument: `scopes` cannot be used: a scope is `verb:noun` in lower-case letters, digits, `.`, `_` and `-`, without wildcards or spaces. You can: call again with that argument put right.
    {"label":"Zapier","scopes":["read:tokens write:tokens"]}
      invalid_argument: `scopes` cannot be used: a scope is `verb:noun` in lower-case letters, digits, `.`, `_` and `-`, without wildcards or spaces. You can: call again with that argument put right.
    {"label":"Zapier","scopes":["steal:tokens"]}
      invalid_argument: `scopes` cannot be used: `steal:tokens` is no scope of Keywright: it knows `read:tokens`, `write:tokens`, `delete:tokens`, `read:secrets`, `read:envs`, `write:envs`, `introspect:tokens`, `read:audit`, `manage:account`. You can: call again with that argument put right.
    {"label":"Zapier","scopes":["read:nnnnnn... (97 bytes)
      invalid_argument: `scopes` cannot be used: a scope has at most 64 characters. You can: call again with that argument put right.
    {"label":"Zapier","scopes":[""]}
      invalid_argument: `scopes` cannot be used: a scope is `verb:noun` in lower-case letters, digits, `.`, `_` and `-`, without wildcards or spaces. You can: call again with that argument put right.
    {"label":"Zapier","scopes":["read:n0","r... (734 bytes)
      invalid_argument: `scopes` cannot be used: a token carries at most 64 scopes. You can: call again with that argument put right.
    {"label":"Zapier","scopes":"read:tokens"}
      invalid_argument: `scopes` cannot be used: expected a list of strings. You can: call again with that argument put right.
    {"label":"Zapier","scopes":[1]}
      invalid_argument: `scopes` cannot be used: expected a list of strings. You can: call again with that argument put right.
    "#);
}

#[tokio::test]
async fn create_token_refuses_ends_that_are_none() {
    let app = TestApp::new().await;
    let tries: Vec<_> = [
        "2020-01-01T00:00:00Z",
        "2027-01-15T08:00:00Z",
        "tomorrow",
        "-1d",
        "0s",
        "90",
        "",
        "2027-02-30T00:00:00Z",
        "999999999d",
        "99999-01-01T00:00:00Z",
    ]
    .map(|expires| json!({ "label": "Zapier", "expires": expires }))
    .into();

    insta::assert_snapshot!(said(&app, &local(), "create_token", &tries).await, @r#"
    {"label":"Zapier","expires":"2020-01-01T00:00:00Z"}
      invalid_argument: `expires` cannot be used: it is in the past. You can: call again with that argument put right.
    {"label":"Zapier","expires":"2027-01-15T08:00:00Z"}
      invalid_argument: `expires` cannot be used: it is in the past. You can: call again with that argument put right.
    {"label":"Zapier","expires":"tomorrow"}
      invalid_argument: `expires` cannot be used: expected a duration such as `15m`, `12h` or `90d`, a time such as `2027-01-01T00:00:00Z`, or `never`. You can: call again with that argument put right.
    {"label":"Zapier","expires":"-1d"}
      invalid_argument: `expires` cannot be used: expected a duration such as `15m`, `12h` or `90d`, a time such as `2027-01-01T00:00:00Z`, or `never`. You can: call again with that argument put right.
    {"label":"Zapier","expires":"0s"}
      invalid_argument: `expires` cannot be used: it is in the past. You can: call again with that argument put right.
    {"label":"Zapier","expires":"90"}
      invalid_argument: `expires` cannot be used: expected a duration such as `15m`, `12h` or `90d`, a time such as `2027-01-01T00:00:00Z`, or `never`. You can: call again with that argument put right.
    {"label":"Zapier","expires":""}
      invalid_argument: `expires` cannot be used: expected a duration such as `15m`, `12h` or `90d`, a time such as `2027-01-01T00:00:00Z`, or `never`. You can: call again with that argument put right.
    {"label":"Zapier","expires":"2027-02-30T00:00:00Z"}
      invalid_argument: `expires` cannot be used: expected a duration such as `15m`, `12h` or `90d`, a time such as `2027-01-01T00:00:00Z`, or `never`. You can: call again with that argument put right.
    {"label":"Zapier","expires":"999999999d"}
      invalid_argument: `expires` cannot be used: it is too far away. You can: call again with that argument put right.
    {"label":"Zapier","expires":"99999-01-01T00:00:00Z"}
      invalid_argument: `expires` cannot be used: expected a duration such as `15m`, `12h` or `90d`, a time such as `2027-01-01T00:00:00Z`, or `never`. You can: call again with that argument put right.
    "#);
}

#[tokio::test]
async fn create_token_refuses_arguments_that_are_none() {
    let app = TestApp::new().await;
    let tries = [
        json!({}),
        json!({ "label": 5 }),
        json!({ "label": null }),
        json!({ "label": "Zapier", "name": "Zapier" }),
        json!({ "label": "Zapier", "deliver": "email" }),
        json!({ "label": "Zapier", "deliver": true }),
        json!({ "label": "Zapier", "idempotency_key": "" }),
        json!({ "label": "Zapier", "idempotency_key": "a b" }),
        json!({ "label": "Zapier", "idempotency_key": "k".repeat(256) }),
    ];

    insta::assert_snapshot!(said(&app, &local(), "create_token", &tries).await, @r#"
    {}
      invalid_argument: `label` cannot be used: it is missing, and this tool needs it. You can: call again with that argument put right.
    {"label":5}
      invalid_argument: `label` cannot be used: expected a string. You can: call again with that argument put right.
    {"label":null}
      invalid_argument: `label` cannot be used: it is missing, and this tool needs it. You can: call again with that argument put right.
    {"label":"Zapier","name":"Zapier"}
      invalid_argument: `arguments` cannot be used: one is unknown; this tool takes `label`, `scopes`, `expires`, `deliver`, `idempotency_key`. You can: call again with that argument put right.
    {"label":"Zapier","deliver":"email"}
      invalid_argument: `deliver` cannot be used: expected one of `claim`, `inline`. You can: call again with that argument put right.
    {"label":"Zapier","deliver":true}
      invalid_argument: `deliver` cannot be used: expected a string. You can: call again with that argument put right.
    {"label":"Zapier","idempotency_key":""}
      invalid_argument: `idempotency_key` cannot be used: expected 1 to 255 visible ASCII characters without spaces, such as a UUID, and no token's value. You can: call again with that argument put right.
    {"label":"Zapier","idempotency_key":"a b"}
      invalid_argument: `idempotency_key` cannot be used: expected 1 to 255 visible ASCII characters without spaces, such as a UUID, and no token's value. You can: call again with that argument put right.
    {"label":"Zapier","idempotency_key":"kkk... (295 bytes)
      invalid_argument: `idempotency_key` cannot be used: expected 1 to 255 visible ASCII characters without spaces, such as a UUID, and no token's value. You can: call again with that argument put right.
    "#);
}

#[tokio::test]
async fn create_token_refuses_what_would_be_wider() {
    let app = TestApp::new().await;
    let agent = app
        .agent_until(Duration::days(7), ["write:tokens", "notes:read"])
        .await;
    let tries = [
        json!({ "label": "Zapier", "scopes": ["notes:read", "notes:write"] }),
        json!({ "label": "Zapier", "scopes": ["read:secrets"] }),
        json!({ "label": "Zapier", "expires": "8d" }),
        json!({ "label": "Zapier", "expires": "never" }),
    ];

    insta::assert_snapshot!(said(&app, &agent.asks(), "create_token", &tries).await, @r#"
    {"label":"Zapier","scopes":["notes:read","notes:write"]}
      scope_escalation: a token cannot give or use the scope `notes:write`, which it lacks itself. You can: leave `notes:write` out, or go on without this; `whoami` tells the scopes that this session holds. Only the person can: do it at the shell, or give this server a token that carries `notes:write`.
    {"label":"Zapier","scopes":["read:secrets"]}
      scope_escalation: a token cannot give or use the scope `read:secrets`, which it lacks itself. You can: leave `read:secrets` out, or go on without this; `whoami` tells the scopes that this session holds. Only the person can: do it at the shell, or give this server a token that carries `read:secrets`.
    {"label":"Zapier","expires":"8d"}
      scope_escalation: a token cannot give a longer life than its own. You can: leave out `expires`, or ask for an end no later than this session's own, which `whoami` tells. Only the person can: make a token that lives longer.
    {"label":"Zapier","expires":"never"}
      scope_escalation: a token cannot give a longer life than its own. You can: leave out `expires`, or ask for an end no later than this session's own, which `whoami` tells. Only the person can: make a token that lives longer.
    "#);
}

#[tokio::test]
async fn a_key_with_other_arguments_is_a_conflict() {
    let app = TestApp::new().await;
    let mut client = Client::of(&app, &local()).await;
    let arguments = json!({ "label": "Zapier", "idempotency_key": "once" });
    client.done("create_token", arguments).await;
    let tries = [json!({ "label": "Slack", "idempotency_key": "once" })];

    insta::assert_snapshot!(said(&app, &local(), "create_token", &tries).await, @r#"
    {"label":"Slack","idempotency_key":"once"}
      conflict: this `idempotency_key` was used with other arguments. You can: choose another `idempotency_key`, or repeat the first call as it was.
    "#);
}

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
      insufficient_scope: this needs the scope `manage:account`. You can: call `whoami` to see what this session may do. Only the person can: grant `manage:account`: by a token that carries it, or by this server's `--scopes`, in its entry of the client's configuration.
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
async fn update_token_only_narrows() {
    let app = TestApp::new().await;
    let agent = app
        .agent_until(Duration::days(7), ["write:tokens", "notes:read"])
        .await;
    let id = agent.id.to_string();
    let tries = [
        json!({ "id": id, "scopes": ["notes:read", "notes:write"] }),
        json!({ "id": id, "expires": "8d" }),
        json!({ "id": id, "expires": "never" }),
        json!({ "id": id, "expires": "2020-01-01T00:00:00Z" }),
        json!({ "id": id, "label": "\u{202e}" }),
        json!({ "id": id, "enabled": "no" }),
        json!({ "id": id, "enabled": false }),
    ];
    let tries = said(&app, &agent.asks(), "update_token", &tries).await;

    insta::assert_snapshot!(tries.replace(&id, "[id]"), @r#"
    {"id":"[id]","scopes":["notes:read","notes:write"]}
      scope_escalation: an update only takes scopes away, and this would add `notes:write`. You can: make another token with `create_token`, as far as this session's own scopes and life go. Only the person can: make one that is wider or lives longer.
    {"id":"[id]","expires":"8d"}
      scope_escalation: only a person gives a token a longer life, and only with a new value. You can: make another token with `create_token`, as far as this session's own scopes and life go. Only the person can: make one that is wider or lives longer.
    {"id":"[id]","expires":"never"}
      scope_escalation: only a person gives a token a longer life, and only with a new value. You can: make another token with `create_token`, as far as this session's own scopes and life go. Only the person can: make one that is wider or lives longer.
    {"id":"[id]","expires":"2020-01-01T00:00:00Z"}
      invalid_argument: `expires` cannot be used: it is in the past. You can: call again with that argument put right.
    {"id":"[id]","label":"\u{202e}"}
      invalid_argument: `label` cannot be used: it contains U+202E, which cannot be seen. You can: call again with that argument put right.
    {"id":"[id]","enabled":"no"}
      invalid_argument: `enabled` cannot be used: expected a boolean. You can: call again with that argument put right.
    {"id":"[id]","enabled":false}
      forbidden: this would end the very token that asks. You can: call `delete_token` with `allow_self: true`, if the person wants this session to end. Only the person can: disable it.
    "#);
}

#[tokio::test]
async fn what_a_person_disabled_a_tool_does_not_enable() {
    let app = TestApp::new().await;
    let agent = app.agent(["write:tokens"]).await;
    let child = app.child(&agent, "").await;
    app.disable(&operator(), child.id).await;
    let id = child.id.to_string();

    let enable = [json!({ "id": id, "enabled": true })];
    let enabled = said(&app, &agent.asks(), "update_token", &enable).await;
    let rotated = said(&app, &agent.asks(), "rotate_token", &[json!({ "id": id })]).await;

    assert!(!app.is_good(&child.value).await);
    insta::assert_snapshot!((enabled + &rotated).replace(&id, "[id]"), @r#"
    {"id":"[id]","enabled":true}
      forbidden: a person disabled this token, and only a person enables it again. You can: make another token, if this session may. Only the person can: enable it again.
    {"id":"[id]"}
      conflict: the token is disabled. You can: enable it with `update_token` first, unless a person disabled it. Only the person can: enable it again.
    "#);
}

#[tokio::test]
async fn what_has_ended_is_not_changed() {
    let app = TestApp::new().await;
    let ended = app.agent([]).await;
    app.revoke(ended.id).await;
    let over = app.agent_until(Duration::minutes(1), []).await;
    app.advance(Duration::hours(1));

    let mut texts = String::new();
    for Agent { id, .. } in [ended, over] {
        for (tool, arguments) in &usable(&id.to_string())[3..5] {
            let text = said(&app, &local(), tool, std::slice::from_ref(arguments)).await;
            texts += &text.replace(&id.to_string(), "[id]");
        }
    }

    insta::assert_snapshot!(texts, @r#"
    {"id":"[id]","label":"Zapier"}
      conflict: the token is revoked. You can: make another one with `create_token`, unless it is a CLI token.
    {"id":"[id]"}
      conflict: the token is revoked. You can: make another one with `create_token`, unless it is a CLI token.
    {"id":"[id]","label":"Zapier"}
      conflict: the token is expired. You can: make another one with `create_token`, unless it is a CLI token.
    {"id":"[id]"}
      conflict: the token is expired. You can: make another one with `create_token`, unless it is a CLI token.
    "#);
}

#[tokio::test]
async fn a_token_does_not_end_itself_by_accident() {
    let app = TestApp::new().await;
    let agent = app.agent(["delete:tokens"]).await;
    let id = agent.id.to_string();
    let tries = [json!({ "id": id }), json!({ "id": id, "cascade": true })];
    let said = said(&app, &agent.asks(), "delete_token", &tries).await;

    assert!(app.is_good(&agent.value).await);
    insta::assert_snapshot!(said.replace(&id, "[id]"), @r#"
    {"id":"[id]"}
      forbidden: this would end the very token that asks. You can: call `delete_token` with `allow_self: true`, if the person wants this session to end. Only the person can: disable it.
    {"id":"[id]","cascade":true}
      forbidden: this would end the very token that asks. You can: call `delete_token` with `allow_self: true`, if the person wants this session to end. Only the person can: disable it.
    "#);
}

#[tokio::test]
async fn rotate_token_refuses_an_overlap_that_is_none() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let id = agent.id.to_string();
    let tries = ["soon", "-1h", "1 h", "", "999999999d"]
        .map(|overlap| json!({ "id": id, "overlap": overlap }));
    let said = said(&app, &local(), "rotate_token", &tries).await;

    insta::assert_snapshot!(said.replace(&id, "[id]"), @r#"
    {"id":"[id]","overlap":"soon"}
      invalid_argument: `overlap` cannot be used: expected a duration such as `30s`, `15m`, `12h` or `90d`. You can: call again with that argument put right.
    {"id":"[id]","overlap":"-1h"}
      invalid_argument: `overlap` cannot be used: expected a duration such as `30s`, `15m`, `12h` or `90d`. You can: call again with that argument put right.
    {"id":"[id]","overlap":"1 h"}
      invalid_argument: `overlap` cannot be used: expected a duration such as `30s`, `15m`, `12h` or `90d`. You can: call again with that argument put right.
    {"id":"[id]","overlap":""}
      invalid_argument: `overlap` cannot be used: expected a duration such as `30s`, `15m`, `12h` or `90d`. You can: call again with that argument put right.
    {"id":"[id]","overlap":"999999999d"}
      invalid_argument: `overlap` cannot be used: it is longer than 30 days. You can: call again with that argument put right.
    "#);
}

#[tokio::test]
async fn reveal_user_token_refuses() {
    let app = TestApp::new().await;
    let who = local_with("read:secrets");
    let nothing = said(&app, &who, "reveal_user_token", &[json!({})]).await;
    app.set_cli_token(For::Me, "deploy:run").await;
    let agent = app.agent(["read:secrets"]).await;
    let too_wide = said(&app, &agent.asks(), "reveal_user_token", &[json!({})]).await;
    let unknown = [json!({ "username": "bob" })];
    let unknown = said(&app, &who, "reveal_user_token", &unknown).await;

    insta::assert_snapshot!(nothing + &too_wide + &unknown, @r#"
    {}
      not_found: there is no such CLI token here. Only the person can: make one.
    {}
      scope_escalation: a token cannot give or use the scope `deploy:run`, which it lacks itself. You can: leave `deploy:run` out, or go on without this; `whoami` tells the scopes that this session holds. Only the person can: do it at the shell, or give this server a token that carries `deploy:run`.
    {"username":"bob"}
      invalid_argument: `arguments` cannot be used: this tool takes none. You can: call again with that argument put right.
    "#);
}

#[tokio::test]
async fn reveal_app_env_token_refuses() {
    let app = TestApp::new().await;
    app.app_env("production").await;
    let who = local_with("read:secrets");
    let tries = [
        json!({}),
        json!({ "app_env_id": "production" }),
        json!({ "env_name": "Production!" }),
        json!({ "env_name": "staging" }),
        json!({ "env_name": "production" }),
    ];
    let unusable = said(&app, &who, "reveal_app_env_token", &tries).await;
    app.set_cli_token(env_named("production"), "").await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", ["read:secrets"]).await;
    let tries = [json!({ "env_name": "production" })];
    let bobs = said(&app, &bob.asks(), "reveal_app_env_token", &tries).await;

    insta::assert_snapshot!(unusable + &bobs, @r#"
    {}
      invalid_argument: `app_env_id` cannot be used: either it or `env_name` is needed; `list_app_envs` tells both. You can: call again with that argument put right.
    {"app_env_id":"production"}
      invalid_argument: `app_env_id` cannot be used: expected an id: a UUID such as `019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001`. You can: call again with that argument put right.
    {"env_name":"Production!"}
      invalid_argument: `env_name` cannot be used: expected 1 to 64 lower-case letters, digits, `.`, `_` and `-`, the first a letter or digit. You can: call again with that argument put right.
    {"env_name":"staging"}
      not_found: there is no such app environment here. You can: call `list_app_envs` to see those there are.
    {"env_name":"production"}
      not_found: there is no such CLI token here. Only the person can: make one.
    {"env_name":"production"}
      forbidden: this needs the role `admin` in the account. Only the person can: ask an admin of the account to do it, or to give them the role.
    "#);
}

#[tokio::test]
async fn a_missing_vault_key_is_told_with_what_mends_it() {
    let app = TestApp::new().await;
    app.set_cli_token(For::Me, "").await;
    std::fs::remove_file(app.key_path()).unwrap();
    let app = app.restarted().await;
    let mut client = Client::of(&app, &local_with("read:secrets write:tokens")).await;

    let text = client.refused("reveal_user_token", json!({})).await;
    client
        .done("create_token", json!({ "label": "Zapier" }))
        .await;

    let folder = app.key_path().display().to_string();
    insta::assert_snapshot!(text.replace(&folder, "[the key]"), @r#"unavailable: the vault key `[the key]` is missing, and there are values sealed with it; put the file back, or name it with `--key-file`. You can: go on without it; tokens that are not revealed work as before. Only the person can: put the right vault key back."#);
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

#[tokio::test]
async fn whoami_takes_no_arguments() {
    let app = TestApp::new().await;

    insta::assert_snapshot!(said(&app, &local(), "whoami", &[json!({ "id": "x" })]).await, @r#"
    {"id":"x"}
      invalid_argument: `arguments` cannot be used: this tool takes none. You can: call again with that argument put right.
    "#);
}
