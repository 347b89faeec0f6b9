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
use crate::domain::{
    credential,
    sighting::{self, Sighting},
    text::escaped,
};

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
    let looks = asked.paths.iter().map(|path| look_at(path, &mut found));
    // What cannot be read is told behind what was found elsewhere.
    let all_read = looks.fold(Ok(()), Result::and);
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
        return Ok(all_read?);
    }
    if !out.json {
        output::tell(
            "Whoever reads it there can use it: take it out, find its token by the prefix with \
             `keywright token list --everyone`, and end it with `keywright token revoke ID`.",
        );
    }
    all_read?;
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
        let mut look_into = |entry: PathBuf| {
            let kind = entry.symlink_metadata().with_context(what)?.file_type();
            let is_history = entry.file_name().is_some_and(|name| name == ".git");
            if (kind.is_dir() && !is_history) || kind.is_file() {
                look_at(&entry, found)?;
            }
            Ok(())
        };
        return entries
            .into_iter()
            .map(&mut look_into)
            .fold(Ok(()), Result::and);
    }
    let file = File::open(path).with_context(what)?;
    read(&shown, BufReader::new(file), found).with_context(what)
}

/// Looks at one file, a line at a time, and at a line without end a piece at a time.
fn read(path: &str, mut file: impl BufRead, found: &mut Vec<Found>) -> io::Result<()> {
    let (mut line, mut number) = (Line::default(), 1);
    loop {
        let bytes = file.fill_buf()?;
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let read = end.map_or(bytes.len(), |end| end + 1);
        let is_last = bytes.is_empty();
        line.push(&bytes[..read]);
        file.consume(read);
        let is_whole = is_last || end.is_some();
        line.look(is_whole, |seen, column| {
            found.push(Found {
                path: credential::without_values(path),
                line: number,
                column,
                kind: seen.kind.as_str(),
                prefix: seen.prefix.as_str().to_owned(),
                genuine: seen.is_genuine,
            });
        });
        if is_last {
            return Ok(());
        }
        if end.is_some() {
            (line, number) = (Line::default(), number + 1);
        }
    }
}

/// Where in `text`, which comes so many bytes at a time, something was found: line, column, and
/// whether it is genuine.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn places(text: &[u8], at_a_time: usize) -> io::Result<Vec<(usize, usize, bool)>> {
    let mut found = Vec::new();
    read("-", BufReader::with_capacity(at_a_time, text), &mut found)?;
    let places = found.iter();
    Ok(places
        .map(|found| (found.line, found.column, found.genuine))
        .collect())
}

/// A line, or the piece of a long one that is looked at.
#[derive(Default)]
struct Line {
    piece: String,
    /// How much of the line is in front of the piece.
    behind: usize,
    /// How much of the piece was looked at already. It is kept, as what stands around a value.
    seen: usize,
}

impl Line {
    /// No value is longer, with what tells it from what stands around it.
    const AROUND: usize = 128;
    /// What is looked at in one go; little for a fuzzer, whose texts are short.
    const PIECE: usize = if cfg!(feature = "fuzzing") {
        512
    } else {
        64 << 10
    };

    /// No value has a byte beyond ASCII, and a byte for a byte leaves the columns as they are.
    fn push(&mut self, bytes: &[u8]) {
        let characters = bytes.iter().map(|&byte| match byte {
            byte if byte.is_ascii() => char::from(byte),
            _ => ' ',
        });
        self.piece.extend(characters);
    }

    /// Tells of everything that begins in what was not looked at yet, and in which column, once
    /// there is enough of it.
    fn look(&mut self, is_whole: bool, mut tell: impl FnMut(Sighting, usize)) {
        if !is_whole && self.piece.len() < Self::PIECE {
            return;
        }
        let end = self.piece.len() - if is_whole { 0 } else { Self::AROUND };
        for seen in sighting::values_in(&self.piece) {
            if (self.seen..end).contains(&seen.at) {
                let column = self.behind + seen.at + 1;
                tell(seen, column);
            }
        }
        // Every character is one byte.
        let keep = end.saturating_sub(Self::AROUND);
        self.piece.drain(..keep);
        (self.behind, self.seen) = (self.behind + keep, end - keep);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(text: &[u8], at_a_time: usize) -> Vec<(usize, usize)> {
        let places = places(text, at_a_time).unwrap();
        places
            .into_iter()
            .map(|(line, column, _)| (line, column))
            .collect()
    }

    #[test]
    fn a_value_is_found_once_wherever_in_a_long_line_it_stands() {
        let value = format!("kw_pat_{}", "x".repeat(49));
        for before in (0..3 * Line::AROUND).step_by(9) {
            let at = Line::PIECE - before;
            let text = format!("\n{} {value} {value}\n{value}", ".".repeat(at));
            let second = at + 3 + value.len();
            let wanted = [(2, at + 2), (2, second), (3, 1)];
            assert_eq!(columns(text.as_bytes(), 1 << 20), wanted, "{at}");
        }
        let text = format!("{}{value}", "é".repeat(Line::PIECE));
        assert_eq!(columns(text.as_bytes(), 7), [(1, 2 * Line::PIECE + 1)]);
    }
}
