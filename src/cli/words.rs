//! Words as they were typed, read as values.

use chrono::Duration;

use super::{args::Page, error::Failure};
use crate::{
    authority::{Error, For},
    domain::{
        app_env::AppEnvRef,
        expires,
        label::Label,
        page::{Cursor, Limit},
        scope::Scopes,
        sighting,
    },
};

/// No variable's name is longer.
const LONGEST_NAME: usize = 100;

/// Scopes, separated by spaces or commas.
pub(super) fn scopes(name: &'static str, text: &str) -> Result<Scopes, Failure> {
    Scopes::typed(text).map_err(|why| Error::invalid(name, why).into())
}

pub(super) fn maybe_scopes(text: Option<&str>) -> Result<Scopes, Failure> {
    text.map_or(Ok(Scopes::default()), |text| scopes("--scopes", text))
}

pub(super) fn label(name: &'static str, text: &str) -> Result<Label, Failure> {
    Label::parse(text).map_err(|why| Error::invalid(name, why).into())
}

pub(super) fn duration(
    name: &'static str,
    text: Option<&str>,
) -> Result<Option<Duration>, Failure> {
    text.map(|text| expires::duration(text).map_err(|why| Error::invalid(name, why).into()))
        .transpose()
}

pub(super) fn maybe<T>(name: &'static str, text: Option<&str>) -> Result<Option<T>, Failure>
where
    T: std::str::FromStr,
    T::Err: ToString,
{
    text.map(|text| super::serve::parsed(name, text))
        .transpose()
}

pub(super) fn page(page: &Page) -> Result<(Limit, Option<Cursor>), Failure> {
    let limit = page.limit.map_or(Ok(Limit::default()), Limit::try_from);
    let limit = limit.map_err(|why| Error::invalid("--limit", why))?;
    Ok((limit, page.cursor.as_deref().map(Cursor::given)))
}

/// An app environment, by its id or by its name in commands.
pub(super) fn app_env(text: &str) -> Result<AppEnvRef, Failure> {
    match text.parse() {
        Ok(id) => Ok(AppEnvRef::Id(id)),
        Err(_) => Ok(AppEnvRef::Name(super::serve::parsed(
            "app environment",
            text,
        )?)),
    }
}

/// The name of a variable in an environment.
pub(super) fn variable(name: &'static str, text: &str) -> Result<String, Failure> {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let goes_on = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    // It stands in the audit trail, where no value may.
    if begins && goes_on && text.len() <= LONGEST_NAME && !sighting::holds_value(text) {
        Ok(text.to_owned())
    } else {
        Err(Failure::Misuse(format!(
            "{name} is 1 to {LONGEST_NAME} letters, digits and `_`, the first no digit"
        )))
    }
}

/// For whom something is asked.
pub(super) fn whom(user: Option<&str>, env: Option<&str>) -> Result<For, Failure> {
    Ok(match (user, env) {
        (_, Some(env)) => For::AppEnv(app_env(env)?),
        (Some(user), None) => For::User(super::serve::parsed("--user", user)?),
        (None, None) => For::Me,
    })
}
