//! Texts of arguments as values, each mistake told by the name of its argument.

use std::str::FromStr;

use chrono::Duration;
use serde::{Deserialize, Deserializer};

use crate::{
    authority::Error,
    authz::Action,
    domain::{
        expires,
        label::Label,
        page::{Cursor, Limit},
        scope::Scopes,
    },
};

/// A value that reads itself.
pub(crate) fn value<T>(field: &'static str, text: &str) -> Result<T, Error>
where
    T: FromStr,
    T::Err: ToString,
{
    text.parse()
        .map_err(|why: T::Err| Error::invalid(field, why))
}

/// A value that may be missing.
pub(crate) fn maybe<T>(field: &'static str, text: Option<&str>) -> Result<Option<T>, Error>
where
    T: FromStr,
    T::Err: ToString,
{
    text.map(|text| value(field, text)).transpose()
}

pub(crate) fn label(text: &str) -> Result<Label, Error> {
    Label::parse(text).map_err(|why| Error::invalid("label", why))
}

pub(crate) fn query(text: Option<&str>) -> Result<Option<Label>, Error> {
    text.map(|text| Label::parse(text).map_err(|why| Error::invalid("query", why)))
        .transpose()
}

pub(crate) fn action(text: Option<&str>) -> Result<Option<&'static str>, Error> {
    text.map(|text| Action::named(text).map_err(|why| Error::invalid("action", why)))
        .transpose()
}

pub(crate) fn scopes(texts: &[String]) -> Result<Scopes, Error> {
    Scopes::parse(texts.iter().map(String::as_str)).map_err(|why| Error::invalid("scopes", why))
}

pub(crate) fn duration(field: &'static str, text: Option<&str>) -> Result<Option<Duration>, Error> {
    text.map(|text| expires::duration(text).map_err(|why| Error::invalid(field, why)))
        .transpose()
}

pub(crate) fn limit(rows: Option<i64>) -> Result<Limit, Error> {
    rows.map_or(Ok(Limit::default()), |rows| {
        Limit::try_from(rows).map_err(|why| Error::invalid("limit", why))
    })
}

pub(crate) fn cursor(text: Option<&str>) -> Option<Cursor> {
    text.map(Cursor::given)
}

/// A field that stands there, and is not null: of two fields one is to be there, and null would be
/// neither.
pub(crate) fn not_null<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}
