//! The Authorization header becomes a [`Request`] (RFC 6750 section 2.1). It proves nothing yet: the
//! verb looks it up in its own transaction.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

use super::error::Refusal;
use crate::{
    authz::{Credential, Request},
    domain::audit::Front,
};

/// Who asks, as it was presented.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// What the verb is asked with.
    pub(crate) request: Request,
    /// Whether anything was presented, good or not: a challenge tells the two apart.
    pub(crate) presented: bool,
}

impl Asked {
    /// What `headers` present.
    pub(super) fn from_headers(headers: &HeaderMap) -> Result<Self, Refusal> {
        Self::read(headers, bearer)
    }

    /// The same, with whatever stands for a token, which `token` finds in the header's text.
    pub(super) fn read(
        headers: &HeaderMap,
        token: impl Fn(&str) -> Option<&str>,
    ) -> Result<Self, Refusal> {
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(given), None) = (given.next(), given.next()) else {
            if headers.contains_key(header::AUTHORIZATION) {
                return Err(Refusal::bad_request(
                    "there is more than one `Authorization` header",
                    "send one",
                ));
            }
            return Ok(Self::nobody());
        };
        let credential = match given.to_str().ok().and_then(token) {
            Some(token) => Credential::bearer(token, None),
            None => Credential::Nobody,
        };
        Ok(Self::with(credential, true))
    }

    /// Somebody of whom nothing is known.
    pub(super) fn nobody() -> Self {
        Self::with(Credential::Nobody, false)
    }

    /// With this credential.
    pub(super) fn with(credential: Credential, presented: bool) -> Self {
        Self {
            request: Request::new(credential, Front::Http),
            presented,
        }
    }
}

fn bearer(given: &str) -> Option<&str> {
    behind("bearer", given)
}

/// The token that stands in `given` behind this scheme, whose letters may have any case (RFC 9110
/// section 11.1).
pub(super) fn behind<'a>(scheme: &str, given: &'a str) -> Option<&'a str> {
    let (word, token) = given.split_once(' ')?;
    word.eq_ignore_ascii_case(scheme)
        .then_some(token.trim_matches(' '))
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        match parts.extensions.get::<Self>() {
            Some(asked) => Ok(asked.clone()),
            None => Self::from_headers(&parts.headers),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(values: &[&[u8]]) -> Result<Asked, Refusal> {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value).unwrap();
            headers.append(header::AUTHORIZATION, value);
        }
        Asked::from_headers(&headers)
    }

    #[test]
    fn a_bearer_is_read_whatever_the_case_of_its_scheme() {
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let asked = read(&[format!("{scheme} x").as_bytes()]).unwrap();

            assert!(matches!(asked.request.credential, Credential::Token { .. }));
            assert!(asked.presented);
        }
    }

    #[test]
    fn what_is_no_bearer_is_nobodys() {
        for value in [
            b"Basic eDp5".as_slice(),
            b"Bearer",
            b"x",
            b"Bearer \xff",
            b"",
        ] {
            let asked = read(&[value]).unwrap();

            assert!(matches!(asked.request.credential, Credential::Nobody));
            assert!(asked.presented);
        }
        assert!(!read(&[]).unwrap().presented);
    }

    #[test]
    fn two_headers_are_refused() {
        assert!(read(&[b"Bearer x", b"Bearer x"]).is_err());
    }
}
