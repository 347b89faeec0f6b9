//! `keywright token`: make, list, change, renew and end tokens.

use serde::Serialize;

use super::{
    args,
    claim::pick_up,
    error::Failure,
    output::{self, Output, Table},
    serve::{House, parsed},
    sink::{self, Destination},
    words,
};
use crate::{
    authority::{self, Deliver, For, ListTokens, Minted, NewToken, Of, Revoke},
    wire::token::{NewToken as NewTokenView, RevokedToken, Token, Tokens},
};

/// Does what was typed.
pub(super) async fn run(house: &House, out: Output, asked: args::Token) -> Result<(), Failure> {
    match asked {
        args::Token::Create(create) => create_token(house, out, create).await,
        args::Token::List(list) => list_tokens(house, out, list).await,
        args::Token::Show { id } => {
            let id = parsed("id", &id)?;
            let (token, at) = house
                .authority()
                .await?
                .get_token(&house.operator(), id)
                .await?;
            show(out, &Token::at(&token, at))
        }
        args::Token::Update(update) => update_token(house, out, update).await,
        args::Token::Rotate(rotate) => rotate_token(house, out, rotate).await,
        args::Token::Revoke { id, cascade } => revoke_token(house, out, &id, cascade).await,
    }
}

async fn create_token(house: &House, out: Output, asked: args::Create) -> Result<(), Failure> {
    let mut sink = (!asked.claim)
        .then(|| sink::for_claim(&asked.to, out.json))
        .transpose()?;
    let new = NewToken {
        owner: words::whom(asked.user.as_deref(), None)?,
        label: words::label("label", &asked.label)?,
        scopes: words::maybe_scopes(asked.scopes.as_deref())?,
        expires: words::maybe("--expires", asked.expires.as_deref())?,
        deliver: Deliver::Claim,
        idempotency_key: None,
    };
    if let (true, Some(sink)) = (asked.to.dry_run, &mut sink) {
        return sink::dry_run(out, &mut **sink);
    }
    prepared(sink.as_deref_mut())?;
    let minted = house
        .authority()
        .await?
        .create_token(&house.operator(), new)
        .await?;
    hand_over(house, out, &minted, sink.as_deref_mut(), &asked.to.to).await
}

async fn rotate_token(house: &House, out: Output, asked: args::Rotate) -> Result<(), Failure> {
    let mut sink = (!asked.claim)
        .then(|| sink::for_claim(&asked.to, out.json))
        .transpose()?;
    let rotate = authority::Rotate {
        id: parsed("id", &asked.id)?,
        overlap: words::duration("--overlap", asked.overlap.as_deref())?,
        deliver: Deliver::Claim,
        idempotency_key: None,
        expires: words::maybe("--expires", asked.expires.as_deref())?,
    };
    if let (true, Some(sink)) = (asked.to.dry_run, &mut sink) {
        return sink::dry_run(out, &mut **sink);
    }
    prepared(sink.as_deref_mut())?;
    let minted = house
        .authority()
        .await?
        .rotate_token(&house.operator(), rotate)
        .await?;
    hand_over(house, out, &minted, sink.as_deref_mut(), &asked.to.to).await
}

/// Makes sure, before anything is made, that the value will have somewhere to go.
fn prepared(sink: Option<&mut (dyn Destination + 'static)>) -> Result<(), Failure> {
    if let Some(sink) = sink {
        sink.prepare()
            .map_err(|error| Failure::Failed(error.into()))?;
        sink.withdraw();
    }
    Ok(())
}

/// Picks up at once what was just made, or tells the claim.
async fn hand_over(
    house: &House,
    out: Output,
    minted: &Minted,
    sink: Option<&mut (dyn Destination + 'static)>,
    to: &str,
) -> Result<(), Failure> {
    let (Some(sink), Some(claim)) = (sink, minted.claim()) else {
        return show_minted(house, out, minted);
    };
    pick_up(house, out, claim, sink, to).await
}

/// What was picked up: beside the value, so that a pipe holds the value alone.
pub(super) fn told(
    out: Output,
    record: &Token,
    sink: &dyn Destination,
    to: &str,
) -> Result<(), Failure> {
    if out.json && to == "stdout" {
        // The sink has written the view, the value in it.
        return Ok(());
    }
    let text = if out.json {
        serde_json::to_string(record).map_err(anyhow::Error::new)?
    } else {
        // Some of it may be a server's elsewhere.
        crate::domain::text::escaped(&format!(
            "{} is active{}. Its value is not shown again.",
            name(record),
            match &record.expires_at {
                Some(end) => format!(" until {end}"),
                None => String::new(),
            }
        ))
    };
    output::tell(&text);
    if let Some(more) = sink.told().filter(|_| !out.json) {
        output::tell(&more);
    }
    Ok(())
}

fn show_minted(house: &House, out: Output, minted: &Minted) -> Result<(), Failure> {
    let view = NewTokenView::of(minted, &house.claim_command());
    written(out.show(&view, |view| {
        let mut lines = card(&view.record);
        if let Some(claim) = &view.claim {
            lines.push(("claim", claim.command.clone()));
            lines.push(("claim ends", claim.expires_at.clone()));
        }
        output::card(&lines)
    }))
}

async fn list_tokens(house: &House, out: Output, asked: args::List) -> Result<(), Failure> {
    let (limit, cursor) = words::page(&asked.page)?;
    let list = ListTokens {
        of: if asked.everyone {
            Of::Account
        } else {
            Of::Owner(match &asked.user {
                Some(user) => For::User(parsed("--user", user)?),
                None => For::Me,
            })
        },
        query: asked
            .query
            .as_deref()
            .map(|text| words::label("--query", text))
            .transpose()?,
        state: words::maybe("--state", asked.state.as_deref())?,
        unused_for: words::duration("--unused-for", asked.unused_for.as_deref())?,
        expiring_within: words::duration("--expiring-within", asked.expiring_within.as_deref())?,
        limit,
        cursor,
    };
    let (page, at) = house
        .authority()
        .await?
        .list_tokens(&house.operator(), list)
        .await?;
    written(out.show(&Tokens::at(&page, at), |view| {
        let mut table = Table::new([
            "ID",
            "LABEL",
            "STATE",
            "PREFIX",
            "SCOPES",
            "LAST USED",
            "EXPIRES",
        ])
        .without_in_need(["PREFIX", "LAST USED", "SCOPES"]);
        for token in &view.tokens {
            table.row([
                token.id.clone(),
                token.label.clone(),
                token.state.clone(),
                output::or_dash(token.prefix.as_deref()),
                output::or_dash(Some(token.scopes.join(" ").as_str()).filter(|s| !s.is_empty())),
                output::or_dash(token.last_used_at.as_deref()),
                token.expires_at.clone().unwrap_or_else(|| "never".into()),
            ]);
        }
        output::page(
            &table,
            "No tokens. Make one with `keywright token create LABEL`.",
            view.next_cursor.as_deref(),
        )
    }))
}

async fn update_token(house: &House, out: Output, asked: args::Update) -> Result<(), Failure> {
    let update = authority::Update {
        id: parsed("id", &asked.id)?,
        label: asked
            .label
            .as_deref()
            .map(|text| words::label("--label", text))
            .transpose()?,
        scopes: asked
            .scopes
            .as_deref()
            .map(|text| words::scopes("--scopes", text))
            .transpose()?,
        expires: words::maybe("--expires", asked.expires.as_deref())?,
        enabled: match (asked.enable, asked.disable) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            (false, false) => None,
        },
    };
    let (token, at) = house
        .authority()
        .await?
        .update_token(&house.operator(), update)
        .await?;
    show(out, &Token::at(&token, at))
}

async fn revoke_token(house: &House, out: Output, id: &str, cascade: bool) -> Result<(), Failure> {
    let revoke = Revoke {
        cascade,
        ..Revoke::typed(parsed("id", id)?)
    };
    let revoked = house
        .authority()
        .await?
        .revoke_token(&house.operator(), revoke)
        .await?;
    written(out.show(&RevokedToken::from(revoked), |view| {
        let mut text = match view.revoked_count {
            0 => format!("{} had ended at {} already.\n", view.id, view.revoked_at),
            1 => format!("{} is refused from now on.\n", view.id),
            count => format!(
                "{} and {} others are refused from now on.\n",
                view.id,
                count - 1
            ),
        };
        if view.live_children > 0 {
            output::add(
                &mut text,
                format_args!(
                    "{} tokens that it minted are still good; --cascade ends them, too.\n",
                    view.live_children
                ),
            );
        }
        text
    }))
}

fn show(out: Output, view: &Token) -> Result<(), Failure> {
    written(out.show(view, |view| output::card(&card(view))))
}

fn name(view: &Token) -> String {
    format!(
        "{} ({})",
        crate::domain::text::escaped(&view.label),
        view.id
    )
}

fn card(view: &Token) -> Vec<(&'static str, String)> {
    vec![
        ("id", view.id.clone()),
        ("label", view.label.clone()),
        ("kind", view.kind.clone()),
        ("state", view.state.clone()),
        ("prefix", output::or_dash(view.prefix.as_deref())),
        (
            "scopes",
            output::or_dash(Some(view.scopes.join(" ").as_str()).filter(|s| !s.is_empty())),
        ),
        ("owner", view.owner.clone()),
        (
            "created",
            format!("{} by {}", view.created_at, view.created_by),
        ),
        ("parent", output::or_dash(view.parent.as_deref())),
        ("last used", output::or_dash(view.last_used_at.as_deref())),
        (
            "expires",
            view.expires_at.clone().unwrap_or_else(|| "never".into()),
        ),
        ("generated", output::or_dash(view.generated_at.as_deref())),
    ]
}

/// What could not be written to standard output.
pub(super) fn written(result: std::io::Result<()>) -> Result<(), Failure> {
    result.map_err(|error| Failure::Failed(anyhow::Error::new(error).context("standard output")))
}

/// Shows a view that has no words of its own but its fields.
pub(super) fn show_lines<T: Serialize>(
    out: Output,
    view: &T,
    lines: impl FnOnce(&T) -> Vec<(&'static str, String)>,
) -> Result<(), Failure> {
    written(out.show(view, |view| output::card(&lines(view))))
}
