//! `keywright connect` and `disconnect`: an entry of ours in a client's file, and a token of the
//! client's own.
//!
//! No client's file ever holds a value: the entry names a file of ours, which the server reads anew
//! at every call. A connection that is cut short at any point is mended by connecting again.

pub(super) mod clients;
pub(super) mod document;
mod edit;
pub(super) mod file;
mod jsonc;
mod list;
mod plan;
pub(super) mod record;
#[cfg(test)]
mod tests;
mod toml;
mod yaml;

use anyhow::Context as _;
use serde::Serialize;

use super::{
    args,
    error::Failure,
    mcp,
    output::{self, Output},
    replace_file::Access,
    serve::House,
    session_token,
    sink::token_file::TokenFile,
    token::written,
    words,
};
use crate::{
    authority::{Deliver, Error, For, NewToken, Revoke, Sink as _},
    authz::{Credential, Request},
    domain::{audit::Front, id::TokenId},
    wire::token::Token,
};
use clients::Client;
pub(crate) use clients::NAMES as CLIENTS;
use file::ClientFile;
use plan::{Change, Desk};
use record::{Record, Shelf};

/// A connection that was made.
#[derive(Serialize)]
struct Connected {
    client: &'static str,
    file: String,
    token: Token,
    /// What stood in the file before, if it was kept now.
    backup: Option<String>,
    next: String,
    #[serde(skip)]
    label: &'static str,
}

/// A connection that is no more.
#[derive(Serialize)]
struct Disconnected {
    client: &'static str,
    file: Option<String>,
    /// Whether our entry was taken out of it now.
    removed: bool,
    /// How many tokens ended.
    ended: u64,
    /// What was left alone, and why.
    left: Option<String>,
    #[serde(skip)]
    label: &'static str,
}

/// Does what was typed.
pub(super) async fn run(house: &House, out: Output, asked: args::Connect) -> Result<(), Failure> {
    let named = asked.client.as_deref().and_then(Client::named);
    let Some(client) = named.filter(|_| !asked.list) else {
        return list::run(house, out).await;
    };
    let new = new_token(client, &asked)?;
    let desk = Desk::of(house, client)?;
    if asked.print {
        return desk.print(out);
    }
    // What is refused is refused before anything is made.
    let file = desk.file()?;
    let change = desk.change(&file)?;
    if asked.dry_run {
        return desk.show(out, &file, &change);
    }
    connect(house, out, &desk, new).await
}

async fn connect(house: &House, out: Output, desk: &Desk, new: NewToken) -> Result<(), Failure> {
    let authority = house.authority().await?;
    let _lock = desk.shelf.lock()?;
    // Another command may have changed it while we waited.
    let file = desk.file()?;
    let change = desk.change(&file)?;
    let old = desk.shelf.read()?;
    let ending = tokens_of(house, &desk.shelf, old.as_ref()).await?;
    let mut sink = TokenFile::at(desk.shelf.token_file());
    let prepared = sink.prepare();
    sink.withdraw();
    prepared.map_err(Error::Sink)?;
    let draft = match &change {
        Change::None => None,
        Change::Text { .. } => Some(file.draft()?),
    };
    let backed_up = draft.is_some() && file.back_up()?;

    let minted = authority.create_token(&house.operator(), new).await?;
    let claim = minted.claim().context("the token waits for nobody")?;
    let mut record = Record {
        token: Some(minted.token.id.to_string()),
        ending: ending.iter().map(ToString::to_string).collect(),
        ..old.clone().unwrap_or_default()
    };
    if let Change::Text { edit, made, .. } = &change {
        record.made = *made;
        record.edit = edit.clone();
    }
    // What is known is written down before it is so: nothing is forgotten if this is cut short.
    let done = async {
        desk.shelf.write(&record)?;
        if let (Some(draft), Change::Text { after, .. }) = (draft, &change) {
            draft
                .publish(after.as_bytes(), Access::AsBefore)
                .map_err(anyhow::Error::new)?;
        }
        let claimed = authority
            .claim_token(&house.operator(), claim, &mut sink)
            .await?;
        Ok::<_, Failure>(claimed)
    };
    let claimed = match done.await {
        Ok(claimed) => claimed,
        Err(failure) => {
            take_back(house, desk, &file, &change, old, minted.token.id).await;
            return Err(failure);
        }
    };
    end(house, &ending).await?;
    record.ending.clear();
    desk.shelf.write(&record)?;

    let view = Connected {
        client: desk.client.name,
        file: file.path.display().to_string(),
        token: Token::at(&claimed.token, claimed.at),
        backup: backed_up.then(|| file.backup().display().to_string()),
        next: format!(
            "{}. Then ask its agent: what may you do with Keywright?",
            desk.client.reload
        ),
        label: desk.client.label,
    };
    written(out.show(&view, connected))
}

fn connected(view: &Connected) -> String {
    let end = match &view.token.expires_at {
        Some(end) => format!("until {end}"),
        None => "until it is revoked".to_owned(),
    };
    let scopes = match view.token.scopes.join(" ") {
        none if none.is_empty() => "say who it is".to_owned(),
        scopes => scopes,
    };
    let mut text = format!(
        "{} is connected: `{}` stands in {}\nIts token ({}) is good {end}, and may: {scopes}\n",
        view.label,
        document::NAME,
        view.file,
        view.token.id,
    );
    if let Some(backup) = &view.backup {
        output::add(
            &mut text,
            format_args!(
                "What stood there before is kept in {backup}\n  It holds whatever stood in the file, \
                 values too; once all works, it may be deleted.\n"
            ),
        );
    }
    output::add(&mut text, format_args!("Next: {}\n", view.next));
    text
}

/// Puts everything back after a failure. What cannot be put back is told: connecting again mends it.
async fn take_back(
    house: &House,
    desk: &Desk,
    file: &ClientFile,
    change: &Change,
    old: Option<Record>,
    token: TokenId,
) {
    let told = |error: Failure| {
        tracing::warn!(
            why = error.words(false),
            "what was begun could not be taken back; connect again"
        );
    };
    if let Err(error) = end(house, &[token]).await {
        told(error);
    }
    let back = || {
        if let Change::Text { after, .. } = change {
            let now = ClientFile::look(&file.path)?;
            if now.text.as_ref() == Some(after) {
                match &file.text {
                    Some(text) => now.draft()?.publish(text.as_bytes(), Access::AsBefore)?,
                    None => file::remove(&file.path)?,
                }
            }
        }
        match old {
            Some(old) => desk.shelf.write(&old),
            None => desk.shelf.forget(),
        }
    };
    if let Err(error) = back() {
        told(error.into());
    }
}

/// Takes our entry out of a client's file, and ends its token.
pub(super) async fn disconnect(house: &House, out: Output, name: &str) -> Result<(), Failure> {
    let client = Client::named(name)
        .ok_or_else(|| Failure::Misuse(format!("there is no client `{name}`")))?;
    let shelf = Shelf::of(house, client.name);
    let lock = shelf.is_there().then(|| shelf.lock()).transpose()?;
    let file = match client.place() {
        Some(place) => Some(ClientFile::look(&place.file)?),
        None => None,
    };
    let old = shelf.read()?;
    let taken = match &file {
        Some(file) => plan::taken_out(client, file, &shelf, old.as_ref())?,
        None => plan::Taken::default(),
    };
    let draft = match (&file, &taken.after) {
        (Some(file), Some(_)) => Some(file.draft()?),
        (Some(_) | None, _) => None,
    };
    let mut ended = 0;
    if lock.is_some() && house.is_there() {
        // First of all: whatever comes of the rest, the token is good for nothing any more.
        let tokens = tokens_of(house, &shelf, old.as_ref()).await?;
        ended = end(house, &tokens).await?;
    }
    if let (Some(file), Some(draft), Some(after)) = (&file, draft, &taken.after) {
        draft
            .publish(after.as_bytes(), Access::AsBefore)
            .map_err(anyhow::Error::new)?;
        if taken.remove {
            file::remove(&file.path)?;
        }
        file.forget_backup(after);
    }
    if lock.is_some() {
        shelf.forget()?;
    }
    let view = Disconnected {
        client: client.name,
        file: file.map(|file| file.path.display().to_string()),
        removed: taken.after.is_some(),
        ended,
        left: taken.left,
        label: client.label,
    };
    written(out.show(&view, disconnected))
}

fn disconnected(view: &Disconnected) -> String {
    let mut text = String::new();
    if let (true, Some(file)) = (view.removed, &view.file) {
        let name = document::NAME;
        output::add(&mut text, format_args!("`{name}` is gone from {file}\n"));
    }
    if view.ended > 0 {
        output::add(
            &mut text,
            format_args!("The token of {} is refused from now on.\n", view.label),
        );
    }
    if let Some(left) = &view.left {
        output::add(&mut text, format_args!("{left}\n"));
    }
    if text.is_empty() {
        output::add(
            &mut text,
            format_args!("{} is not connected.\n", view.label),
        );
    }
    text
}

fn new_token(client: &Client, asked: &args::Connect) -> Result<NewToken, Failure> {
    let scopes = match &asked.scopes {
        Some(text) => words::scopes("--scopes", text)?,
        None => mcp::usual_scopes(),
    };
    let granted = asked.grant.as_deref().map(mcp::services).transpose()?;
    Ok(NewToken {
        owner: For::Me,
        label: words::label("client", client.label)?,
        scopes: granted.map_or_else(|| scopes.clone(), |granted| scopes.or(&granted)),
        expires: words::maybe("--expires", asked.expires.as_deref())?,
        deliver: Deliver::Claim,
        idempotency_key: None,
    })
}

/// The tokens that this connection has or had: those written down, and the one in its file.
async fn tokens_of(
    house: &House,
    shelf: &Shelf,
    record: Option<&Record>,
) -> Result<Vec<TokenId>, Failure> {
    let known = record.into_iter();
    let known = known.flat_map(|record| record.token.iter().chain(&record.ending));
    let mut tokens: Vec<TokenId> = known.filter_map(|id| id.parse().ok()).collect();
    if let Ok(value) = session_token::read(&shelf.token_file()) {
        let credential = Credential::bearer(value.trim(), None);
        let asks = Request::new(credential, Front::Cli).looking_again();
        // A token that is good for nothing needs no end.
        if let Ok(me) = house.authority().await?.whoami(&asks).await
            && let Some(token) = me.token.map(|token| token.id)
            && !tokens.contains(&token)
        {
            tokens.push(token);
        }
    }
    Ok(tokens)
}

/// Ends these tokens. One that is not in this store needs no end. Answers how many ended now.
async fn end(house: &House, tokens: &[TokenId]) -> Result<u64, Failure> {
    let mut ended = 0;
    for &id in tokens {
        let authority = house.authority().await?;
        let asked = Revoke::typed(id);
        match authority.revoke_token(&house.operator(), asked).await {
            Ok(revoked) => ended += revoked.revoked_count,
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(ended)
}
