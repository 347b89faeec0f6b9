//! The command line: words of a person at a shell.

mod admin;
mod args;
mod audit;
mod claim;
mod cli_token;
mod demo;
mod error;
mod mcp;
mod output;
mod serve;
mod sink;
mod store;
mod token;
mod words;

use std::{ffi::OsString, io, process::ExitCode};

use clap::{CommandFactory as _, Parser as _};

use crate::{config::env, telemetry};
use args::{Command, Keywright};
use error::Failure;
use output::Output;
use serve::{House, Missing};

/// Runs the command in `arguments`, whose first is the program's name.
pub async fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let typed = match Keywright::try_parse_from(arguments) {
        Ok(typed) => typed,
        Err(error) => {
            // Help goes to standard output and is no failure.
            drop(error.print());
            return match error.use_stderr() {
                true => ExitCode::from(2),
                false => ExitCode::SUCCESS,
            };
        }
    };
    let json = typed.place.json;
    let filter = env::read(&env::LOG);
    let done = match telemetry::start(filter.as_deref(), output::colours(&io::stderr())) {
        Ok(()) => command(typed).await,
        Err(why) => Err(Failure::Misuse(format!("`{}`: {why}", env::LOG.name))),
    };
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
    let command = match typed.command {
        Command::Mcp(asked) => return mcp::run(place, asked).await,
        Command::Demo => return demo::run().await,
        Command::Store(asked) => return store::run(place, out, asked).await,
        command => command,
    };
    let missing = match &command {
        Command::Token(args::Token::Create(_))
        | Command::Env(args::Env::Create { .. })
        | Command::CliToken(args::CliToken::Set { .. })
        | Command::User(args::User::Add { .. })
        | Command::Account(args::Account::Add { .. }) => Missing::IsMade,
        _ => Missing::IsRefused,
    };
    let house = House::open(place, missing).await?;
    let done = match command {
        Command::Token(asked) => token::run(&house, out, asked).await,
        Command::Claim(asked) => claim::run(&house, out, asked).await,
        Command::Env(asked) => admin::env(&house, out, asked).await,
        Command::CliToken(asked) => cli_token::run(&house, out, asked).await,
        Command::User(asked) => admin::user(&house, out, asked).await,
        Command::Account(asked) => admin::account(&house, out, asked).await,
        Command::Member(asked) => admin::member(&house, out, asked).await,
        Command::Audit(asked) => audit::run(&house, out, asked).await,
        Command::Mcp(_) | Command::Demo | Command::Store(_) => Ok(()),
    };
    house.close().await;
    done
}
