//! Values that wait to be picked up by a person on another machine: `keywright claim --at URL` asks
//! here.
//!
//! The answer to a claim holds the value and is given once. Nobody confirms that it arrived: one
//! that gets lost is worth nothing to anybody, and a rotation opens a new claim.

use std::sync::Arc;

use std::io;

use axum::extract::State;

use super::Answer;
use crate::{
    authority::{ClaimRef, Claimed, Error, Sink},
    domain::{claim::ClaimCode, credential::PlainToken},
    http::{
        Http,
        bearer::Asked,
        error::Refusal,
        extract::Json,
        route::{By, Route},
    },
    wire::{
        parse,
        token::{ClaimToken, ClaimedToken, Claims, Token},
    },
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            By::Get,
            "/v1/claims",
            "list_claims",
            "Lists what waits to be picked up for the owner of the token that asks, oldest first.",
            list,
        )
        .needs("`read:tokens`")
        .answers::<Claims>(200, "What waits."),
        Route::new(
            By::Post,
            "/v1/claims",
            "claim_token",
            "Picks a value up: it is made now, and is in this answer and in no other. Not with the \
             token that asked for it.",
            claim,
        )
        .needs("`read:secrets`, and every scope that the waiting token carries")
        .body::<ClaimToken>()
        .answers::<ClaimedToken>(200, "The record, and the value."),
    ]
}

async fn list(State(http): State<Arc<Http>>, asked: Asked) -> Result<Answer<Claims>, Refusal> {
    let waiting = http.authority.list_claims(&asked.request).await?;
    Ok(Answer::ok(Claims {
        claims: waiting.iter().map(Into::into).collect(),
    }))
}

async fn claim(
    State(http): State<Arc<Http>>,
    asked: Asked,
    Json(body): Json<ClaimToken>,
) -> Result<Answer<ClaimedToken>, Refusal> {
    let claim = match (body.code.as_deref(), body.token_id.as_deref()) {
        (Some(code), None) => ClaimRef::Code(parse::value::<ClaimCode>("code", code)?.hashed()),
        (None, Some(id)) => ClaimRef::Token(parse::value("token_id", id)?),
        (None, None) | (Some(_), Some(_)) => {
            return Err(Error::invalid("code", "expected either it or `token_id`").into());
        }
    };
    let mut answer = InTheAnswer::Waiting;
    http.authority
        .claim_token(&asked.request, claim, &mut answer)
        .await?;
    match answer {
        InTheAnswer::Published(view) => Ok(Answer::ok(view)),
        InTheAnswer::Waiting | InTheAnswer::Learned(_) => {
            let why = io::Error::other("a claim that succeeded gave no value");
            Err(Error::Sink(why).into())
        }
    }
}

/// The value goes into the answer.
enum InTheAnswer {
    Waiting,
    Learned(Token),
    Published(ClaimedToken),
}

impl Sink for InTheAnswer {
    fn prepare(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn learn(&mut self, claimed: &Claimed) {
        *self = Self::Learned(claimed.into());
    }

    fn publish(&mut self, value: &PlainToken) -> io::Result<()> {
        match std::mem::replace(self, Self::Waiting) {
            Self::Learned(record) => {
                *self = Self::Published(ClaimedToken::of(record, value));
                Ok(())
            }
            Self::Waiting | Self::Published(_) => Err(io::Error::other("the token is not known")),
        }
    }

    fn withdraw(&mut self) {
        *self = Self::Waiting;
    }

    fn name(&self) -> String {
        "the answer".to_owned()
    }
}
