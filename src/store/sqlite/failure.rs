//! What went wrong in SQLite, as the store tells it. No word of SQLite's about a lock gets out.

use rusqlite::{ErrorCode, ffi};

use crate::store::Error;

/// Whether another process is in the way.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// The same failure, for the next of those who shared it.
pub(super) fn again(error: &Error) -> Error {
    match error {
        Error::Unavailable(source) => Error::Unavailable(source.to_string().into()),
        Error::Corrupt(source) => Error::Corrupt(source.to_string().into()),
        Error::Refused(sentence) => Error::Refused(sentence.clone()),
        Error::Conflict => Error::Conflict,
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error_code();
        let is_corrupt = matches!(
            code,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        );
        // A row that is no value of ours was not written by us.
        let is_unreadable = matches!(
            error,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
        );
        let is_taken = matches!(
            error.sqlite_error().map(|error| error.extended_code),
            Some(
                ffi::SQLITE_CONSTRAINT_UNIQUE
                    | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                    | ffi::SQLITE_CONSTRAINT_ROWID
            )
        );
        if is_corrupt || is_unreadable {
            Self::Corrupt(error.into())
        } else if is_taken {
            Self::Conflict
        } else if is_busy(&error) {
            Self::Unavailable("another process keeps the store busy; try again shortly".into())
        } else {
            Self::Unavailable(error.into())
        }
    }
}
