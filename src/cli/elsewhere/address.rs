//! [`Address`]: where a server elsewhere is. A token is sent there, so all but the very machine is
//! spoken to in confidence.

use std::{fmt, net::IpAddr, str::FromStr};

use hyper::Uri;

/// An address such as `https://tokens.example.com`, or one of this very machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Address {
    pub(super) is_secret: bool,
    /// Without the brackets of IPv6.
    pub(super) host: String,
    pub(super) port: u16,
    authority: String,
    /// What stands before our own paths, without a `/` at the end.
    path: String,
}

/// The text is no address that a token is sent to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum NotAnAddress {
    #[error("expected the server's address, such as `https://tokens.example.com`")]
    Spelling,
    #[error("a token is sent there, so it must begin with `https://`, unless it is this machine")]
    Open,
    #[error("it must hold neither a name, a password, a `?` nor a `#`")]
    More,
}

impl Address {
    /// Where `path` of ours is there.
    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.path)
    }

    /// What the server is called in a request.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }
}

/// Whether `host` can only be this machine. A name may be anything, save the one that is reserved for
/// it (RFC 6761, section 6.3); what it comes to is looked at again once it is known.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        if text.contains(['@', '?', '#']) {
            return Err(NotAnAddress::More);
        }
        let uri: Uri = text.parse().map_err(|_| NotAnAddress::Spelling)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(NotAnAddress::Spelling);
        };
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(NotAnAddress::Spelling);
        }
        let (is_secret, usual) = match scheme {
            "https" => (true, 443),
            "http" if is_loopback(&host) => (false, 80),
            "http" => return Err(NotAnAddress::Open),
            _ => return Err(NotAnAddress::Spelling),
        };
        Ok(Self {
            is_secret,
            host,
            port: authority.port_u16().unwrap_or(usual),
            authority: authority.as_str().to_owned(),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secret { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Address, NotAnAddress> {
        text.parse()
    }

    #[test]
    fn an_address_is_read() {
        for (text, is_secret, host, port, path) in [
            (
                "https://tokens.example.com",
                true,
                "tokens.example.com",
                443,
                "",
            ),
            (
                "https://example.com:8443/kw/",
                true,
                "example.com",
                8443,
                "/kw",
            ),
            ("http://127.0.0.1:8484", false, "127.0.0.1", 8484, ""),
            ("http://[::1]:8484/", false, "::1", 8484, ""),
            ("http://localhost", false, "localhost", 80, ""),
        ] {
            let address = read(text).unwrap();
            assert_eq!(
                (address.is_secret, &*address.host, address.port),
                (is_secret, host, port),
                "{text}"
            );
            assert_eq!(address.path("/v1/claims"), format!("{path}/v1/claims"));
            assert_eq!(address.to_string(), text.trim_end_matches('/'));
        }
    }

    #[test]
    fn no_token_is_sent_in_the_open() {
        for text in [
            "http://tokens.example.com",
            "http://10.0.0.1",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://0.0.0.0:8484",
        ] {
            assert_eq!(read(text), Err(NotAnAddress::Open), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "tokens.example.com",
            "ftp://example.com",
            "https://",
            "/v1",
            "https:///x",
        ] {
            assert_eq!(read(text), Err(NotAnAddress::Spelling), "{text}");
        }
        for text in [
            "https://ann@example.com",
            "https://x/?a=b",
            "https://x/#a",
            "https://a:b@x",
        ] {
            assert_eq!(read(text), Err(NotAnAddress::More), "{text}");
        }
    }
}
