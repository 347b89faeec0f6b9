//! A client's file as text: our entry is put into it and taken out of it, and everything else stays
//! byte for byte. What comes of an edit is read again and held against what stood there before.

use serde_json::Value;

use super::{jsonc, toml, yaml};

/// What our entry is called in every client's file.
pub(crate) const NAME: &str = "keywright";

/// How a client's file is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Format {
    /// JSON and nothing more: the client would not read a comment.
    Json,
    /// JSON with comments and trailing commas.
    Jsonc,
    /// TOML.
    Toml,
    /// YAML.
    Yaml,
}

/// Why a file is left as it is.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Odd {
    /// It cannot be read.
    #[error("line {line}, column {column}: {why}")]
    Broken {
        /// Where, counted from 1.
        line: usize,
        /// Where in that line, counted from 1.
        column: usize,
        /// What is wrong there.
        why: String,
    },
    /// It can be read, and is written in a way that is not edited here.
    #[error("{0}")]
    Unusual(String),
}

impl Format {
    /// All that stands in `text`. Words that are no text come as they are written.
    pub(in crate::cli) fn read(self, text: &str) -> Result<Value, Odd> {
        match self {
            Self::Json => jsonc::read(text, false),
            Self::Jsonc => jsonc::read(text, true),
            Self::Toml => toml::read(text),
            Self::Yaml => yaml::read(text),
        }
    }

    /// `text` with our `entry` under `key`, in the place of the one that stood there.
    pub(in crate::cli) fn with(self, text: &str, key: &str, entry: &Value) -> Result<String, Odd> {
        let base = self.without(text, key)?;
        let edited = match self {
            Self::Json => jsonc::with(&base, false, key, entry)?,
            Self::Jsonc => jsonc::with(&base, true, key, entry)?,
            Self::Toml => toml::with(&base, key, entry)?,
            Self::Yaml => yaml::with(&base, key, entry)?,
        };
        self.held_against(text, &edited, key)?;
        let read = self.read(&edited)?;
        if found(&read, key).is_none() {
            return Err(unusual("the entry would not be found again"));
        }
        Ok(edited)
    }

    /// `text` without our entry under `key`.
    pub(in crate::cli) fn without(self, text: &str, key: &str) -> Result<String, Odd> {
        if found(&self.read(text)?, key).is_none() {
            return Ok(text.to_owned());
        }
        let edited = match self {
            Self::Json => jsonc::without(text, false, key)?,
            Self::Jsonc => jsonc::without(text, true, key)?,
            Self::Toml => toml::without(text, key)?,
            Self::Yaml => yaml::without(text, key)?,
        };
        self.held_against(text, &edited, key)?;
        if found(&self.read(&edited)?, key).is_some() {
            return Err(unusual("the entry would still be there"));
        }
        Ok(edited)
    }

    /// Our entry alone, as it stands in such a file.
    pub(super) fn alone(self, key: &str, entry: &Value) -> Result<String, Odd> {
        self.with("", key, entry)
    }

    /// Makes sure that nothing but our entry differs.
    pub(super) fn held_against(self, before: &str, after: &str, key: &str) -> Result<(), Odd> {
        let others = |text: &str| self.read(text).map(|read| without_ours(read, key));
        if others(before)? == others(after)? {
            Ok(())
        } else {
            Err(unusual("the edit would change something else"))
        }
    }
}

/// Our entry in what was read.
pub(super) fn found<'a>(read: &'a Value, key: &str) -> Option<&'a Value> {
    read.get(key)?.get(NAME)
}

/// What was read without our entry, and without the table that held nothing else.
fn without_ours(mut read: Value, key: &str) -> Value {
    if let Some(all) = read.as_object_mut() {
        let servers = all.get_mut(key).and_then(Value::as_object_mut);
        if let Some(servers) = servers {
            servers.shift_remove(NAME);
        }
        let is_empty = |servers: &Value| match servers {
            Value::Object(servers) => servers.is_empty(),
            // An empty line of YAML.
            Value::String(text) => text.is_empty(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
        };
        if all.get(key).is_some_and(is_empty) {
            all.shift_remove(key);
        }
    }
    if read == Value::Null {
        return Value::Object(serde_json::Map::new());
    }
    read
}

pub(super) fn unusual(why: &str) -> Odd {
    Odd::Unusual(why.to_owned())
}

/// The line and the column at `at`, counted from 1.
pub(super) fn broken(text: &str, at: usize, why: impl Into<String>) -> Odd {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    Odd::Broken {
        line: before.matches('\n').count() + 1,
        column: line.chars().filter(|c| *c != '\u{feff}').count() + 1,
        why: why.into(),
    }
}

/// How lines end in `text`.
pub(super) fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// Where the line begins in which `at` stands.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// Where the line ends in which `at` stands, its end included.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

/// `text` without the lines `cut`, counted from 0.
pub(super) fn without_lines(text: &str, cut: impl Fn(usize) -> bool) -> String {
    let lines = text.split_inclusive('\n').enumerate();
    lines
        .filter(|(line, _)| !cut(*line))
        .map(|(_, text)| text)
        .collect()
}
