//! `keywright claim`: a person picks a value up.

use std::io::{self, BufRead as _, IsTerminal as _};

use tokio::signal::unix::{self, SignalKind};

use super::{
    args,
    elsewhere::Server,
    error::Failure,
    output::{self, Output, Table},
    serve::{House, parsed},
    sink::{self, Destination},
    token::{told, written},
};
use crate::{
    authority::{ClaimRef, Error},
    domain::claim::ClaimCode,
    wire::token::{ClaimToken, Claims, Token},
};

/// Does what was typed.
pub(super) async fn run(house: &House, out: Output, asked: args::Claim) -> Result<(), Failure> {
    let mut sink = sink::for_claim(&asked.to, out.json)?;
    let code = asked.code.as_deref();
    let code = code
        .map(|code| parsed::<ClaimCode>("claim code", code))
        .transpose()?;
    if asked.to.dry_run {
        return sink::dry_run(out, &mut *sink);
    }
    if let Some(at) = &asked.at {
        let server = Server::at(at, asked.token_file.as_deref())?;
        let claim = match code {
            Some(code) => Some(ClaimToken::by(&code)),
            None => choose(out, &server.claims().await?)?.map(ClaimToken::of),
        };
        return match claim {
            Some(claim) => pick_up_there(&server, out, &claim, &mut *sink, &asked.to.to).await,
            None => Ok(()),
        };
    }
    let claim = if let Some(code) = code {
        ClaimRef::Code(code.hashed())
    } else {
        let waiting = house
            .authority()
            .await?
            .list_claims(&house.operator())
            .await?;
        let claims = Claims {
            claims: waiting.iter().map(Into::into).collect(),
        };
        match choose(out, &claims)? {
            Some(id) => ClaimRef::Token(parsed("id", id)?),
            None => return Ok(()),
        }
    };
    pick_up(house, out, claim, &mut *sink, &asked.to.to).await
}

/// Hands the value of `claim`, which waits at `server`, to `sink`. An answer is given once: what
/// the sink does not take is lost, and so the sink is made ready before the server is asked.
async fn pick_up_there(
    server: &Server,
    out: Output,
    claim: &ClaimToken,
    sink: &mut (dyn Destination + 'static),
    to: &str,
) -> Result<(), Failure> {
    sink.prepare().map_err(Error::Sink)?;
    let claimed = match server.claim(claim, outlive_signals).await {
        Ok(claimed) => claimed,
        Err(failure) => {
            sink.withdraw();
            return Err(failure);
        }
    };
    let (record, value) = claimed.into_parts();
    sink.learn_record(&record);
    if let Err(why) = sink.publish(&value) {
        sink.withdraw();
        return Err(server.lost(&record, &why));
    }
    told(out, &record, &*sink, to)
}

/// Hands the value of `claim` to `sink`, and tells of it.
pub(super) async fn pick_up(
    house: &House,
    out: Output,
    claim: ClaimRef,
    sink: &mut (dyn Destination + 'static),
    to: &str,
) -> Result<(), Failure> {
    let authority = house.authority().await?;
    outlive_signals().map_err(anyhow::Error::new)?;
    let claimed = authority
        .claim_token(&house.operator(), claim, sink)
        .await?;
    told(out, &Token::from(&claimed), &*sink, to)
}

/// Once the claim is used its value must arrive, or the claim wait again: what would end us in
/// between, such as a Ctrl-C at a keychain's prompt, ends the prompt alone.
fn outlive_signals() -> io::Result<()> {
    for kind in [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ] {
        // What is caught once does not end us any more, whoever listens.
        drop(unix::signal(kind)?);
    }
    Ok(())
}

/// Lists what waits, and asks of which token. With nobody to ask, the list is the answer.
fn choose(out: Output, waiting: &Claims) -> Result<Option<&str>, Failure> {
    written(out.show(waiting, |view| {
        let mut table = Table::new([
            "NO",
            "LABEL",
            "SCOPES",
            "ASKED BY",
            "ASKED AT",
            "WAITS UNTIL",
        ]);
        for (place, view) in view.claims.iter().enumerate() {
            table.row([
                (place + 1).to_string(),
                view.record.label.clone(),
                output::or_dash(
                    Some(view.record.scopes.join(" ").as_str()).filter(|s| !s.is_empty()),
                ),
                view.opened_by.clone(),
                view.opened_at.clone(),
                view.claim_expires_at.clone(),
            ]);
        }
        output::table(&table, "Nothing waits to be picked up.")
    }))?;
    let waiting = &waiting.claims;
    if out.json || waiting.is_empty() || !io::stdin().is_terminal() {
        return Ok(None);
    }
    output::tell("Pick up which number? (Enter for none)");
    let mut typed = String::new();
    io::stdin()
        .lock()
        .read_line(&mut typed)
        .map_err(|error| Failure::Failed(error.into()))?;
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let chosen = typed
        .parse::<usize>()
        .ok()
        .and_then(|number| waiting.get(number.checked_sub(1)?));
    match chosen {
        Some(waiting) => Ok(Some(waiting.record.id.as_str())),
        None => Err(Failure::Misuse(format!(
            "expected a number from 1 to {}",
            waiting.len()
        ))),
    }
}
