//! [`Account`]: an organisation, the tenant. [`Role`]: what a user is in it.

use std::{fmt, str::FromStr};

use super::{clock::Time, id::AccountId, id::UserId, label::Label, token::Unknown};

/// An organisation.
#[derive(Clone, Debug)]
pub struct Account {
    /// Which.
    pub id: AccountId,
    /// Its name in commands.
    pub slug: Slug,
    /// Its name for people.
    pub name: Label,
    /// When it was made.
    pub created_at: Time,
}

/// A user in an account.
#[derive(Clone, Debug)]
pub struct Membership {
    /// Where.
    pub account: AccountId,
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: Role,
}

/// What a user is in an account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Has tokens of their own.
    Member,
    /// Looks after the account, too.
    Admin,
}

/// A short name in commands and paths: of an account, or of an app environment for a CLI.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Slug(String);

/// The text is no short name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "expected 1 to 64 lower-case letters, digits, `.`, `_` and `-`, the first a letter or digit"
)]
pub struct NotASlug;

impl Slug {
    /// The short name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Slug {
    /// The account that a new store has.
    fn default() -> Self {
        Self("default".into())
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Slug {
    type Err = NotASlug;

    fn from_str(text: &str) -> Result<Self, NotASlug> {
        let fits = (1..=64).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && text
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotASlug)
        }
    }
}

impl Role {
    /// The role as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        match text {
            "member" => Ok(Self::Member),
            "admin" => Ok(Self::Admin),
            _ => Err(Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_plain() {
        assert!("acme-corp.2".parse::<Slug>().is_ok());
        for text in ["", "Acme", "-x", "a b", "a/b", &"x".repeat(65)] {
            assert_eq!(text.parse::<Slug>(), Err(NotASlug), "{text}");
        }
    }

    #[test]
    fn roles_read_back() {
        for role in [Role::Member, Role::Admin] {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert_eq!("owner".parse::<Role>(), Err(Unknown));
    }
}
