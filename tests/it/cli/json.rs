//! `--json` says what MCP says: the same fields, be it at a shell or in a session.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::shell::Shell;

/// Each command, and the tool that answers the same.
const TWINS: &[(&str, &str, &str)] = &[
    (
        "token create b --claim",
        "create_token",
        r#"{"label": "c"}"#,
    ),
    ("token list", "list_tokens", "{}"),
    ("token show ID", "get_token", r#"{"id": "ID"}"#),
    (
        "token update ID --label d",
        "update_token",
        r#"{"id": "ID", "label": "d"}"#,
    ),
    ("token rotate ID --claim", "rotate_token", r#"{"id": "ID"}"#),
    ("env list", "list_app_envs", "{}"),
    ("cli-token show --to stdout", "reveal_user_token", "{}"),
    (
        "cli-token show --env prod --to stdout",
        "reveal_app_env_token",
        r#"{"env_name": "prod"}"#,
    ),
    ("audit list", "list_audit_records", "{}"),
    ("token revoke END", "delete_token", r#"{"id": "END"}"#),
];

/// Every other command that answers.
const ALONE: &[&str] = &[
    "claim",
    "env create Staging",
    "env delete prod",
    "cli-token set",
    "cli-token rotate",
    "user add ann",
    "user list",
    "user deactivate ann",
    "user activate ann",
    "account add acme",
    "account list",
    "member set ann admin",
    "member remove ann",
    "audit verify",
    "store check",
    "store path",
];

#[test]
fn a_command_and_a_tool_answer_with_the_same_fields() {
    let (shell, agents) = (house(), house());
    let ids = |shell: &Shell| [id(shell, "nightly"), id(shell, "weekly")];
    let (ours, theirs) = (ids(&shell), ids(&agents));
    // A session answers many calls at once, so that the token that ends is not the one that changes.
    let named = |text: &str, ids: &[String; 2]| text.replace("ID", &ids[0]).replace("END", &ids[1]);
    let mut lines = vec![
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "test", "version": "0"}}}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
    ];
    let mut told = Vec::new();
    for (place, (command, tool, arguments)) in TWINS.iter().enumerate() {
        told.push(fields(&printed(&shell, &named(command, &ours))));
        let arguments = named(arguments, &theirs);
        let arguments: Value = serde_json::from_str(&arguments).unwrap();
        lines.push(
            json!({"jsonrpc": "2.0", "id": place + 1, "method": "tools/call",
            "params": {"name": tool, "arguments": arguments}}),
        );
    }

    let answers = session(&agents, &lines);

    for (place, (command, tool, _)) in TWINS.iter().enumerate() {
        let answer = answers
            .iter()
            .find(|answer| answer["id"] == place + 1)
            .unwrap();
        let view = &answer["result"]["structuredContent"];
        assert_eq!(told[place], fields(view), "{command} and {tool}: {answer}");
    }
}

#[test]
fn every_other_answer_is_json_too() {
    let shell = house();
    for command in ALONE {
        printed(&shell, command);
    }
}

#[test]
fn a_refusal_is_json_too_and_leaves_standard_output_alone() {
    let shell = house();
    for command in [
        "claim 0000-0000-0000 --to stdout",
        "token show nonsense",
        "env delete none",
    ] {
        let done = shell.run(&format!("keywright {command} --json"));
        let told: Value = serde_json::from_str(&done.err).unwrap();

        assert_eq!(done.out, "");
        assert!(
            told["code"].is_string() && told["message"].is_string(),
            "{told}"
        );
    }
}

/// A store with one of each.
fn house() -> Shell {
    let shell = Shell::new();
    shell.ok("keywright token create nightly --to stdout");
    shell.ok("keywright token create weekly --claim");
    shell.ok("keywright env create Production --cli-env-name prod");
    shell.ok("keywright cli-token set");
    shell.ok("keywright cli-token set --env prod");
    shell
}

fn id(shell: &Shell, label: &str) -> String {
    let list = printed(shell, &format!("token list --query {label}"));
    list["tokens"][0]["id"].as_str().unwrap().to_owned()
}

fn printed(shell: &Shell, command: &str) -> Value {
    let out = shell.ok(&format!("keywright {command} --json"));
    serde_json::from_str(&out).unwrap_or_else(|why| panic!("{command}: {why}: {out}"))
}

/// What a whole session answers.
fn session(shell: &Shell, lines: &[Value]) -> Vec<Value> {
    let scopes = "read:tokens write:tokens delete:tokens read:envs read:audit read:secrets";
    let said: Vec<_> = lines.iter().map(ToString::to_string).collect();
    let said = said.join("\n") + "\n";
    let done = shell.says(&format!("keywright mcp --local --scopes '{scopes}'"), &said);
    assert_eq!(done.status, 0, "{done:?}");
    let answers = done
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    answers.collect()
}

/// The names of all fields, each behind those that it is in.
fn fields(view: &Value) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    match view {
        Value::Object(object) => {
            for (name, value) in object {
                fields.insert(name.clone());
                let inner = self::fields(value);
                fields.extend(inner.iter().map(|inner| format!("{name}.{inner}")));
            }
        }
        Value::Array(values) => fields.extend(values.iter().flat_map(self::fields)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    fields
}
