//! `keywright mcp`: one MCP session over standard input and output.

use std::{
    io::{self, IsTerminal as _},
    thread,
};

use super::{
    args,
    error::Failure,
    output,
    serve::{House, Missing, uid},
    session_token::SessionToken,
    words,
};
use crate::{
    authz::Credential,
    config::env,
    domain::scope::{Reach, Scope, Scopes},
    mcp::{
        Confirm, Conversation, Presents, Server,
        stdio::{self, Descriptors},
    },
};

/// Serves until the client hangs up.
pub(super) async fn run(place: &args::Place, asked: args::Mcp) -> Result<(), Failure> {
    let token = SessionToken::from_environment()?;
    for named in [&env::TOKEN, &env::TOKEN_FILE] {
        if asked.local && env::is_set(named) {
            return Err(Failure::Misuse(format!(
                "`--local` serves the local user, and `{}` names a token: give one of the two",
                named.name
            )));
        }
    }
    let scopes = match &asked.scopes {
        Some(text) => Some(words::scopes("--scopes", text)?),
        None => None,
    };
    if io::stdin().is_terminal() {
        output::tell(
            "This speaks MCP over standard input and output, for an MCP client to start; see \
             mcp.json.example. Ctrl-D ends it.",
        );
    }
    // Before anything can print: from here on standard output belongs to the protocol.
    let descriptors = Descriptors::take()
        .map_err(|error| anyhow::Error::new(error).context("the standard streams"))?;
    let stop = stdio::stop_on_signals()
        .map_err(|error| anyhow::Error::new(error).context("the signals"))?;

    // Takes as long as opening the store does, and is done meanwhile; without a thread, later.
    drop(
        thread::Builder::new()
            .name("tools".into())
            .spawn(Server::tools),
    );
    let missing = if asked.local {
        Missing::IsMade
    } else {
        Missing::StaysEmpty
    };
    let house = House::at(place, missing)?;
    let mut claim = house.claim_command();
    if let Some(file) = token.file() {
        claim = claim.with_token_file(&file.display().to_string());
    }
    let presents = if asked.local {
        Presents::from(Credential::LocalSession {
            uid: uid(),
            account: house.account.clone(),
            reach: local_reach(scopes, asked.grant.as_deref())?,
        })
    } else {
        token.presents(scopes)
    };
    let authority = house.authority().await?;
    super::run::sweep(&house).await;
    let confirm = match asked.confirm.as_str() {
        "always" => Confirm::Always,
        _ => Confirm::WherePossible,
    };
    let server = Server::new(authority.clone(), presents, claim).confirming(confirm, None);
    let ended = tokio::select! {
        ended = Box::pin(stdio::serve(Conversation::with(server), descriptors, stop)) => ended,
        () = authority.keep_house() => Ok(()),
    };
    house.close().await;
    ended.map_err(|error| Failure::Failed(error.into()))
}

/// What a local session holds: the usual scopes or those that were named, and the service scopes
/// that may be given on.
fn local_reach(scopes: Option<Scopes>, grant: Option<&str>) -> Result<Reach, Failure> {
    let scopes = scopes.unwrap_or_else(usual_scopes);
    let Some(grant) = grant else {
        return Ok(Reach::WithEveryService(scopes));
    };
    Ok(Reach::Exactly(scopes.or(&services(grant)?)))
}

/// What an agent may do, unless something else is asked for.
pub(super) fn usual_scopes() -> Scopes {
    Scopes::from([
        Scope::READ_TOKENS,
        Scope::WRITE_TOKENS,
        Scope::DELETE_TOKENS,
        Scope::READ_ENVS,
    ])
}

/// The service scopes that may be given on.
pub(super) fn services(grant: &str) -> Result<Scopes, Failure> {
    let granted = words::scopes("--grant", grant)?;
    if let Some(ours) = granted.iter().find(|scope| !scope.is_service()) {
        return Err(Failure::Misuse(format!(
            "`--grant` takes service scopes, and `{ours}` is one of Keywright's own: name it with \
             `--scopes`"
        )));
    }
    Ok(granted)
}
