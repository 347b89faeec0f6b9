//! Files of MCP clients, into which an entry of ours is put and out of which it is taken: the first
//! line names how the file is written, the rest is the file.

use keywright::cli::fuzzing::ClientFile;
use serde_json::{Value, json};

const NAME: &str = "keywright";

pub fn look(data: &[u8]) {
    let Some((format, text)) = str::from_utf8(data)
        .ok()
        .and_then(|text| text.split_once('\n'))
    else {
        return;
    };
    let Some(file) = ClientFile::named(format) else {
        return;
    };
    let (key, entry) = match format {
        "toml" => ("mcp_servers", usual()),
        "yaml" => ("extensions", goose()),
        _ => ("mcpServers", usual()),
    };
    let before = match file.read(text) {
        Ok(before) => before,
        Err(Some((line, column))) => {
            let lines: Vec<_> = text.split('\n').collect();
            assert!((1..=lines.len()).contains(&line), "line {line} of {text:?}");
            let longest = lines[line - 1].chars().count() + 1;
            assert!(
                (1..=longest).contains(&column),
                "{line}:{column} of {text:?}"
            );
            return;
        }
        Err(None) => return,
    };
    if format == "json" {
        strict(text, &before);
    }
    let had = before.get(key).and_then(|all| all.get(NAME)).is_some();
    if let Some(with) = file.with(text, key, &entry) {
        let read = file.read(&with).expect("what was written is read");
        let ours = read[key].get(NAME).expect("the entry is there");
        if format != "yaml" {
            assert_eq!(ours, &entry);
        }
        assert_eq!(
            others(&read, key),
            others(&before, key),
            "{text:?} became {with:?}"
        );
        if format == "json" {
            strict(&with, &read);
        }
        let again = file
            .with(&with, key, &entry)
            .expect("it takes its own place");
        assert_eq!(
            file.read(&again).unwrap(),
            read,
            "{with:?} became {again:?}"
        );
        let without = file
            .without(&with, key)
            .expect("what was put in is taken out");
        let read = file.read(&without).expect("what is left is read");
        assert_eq!(
            others(&read, key),
            others(&before, key),
            "{with:?} became {without:?}"
        );
        if !had {
            // What people wrote is there to the last word, whatever stands between.
            let words = |text: &str| text.split_whitespace().count();
            assert!(
                words(&without) + 2 >= words(text),
                "{text:?} became {without:?}"
            );
        }
    }
    if let Some(without) = file.without(text, key) {
        assert!(had || without == text);
        let read = file.read(&without).expect("what is left is read");
        assert!(read.get(key).and_then(|all| all.get(NAME)).is_none());
        assert_eq!(
            others(&read, key),
            others(&before, key),
            "{text:?} became {without:?}"
        );
    }
}

fn usual() -> Value {
    json!({
        "command": "/usr/bin/keywright",
        "args": ["mcp", "--store", "/srv/it's \"é\"/store.db"],
        "env": { "KEYWRIGHT_TOKEN_FILE": "C:\\token" },
    })
}

fn goose() -> Value {
    json!({ "enabled": true, "cmd": "/usr/bin/keywright", "args": [], "envs": { "A": "b: #c" } })
}

/// All but our entry, and the table that is empty without it.
fn others(read: &Value, key: &str) -> Value {
    let mut read = read.clone();
    let Some(all) = read.as_object_mut() else {
        return json!({});
    };
    if let Some(servers) = all.get_mut(key).and_then(Value::as_object_mut) {
        servers.shift_remove(NAME);
    }
    let is_empty = |value: &Value| *value == json!({}) || *value == json!("");
    if all.get(key).is_some_and(is_empty) {
        all.shift_remove(key);
    }
    read
}

/// What is read as JSON and nothing more, another reader of JSON reads, too, and as the same.
fn strict(text: &str, read: &Value) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() || text.contains("\\u") {
        return;
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) => assert_eq!(&value, read),
        Err(why) => {
            let why = why.to_string();
            // Limits of that reader.
            let is_limit = why.contains("recursion limit") || why.contains("number out of range");
            assert!(is_limit, "{why}: {text:?}");
        }
    }
}
