//! Whether a token is good (RFC 7662): what a service asks that was shown one.
//!
//! 1. The service presents a token of its own that carries `introspect:tokens`.
//! 2. It sends the token that it was shown, as a form (the RFC's way) or as JSON; as JSON also many
//!    at once.
//! 3. A good one is told with what it may do now; of any other it is said that it is not active,
//!    and nothing more.

use std::sync::Arc;

use axum::{
    extract::{FromRequest as _, Request, State},
    http::{StatusCode, header},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    Http,
    api::Answer,
    bearer::Asked,
    error::Refusal,
    extract::{Json, whole},
    route::{By, Route},
};
use crate::{
    authority::Error,
    wire::{
        introspection::{Introspection, Introspections},
        parse,
    },
};

/// Where it is asked.
pub(super) const AT: &str = "/v1/introspect";

/// So many tokens are asked about at a time at most.
const AT_ONCE: usize = 100;

/// What is asked about: one of the two. Other parameters of the RFC are read and not needed.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("oneOf" = [{ "required": ["token"] }, { "required": ["tokens"] }]))]
struct Introspect {
    /// The token that was shown.
    #[serde(default, deserialize_with = "parse::not_null")]
    #[schemars(with = "String")]
    token: Option<Zeroizing<String>>,
    /// Up to 100 of them.
    #[serde(default, deserialize_with = "parse::not_null")]
    #[schemars(with = "Vec<String>", length(min = 1, max = 100))]
    tokens: Option<Vec<Zeroizing<String>>>,
}

/// The same as a form: one token.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is only described; `form` reads it")]
struct IntrospectForm {
    /// The token that was shown.
    token: String,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            By::Post,
            AT,
            "introspect_tokens",
            "Whether a token is good, for whom and with which scopes (RFC 7662). Of one that is not, \
             whatever the reason, it is said that it is not active, and nothing more.",
            introspect,
        )
        .needs("`introspect:tokens`")
        .body_or_form::<Introspect, IntrospectForm>()
        .answers::<IntrospectionAnswer>(
            200,
            "What is known of it; for many, `results` in their order.",
        ),
    ]
}

/// One answer, or one for each.
#[derive(JsonSchema, Serialize)]
#[serde(untagged)]
enum IntrospectionAnswer {
    One(Box<Introspection>),
    Many(Introspections),
}

async fn introspect(
    State(http): State<Arc<Http>>,
    asked: Asked,
    request: Request,
) -> Result<Answer<IntrospectionAnswer>, Refusal> {
    let is_form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok()?.split(';').next())
        .is_some_and(|kind| {
            kind.trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
    let about = if is_form {
        form(&whole(&http, &asked, request.into_body()).await?)?
    } else {
        let Json(about) = Json::<Introspect>::from_request(request, &http).await?;
        about
    };
    let (tokens, is_one) = match (about.token, about.tokens) {
        (Some(token), None) => (vec![token], true),
        (None, Some(tokens)) if (1..=AT_ONCE).contains(&tokens.len()) => (tokens, false),
        (None, Some(_)) => {
            return Err(Error::invalid("tokens", "expected 1 to 100 of them").into());
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(Error::invalid("token", "expected it, or `tokens`").into());
        }
    };
    let tokens: Vec<_> = tokens.iter().map(|token| token.as_str()).collect();
    let found = http
        .authority
        .introspect_tokens(&asked.request, &tokens)
        .await?;
    let mut found: Vec<_> = found.iter().map(|found| found.as_ref().into()).collect();
    Ok(Answer::ok(if is_one && let Some(one) = found.pop() {
        IntrospectionAnswer::One(Box::new(one))
    } else {
        IntrospectionAnswer::Many(Introspections { results: found })
    }))
}

/// A form (RFC 7662 section 2.1). What it repeats is refused: two readers could see two tokens.
fn form(body: &[u8]) -> Result<Introspect, Refusal> {
    let mut token = None;
    for (name, value) in form_urlencoded::parse(body) {
        if name == "token" && token.replace(Zeroizing::new(value.into_owned())).is_some() {
            return Err(Refusal::malformed(
                StatusCode::BAD_REQUEST,
                "there is more than one `token`",
                "send one; as JSON, `tokens` takes many",
            ));
        }
    }
    Ok(Introspect {
        token,
        tokens: None,
    })
}
