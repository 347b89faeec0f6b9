//! How the tools refuse that change or end one token.

use chrono::Duration;
use serde_json::json;

use super::{said, usable};
use crate::support::{Agent, TestApp, local, operator};

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
