//! An input, cut into lines of bounded length.
//!
//! A line is never longer in memory than [`LONGEST`]; what follows one that is too long is read as
//! if nothing had been.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use crate::mcp::frame::LONGEST;

/// How much of a line buffer is kept for the next line.
const KEPT: usize = 64 * 1024;

/// The lines of an input.
pub(super) struct Lines<R> {
    input: BufReader<R>,
    /// The present line, as far as it has come.
    line: Vec<u8>,
    /// `line` has been handed out, and the next call begins another.
    is_done: bool,
    /// The present line is too long already, and thrown away up to its end.
    is_too_long: bool,
}

/// One line, or none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Without its end, which the last line need not have.
    Whole(&'a [u8]),
    /// Longer than [`LONGEST`], and dropped.
    TooLong,
    /// There are no more lines.
    End,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        let input = BufReader::with_capacity(KEPT, input);
        Self {
            input,
            line: Vec::new(),
            is_done: false,
            is_too_long: false,
        }
    }

    /// The next line. Dropping the future loses nothing: what has been read stays here.
    pub(super) async fn next(&mut self) -> io::Result<Line<'_>> {
        if self.is_done {
            self.line.clear();
            self.line.shrink_to(KEPT);
            self.is_done = false;
        }
        loop {
            // Nothing is awaited between this and `consume`.
            let read = self.input.fill_buf().await?;
            let is_last = read.is_empty();
            let newline = read.iter().position(|byte| *byte == b'\n');
            let part = &read[..newline.unwrap_or(read.len())];
            if self.line.len() + part.len() > LONGEST {
                self.line = Vec::new();
                self.is_too_long = true;
            }
            if !self.is_too_long {
                self.line.extend_from_slice(part);
            }
            let length = part.len() + usize::from(newline.is_some());
            self.input.consume(length);

            if newline.is_none() && !is_last {
                continue;
            }
            if std::mem::take(&mut self.is_too_long) {
                return Ok(Line::TooLong);
            }
            if is_last && self.line.is_empty() {
                return Ok(Line::End);
            }
            self.is_done = true;
            return Ok(Line::Whole(&self.line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lengths(input: &[u8]) -> Vec<Option<usize>> {
        let mut lines = Lines::new(input);
        let mut lengths = Vec::new();
        loop {
            match lines.next().await.unwrap() {
                Line::Whole(line) => lengths.push(Some(line.len())),
                Line::TooLong => lengths.push(None),
                Line::End => return lengths,
            }
        }
    }

    #[tokio::test]
    async fn a_line_ends_at_its_newline_or_with_the_input() {
        assert_eq!(lengths(b"").await, []);
        assert_eq!(lengths(b"ab\n\nc\n").await, [Some(2), Some(0), Some(1)]);
        assert_eq!(lengths(b"ab\nc").await, [Some(2), Some(1)]);
    }

    #[tokio::test]
    async fn a_line_of_one_byte_too_many_is_dropped_alone() {
        let longest = vec![b'x'; LONGEST];
        let input = [&longest[..], b"\n", &longest, b"y\nab\n", &longest, b"y"].concat();

        assert_eq!(lengths(&input).await, [Some(LONGEST), None, Some(2), None]);
    }
}
