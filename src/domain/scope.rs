//! [`Scope`] and [`Scopes`]: what a token may do, spelled `verb:noun` (RFC 6749, section 3.3).

use std::{borrow::Cow, fmt, str::FromStr};

/// The most scopes of a token, and the most characters of a scope.
pub const MOST: usize = 64;

/// One permission. Ours mean something here; every other is a *service scope*, which is carried
/// for the services behind us.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Scope(Cow<'static, str>);

/// The nouns that are ours. A verb on them must be one we know.
const NOUNS: [&str; 5] = ["tokens", "secrets", "envs", "audit", "account"];

/// Every scope that means something here, in the order shown to people.
pub const OURS: [Scope; 9] = [
    Scope::READ_TOKENS,
    Scope::WRITE_TOKENS,
    Scope::DELETE_TOKENS,
    Scope::READ_SECRETS,
    Scope::READ_ENVS,
    Scope::WRITE_ENVS,
    Scope::INTROSPECT_TOKENS,
    Scope::READ_AUDIT,
    Scope::MANAGE_ACCOUNT,
];

/// A scope, or a list of them, that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ScopeError {
    /// Not `verb:noun` in lower case. (The text is not repeated: it may be a value gone astray.)
    #[error(
        "a scope is `verb:noun` in lower-case letters, digits, `.`, `_` and `-`, without wildcards or spaces"
    )]
    Spelling,
    /// A verb that one of our nouns does not know.
    #[error("`{0}` is no scope of Keywright: it knows {known}", known = known())]
    Unknown(String),
    /// Longer than 64 characters.
    #[error("a scope has at most {MOST} characters")]
    TooLong,
    /// More than 64.
    #[error("a token carries at most {MOST} scopes")]
    TooMany,
}

fn known() -> String {
    OURS.map(|scope| format!("`{scope}`")).join(", ")
}

impl Scope {
    /// List and read one's own tokens, never values.
    pub const READ_TOKENS: Self = Self(Cow::Borrowed("read:tokens"));
    /// Create, update and rotate, without seeing a value.
    pub const WRITE_TOKENS: Self = Self(Cow::Borrowed("write:tokens"));
    /// Revoke.
    pub const DELETE_TOKENS: Self = Self(Cow::Borrowed("delete:tokens"));
    /// Any raw value leaving the authority. Implied by nothing.
    pub const READ_SECRETS: Self = Self(Cow::Borrowed("read:secrets"));
    /// See app environments.
    pub const READ_ENVS: Self = Self(Cow::Borrowed("read:envs"));
    /// Change app environments.
    pub const WRITE_ENVS: Self = Self(Cow::Borrowed("write:envs"));
    /// Ask whether some token is good.
    pub const INTROSPECT_TOKENS: Self = Self(Cow::Borrowed("introspect:tokens"));
    /// Read one's own audit records.
    pub const READ_AUDIT: Self = Self(Cow::Borrowed("read:audit"));
    /// Look after who is in the account; list, narrow, disable and revoke other members' tokens.
    /// Needs the role admin, too.
    pub const MANAGE_ACCOUNT: Self = Self(Cow::Borrowed("manage:account"));

    /// The scope as it is written everywhere.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is meant for the services behind us and means nothing here.
    pub fn is_service(&self) -> bool {
        !OURS.contains(self)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        if text.len() > MOST {
            return Err(ScopeError::TooLong);
        }
        let word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word
                    .bytes()
                    .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
        };
        match text.split_once(':') {
            Some((verb, noun)) if word(verb) && word(noun) => {
                if let Some(ours) = OURS.into_iter().find(|ours| ours.as_str() == text) {
                    Ok(ours)
                } else if NOUNS.contains(&noun) {
                    Err(ScopeError::Unknown(text.to_owned()))
                } else {
                    Ok(Self(Cow::Owned(text.to_owned())))
                }
            }
            Some(_) | None => Err(ScopeError::Spelling),
        }
    }
}

/// The scopes of one token: a set of at most 64, kept and shown in order. Empty allows nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Scopes(Vec<Scope>);

/// The words of a list of scopes as people type it: separated by spaces or commas.
pub fn words(typed: &str) -> impl Iterator<Item = &str> {
    typed
        .split([' ', ',', '\n', '\t'])
        .filter(|word| !word.is_empty())
}

impl Scopes {
    /// Reads a list as people type it.
    pub fn typed(text: &str) -> Result<Self, ScopeError> {
        Self::parse(words(text))
    }

    /// Reads a list of scopes. The same one twice is one.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, ScopeError> {
        let mut scopes = Vec::new();
        for text in texts {
            if scopes.len() == MOST {
                return Err(ScopeError::TooMany);
            }
            scopes.push(text.parse()?);
        }
        Ok(Self::of(scopes))
    }

    /// The set of these.
    fn of(mut scopes: Vec<Scope>) -> Self {
        scopes.sort_unstable();
        scopes.dedup();
        Self(scopes)
    }

    /// Whether `scope` is among them.
    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.binary_search(scope).is_ok()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of them that are among `others`, too.
    #[must_use]
    pub fn both(&self, others: &Self) -> Self {
        let shared = |scope: &&Scope| others.contains(scope);
        Self(self.0.iter().filter(shared).cloned().collect())
    }

    /// All of both. What a session holds may be more than a token can carry.
    #[must_use]
    pub fn or(&self, others: &Self) -> Self {
        Self::of(self.0.iter().chain(&others.0).cloned().collect())
    }

    /// All of them but `scope`.
    #[must_use]
    pub fn without(mut self, scope: &Scope) -> Self {
        self.0.retain(|held| held != scope);
        self
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }
}

impl<const N: usize> From<[Scope; N]> for Scopes {
    /// For a list known when the program is written: at most 64.
    fn from(scopes: [Scope; N]) -> Self {
        const { assert!(N <= MOST) };
        Self::of(scopes.into())
    }
}

impl fmt::Display for Scopes {
    /// Separated by spaces, as RFC 6749 writes them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, scope) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

/// What a principal holds: scopes by name, or more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reach {
    /// These scopes.
    Exactly(Scopes),
    /// These, and every service scope there could be.
    WithEveryService(Scopes),
    /// All of them.
    Everything,
}

impl Reach {
    /// Whether `scope` is held.
    pub fn holds(&self, scope: &Scope) -> bool {
        match self {
            Self::Exactly(scopes) => scopes.contains(scope),
            Self::WithEveryService(scopes) => scope.is_service() || scopes.contains(scope),
            Self::Everything => true,
        }
    }

    /// The first of `asked` that is not held.
    pub fn lacks<'a>(&self, asked: &'a Scopes) -> Option<&'a Scope> {
        asked.iter().find(|scope| !self.holds(scope))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_back_what_it_writes() {
        for scope in OURS {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
    }

    #[test]
    fn all_of_both_are_held_once() {
        let read = Scopes::from([Scope::READ_TOKENS, Scope::READ_ENVS]);
        let write = Scopes::from([Scope::WRITE_TOKENS, Scope::READ_TOKENS]);

        let all: Vec<_> = read.or(&write).iter().map(Scope::to_string).collect();

        assert_eq!(all, ["read:envs", "read:tokens", "write:tokens"]);
    }

    #[test]
    fn a_service_scope_is_carried() {
        assert!("notes:read".parse::<Scope>().unwrap().is_service());
    }

    #[test]
    fn every_way_to_be_wrong_has_its_error() {
        for text in [
            "",
            "*",
            ":",
            "read",
            "read:*",
            "READ:SECRETS",
            "read:tokens ",
            "read:a:b",
            "1:a",
            "read: tokens",
            "réad:notes",
        ] {
            assert_eq!(text.parse::<Scope>(), Err(ScopeError::Spelling), "{text}");
        }
        assert_eq!(
            "write:secrets".parse::<Scope>(),
            Err(ScopeError::Unknown("write:secrets".into()))
        );
        let long = |noun: usize| format!("read:{}", "x".repeat(noun)).parse::<Scope>();
        assert!(long(59).is_ok());
        assert_eq!(long(60), Err(ScopeError::TooLong));
        assert!(Scopes::parse(["read:notes"; 64]).is_ok());
        assert_eq!(Scopes::parse(["read:notes"; 65]), Err(ScopeError::TooMany));
    }

    #[test]
    fn a_set_is_written_in_order_with_one_space_between() {
        let scopes = Scopes::typed("write:notes,\tread:notes\n read:notes").unwrap();
        assert_eq!(scopes.to_string(), "read:notes write:notes");
    }

    proptest! {
        #[test]
        fn a_set_reads_back_what_it_writes(words in prop::collection::vec("[a-z]{1,9}:[a-z][a-z0-9._-]{0,9}x", 0..20)) {
            let scopes = Scopes::parse(words.iter().map(String::as_str)).unwrap();
            let text = scopes.to_string();
            prop_assert_eq!(Scopes::parse(text.split_whitespace()).unwrap(), scopes);
        }

        #[test]
        fn nothing_in_upper_case_or_with_a_wildcard_is_a_scope(text in "[a-zA-Z*: ]{0,12}") {
            if let Ok(scope) = text.parse::<Scope>() {
                prop_assert!(scope.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b':'));
            }
        }
    }
}
