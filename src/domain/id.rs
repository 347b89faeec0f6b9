//! Ids: `UUIDv7` (RFC 9562, section 5.7) in newtypes that do not mix.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// The text is no id.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected an id: a UUID such as `019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001`")]
pub struct NotAnId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Uuid);

        impl $name {
            /// An id that nobody has used, later in order than those this process made before.
            /// Make it before the transaction, which may run twice. The time in it is for the
            /// order alone: no rule reads it.
            pub fn fresh() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id as the store keeps it.
            pub fn to_bytes(self) -> [u8; 16] {
                *self.0.as_bytes()
            }

            /// The id as a plain UUID.
            pub fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                // One spelling alone, so that an id can be looked for as text.
                let is_ours = text.len() == 36 && !text.contains(|c: char| c.is_ascii_uppercase());
                match Uuid::try_parse(text) {
                    Ok(uuid) if is_ours => Ok(Self(uuid)),
                    Ok(_) | Err(_) => Err(NotAnId),
                }
            }
        }
    )*};
}

ids! {
    /// Identifies a token. Says nothing of its value, and never changes.
    TokenId
    /// Identifies a person.
    UserId
    /// Identifies an account.
    AccountId
    /// Identifies an app environment.
    AppEnvId
    /// Identifies one request, in the log and in the audit trail.
    RequestId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_writes() {
        let id = TokenId::fresh();
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn later_ids_sort_later() {
        let ids: Vec<_> = (0..1_000).map(|_| TokenId::fresh()).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn another_spelling_is_no_id() {
        let id: TokenId = "019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001".parse().unwrap();
        for text in [
            "",
            "42",
            "kw_pat_x",
            &id.as_uuid().simple().to_string(),
            &id.to_string().to_uppercase(),
        ] {
            assert_eq!(text.parse::<TokenId>(), Err(NotAnId));
        }
    }
}
