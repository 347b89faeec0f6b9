//! `keywright cli-token`: CLI tokens of people and app environments, which can be shown again.

use std::io::{self, Read as _};

use zeroize::Zeroizing;

use super::{
    args,
    error::Failure,
    output::{self, Output},
    serve::House,
    sink,
    token::show_lines,
    words,
};
use crate::{
    authority::{Deliver, Error, Rotate, SetCliToken},
    domain::{
        credential::{LONGEST, PlainToken},
        token::Token,
    },
    wire::{cli_token::RevealedCliToken, token},
};

/// Does what was typed.
pub(super) async fn run(house: &House, out: Output, asked: args::CliToken) -> Result<(), Failure> {
    match asked {
        args::CliToken::Set {
            whose,
            scopes,
            stdin,
        } => {
            let set = SetCliToken {
                of: words::whom(whose.user.as_deref(), whose.env.as_deref())?,
                scopes: words::maybe_scopes(scopes.as_deref())?,
                imported: stdin.then(imported).transpose()?,
            };
            let (token, at) = house
                .authority()
                .await?
                .set_cli_token(&house.operator(), set)
                .await?;
            show(out, &token, at)
        }
        args::CliToken::Rotate { whose, overlap } => {
            let of = words::whom(whose.user.as_deref(), whose.env.as_deref())?;
            let overlap = words::duration("--overlap", overlap.as_deref())?;
            let (token, _) = house
                .authority()
                .await?
                .get_cli_token(&house.operator(), of)
                .await?;
            let rotate = Rotate {
                id: token.id,
                overlap,
                deliver: Deliver::Inline,
                idempotency_key: None,
                expires: None,
            };
            let minted = house
                .authority()
                .await?
                .rotate_token(&house.operator(), rotate)
                .await?;
            show(out, &minted.token, minted.at)
        }
        args::CliToken::Show { whose, to } => {
            let of = words::whom(whose.user.as_deref(), whose.env.as_deref())?;
            let mut sink = sink::named(&to)?;
            if to.dry_run {
                return sink::dry_run(out, &mut *sink);
            }
            let failed = |error: io::Error| Failure::Failed(error.into());
            sink.prepare().map_err(failed)?;
            let revealed = house
                .authority()
                .await?
                .reveal_cli_token(&house.operator(), of)
                .await;
            let revealed = match revealed {
                Ok(revealed) => RevealedCliToken::from(revealed),
                Err(error) => {
                    sink.withdraw();
                    return Err(error.into());
                }
            };
            if out.json && to.to == "stdout" {
                return super::token::written(out.show(&revealed, |_| String::new()));
            }
            let value = PlainToken::imported(revealed.token());
            sink.publish(&value).map_err(|error| {
                // What is half written is no value, and would stand in the way of the next try.
                sink.withdraw();
                failed(error)
            })?;
            if let Some(more) = sink.told() {
                output::tell(&more);
            }
            Ok(())
        }
    }
}

/// The value on standard input, without the end of its line.
fn imported() -> Result<PlainToken, Failure> {
    let mut text = Zeroizing::new(String::with_capacity(LONGEST + 2));
    io::stdin()
        .lock()
        .take(LONGEST as u64 + 2)
        .read_to_string(&mut text)
        .map_err(|_| Error::invalid("standard input", "expected text in UTF-8"))?;
    let value = text.trim_end_matches(['\r', '\n']);
    let fits = (1..=LONGEST).contains(&value.len()) && !value.chars().any(char::is_control);
    if fits {
        Ok(PlainToken::imported(value))
    } else {
        Err(Error::invalid(
            "standard input",
            format!("expected one line of 1 to {LONGEST} characters"),
        )
        .into())
    }
}

fn show(out: Output, token: &Token, at: crate::domain::clock::Time) -> Result<(), Failure> {
    show_lines(out, &token::Token::at(token, at), |view| {
        vec![
            ("id", view.id.clone()),
            ("owner", view.owner.clone()),
            (
                "scopes",
                output::or_dash(Some(view.scopes.join(" ").as_str()).filter(|s| !s.is_empty())),
            ),
            ("prefix", output::or_dash(view.prefix.as_deref())),
            ("generated", output::or_dash(view.generated_at.as_deref())),
        ]
    })
}
