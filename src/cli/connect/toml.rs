//! TOML: our entry is a table at the end of the file, and goes by whole lines.

use std::{collections::BTreeSet, ops::Range};

use serde_json::{Map, Value};
use toml_edit::{Document, Item, TableLike};

use super::document::{NAME, Odd, broken, newline, unusual, without_lines};
use crate::cli::output;

/// All that stands in `text`.
pub(super) fn read(text: &str) -> Result<Value, Odd> {
    let document = parsed(text)?;
    Ok(table(document.as_table()))
}

/// `text` with `entry` under `key`. It has none yet.
pub(super) fn with(text: &str, key: &str, entry: &Value) -> Result<String, Odd> {
    let document = parsed(text)?;
    if document.get(key).is_some_and(|item| !item.is_table()) {
        return Err(Odd::Unusual(format!("`{key}` is written in one line")));
    }
    let end = newline(text);
    let mut whole = text.to_owned();
    if !text.is_empty() {
        if !text.ends_with('\n') {
            whole.push_str(end);
        }
        if !text.ends_with("\n\n") && !text.ends_with("\n\r\n") {
            whole.push_str(end);
        }
    }
    let mut block = String::new();
    write(&mut block, &format!("{key}.{NAME}"), entry);
    whole.push_str(&block.replace('\n', end));
    Ok(whole)
}

/// `text` without the entry under `key`, which it has.
pub(super) fn without(text: &str, key: &str) -> Result<String, Odd> {
    let document = parsed(text)?;
    let inline = || Odd::Unusual(format!("`{key}` is written in one line"));
    let servers = document.get(key).and_then(Item::as_table);
    let servers = servers.ok_or_else(inline)?;
    let (name, entry) = servers
        .get_key_value(NAME)
        .ok_or_else(|| unusual("the entry cannot be told from the rest"))?;
    let mut lines = Lines {
        text,
        cut: BTreeSet::new(),
    };
    lines.take(name.span());
    match entry.as_table() {
        Some(table) => lines.take_table(table),
        None => lines.take(entry.span()),
    }
    let cut = lines.with_gaps();
    Ok(without_lines(text, |line| cut.contains(&line)))
}

/// The lines that go.
struct Lines<'a> {
    text: &'a str,
    cut: BTreeSet<usize>,
}

impl Lines<'_> {
    fn take(&mut self, span: Option<Range<usize>>) {
        let Some(span) = span else { return };
        let line = |at: usize| self.text[..at].matches('\n').count();
        let (first, last) = (line(span.start), line(span.end.max(span.start + 1) - 1));
        self.cut.extend(first..=last);
    }

    fn take_table(&mut self, table: &toml_edit::Table) {
        if !table.is_dotted() && !table.is_implicit() {
            self.take(table.span());
        }
        for (name, item) in table {
            self.take(table.key(name).and_then(toml_edit::Key::span));
            match item.as_table() {
                Some(table) => self.take_table(table),
                None => self.take(item.span()),
            }
        }
    }

    /// With the empty lines between them, and the one before the first.
    fn with_gaps(mut self) -> BTreeSet<usize> {
        let lines: Vec<_> = self.text.split('\n').map(str::trim).collect();
        let is_empty = |line: usize| lines.get(line).is_some_and(|line| line.is_empty());
        let taken: Vec<_> = self.cut.iter().copied().collect();
        for pair in taken.windows(2) {
            if (pair[0] + 1..pair[1]).all(is_empty) {
                self.cut.extend(pair[0] + 1..pair[1]);
            }
        }
        if let Some(before) = taken.first().and_then(|first| first.checked_sub(1))
            && is_empty(before)
        {
            self.cut.insert(before);
        }
        self.cut
    }
}

fn parsed(text: &str) -> Result<Document<&str>, Odd> {
    Document::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        broken(text, at, error.message().replace('\n', ", "))
    })
}

fn table(table: &dyn TableLike) -> Value {
    let members = table
        .iter()
        .map(|(name, item)| (name.to_owned(), value(item)));
    Value::Object(members.collect())
}

fn value(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Table(inner) => table(inner),
        Item::ArrayOfTables(tables) => tables.iter().map(|inner| table(inner)).collect(),
        Item::Value(inner) => plain(inner),
    }
}

fn plain(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => Value::String(text.value().clone()),
        toml_edit::Value::Integer(number) => Value::from(*number.value()),
        toml_edit::Value::Boolean(is) => Value::Bool(*is.value()),
        // JSON has no words for infinity and for times.
        toml_edit::Value::Float(number) => Value::String(number.value().to_string()),
        toml_edit::Value::Datetime(at) => Value::String(at.value().to_string()),
        toml_edit::Value::Array(array) => array.iter().map(plain).collect(),
        toml_edit::Value::InlineTable(inner) => table(inner),
    }
}

/// Writes a table and, behind it, those in it.
fn write(text: &mut String, name: &str, entry: &Value) {
    let none = Map::new();
    let members = entry.as_object().unwrap_or(&none);
    let (tables, values): (Vec<_>, Vec<_>) =
        members.iter().partition(|(_, value)| value.is_object());
    output::add(text, format_args!("[{name}]\n"));
    for (name, value) in values {
        output::add(text, format_args!("{name} = {}\n", written(value)));
    }
    for (inner, value) in tables {
        text.push('\n');
        write(text, &format!("{name}.{inner}"), value);
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::String(text) => toml_edit::Value::from(text).to_string(),
        Value::Array(all) => {
            let all: Vec<_> = all.iter().map(written).collect();
            format!("[{}]", all.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}
