//! [`Actor`]: who did something, as it is written down.

use std::{fmt, str::FromStr};

use super::{
    id::{TokenId, UserId},
    token::Unknown,
};

/// Who did something.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Actor {
    /// Whoever presented this token.
    Token(TokenId),
    /// The local session of this user.
    Local(UserId),
    /// A command at the machine's shell.
    Operator,
    /// The program itself, keeping house.
    Keywright,
    /// Somebody unknown.
    Nobody,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(id) => write!(f, "token:{id}"),
            Self::Local(id) => write!(f, "local:{id}"),
            Self::Operator => f.write_str("operator"),
            Self::Keywright => f.write_str("keywright"),
            Self::Nobody => f.write_str("nobody"),
        }
    }
}

impl FromStr for Actor {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        match text.split_once(':') {
            Some(("token", id)) => id.parse().map(Self::Token).map_err(|_| Unknown),
            Some(("local", id)) => id.parse().map(Self::Local).map_err(|_| Unknown),
            _ if text == "operator" => Ok(Self::Operator),
            _ if text == "keywright" => Ok(Self::Keywright),
            _ if text == "nobody" => Ok(Self::Nobody),
            _ => Err(Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_writes() {
        for actor in [
            Actor::Token(TokenId::fresh()),
            Actor::Local(UserId::fresh()),
            Actor::Operator,
            Actor::Keywright,
            Actor::Nobody,
        ] {
            assert_eq!(actor.to_string().parse(), Ok(actor));
        }
        for text in ["token:x", "local:x", "user:x", "somebody", ""] {
            assert_eq!(text.parse::<Actor>(), Err(Unknown), "{text}");
        }
    }
}
