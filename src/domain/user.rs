//! [`User`]: a person.

use std::{fmt, str::FromStr};

use super::{
    clock::Time,
    id::UserId,
    text::{self, TextError},
};

/// A person.
#[derive(Clone, Debug)]
pub struct User {
    /// Which.
    pub id: UserId,
    /// What they are called in commands. Unique, whatever its case.
    pub username: Username,
    /// Where they can be written to.
    pub email: Option<Email>,
    /// The operating system's number for them on this machine.
    pub os_uid: Option<u32>,
    /// When they were added.
    pub created_at: Time,
    /// Since when none of their tokens is good.
    pub deactivated_at: Option<Time>,
}

/// A person, as somebody names them. A text that is an id names nobody who is merely called so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum UserRef {
    /// By their id.
    Id(UserId),
    /// By what they are called.
    Name(Username),
}

/// 1 to 64 visible characters without spaces.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Username(String);

/// A text with one `@` inside, without spaces, at most 254 characters (RFC 5321, section 4.5.3.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Email(String);

/// The text is no user name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UsernameError {
    /// Empty, too long, or with something in it that cannot be seen.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A space inside.
    #[error("it has a space inside")]
    Space,
}

/// The text is no address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected an address such as `ann@example.com`")]
pub struct NotAnEmail;

impl User {
    /// Whether their tokens may be good.
    pub fn is_active(&self) -> bool {
        self.deactivated_at.is_none()
    }
}

impl Username {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Email {
    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Username> for UserRef {
    fn from(name: Username) -> Self {
        Self::Name(name)
    }
}

impl FromStr for UserRef {
    type Err = UsernameError;

    fn from_str(text: &str) -> Result<Self, UsernameError> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Name),
        }
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Username {
    type Err = UsernameError;

    fn from_str(text: &str) -> Result<Self, UsernameError> {
        let name = text::clean(text, 64)?;
        if name.contains(char::is_whitespace) {
            Err(UsernameError::Space)
        } else {
            Ok(Self(name))
        }
    }
}

impl FromStr for Email {
    type Err = NotAnEmail;

    fn from_str(text: &str) -> Result<Self, NotAnEmail> {
        let address = text::clean(text, 254).map_err(|_| NotAnEmail)?;
        let fits = matches!(address.split_once('@'),
            Some((name, host)) if !name.is_empty() && !host.is_empty() && !host.contains('@'))
            && !address.contains(char::is_whitespace);
        if fits {
            Ok(Self(address))
        } else {
            Err(NotAnEmail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_is_one_word() {
        assert!("ann".parse::<Username>().is_ok());
        assert_eq!("a b".parse::<Username>(), Err(UsernameError::Space));
        assert_eq!(
            "".parse::<Username>(),
            Err(UsernameError::Text(TextError::Empty))
        );
    }

    #[test]
    fn an_address_has_one_at() {
        assert!("ann@example.com".parse::<Email>().is_ok());
        for text in ["", "ann", "@x", "ann@", "a@b@c", "a b@c"] {
            assert_eq!(text.parse::<Email>(), Err(NotAnEmail), "{text}");
        }
    }
}
