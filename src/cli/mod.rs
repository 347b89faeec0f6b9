//! The command line: words of a person at a shell.

mod admin;
mod args;
mod audit;
mod beside;
mod claim;
mod cli_token;
mod closed;
mod completions;
mod connect;
mod demo;
mod doctor;
mod elsewhere;
mod error;
#[cfg(test)]
mod error_table;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod hidden;
mod http;
mod man;
mod mcp;
mod output;
mod program;
mod replace_file;
mod run;
mod scan;
mod serve;
mod session_token;
mod sink;
mod store;
mod token;
mod words;

use std::{ffi::OsString, io, process::ExitCode};

use clap::{CommandFactory as _, Parser as _};

use crate::{config::env, domain::credential, telemetry};
use args::{Command, InHouse, Keywright};
use error::Failure;
use output::Output;
use serve::{House, Missing};
use sink::clipboard;

/// Runs the command in `arguments`, whose first is the program's name.
pub async fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let closed = closed::close();
    let arguments: Vec<_> = arguments.collect();
    if let Some(after) = clipboard::is_to_clear(&arguments) {
        return ended(clipboard::clear(after).await, false);
    }
    let typed = match Keywright::try_parse_from(arguments) {
        Ok(typed) => typed,
        Err(error) => {
            return misunderstood(&error);
        }
    };
    let json = typed.place.json;
    let filter = env::read(&env::LOG).or_else(|| typed.command.usual_log().map(str::to_owned));
    let done = match telemetry::start(filter.as_deref(), output::colours(&io::stderr())) {
        Ok(()) => {
            if let Err(why) = closed {
                tracing::warn!(%why, "other programs of this user may look into this process");
            }
            command(typed).await
        }
        Err(why) => Err(Failure::Misuse(format!("`{}`: {why}", env::LOG.name))),
    };
    ended(done, json)
}

/// The last words, and the exit code.
fn ended(done: Result<(), Failure>, json: bool) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(words) = failure.words(json) {
                output::tell(&words);
            }
            failure.code()
        }
    }
}

/// Tells what could not be read, or the help that was asked for.
fn misunderstood(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Help goes to standard output and is no failure.
        drop(error.print());
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let shown = credential::without_values(&text);
    if shown == text {
        drop(error.print());
    } else {
        output::tell(shown.trim_end());
    }
    ExitCode::from(2)
}

/// Every command's help, as it is shown, each under its name.
pub fn help() -> Vec<(String, String)> {
    fn of(command: &mut clap::Command, path: &str, all: &mut Vec<(String, String)>) {
        all.push((path.to_owned(), command.render_long_help().to_string()));
        let names: Vec<_> = command
            .get_subcommands()
            .map(|command| command.get_name().to_owned())
            .filter(|name| name != "help")
            .collect();
        for name in names {
            if let Some(command) = command.find_subcommand_mut(&name) {
                of(command, &format!("{path} {name}"), all);
            }
        }
    }
    let mut command = Keywright::command().term_width(100);
    command.build();
    let mut all = Vec::new();
    of(&mut command, "keywright", &mut all);
    all
}

async fn command(typed: Keywright) -> Result<(), Failure> {
    let place = &typed.place;
    let out = Output { json: place.json };
    match typed.command {
        Command::Mcp(asked) => mcp::run(place, asked).await,
        Command::Serve(asked) => http::run(place, asked).await,
        Command::Demo { attack } => demo::run(attack).await,
        Command::Doctor => doctor::run(place, out).await,
        Command::Store(asked) => store::run(place, out, asked).await,
        Command::Scan(asked) => scan::run(out, &asked),
        Command::Completions { shell } => completions::run(shell),
        Command::Man { command, out } => man::run(&command, out.as_deref()),
        Command::InHouse(asked) => {
            let house = House::at(place, missing(&asked))?;
            let done = in_house(&house, out, asked).await;
            house.close().await;
            done
        }
    }
}

async fn in_house(house: &House, out: Output, asked: InHouse) -> Result<(), Failure> {
    match asked {
        InHouse::Token(asked) => token::run(house, out, asked).await,
        InHouse::Claim(asked) => claim::run(house, out, asked).await,
        InHouse::Run(asked) => run::run(house, asked).await,
        InHouse::Env(asked) => admin::env(house, out, asked).await,
        InHouse::CliToken(asked) => cli_token::run(house, out, asked).await,
        InHouse::User(asked) => admin::user(house, out, asked).await,
        InHouse::Account(asked) => admin::account(house, out, asked).await,
        InHouse::Member(asked) => admin::member(house, out, asked).await,
        InHouse::Audit(asked) => audit::run(house, out, asked).await,
        InHouse::Connect(asked) => connect::run(house, out, asked).await,
        InHouse::Disconnect { client } => connect::disconnect(house, out, &client).await,
    }
}

/// A command that adds something makes its store; one that looks for something must find it.
fn missing(asked: &InHouse) -> Missing {
    let adds = matches!(
        asked,
        InHouse::Token(args::Token::Create(_))
            | InHouse::Run(_)
            | InHouse::Env(args::Env::Create { .. })
            | InHouse::CliToken(args::CliToken::Set { .. })
            | InHouse::User(args::User::Add { .. })
            | InHouse::Account(args::Account::Add { .. })
            | InHouse::Connect(args::Connect { list: false, .. })
    );
    if adds {
        Missing::IsMade
    } else {
        Missing::IsRefused
    }
}
