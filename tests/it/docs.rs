//! The reference in `docs/` is what the code says, and the example configuration works.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, process::Command};

use keywright::{
    config::env,
    http::{self, Listed},
    mcp::Server,
    wire::problem::Code,
};
use serde_json::Value;

const GENERATED: &str =
    "<!-- Generated from the code: KEYWRIGHT_UPDATE_DOCS=1 cargo test --test it docs -->\n";

/// Holds `text` against the page, or writes it when that is asked for.
fn is_the_page(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(name);
    if std::env::var_os("KEYWRIGHT_UPDATE_DOCS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        page == text,
        "docs/{name} is not what the code says; write it anew with \
         KEYWRIGHT_UPDATE_DOCS=1 cargo test --test it docs"
    );
}

#[test]
fn the_page_of_the_tools_is_true() {
    let mut page = format!("# The tools\n\n{GENERATED}");
    for tool in &*Server::tools() {
        let description = tool.description.as_deref().unwrap_or_default();
        write!(page, "\n## `{}`\n\n{description}\n", tool.name).unwrap();
        let required = tool
            .input_schema
            .get("required")
            .cloned()
            .unwrap_or_default();
        let properties = tool
            .input_schema
            .get("properties")
            .and_then(Value::as_object);
        let Some(properties) = properties.filter(|properties| !properties.is_empty()) else {
            page.push_str("\nIt takes no arguments.\n");
            continue;
        };
        page.push_str("\n| argument | type | |\n| --- | --- | --- |\n");
        for (name, schema) in properties {
            let is_required = required
                .as_array()
                .is_some_and(|r| r.iter().any(|r| r == name));
            let star = if is_required { "*" } else { "" };
            let kind = match schema["enum"].as_array() {
                Some(words) => words
                    .iter()
                    .map(|w| format!("`{}`", w.as_str().unwrap()))
                    .collect::<Vec<_>>()
                    .join(", "),
                None => schema["type"].as_str().unwrap_or_default().to_owned(),
            };
            let says = schema["description"]
                .as_str()
                .unwrap_or_default()
                .replace('\n', " ");
            writeln!(page, "| `{name}`{star} | {kind} | {says} |").unwrap();
        }
    }
    page.push_str("\n\\* needed\n");
    resources(&mut page);
    prompts(&mut page);
    is_the_page("mcp.md", &page);
}

fn resources(page: &mut String) {
    page.push_str("\n# The resources\n\nAll of them are `application/json`. A client may subscribe to each, and to the list.\n\n| resource | |\n| --- | --- |\n");
    let (resources, templates) = Server::resources();
    let resources = resources.into_iter().map(|r| (r.uri, r.description));
    let templates = templates.into_iter();
    let templates = templates.map(|t| (t.uri_template, t.description));
    for (uri, description) in resources.chain(templates) {
        writeln!(page, "| `{uri}` | {} |", description.unwrap_or_default()).unwrap();
    }
}

fn prompts(page: &mut String) {
    page.push_str("\n# The prompts\n");
    for prompt in Server::prompts() {
        let description = prompt.description.unwrap_or_default();
        write!(page, "\n## `{}`\n\n{description}\n", prompt.name).unwrap();
        let Some(arguments) = prompt.arguments else {
            page.push_str("\nIt takes no arguments.\n");
            continue;
        };
        page.push_str("\n| argument | |\n| --- | --- |\n");
        for argument in arguments {
            let star = if argument.required == Some(true) {
                "*"
            } else {
                ""
            };
            let says = argument.description.unwrap_or_default();
            writeln!(page, "| `{}`{star} | {says} |", argument.name).unwrap();
        }
    }
    page.push_str("\n\\* needed\n");
}

#[test]
fn the_page_of_the_commands_is_true() {
    let mut page = format!("# The commands\n\n{GENERATED}");
    for (name, help) in keywright::cli::help() {
        let help: Vec<_> = help.lines().map(str::trim_end).collect();
        let help = help.join("\n");
        write!(page, "\n## `{name}`\n\n```text\n{}\n```\n", help.trim()).unwrap();
    }
    is_the_page("cli.md", &page);
}

#[test]
fn the_page_of_the_settings_is_true() {
    let mut page = format!("# The settings\n\n{GENERATED}\nA flag wins over the environment.\n\n");
    page.push_str("| variable | what it sets | since |\n| --- | --- | --- |\n");
    for variable in env::ALL {
        writeln!(
            page,
            "| `{}` | {} | {} |",
            variable.name, variable.says, variable.since
        )
        .unwrap();
    }
    is_the_page("config.md", &page);
}

#[test]
fn the_page_of_the_codes_is_true() {
    let mut page = format!("# The codes\n\n{GENERATED}\n");
    page.push_str("A failed tool call is a result with `isError`, whose text is `code: sentence. You can: ... Only the person can: ...`.\n\n");
    page.push_str("| code | what it means |\n| --- | --- |\n");
    for code in Code::ALL {
        writeln!(page, "| `{}` | {} |", code.as_str(), code.meaning()).unwrap();
    }
    is_the_page("errors.md", &page);
}

/// Holds `text` against the part of the page that has this name, or writes it when that is asked for.
fn is_part_of_the_page(page: &str, name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(page);
    let (begin, end) = (
        format!("<!-- {name}: "),
        format!("<!-- end of {name} -->\n"),
    );
    let whole = fs::read_to_string(path).unwrap();
    let (before, rest) = whole.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    let says = GENERATED.trim_start_matches("<!-- ");
    is_the_page(
        page,
        &format!("{before}{begin}{says}\n{text}\n{end}{after}"),
    );
}

#[test]
fn the_page_of_http_is_true() {
    let mut routes = "| route | verb | needs | |\n| --- | --- | --- | --- |\n".to_owned();
    for route in http::listed() {
        let needs = match (route.is_guarded, route.needs) {
            (false, _) => "nothing, not even a token",
            (true, None) => "any good token",
            (true, Some(needs)) => needs,
        };
        let Listed {
            method,
            path,
            verb,
            says,
            ..
        } = route;
        let path = path.replace("{*", "{");
        writeln!(
            routes,
            "| `{method} {path}` | `{verb}` | {needs} | {says} |"
        )
        .unwrap();
    }
    let mut codes = "| code | status | what it means |\n| --- | --- | --- |\n".to_owned();
    for code in Code::ALL {
        let status = http::status(code).as_u16();
        writeln!(
            codes,
            "| `{}` | {status} | {} |",
            code.as_str(),
            code.meaning()
        )
        .unwrap();
    }
    is_part_of_the_page("http.md", "routes", &routes);
    is_part_of_the_page("http.md", "codes", &codes);
}

#[test]
fn the_example_configuration_starts_a_server() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = fs::read_to_string(root.join("mcp.json.example")).unwrap();
    let example: BTreeMap<String, BTreeMap<String, Value>> =
        serde_json::from_str(&example).unwrap();
    assert_eq!(
        example.keys().collect::<Vec<_>>(),
        ["mcpServers", "servers"]
    );

    for entry in example.values().map(|servers| &servers["keywright"]) {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("kw/store.db");
        let is_store = |arg: &str| arg.ends_with("store.db");
        let args = entry["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|arg| arg.as_str().unwrap());
        let args = args.map(|arg| {
            if is_store(arg) {
                store.to_str().unwrap()
            } else {
                arg
            }
        });
        assert!(Path::new(entry["command"].as_str().unwrap()).is_absolute());

        // A client that hangs up at once.
        let ended = Command::new(env!("CARGO_BIN_EXE_keywright"))
            .args(args)
            .stdin(std::process::Stdio::null())
            .status()
            .unwrap();

        assert!(ended.success());
        assert!(store.is_file());
    }
}

/// Where the tests of a module may stand: `a::b` in `a/b.rs`, or in `a/b/mod.rs`.
fn files_of(module: &str) -> Vec<String> {
    let path = module.replace("::", "/");
    let (room, path) = match path.strip_suffix("/tests") {
        // Beside the code.
        Some(path) => ("src", path),
        None if module.starts_with("authz") => ("src", &*path),
        None => ("tests/it", &*path),
    };
    vec![format!("{room}/{path}.rs"), format!("{room}/{path}/mod.rs")]
}

#[test]
fn the_threat_model_names_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/threat-model.md")).unwrap();
    let named = page.split('`').skip(1).step_by(2);
    let named = named.filter_map(|name| name.rsplit_once("::"));
    let named: Vec<_> = named.filter(|(_, test)| !test.is_empty()).collect();
    assert!(named.len() > 40, "{named:?}");

    for (module, test) in named {
        let is_there = files_of(module).iter().any(|file| {
            let text = fs::read_to_string(root.join(file)).unwrap_or_default();
            text.contains(&format!("fn {test}("))
        });
        assert!(
            is_there,
            "docs/threat-model.md: there is no test `{module}::{test}`"
        );
    }
    // A line without a test is a promise that nobody holds.
    let lines = page.lines().filter(|line| line.starts_with("| "));
    for line in lines.filter(|line| !line.starts_with("| ---") && !line.ends_with("| shown by |")) {
        assert!(
            line.contains("::"),
            "docs/threat-model.md shows nothing: {line}"
        );
    }
}
