//! What a client is told to present (RFC 6750 section 3), wherever it asked.

use crate::domain::scope::Scope;

/// Why what was presented was not enough.
#[derive(Clone, Copy, Debug)]
pub enum Challenge<'a> {
    /// Nothing was.
    Nothing,
    /// It is no good token.
    InvalidToken,
    /// It lacks some of these scopes, all of which are needed.
    InsufficientScope(&'a [Scope]),
}

impl Challenge<'_> {
    /// The value of a `WWW-Authenticate` header.
    pub fn text(self) -> String {
        let realm = r#"Bearer realm="keywright""#;
        match self {
            // RFC 6750 section 3.1: who has presented nothing is told no error.
            Self::Nothing => realm.to_owned(),
            Self::InvalidToken => format!(r#"{realm}, error="invalid_token""#),
            Self::InsufficientScope(scopes) => {
                let scopes: Vec<_> = scopes.iter().map(Scope::as_str).collect();
                let scopes = scopes.join(" ");
                format!(r#"{realm}, error="insufficient_scope", scope="{scopes}""#)
            }
        }
    }
}
