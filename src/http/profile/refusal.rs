//! [`Refusals`]: the codes of Keywright in the words, the status and the body of a product.

use std::collections::BTreeMap;

use axum::{
    body::{Body, Bytes},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use toml_edit::Item;

use super::{
    mistake::Mistake,
    reader::{Section, kind, listed},
    template::{Allowed, Fields, Filling, Template},
};
use crate::{
    http::error::{Told, status},
    wire::problem::Code,
};

/// How a product refuses.
#[derive(Debug)]
pub(super) struct Refusals {
    answer: Template,
    status: BTreeMap<&'static str, u16>,
    words: BTreeMap<&'static str, String>,
}

/// One refusal.
struct Refusal {
    code: &'static str,
    status: StatusCode,
    message: String,
}

/// HTTP's own codes, and their statuses.
const OF_HTTP: [(&str, StatusCode); 3] = [
    ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED),
    ("too_large", StatusCode::PAYLOAD_TOO_LARGE),
    ("unsupported_media_type", StatusCode::UNSUPPORTED_MEDIA_TYPE),
];

/// What an error's answer can be filled with.
const FIELDS: &[&str] = &["message", "status", "reason", "code"];

/// Every code, and the status that says the same: Keywright's, and then HTTP's own.
pub(super) fn codes() -> impl Iterator<Item = (&'static str, StatusCode)> {
    let ours = Code::ALL.into_iter();
    ours.map(|code| (code.as_str(), status(code)))
        .chain(OF_HTTP)
}

/// The code of this name.
fn known(name: &str) -> Option<(&'static str, StatusCode)> {
    codes().find(|(code, _)| *code == name)
}

/// The status that says the same as `code`.
fn usual(code: &str) -> StatusCode {
    known(code).map_or(StatusCode::INTERNAL_SERVER_ERROR, |(_, status)| status)
}

/// Reads `[errors]`.
pub(super) fn read(top: &Section<'_>) -> Result<Refusals, Mistake> {
    let example = "`[errors]` with an `answer`, such as `answer = { message = \"{message}\" }`";
    top.needed("errors", example)?;
    let section = top.section("errors", "`[errors]`", &["answer", "status", "words"])?;
    let section = section.ok_or_else(|| top.lacks("no `[errors]`", example))?;
    let allowed = Allowed {
        what: "an error",
        fields: FIELDS,
        repeats: false,
    };
    let answer = section.needed("answer", "`answer = { message = \"{message}\" }`")?;
    Ok(Refusals {
        answer: Template::read(section.source, answer, allowed)?,
        status: by_code(&section, "status", |inner, code, item| {
            let number = inner.number(code, item)?;
            // A store that is out of reach is no reason to throw a token away.
            let fits = if usual(code).is_server_error() {
                500..=599
            } else {
                400..=499
            };
            match u16::try_from(number.value) {
                Ok(status) if fits.contains(&status) => Ok(status),
                Ok(_) | Err(_) => Err(inner.wrong(
                    number.span,
                    format!("`{code}` cannot be {}", number.value),
                    format!("write {} to {}", fits.start(), fits.end()),
                )),
            }
        })?,
        words: by_code(&section, "words", |inner, code, item| match item.as_str() {
            Some(words) if !words.trim().is_empty() => Ok(words.to_owned()),
            Some(_) => Err(inner.wrong(item.span(), "nothing is said", "write a sentence")),
            None => Err(inner.wrong(
                item.span(),
                format!("`{code}` is {}", kind(item)),
                "write a text in quotes",
            )),
        })?,
    })
}

fn by_code<T>(
    section: &Section<'_>,
    key: &'static str,
    read: impl Fn(&Section<'_>, &str, &Item) -> Result<T, Mistake>,
) -> Result<BTreeMap<&'static str, T>, Mistake> {
    let Some(inner) = section.section(key, key, &[])? else {
        return Ok(BTreeMap::new());
    };
    let unknown = |name: &str| {
        let codes: Vec<_> = codes().map(|(code, _)| code).collect();
        inner.wrong(
            inner.key_span(name),
            format!("unknown code `{name}`"),
            format!("the codes are {}", listed(&codes)),
        )
    };
    let member = |(name, item): (&str, &Item)| {
        let (code, _) = known(name).ok_or_else(|| unknown(name))?;
        Ok((code, read(&inner, code, item)?))
    };
    inner.members().map(member).collect()
}

impl Refusals {
    /// The refusal as this product writes it, with its own words for it, if it has any.
    pub(super) fn response(&self, told: Told, message: String) -> Response {
        let code = match told.status {
            StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
            StatusCode::PAYLOAD_TOO_LARGE => "too_large",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
            _ => told.problem.code.as_str(),
        };
        let named = self.status.get(code).copied().map(StatusCode::from_u16);
        let refusal = Refusal {
            code,
            status: match named {
                // A status that says more than its code stays.
                Some(Ok(status)) if told.status == usual(code) => status,
                Some(_) | None => told.status,
            },
            message: self.words.get(code).cloned().unwrap_or(message),
        };
        let body = Bytes::from_owner(self.answer.filled(&refusal));
        let kind = [(header::CONTENT_TYPE, "application/json")];
        (refusal.status, told.headers, kind, Body::from(body)).into_response()
    }
}

impl Fields for Refusal {
    fn filling(&self, field: &str) -> Filling<'_> {
        match field {
            "message" => Filling::Text(&self.message),
            "status" => Filling::Number(self.status.as_u16()),
            "reason" => Filling::Text(self.status.canonical_reason().unwrap_or("Error")),
            "code" => Filling::Text(self.code),
            _ => Filling::Null,
        }
    }
}
