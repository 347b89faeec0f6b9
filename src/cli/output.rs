//! Tables for eyes, JSON for pipes. The only writer to standard output, sinks aside.

use std::{
    fmt::{Arguments, Write as _},
    io::{self, IsTerminal as _, Write as _},
};

use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;
use zeroize::Zeroizing;

use crate::{
    config::env,
    domain::text::{self, escaped},
};

/// Where nothing tells how wide the terminal is.
const USUAL_WIDTH: usize = 100;

/// No column is made narrower.
const NARROWEST: usize = 8;

/// Rows under headings. What is in a cell came from a row: it is escaped.
#[derive(Debug)]
pub(super) struct Table {
    headings: Vec<&'static str>,
    /// Columns that are left out where the terminal is too narrow for all, the first first.
    lesser: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new<const N: usize>(headings: [&'static str; N]) -> Self {
        Self {
            headings: headings.into(),
            lesser: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Names the columns that a narrow terminal does without.
    pub(super) fn without_in_need<const N: usize>(mut self, lesser: [&'static str; N]) -> Self {
        self.lesser = lesser.into();
        self
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows
            .push(cells.map(|cell| text::escaped(&cell)).into());
    }

    /// The table, no line wider than `width` where that can be had: the widest columns give way,
    /// and what is cut off ends in `…`. The first column, an id as a rule, stays whole.
    fn laid_out(&self, width: usize) -> String {
        let mut shown: Vec<usize> = (0..self.headings.len()).collect();
        for name in &self.lesser {
            if self.narrowest(&shown) <= width {
                break;
            }
            shown.retain(|&column| self.headings[column] != *name);
        }
        let headings = shown.iter().map(|&column| self.headings[column].to_owned());
        let rows = self.rows.iter();
        let rows = rows.map(|row| shown.iter().map(|&column| row[column].clone()).collect());
        let lines: Vec<Vec<String>> = std::iter::once(headings.collect()).chain(rows).collect();
        let columns = shown.len();
        let mut widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = lines.iter().map(|line| line[column].width());
                cells.max().unwrap_or(0)
            })
            .collect();
        let gaps = 2 * (columns - 1);
        while widths.iter().sum::<usize>() + gaps > width {
            let widest = (1..columns).max_by_key(|&column| widths[column]);
            match widest {
                Some(column) if widths[column] > NARROWEST => widths[column] -= 1,
                Some(_) | None => break,
            }
        }
        let mut text = String::new();
        for line in &lines {
            let mut row = String::new();
            for (cell, &width) in line.iter().zip(&widths) {
                let cell = cut(cell, width);
                let gap = width.saturating_sub(cell.width()) + 2;
                row.push_str(&cell);
                row.extend(std::iter::repeat_n(' ', gap));
            }
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text
    }
}

impl Table {
    /// How wide the columns `shown` are at least: the first is never cut.
    fn narrowest(&self, shown: &[usize]) -> usize {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].width());
            cells.max().unwrap_or(0).max(self.headings[column].width())
        };
        let least = shown.iter().enumerate().map(|(place, &column)| {
            if place == 0 {
                width(column)
            } else {
                width(column).min(NARROWEST)
            }
        });
        least.sum::<usize>() + 2 * (shown.len() - 1)
    }
}

/// How answers are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    pub(super) json: bool,
}

impl Output {
    /// Writes `view` as JSON, or what `eyes` says.
    pub(super) fn show<T: Serialize>(
        self,
        view: &T,
        eyes: impl FnOnce(&T) -> String,
    ) -> io::Result<()> {
        // There may be a value in it.
        let text = Zeroizing::new(if self.json {
            serde_json::to_string_pretty(view)?
        } else {
            eyes(view)
        });
        write(&text)?;
        write(if self.json { "\n" } else { "" })
    }
}

/// Writes `text` to standard output. A reader that has gone is no failure of ours.
pub(super) fn write(text: &str) -> io::Result<()> {
    match write_all(text) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes `text`, of which somebody is to keep all, to standard output.
pub(super) fn write_all(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes `text` to standard error, where people read along.
pub(super) fn tell(text: &str) {
    let mut err = io::stderr().lock();
    // Nobody is left to be told that nobody reads.
    drop(writeln!(err, "{text}"));
}

/// The rows, or what to do where there are none.
pub(super) fn table(table: &Table, none: &str) -> String {
    if table.rows.is_empty() {
        format!("{none}\n")
    } else {
        table.laid_out(width())
    }
}

/// A page of rows, and how to get the next one.
pub(super) fn page(rows: &Table, none: &str, next: Option<&str>) -> String {
    let mut text = table(rows, none);
    if let Some(next) = next {
        add(&mut text, format_args!("There are more: --cursor {next}\n"));
    }
    text
}

/// Adds to a text.
pub(super) fn add(text: &mut String, more: Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = text.write_fmt(more);
}

/// Names with their values, one a line. What came from a row is escaped.
pub(super) fn card(lines: &[(&str, String)]) -> String {
    let widest = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    lines.iter().fold(String::new(), |mut text, (name, value)| {
        add(
            &mut text,
            format_args!("{name:widest$}  {}\n", escaped(value)),
        );
        text
    })
}

/// A value that may be missing, for eyes.
pub(super) fn or_dash(value: Option<&str>) -> String {
    value.unwrap_or("-").to_owned()
}

/// Whether colours are wanted where `stream` goes.
pub(super) fn colours(stream: &impl io::IsTerminal) -> bool {
    stream.is_terminal() && !env::is_set(&env::NO_COLOR)
}

fn width() -> usize {
    if !io::stdout().is_terminal() {
        // A pipe has no edge.
        return usize::MAX;
    }
    terminal_size::terminal_size().map_or(USUAL_WIDTH, |(width, _)| usize::from(width.0))
}

fn cut(cell: &str, width: usize) -> String {
    if cell.width() <= width {
        return cell.to_owned();
    }
    let mut kept = String::new();
    for c in cell.chars() {
        let mut longer = kept.clone();
        longer.push(c);
        if longer.width() > width.saturating_sub(1) {
            break;
        }
        kept = longer;
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["ID", "LABEL", "SCOPES"]);
        table.row(["1".into(), "Claude Desktop".into(), "read:notes".into()]);
        table.row(["2".into(), "夜".repeat(20), "a:b ".repeat(20)]);
        table
    }

    #[test]
    fn every_line_fits_the_terminal() {
        let text = table().laid_out(40);
        assert!(text.lines().all(|line| line.width() <= 40), "{text}");
        assert!(text.contains('…'));
    }

    #[test]
    fn a_narrow_terminal_does_without_the_lesser_columns() {
        let text = table().without_in_need(["LABEL"]).laid_out(14);
        assert!(!text.contains("LABEL") && text.contains("SCOPES"), "{text}");
        assert!(text.lines().all(|line| line.width() <= 14), "{text}");
    }

    #[test]
    fn nothing_is_cut_where_there_is_room() {
        assert!(!table().laid_out(usize::MAX).contains('…'));
    }

    #[test]
    fn what_came_from_a_row_cannot_steer_the_terminal() {
        let mut table = Table::new(["LABEL"]);
        table.row(["\u{1b}[31mred\u{202e}".into()]);
        let text = table.laid_out(80);
        assert!(text.contains(r"\u{1b}[31mred\u{202e}"), "{text}");
    }
}
