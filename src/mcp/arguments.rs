//! Holds a tool's arguments against its schema, so that every mistake is told by the argument's
//! name, and none by what was given: that may be a value gone astray.

use rmcp::model::JsonObject;
use serde_json::Value;

use crate::authority::Error;

/// Whether `arguments` are of the form that `schema` describes: its names, its types, its words.
pub(super) fn check(schema: &JsonObject, arguments: &JsonObject) -> Result<(), Error> {
    let none = JsonObject::new();
    let known = schema
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&none);
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if !arguments.contains_key(name) {
            return Err(Error::invalid(
                name.to_owned(),
                "it is missing, and this tool needs it",
            ));
        }
    }
    for (name, given) in arguments {
        let Some(expected) = known.get(name) else {
            let names: Vec<_> = known.keys().map(|name| format!("`{name}`")).collect();
            let why = if names.is_empty() {
                "this tool takes none".to_owned()
            } else {
                format!("one is unknown; this tool takes {}", names.join(", "))
            };
            return Err(Error::invalid("arguments", why));
        };
        if let Some(why) = objection(expected, given) {
            // A name that is known is one of ours.
            return Err(Error::invalid(name.clone(), why));
        }
    }
    Ok(())
}

/// Arguments that fit their schema and still are none.
pub(super) fn unreadable() -> Error {
    Error::invalid("arguments", "they cannot be read")
}

fn objection(expected: &Value, given: &Value) -> Option<String> {
    let kind = expected.get("type").and_then(Value::as_str)?;
    let fits = match kind {
        "string" => given.is_string(),
        "boolean" => given.is_boolean(),
        "integer" => given.is_i64(),
        "array" => given
            .as_array()
            .is_some_and(|items| items.iter().all(Value::is_string)),
        _ => true,
    };
    if !fits {
        return Some(match kind {
            "array" => "expected a list of strings".to_owned(),
            "integer" => "expected a whole number".to_owned(),
            kind => format!("expected a {kind}"),
        });
    }
    let words = expected.get("enum").and_then(Value::as_array)?;
    if words.contains(given) {
        return None;
    }
    let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
    Some(format!("expected one of `{}`", words.join("`, `")))
}
