//! Row to value and back. What a row says is checked once more here: one that is no value of ours
//! was not written by us.

use rusqlite::{
    OptionalExtension as _, Params, Row, RowIndex,
    types::{FromSql, FromSqlError, Type, ValueRef},
};
use uuid::Uuid;

use super::File;
use crate::{
    crypto::digest::Digest,
    domain::{
        actor::Actor,
        clock::{self, Time},
        token::Unknown,
    },
    store::Error,
};

/// An id, a digest: bytes of one length.
pub(super) struct Bytes<const N: usize>(pub(super) [u8; N]);

impl<const N: usize> FromSql for Bytes<N> {
    fn column_result(value: ValueRef<'_>) -> Result<Self, FromSqlError> {
        let bytes = value.as_blob()?;
        match bytes.try_into() {
            Ok(bytes) => Ok(Self(bytes)),
            Err(_) => Err(FromSqlError::InvalidBlobSize {
                expected_size: N,
                blob_size: bytes.len(),
            }),
        }
    }
}

pub(super) fn id<T: From<Uuid>>(row: &Row<'_>, at: impl RowIndex) -> rusqlite::Result<T> {
    row.get(at)
        .map(|Bytes(bytes)| Uuid::from_bytes(bytes).into())
}

pub(super) fn maybe_id<T: From<Uuid>>(
    row: &Row<'_>,
    at: impl RowIndex,
) -> rusqlite::Result<Option<T>> {
    let bytes: Option<Bytes<16>> = row.get(at)?;
    Ok(bytes.map(|Bytes(bytes)| Uuid::from_bytes(bytes).into()))
}

pub(super) fn digest(row: &Row<'_>, at: impl RowIndex) -> rusqlite::Result<Digest> {
    row.get(at).map(|Bytes(bytes)| bytes)
}

pub(super) fn time(row: &Row<'_>, at: impl RowIndex) -> rusqlite::Result<Time> {
    row.get(at).map(clock::from_millis)
}

pub(super) fn maybe_time(row: &Row<'_>, at: impl RowIndex) -> rusqlite::Result<Option<Time>> {
    let millis: Option<i64> = row.get(at)?;
    Ok(millis.map(clock::from_millis))
}

/// Who did something, in as few bytes as tell it.
pub(super) fn actor_bytes(actor: Actor) -> Vec<u8> {
    let with = |letter, id: Uuid| [&[letter], id.as_bytes().as_slice()].concat();
    match actor {
        Actor::Token(id) => with(b't', id.as_uuid()),
        Actor::Local(id) => with(b'l', id.as_uuid()),
        Actor::Operator => vec![b'o'],
        Actor::Keywright => vec![b'k'],
        Actor::Nobody => vec![b'n'],
    }
}

/// What [`actor_bytes`] wrote.
pub(super) fn actor(row: &Row<'_>, at: impl RowIndex) -> rusqlite::Result<Actor> {
    let read = |bytes: &[u8]| match *bytes {
        [b'o'] => Some(Actor::Operator),
        [b'k'] => Some(Actor::Keywright),
        [b'n'] => Some(Actor::Nobody),
        [letter, ref id @ ..] => {
            let id = Uuid::from_slice(id).ok()?;
            match letter {
                b't' => Some(Actor::Token(id.into())),
                b'l' => Some(Actor::Local(id.into())),
                _ => None,
            }
        }
        [] => None,
    };
    read(row.get_ref(at)?.as_blob()?).ok_or_else(|| wrong(Unknown))
}

/// A word of ours, read as what it means.
pub(super) fn word<T, E>(
    row: &Row<'_>,
    at: impl RowIndex,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> rusqlite::Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let text = row.get_ref(at)?.as_str()?;
    read(text).map_err(wrong)
}

/// The same, if there is one.
pub(super) fn maybe_word<T, E>(
    row: &Row<'_>,
    at: impl RowIndex,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> rusqlite::Result<Option<T>>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let text = row.get_ref(at)?.as_str_or_null()?;
    text.map(read).transpose().map_err(wrong)
}

/// A value that none of ours could be.
pub(super) fn wrong(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error))
}

impl File {
    /// The one row of `sql`, if there is one.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Error> {
        Ok(self.prepare(sql)?.query_row(params, read).optional()?)
    }

    /// Every row of `sql`.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        let mut statement = self.prepare(sql)?;
        let rows = statement.query_map(params, read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Does `sql`, and says how many rows it touched.
    pub(super) fn change(&self, sql: &str, params: impl Params) -> Result<usize, Error> {
        Ok(self.prepare(sql)?.execute(params)?)
    }
}
