//! `keywright scan`: finds values of tokens in files, by their checksum. It needs no store, asks
//! nobody, and never prints a value.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, IsTerminal as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::Serialize;

use super::{
    args,
    error::Failure,
    output::{self, Output},
    token::written,
};
use crate::domain::{sighting, text::escaped};

/// Something of a token's shape in a file.
#[derive(Debug, Serialize)]
struct Found {
    /// The file's name, or `-`.
    path: String,
    line: usize,
    /// In bytes.
    column: usize,
    kind: &'static str,
    prefix: String,
    /// Whether the checksum fits.
    genuine: bool,
}

/// What was found, as JSON.
#[derive(Debug, Serialize)]
struct Report {
    found: Vec<Found>,
}

/// Does what was typed. Finding a value is no success.
pub(super) fn run(out: Output, asked: &args::Scan) -> Result<(), Failure> {
    let mut found = Vec::new();
    for path in &asked.paths {
        look_at(path, &mut found)?;
    }
    if asked.paths.is_empty() {
        if io::stdin().is_terminal() {
            output::tell("Reading standard input; Ctrl-D ends it.");
        }
        read("-", io::stdin().lock(), &mut found).context("standard input")?;
    }
    found.retain(|found| asked.all || found.genuine);
    let genuine = found.iter().filter(|found| found.genuine).count();
    written(out.show(&Report { found }, |report| eyes(&report.found)))?;
    if genuine == 0 {
        return Ok(());
    }
    if !out.json {
        output::tell(
            "Whoever reads it there can use it: take it out, find its token by the prefix with \
             `keywright token list --everyone`, and end it with `keywright token revoke ID`.",
        );
    }
    Err(Failure::Told)
}

/// Looks at a file, or at every file in a folder. A link in a folder is left to where it points.
fn look_at(path: &Path, found: &mut Vec<Found>) -> anyhow::Result<()> {
    let shown = path.display().to_string();
    let what = || format!("`{}`", escaped(&shown));
    if path.is_dir() {
        let entries = fs::read_dir(path).with_context(what)?;
        let mut entries: Vec<PathBuf> = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<_>>()
            .with_context(what)?;
        entries.sort();
        for entry in entries {
            let kind = entry.symlink_metadata().with_context(what)?.file_type();
            let is_history = entry.file_name().is_some_and(|name| name == ".git");
            if (kind.is_dir() && !is_history) || kind.is_file() {
                look_at(&entry, found)?;
            }
        }
        return Ok(());
    }
    let file = File::open(path).with_context(what)?;
    read(&shown, BufReader::new(file), found).with_context(what)
}

/// Looks at one file, a line at a time.
fn read(path: &str, mut file: impl BufRead, found: &mut Vec<Found>) -> io::Result<()> {
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        if file.read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        // No value has a byte beyond ASCII, and a byte for a byte leaves the columns as they are.
        let line: String = bytes
            .iter()
            .map(|&byte| {
                if byte.is_ascii() {
                    char::from(byte)
                } else {
                    ' '
                }
            })
            .collect();
        found.extend(sighting::values_in(&line).map(|seen| Found {
            path: path.to_owned(),
            line: number,
            column: seen.at + 1,
            kind: seen.kind.as_str(),
            prefix: seen.prefix.as_str().to_owned(),
            genuine: seen.is_genuine,
        }));
    }
    Ok(())
}

fn eyes(found: &[Found]) -> String {
    let lines = found.iter().map(|found| {
        let path = escaped(&found.path);
        let verdict = if found.genuine {
            "a value: its checksum fits"
        } else {
            "no value: its checksum does not fit"
        };
        let Found {
            line,
            column,
            kind,
            prefix,
            ..
        } = found;
        format!("{path}:{line}:{column}: {kind} {prefix}…, {verdict}\n")
    });
    lines.collect()
}
