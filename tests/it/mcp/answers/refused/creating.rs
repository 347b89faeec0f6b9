//! How `create_token` refuses.

use chrono::Duration;
use serde_json::json;

use super::said;
use crate::{
    mcp::client::Client,
    support::{TestApp, local},
};

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
