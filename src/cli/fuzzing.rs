//! Doors for `fuzz/`, and for nobody else: what reads and changes files that people and other
//! programs wrote.

use std::io;

use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    connect::document::{Format, Odd},
    scan,
    sink::dotenv::edit,
};

/// How a client's file is written.
#[derive(Clone, Copy, Debug)]
pub struct ClientFile(Format);

impl ClientFile {
    /// The one that is called so: `json`, `jsonc`, `toml` or `yaml`.
    pub fn named(name: &str) -> Option<Self> {
        Some(Self(match name {
            "json" => Format::Json,
            "jsonc" => Format::Jsonc,
            "toml" => Format::Toml,
            "yaml" => Format::Yaml,
            _ => return None,
        }))
    }

    /// All that stands in `text`, or where it cannot be read: a line and a column.
    pub fn read(self, text: &str) -> Result<Value, Option<(usize, usize)>> {
        self.0.read(text).map_err(|odd| place(&odd))
    }

    /// `text` with our `entry` under `key`.
    pub fn with(self, text: &str, key: &str, entry: &Value) -> Option<String> {
        self.0.with(text, key, entry).ok()
    }

    /// `text` without our entry under `key`.
    pub fn without(self, text: &str, key: &str) -> Option<String> {
        self.0.without(text, key).ok()
    }
}

fn place(odd: &Odd) -> Option<(usize, usize)> {
    match odd {
        Odd::Broken { line, column, .. } => Some((*line, *column)),
        Odd::Unusual(_) => None,
    }
}

/// The dotenv file `text` with `value` for `key`, or nothing where it is left alone.
pub fn dotenv(text: &[u8], key: &str, value: &str) -> Option<Zeroizing<Vec<u8>>> {
    let place = edit::place(text, key).ok()?;
    Some(edit::with(text, &place, value))
}

/// Where `keywright scan` finds something in `text`, which comes so many bytes at a time: line,
/// column, and whether it is genuine.
pub fn scanned(text: &[u8], at_a_time: usize) -> io::Result<Vec<(usize, usize, bool)>> {
    scan::places(text, at_a_time)
}
