//! The picture `tool list`: every tool as a client is told of it, one file a tool.

use keywright::mcp::Server;
use serde_json::{Value, json};

use super::client::Client;
use crate::support::{TestApp, bearer, local};

const NAMES: [&str; 11] = [
    "create_token",
    "list_tokens",
    "get_token",
    "update_token",
    "rotate_token",
    "delete_token",
    "reveal_user_token",
    "reveal_app_env_token",
    "list_app_envs",
    "whoami",
    "list_audit_records",
];

fn tools() -> Vec<Value> {
    let tools = Server::tools();
    let tools = tools.iter().map(serde_json::to_value);
    tools.map(Result::unwrap).collect()
}

#[test]
fn each_tool_looks_like_this() {
    for tool in tools() {
        insta::assert_json_snapshot!(tool["name"].as_str().unwrap(), tool);
    }
}

#[tokio::test]
async fn all_eleven_are_listed_in_their_order_for_everyone() {
    let app = TestApp::new().await;

    for who in [local(), bearer("nothing")] {
        let listed = Client::of(&app, &who)
            .await
            .result("tools/list", json!({}))
            .await;

        assert_eq!(listed["tools"], Value::from(tools()));
        let names = listed["tools"].as_array().unwrap().iter();
        assert!(names.map(|tool| &tool["name"]).eq(NAMES));
    }
}

#[test]
fn every_tool_refuses_arguments_that_it_does_not_know() {
    for tool in tools() {
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
    }
}

#[test]
fn every_tool_has_words_schemas_and_all_four_hints() {
    for tool in tools() {
        for text in ["title", "description"] {
            assert!(
                tool[text].as_str().is_some_and(|text| !text.is_empty()),
                "{tool}"
            );
        }
        for hint in [
            "readOnlyHint",
            "destructiveHint",
            "idempotentHint",
            "openWorldHint",
        ] {
            assert!(tool["annotations"][hint].is_boolean(), "{tool}");
        }
        assert_eq!(tool["inputSchema"]["type"], "object");
        assert_eq!(tool["outputSchema"]["type"], "object");
    }
}

/// Validators know the formats of the specification and warn of others.
#[test]
fn no_schema_names_a_format_of_rust() {
    for tool in tools() {
        assert!(!tool.to_string().contains("\"format\""), "{tool}");
    }
}

#[test]
fn every_argument_and_every_field_is_explained() {
    fn unexplained(path: &str, schema: &Value, found: &mut Vec<String>) {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            if field["description"].as_str().is_none() && field["$ref"].as_str().is_none() {
                found.push(path.clone());
            }
            unexplained(&path, field, found);
        }
        for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
            unexplained(&format!("{path}#{name}"), definition, found);
        }
    }
    let mut found = Vec::new();

    for tool in tools() {
        let name = tool["name"].as_str().unwrap();
        unexplained(name, &tool["inputSchema"], &mut found);
        unexplained(name, &tool["outputSchema"], &mut found);
    }

    assert_eq!(found, [""; 0]);
}
