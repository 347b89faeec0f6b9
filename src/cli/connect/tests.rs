//! Texts as people and clients write them, with our entry put in and taken out again.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    document::{Format, Odd, found},
    edit::Edit,
};

const KEY: &str = "mcpServers";

fn entry() -> Value {
    json!({ "command": "/k", "args": ["mcp"], "env": { "F": "/t" } })
}

/// The text with our entry in it: found there, and given back as it was when it is taken out.
fn put_in(format: Format, key: &str, before: &str) -> String {
    let after = format.with(before, key, &entry()).unwrap();
    let read = format.read(&after).unwrap();
    assert_eq!(found(&read, key), Some(&as_read(format)), "{after}");
    let edit = Edit::between(before, &after);
    assert_eq!(edit.undone(&after).as_deref(), Some(before), "{after}");
    after
}

/// Our entry as it is read again: YAML's plain words come as text.
fn as_read(format: Format) -> Value {
    let read = format.alone(KEY, &entry()).unwrap();
    found(&format.read(&read).unwrap(), KEY).unwrap().clone()
}

fn put_in_and_out(format: Format, key: &str, before: &str) {
    let after = put_in(format, key, before);
    let again = format.without(&after, key).unwrap();
    assert_eq!(again, before, "{after}");
}

fn why(format: Format, key: &str, text: &str) -> String {
    format.with(text, key, &entry()).unwrap_err().to_string()
}

#[test]
fn json_keeps_its_comments_its_commas_and_its_indentation() {
    let after = put_in(
        Format::Jsonc,
        KEY,
        "{\n\t// mine\n\t\"mcpServers\": {\n\t\t\"a\": 1, // the last\n\t},\n}\n",
    );
    assert_eq!(
        after,
        "{\n\t// mine\n\t\"mcpServers\": {\n\t\t\"a\": 1, // the last\n\t\t\"keywright\": {\n\
         \t\t\t\"command\": \"/k\",\n\t\t\t\"args\": [\n\t\t\t\t\"mcp\"\n\t\t\t],\n\t\t\t\"env\": \
         {\n\t\t\t\t\"F\": \"/t\"\n\t\t\t}\n\t\t},\n\t},\n}\n"
    );
}

#[test]
fn what_is_said_of_the_last_server_stays_with_it() {
    let after = put_in(
        Format::Jsonc,
        KEY,
        "{\n  \"mcpServers\": {\n    \"a\": 1 // the last\n    // end\n  }\n}",
    );
    assert!(
        after.contains("\"a\": 1, // the last\n    \"keywright\": {"),
        "{after}"
    );
    assert!(after.ends_with("    }\n    // end\n  }\n}"), "{after}");
}

#[test]
fn half_a_character_in_json_stays_half() {
    for before in [
        r#"{"a":["x\ud83d","\udc00\ud83d\ude00\\ud83d","é\uD83D\u0041"],"mcpServers":{"b\udfff":1}}"#,
        "\u{feff}{\n  \"a\\ud83d\": \"\\\\\\ud83d\"\n}\n",
    ] {
        put_in(Format::Json, KEY, before);
        assert!(put_in(Format::Jsonc, KEY, before).contains("\\ud83d"));
    }
    for broken in [
        r#"{"a":"\ud83"}"#,
        r#"{"a":"\"#,
        r#"{"a":"\é"}"#,
        r#"{"a":"\u+123"}"#,
    ] {
        assert!(Format::Json.read(broken).is_err(), "{broken}");
    }
}

#[test]
fn a_control_character_in_a_text_is_no_json() {
    for broken in ["{\"a\":\"x\u{0}\"}", "{\"a\":[\"\t\"]}", "{\"a\nb\":1}"] {
        let odd = Format::Json.read(broken).unwrap_err();

        assert!(odd.to_string().contains("a control character"), "{odd}");
    }
    assert!(Format::Json.read("{\t\"a\": \"\\u0000\"\n}").is_ok());
}

#[test]
fn json_in_one_line_stays_in_one_line() {
    let our = r#""keywright":{"command":"/k","args":["mcp"],"env":{"F":"/t"}}"#;
    for (before, after) in [
        (
            r#"{"mcpServers":{"a":1}}"#,
            format!(r#"{{"mcpServers":{{"a":1,{our}}}}}"#),
        ),
        (
            r#"{"mcpServers":{}}"#,
            format!(r#"{{"mcpServers":{{{our}}}}}"#),
        ),
        (r#"{"a":1}"#, format!(r#"{{"a":1,"mcpServers":{{{our}}}}}"#)),
    ] {
        assert_eq!(put_in(Format::Json, KEY, before), after);
    }
}

#[test]
fn json_is_put_in_and_taken_out_wherever_it_stands() {
    for before in [
        "{\n  \"mcpServers\": {\n    \"a\": {}\n  }\n}\n",
        "{\r\n  \"mcpServers\": {\r\n    \"a\": {}\r\n  }\r\n}\r\n",
        "\u{feff}{\n  \"mcpServers\": {\n    \"a\": {},\n  },\n}\n",
        "{\"mcpServers\": {\"a\": {}}, \"z\": [1, 2,]}",
        "{\n  \"mcpServers\": {\n    // nothing yet\n  }\n}\n",
        "{\n  \"x\": 1.50,\n  \"mcpServers\": {\n    \"a\": {} /* a */, /* b */\n    // c\n  }\n}\n",
    ] {
        put_in_and_out(Format::Jsonc, KEY, before);
    }
}

#[test]
fn an_empty_file_becomes_a_whole_one() {
    for (format, key) in [
        (Format::Json, KEY),
        (Format::Jsonc, "servers"),
        (Format::Toml, "mcp_servers"),
        (Format::Yaml, "extensions"),
    ] {
        for before in ["", "\n"] {
            put_in(format, key, before);
        }
    }
    put_in(Format::Json, KEY, "{}");
    put_in(Format::Json, KEY, "{ }\n");
    put_in(Format::Jsonc, KEY, "// only this");
    put_in(Format::Jsonc, KEY, "{ /* only this */ }");
    put_in(Format::Jsonc, KEY, "\u{feff}");
    put_in(Format::Toml, "mcp_servers", "# only this");
    put_in(Format::Yaml, "extensions", "# only this");
    put_in(Format::Yaml, "extensions", "---\na: 1");
    put_in(Format::Yaml, "extensions", "extensions: {}\nb: 1\n");
    put_in(Format::Yaml, "extensions", "extensions:\nb: 1\n");
    put_in(Format::Yaml, "extensions", "extensions:");
}

#[test]
fn toml_is_put_in_and_taken_out_wherever_it_stands() {
    for before in [
        "model = \"x\" # y\n",
        "model = \"x\"\r\n\r\n[mcp_servers.a]\r\ncommand = 'b'\r\n# end\r\n",
        "[mcp_servers]\n\n[mcp_servers.a.env]\nA = \"\"\"\n[mcp_servers.keywright]\n\"\"\"\n",
        "mcp_servers.a.command = \"b\"\n\n[[z]]\nat = 2026-01-01T00:00:00Z\n[[z]]\nat = inf\n",
    ] {
        put_in_and_out(Format::Toml, "mcp_servers", before);
    }
}

#[test]
fn yaml_is_put_in_and_taken_out_wherever_it_stands() {
    for before in [
        "A: x\nextensions:\n  # dev\n  developer:\n    enabled: true\n\n  memory: {a: [1]}\nz: 1\n",
        "extensions: # all\r\n    developer:\r\n        enabled: true\r\n",
        "x: &a\n  b: |+\n    keywright:\n\n\nextensions:\n  developer:\n    <<: *a\n    c: 'd'",
    ] {
        put_in_and_out(Format::Yaml, "extensions", before);
    }
}

#[test]
fn an_entry_that_was_moved_and_edited_by_hand_is_taken_out_alone() {
    for (format, key, text, without) in [
        (
            Format::Jsonc,
            KEY,
            "{\"mcpServers\": {\"keywright\": {\"x\": 1}, // ours\n \"a\": 1}}",
            "{\"mcpServers\": {// ours\n \"a\": 1}}",
        ),
        (
            Format::Jsonc,
            KEY,
            "{\"mcpServers\": {\"a\": 1, /* b */ \"keywright\": {\"x\": 1} }}",
            "{\"mcpServers\": {\"a\": 1 /* b */ }}",
        ),
        (
            Format::Toml,
            "mcp_servers",
            "[mcp_servers.keywright]\ncommand = \"x\"\nargs = [\n  \"a\", # b\n]\n\n# a's\n[mcp_servers.a]\n\
             b = 1\n[mcp_servers.keywright.env]\nF = \"t\"\n[z]\n",
            "\n# a's\n[mcp_servers.a]\nb = 1\n[z]\n",
        ),
        (
            Format::Yaml,
            "extensions",
            "extensions: # all\n  keywright: {cmd: x,\n     args: []}\n# end\n",
            "extensions: {} # all\n# end\n",
        ),
        (
            Format::Yaml,
            "extensions",
            "extensions:\n  a: 1\n  # ours\n  keywright:\n    cmd: |\n      x\n\n  # b\n  b: 2\n",
            "extensions:\n  a: 1\n  # ours\n\n  # b\n  b: 2\n",
        ),
    ] {
        assert_eq!(format.without(text, key).as_deref(), Ok(without));
    }
}

#[test]
fn a_broken_file_is_refused_with_its_line_and_column() {
    for (format, text, at) in [
        (Format::Json, "{\n  \"a\": 1,\n}", "line 2, column 9: "),
        (Format::Json, "{\n  // no\n}", "line 2, column 3: "),
        (
            Format::Jsonc,
            "{\n  \"é\": 1 \"b\": 2\n}",
            "line 2, column 9: ",
        ),
        (Format::Jsonc, "\u{feff}{ a: 1 }", "line 1, column 3: "),
        (
            Format::Json,
            "{\n\u{b}\"a\": 1}",
            "line 2, column 1: a space",
        ),
        (Format::Json, "{\"a\":\u{a0}1}", "line 1, column 6: a space"),
        (Format::Json, "{}\u{c}", "line 1, column 3: a space"),
        (Format::Jsonc, "{\"a\": 1", "line 1, column 1: "),
        (Format::Jsonc, "{\"a\": 1}\n{}", "line 2, column 1: "),
        (
            Format::Jsonc,
            "{\"a\": 1,\n\"a\": 2}",
            "line 2, column 1: `a` stands twice",
        ),
        (Format::Toml, "a = 1\nb = ]", "line 2, column 5: "),
        (Format::Yaml, "a: 1\nb: [", "line 2, column "),
        (
            Format::Yaml,
            "a: 1\na: 2",
            "line 2, column 1: `a` stands twice",
        ),
        (
            Format::Yaml,
            "é: 1\r\nmcpServers:\r  b: 1\r",
            "line 2, column 12: ",
        ),
        (
            Format::Yaml,
            "? \n?  : :\n? :\n? ",
            "line 4, column 3: `` stands twice",
        ),
    ] {
        let why = why(format, KEY, text);
        assert!(why.starts_with(at), "{text}: {why}");
    }
}

#[test]
fn what_is_written_in_another_way_is_left_alone() {
    for (format, text) in [
        (Format::Json, "[]"),
        (Format::Json, "{\"mcpServers\": []}"),
        (Format::Json, "{\"mcpServers\": null}"),
        (Format::Toml, "mcpServers = {}"),
        (Format::Toml, "mcpServers = 1"),
        (Format::Toml, "[[mcpServers]]\na = 1"),
        (Format::Yaml, "{a: 1}"),
        (Format::Yaml, "- a"),
        (Format::Yaml, "mcpServers: {a: 1}"),
        (Format::Yaml, "mcpServers: &a\n  a: 1"),
        (Format::Yaml, "mcpServers: !t\n  a: 1"),
        (Format::Yaml, "x: &a {b: 1}\nmcpServers: *a"),
        (Format::Yaml, "mcpServers: ~"),
        (Format::Yaml, "a: 1\n...\n"),
        (Format::Yaml, "a: 1\n---\nb: 1"),
    ] {
        let odd = format.with(text, KEY, &entry()).unwrap_err();
        assert!(matches!(odd, Odd::Unusual(_)), "{text}: {odd}");
    }
}

#[test]
fn what_is_nested_beyond_all_measure_is_left_alone() {
    const DEEP: usize = 20_000;
    let steps: Vec<_> = (0..1_000).map(|at| " ".repeat(at) + "a:\n").collect();
    for (format, text) in [
        (Format::Json, format!("{{\"a\":{}", "[".repeat(DEEP))),
        (Format::Toml, format!("a={}", "[".repeat(DEEP))),
        (Format::Toml, "a.".repeat(DEEP) + "a=1"),
        (Format::Yaml, format!("a: {}", "[".repeat(DEEP))),
        (Format::Yaml, "- ".repeat(DEEP)),
        (Format::Yaml, steps.concat()),
    ] {
        assert!(format.read(&text).is_err(), "{}", &text[..20]);
    }
}

/// White space and comments.
fn gap() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "",
        "",
        " ",
        "\n",
        "\n  ",
        "\t",
        "\r\n",
        "// c\n",
        "/* d */",
        " // \"e\": {\n",
    ]);
    prop::collection::vec(piece, 0..3).prop_map(|pieces| pieces.concat())
}

fn value() -> BoxedStrategy<String> {
    let leaf = prop::sample::select(vec![
        "1",
        "-1.50e3",
        "\"x\"",
        "null",
        "true",
        "\"\\u00e9}\"",
    ]);
    leaf.prop_map(str::to_owned)
        .prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                object(
                    prop::sample::subsequence(vec!["a", "b", "mcpServers"], 0..3),
                    inner.clone()
                ),
                (
                    prop::collection::vec((gap(), inner, gap()), 0..3),
                    any::<bool>()
                )
                    .prop_map(|(all, comma)| {
                        let all: Vec<_> = all
                            .into_iter()
                            .map(|(front, value, back)| format!("{front}{value}{back}"))
                            .collect();
                        let end = if comma && !all.is_empty() { "," } else { "" };
                        format!("[{}{end}]", all.join(","))
                    }),
            ]
        })
        .boxed()
}

fn object(
    names: impl Strategy<Value = Vec<&'static str>> + 'static,
    value: impl Strategy<Value = String> + Clone + 'static,
) -> BoxedStrategy<String> {
    let parts = (names, any::<bool>(), gap());
    let members = parts.prop_flat_map(move |(names, comma, end)| {
        let count = names.len();
        let values = prop::collection::vec((gap(), gap(), value.clone(), gap()), count);
        values.prop_map(move |values| {
            let members: Vec<_> = names
                .iter()
                .zip(values)
                .map(|(name, (a, b, value, c))| format!("{a}\"{name}\":{b}{value}{c}"))
                .collect();
            let comma = if comma && count > 0 { "," } else { "" };
            format!("{{{}{comma}{end}}}", members.join(","))
        })
    });
    members.boxed()
}

/// A client's file: servers, or none yet, among other settings.
fn file() -> impl Strategy<Value = String> {
    let servers = object(
        prop::sample::subsequence(vec!["x", "y", "z"], 0..3),
        value(),
    );
    let parts = (
        gap(),
        gap(),
        value(),
        gap(),
        prop::option::of(servers),
        gap(),
        gap(),
    );
    parts.prop_map(|(a, b, other, c, servers, d, e)| match servers {
        Some(servers) => {
            format!("{a}{{{b}\"other\":{other}{c},{d}\"mcpServers\":{servers}{d}}}{e}")
        }
        None => format!("{a}{{{b}\"other\":{other}{c}}}{e}"),
    })
}

fn without_space(text: &str) -> String {
    text.split_whitespace().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn connecting_and_disconnecting_is_nothing(before in file()) {
        let after = put_in(Format::Jsonc, KEY, &before);
        // Even if nobody knows any more what was put in.
        let without = Format::Jsonc.without(&after, KEY).unwrap();
        if Format::Jsonc.read(&before).unwrap().get(KEY).is_some() {
            prop_assert_eq!(without_space(&without), without_space(&before));
        }
    }

    #[test]
    fn nothing_but_our_entry_is_written(before in file()) {
        let after = put_in(Format::Jsonc, KEY, &before);
        // What stood there stands there, in the same order.
        let mut rest = after.chars();
        for c in before.chars().filter(|c| !c.is_whitespace()) {
            prop_assert!(rest.any(|other| other == c), "{}", after);
        }
    }
}
