//! Where a value goes: a file a kind of place. Each is made ready before the value is, and holds
//! nothing of it unless it holds it whole.

pub(super) mod clipboard;
pub(super) mod dotenv;
mod file;
mod keychain;
mod terminal;
pub(super) mod token_file;

use super::{args::ToSink, error::Failure, output::Output};
use crate::{
    authority::Sink,
    domain::{credential, text::escaped},
    wire::token::Token,
};
use clipboard::Clipboard;
use dotenv::Dotenv;
use file::NewFile;
use keychain::Keychain;
use serde::Serialize;
use terminal::{JsonStdout, Stdout, Terminal};
use token_file::TokenFile;

/// A sink that a person named.
pub(super) trait Destination: Sink {
    /// What a value that comes here changes, without the value.
    fn change(&self) -> String;

    /// Learns of which token the value is that it is going to be given.
    fn learn_record(&mut self, _: &Token) {}

    /// What a person should know once the value is there.
    fn told(&self) -> Option<String> {
        None
    }
}

/// How a person wants it.
#[derive(Clone, Copy, Debug)]
struct Options {
    even_if_tracked: bool,
}

/// What would be done, for pipes.
#[derive(Serialize)]
struct DryRun<'a> {
    to: &'a str,
    change: String,
}

/// The sink that `to` names; for a pipe that reads JSON, one that writes the whole view.
pub(super) fn for_claim(to: &ToSink, json: bool) -> Result<Box<dyn Destination>, Failure> {
    if json && to.to == "stdout" {
        return Ok(Box::new(JsonStdout(None)));
    }
    named(to)
}

/// The sink that `to` names.
pub(super) fn named(to: &ToSink) -> Result<Box<dyn Destination>, Failure> {
    let options = Options {
        even_if_tracked: to.even_if_tracked,
    };
    let (kind, rest) = to.to.split_once(':').unwrap_or((&to.to, ""));
    let is_word = kind == to.to;
    match (kind, rest) {
        ("terminal", _) if is_word => Ok(Box::new(Terminal)),
        ("stdout", _) if is_word => Ok(Box::new(Stdout)),
        ("file", path) if !path.is_empty() => Ok(Box::new(NewFile::at(path))),
        ("token-file", path) if !path.is_empty() => Ok(Box::new(TokenFile::at(path))),
        ("dotenv", place) if !place.is_empty() => Ok(Box::new(Dotenv::named(place, options)?)),
        ("clipboard", _) if is_word => Ok(Box::new(Clipboard::new(to.clear_after))),
        ("keychain", name) if !name.is_empty() => Ok(Box::new(Keychain::named(name)?)),
        _ => Err(Failure::Misuse(
            "`--to` takes `terminal`, `stdout`, `file:PATH`, `token-file:PATH`, \
             `dotenv:PATH#KEY`, `clipboard` or `keychain:NAME`"
                .to_owned(),
        )),
    }
}

/// Makes the sink ready, tells what would change there, and leaves all as it was.
pub(super) fn dry_run(out: Output, sink: &mut dyn Destination) -> Result<(), Failure> {
    sink.prepare()
        .map_err(|error| Failure::Failed(error.into()))?;
    let change = sink.change();
    sink.withdraw();
    let kind = sink.name();
    let view = DryRun { to: &kind, change };
    super::token::written(out.show(&view, |view| {
        format!("{}\nNothing was made or changed.\n", view.change)
    }))
}

/// Whether every program reads `value` as it is, without quotes. Each of ours is; one that was made
/// elsewhere may not be.
fn is_plain(value: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b"_-.+/=:@%,".contains(&b);
    !value.is_empty() && value.bytes().all(is_part)
}

/// What was typed, for eyes: a path, say, without what could be a value in it.
fn shown(typed: &str) -> String {
    credential::without_values(&escaped(typed))
}
