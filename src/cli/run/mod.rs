//! `keywright run`: tokens for one command. Each is made for it, is in its environment alone, and
//! ends with it; if we are killed, at the latest with the life that it was given.

pub(super) mod locks;
mod signals;

use std::{
    collections::HashSet,
    io::{self, ErrorKind},
    os::unix::process::ExitStatusExt as _,
    process::ExitStatus,
};

use anyhow::Context as _;
use tokio::process::{Child, Command};

use super::{
    args,
    error::Failure,
    output,
    serve::{House, parsed},
    words,
};
use crate::{
    authority::{Deliver, Error, For, NewToken, Revoke, Sink},
    domain::{
        credential::{self, PlainToken},
        expires::Expires,
        id::TokenId,
        label::Label,
        text::escaped,
    },
};
use locks::{Lock, Locks};
use signals::Signals;

/// What a shell answers for a command that is not there.
const NOT_FOUND: u8 = 127;

/// What a shell answers for a command that cannot be run.
const NOT_RUN: u8 = 126;

/// What was typed, understood.
struct Wanted {
    tokens: Vec<(Label, String)>,
    cli_tokens: Vec<(For, String)>,
    new: NewToken,
}

/// A value on its way into an environment.
struct Given {
    name: String,
    value: Option<PlainToken>,
}

/// Does what was typed, and ends as the command does.
pub(super) async fn run(house: &House, asked: args::Run) -> Result<(), Failure> {
    let wanted = understood(&asked)?;
    // From here on no signal ends us before the tokens have ended.
    let mut signals = Signals::catch().context("the signals")?;
    sweep(house).await;
    let mut held = Vec::new();
    let ended = match give(house, wanted, &mut held).await {
        Ok(given) => lead(&asked, given, &mut signals).await,
        Err(failure) => Err(failure),
    };
    for lock in held {
        end(house, lock).await;
    }
    match ended? {
        0 => Ok(()),
        code => Err(Failure::Ended(code)),
    }
}

/// Revokes the tokens of runs that were killed. What cannot be done now is left to the next start.
pub(super) async fn sweep(house: &House) {
    match Locks::of(house.store()).left_behind() {
        Ok(left) => {
            for lock in left {
                end(house, lock).await;
            }
        }
        Err(error) => tracing::warn!(%error, "the locks of earlier runs cannot be read"),
    }
}

fn understood(asked: &args::Run) -> Result<Wanted, Failure> {
    let life = words::duration("--for", Some(&asked.life))?;
    let named = |option: &str, text: &str| -> Result<(String, String), Failure> {
        let Some((what, name)) = text.rsplit_once('=') else {
            return Err(Failure::Misuse(format!("`{option}` has no `=` in it")));
        };
        let name = words::variable("the name behind `=`", name)?;
        Ok((what.to_owned(), name))
    };
    let mut tokens = Vec::new();
    for text in &asked.token {
        let (label, name) = named("--token LABEL=ENV_NAME", text)?;
        tokens.push((words::label("--token", &label)?, name));
    }
    let mut cli_tokens = Vec::new();
    for text in &asked.cli_token {
        let (whose, name) = named("--cli-token WHOSE=ENV_NAME", text)?;
        let of = match whose.split_once(':') {
            None if whose == "user" => For::Me,
            Some(("user", user)) => For::User(parsed("--cli-token", user)?),
            Some(("env", env)) => For::AppEnv(words::app_env(env)?),
            None | Some(_) => {
                return Err(Failure::Misuse(
                    "`--cli-token` takes `user=ENV_NAME`, `user:NAME=ENV_NAME` or \
                     `env:NAME=ENV_NAME`"
                        .to_owned(),
                ));
            }
        };
        cli_tokens.push((of, name));
    }
    let mut seen = HashSet::new();
    let all = tokens.iter().map(|(_, name)| name);
    for name in all.chain(cli_tokens.iter().map(|(_, name)| name)) {
        if !seen.insert(name) {
            return Err(Failure::Misuse(format!(
                "`{name}` is named twice; give each value a variable of its own"
            )));
        }
    }
    let new = NewToken {
        owner: For::Me,
        label: words::label("--token", "run")?,
        scopes: words::maybe_scopes(asked.scopes.as_deref())?,
        expires: life.map(Expires::After),
        deliver: Deliver::Claim,
        idempotency_key: None,
    };
    Ok(Wanted {
        tokens,
        cli_tokens,
        new,
    })
}

/// Reveals and makes what is wanted. The locks of what was made are `held`, whatever comes of it.
async fn give(house: &House, wanted: Wanted, held: &mut Vec<Lock>) -> Result<Vec<Given>, Failure> {
    let (authority, operator) = (house.authority().await?, house.operator());
    let mut given = Vec::new();
    for (of, name) in wanted.cli_tokens {
        let revealed = authority.reveal_cli_token(&operator, of).await?;
        let value = PlainToken::imported(revealed.value.expose());
        given.push(Given {
            name,
            value: Some(value),
        });
    }
    for (label, name) in wanted.tokens {
        let new = NewToken {
            label,
            ..wanted.new.clone()
        };
        let minted = authority.create_token(&operator, new).await?;
        // It has no value yet: if we are killed before the lock is there, it never will.
        let lock = match Locks::of(house.store()).take(minted.token.id) {
            Ok(lock) => lock,
            Err(error) => {
                revoke(house, minted.token.id).await?;
                let what = "the lock of this run, in the folder `runs` beside the store";
                return Err(error.context(what).into());
            }
        };
        held.push(lock);
        let claim = minted.claim().context("the token waits for nobody")?;
        let mut sink = Given { name, value: None };
        authority.claim_token(&operator, claim, &mut sink).await?;
        given.push(sink);
    }
    Ok(given)
}

impl Sink for Given {
    fn prepare(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn publish(&mut self, value: &PlainToken) -> io::Result<()> {
        self.value = Some(PlainToken::imported(value.expose()));
        Ok(())
    }

    fn withdraw(&mut self) {
        self.value = None;
    }

    fn name(&self) -> String {
        format!("a run, as {}", self.name)
    }
}

/// Starts the command and goes with it to its end.
async fn lead(asked: &args::Run, given: Vec<Given>, signals: &mut Signals) -> Result<u8, Failure> {
    let mut child = match start(asked, given) {
        Ok(child) => child,
        Err(error) => {
            let program = asked
                .command
                .first()
                .map(|program| program.to_string_lossy());
            // A value that was typed in the wrong place is not repeated.
            let program = credential::without_values(&escaped(&program.unwrap_or_default()));
            let (code, why) = if error.kind() == ErrorKind::NotFound {
                (NOT_FOUND, "is not found; look at its path".to_owned())
            } else {
                (NOT_RUN, format!("cannot be run: {error}"))
            };
            output::tell(&format!("error: `{program}` {why}"));
            return Ok(code);
        }
    };
    loop {
        tokio::select! {
            status = child.wait() => {
                let status = status.map_err(|error| Failure::Failed(error.into()))?;
                return Ok(code(status));
            }
            signal = signals.next() => {
                // Until its end was seen, its number is nobody else's.
                if let Some(child) = child.id() {
                    signals::hand_on(signal, child);
                }
            }
        }
    }
}

/// Starts the command, the values in its environment and nowhere in ours.
fn start(asked: &args::Run, given: Vec<Given>) -> io::Result<Child> {
    let [program, arguments @ ..] = &*asked.command else {
        return Err(ErrorKind::NotFound.into());
    };
    let mut command = Command::new(program);
    command.args(arguments);
    for Given { name, value } in &given {
        if let Some(value) = value {
            // The command keeps a copy that is not wiped. It is dropped below, as soon as the child
            // has its own.
            command.env(name, value.expose());
        }
    }
    let child = command.spawn();
    drop((command, given));
    child
}

/// The code that a shell answers with.
fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Ends the token of a run that is over.
async fn end(house: &House, lock: Lock) {
    match revoke(house, lock.token).await {
        // One that is not there any more was never claimed, and was swept.
        Ok(()) | Err(Failure::Refused(Error::NotFound(_))) => {
            if let Err(error) = lock.remove() {
                tracing::warn!(%error, "the lock of a run that is over cannot be taken away");
            }
        }
        Err(failure) => {
            let words = failure.words(false).unwrap_or_default();
            let why = words.lines().next().unwrap_or_default();
            tell_that_it_lives(house, &lock, why.trim_start_matches("error: "));
        }
    }
}

async fn revoke(house: &House, id: TokenId) -> Result<(), Failure> {
    let authority = house.authority().await?;
    let asked = Revoke::typed(id);
    authority.revoke_token(&house.operator(), asked).await?;
    Ok(())
}

/// Tells that a token lives on, and what to type. The next start tries again.
fn tell_that_it_lives(house: &House, lock: &Lock, why: &str) {
    let words = ["token", "revoke", &lock.token.to_string()];
    output::tell(&format!(
        "the token {} of this run could not be ended: {why}\n  end it: {}",
        lock.token,
        house.command(&words)
    ));
}
