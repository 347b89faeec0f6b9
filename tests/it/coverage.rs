//! Every tool and every resource is tried by those who may not use it, and what is written down of
//! that is looked at. (Prompts hold nothing, and are told to everyone.)
//!
//! A new one has to be given arguments here before this passes. A way to be refused that a tool
//! does not know stands, with its reason, in `coverage-exceptions.txt`: a file that may only get
//! shorter.

use chrono::Duration;
use keywright::{authz::Request, mcp::Server};
use serde_json::{Value, json};

use crate::{
    mcp::client::Client,
    support::{TestApp, bearer, env_named},
};

/// As many exceptions as there were last time. Lower it with them; a new tool refuses like others.
const EXCEPTIONS: usize = 7;

/// The ways in which somebody may not use a tool.
const WAYS: [&str; 5] = ["nobody", "stranger", "no scope", "expired", "revoked"];

/// Arguments with which the owner of the token `id` could use `tool`.
fn arguments(tool: &str, id: &str) -> Value {
    match tool {
        "create_token" => json!({ "label": "x" }),
        "get_token" | "rotate_token" | "delete_token" => json!({ "id": id }),
        "update_token" => json!({ "id": id, "label": "x" }),
        "reveal_app_env_token" => json!({ "env_name": "production" }),
        "list_tokens" | "reveal_user_token" | "list_app_envs" | "whoami" | "list_audit_records" => {
            json!({})
        }
        new => panic!("`{new}` is not tried by those who may not use it: give it arguments here"),
    }
}

/// The URI at which the owner of the token `id` could read a resource of this URI or template.
fn uri(resource: &str, id: &str) -> String {
    match resource {
        "keywright://audit/recent" => resource.to_owned(),
        "keywright://tokens/{id}" => resource.replace("{id}", id),
        new => panic!("`{new}` is not tried by those who may not read it: give it a URI here"),
    }
}

/// Every tool by its name, and every resource by its URI or its template.
fn everything() -> Vec<String> {
    let (resources, templates) = Server::resources();
    let tools = Server::tools();
    let tools = tools.iter().map(|tool| tool.name.to_string());
    tools
        .chain(resources.into_iter().map(|resource| resource.uri))
        .chain(templates.into_iter().map(|template| template.uri_template))
        .collect()
}

/// The action that the audit trail knows a tool or a resource by.
fn action(tool: &str) -> &str {
    match tool {
        "delete_token" => "revoke_token",
        "keywright://audit/recent" => "list_audit_records",
        "keywright://tokens/{id}" => "get_token",
        same => same,
    }
}

/// A store with something in it for every tool, and the token that the tools are tried on.
async fn furnished() -> (TestApp, String) {
    let app = TestApp::new().await;
    app.app_env("production").await;
    app.set_cli_token(env_named("production"), "").await;
    app.set_cli_token(keywright::authority::For::Me, "").await;
    let target = app.agent([]).await.id.to_string();
    (app, target)
}

async fn who(app: &TestApp, way: &str) -> Request {
    const ALL: [&str; 6] = [
        "read:tokens",
        "write:tokens",
        "delete:tokens",
        "read:secrets",
        "read:envs",
        "read:audit",
    ];
    match way {
        "nobody" => bearer(""),
        "stranger" => app.stranger().await.asks(),
        "no scope" => app.agent([]).await.asks(),
        "expired" => {
            let agent = app.agent_until(Duration::minutes(1), ALL).await;
            app.advance(Duration::minutes(1));
            agent.asks()
        }
        "revoked" => {
            let agent = app.agent(ALL).await;
            app.revoke(agent.id).await;
            agent.asks()
        }
        way => panic!("nobody knows how to be {way}"),
    }
}

/// What `tool` says to somebody who may not use it, if it refuses, and what is written down of it.
async fn tried(tool: &str, way: &str) -> Option<(String, Vec<String>)> {
    let (app, target) = furnished().await;
    let who = who(&app, way).await;
    let mut client = Client::of(&app, &who).await;

    let text = if tool.contains("://") {
        let asked = json!({ "uri": uri(tool, &target) });
        let answer = client.ask("resources/read", asked.clone()).await;
        if answer["result"].is_object() {
            return None;
        }
        let text = answer["error"]["message"].as_str().unwrap();
        // Whoever may not read it may not wait for news of it.
        let (_, waiting) = client.error("resources/subscribe", asked).await;
        assert_eq!(text, waiting);
        text.to_owned()
    } else {
        let answer = client.call(tool, arguments(tool, &target)).await;
        if answer["isError"] == false {
            return None;
        }
        crate::mcp::client::refusal(&answer)
    };
    let trail = match way {
        "stranger" => vec![newest_of(&mut client).await],
        "no scope" => app.trail(1).await,
        // Nobody's are counted, and written down at the end.
        _ => app.restarted().await.system_trail(1).await,
    };
    let code = text.split_once(':').unwrap().0;
    Some((code.to_owned(), trail))
}

/// The newest entry that somebody may read, as `who action outcome`.
async fn newest_of(client: &mut Client) -> String {
    let mut page = client
        .done("list_audit_records", json!({ "limit": 1 }))
        .await;
    let entry = page["records"][0].take();
    let word = |name: &str| entry[name].as_str().unwrap().to_owned();
    format!("{} {} {}", word("actor"), word("action"), word("outcome"))
}

/// The exceptions: a tool, a way, and why.
fn exceptions() -> Vec<(&'static str, &'static str)> {
    let lines = include_str!("coverage-exceptions.txt").lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut parts = line.split(" | ");
            let (tool, way) = (parts.next().unwrap(), parts.next().unwrap());
            assert!(parts.next().is_some_and(|why| !why.is_empty()), "{line}");
            (tool, way)
        })
        .collect()
}

#[tokio::test]
async fn every_tool_refuses_whoever_may_not_use_it_and_writes_it_down() {
    let exceptions = exceptions();
    for tool in everything() {
        for way in WAYS {
            let excepted = exceptions.contains(&(&*tool, way));
            let said = tried(&tool, way).await;
            let Some((code, trail)) = said else {
                assert!(excepted, "`{tool}` serves {way}");
                continue;
            };
            assert!(!excepted, "`{tool}` refuses {way} now: take its line out");
            let (expected, entry) = match way {
                "stranger" => ("not_found", action(&tool)),
                "no scope" => ("insufficient_scope", action(&tool)),
                _ => ("unauthenticated", "nobody authenticate"),
            };
            assert_eq!(code, expected, "`{tool}` to {way}");
            let is_told = trail
                .iter()
                .any(|line| line.contains(&format!("{entry} refused")));
            assert!(is_told, "`{tool}` to {way} left {trail:?}");
        }
    }
}

#[test]
fn there_are_no_more_exceptions_than_there_were() {
    let exceptions = exceptions();

    assert_eq!(exceptions.len(), EXCEPTIONS);
    for (tool, way) in exceptions {
        assert!(everything().iter().any(|known| known == tool), "{tool}");
        assert!(WAYS.contains(&way), "{way}");
    }
}
