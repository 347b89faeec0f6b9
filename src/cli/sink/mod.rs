//! Where a value goes: a file a kind of place. Each is made ready before the value is, and holds
//! nothing of it unless it holds it whole.

mod file;
mod terminal;
pub(super) mod token_file;

use super::error::Failure;
use crate::authority::Sink;
use file::NewFile;
use terminal::{JsonStdout, Stdout, Terminal};
use token_file::TokenFile;

/// The sink that `text` names; for a pipe that reads JSON, one that writes the whole view.
pub(super) fn for_claim(text: &str, json: bool) -> Result<Box<dyn Sink>, Failure> {
    if json && text == "stdout" {
        return Ok(Box::new(JsonStdout(None)));
    }
    named(text)
}

/// The sink that `text` names.
pub(super) fn named(text: &str) -> Result<Box<dyn Sink>, Failure> {
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    match (kind, rest) {
        ("terminal", _) if text == kind => Ok(Box::new(Terminal)),
        ("stdout", _) if text == kind => Ok(Box::new(Stdout)),
        ("file", path) if !path.is_empty() => Ok(Box::new(NewFile::at(path))),
        ("token-file", path) if !path.is_empty() => Ok(Box::new(TokenFile::at(path))),
        _ => Err(Failure::Misuse(
            "`--to` takes `terminal`, `stdout`, `file:PATH` or `token-file:PATH`".to_owned(),
        )),
    }
}
