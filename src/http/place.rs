//! Where this server stands, and that a request was meant for it. A page of another site that finds
//! it on loopback is turned away (DNS rebinding), and nobody puts a token into a URL.

use std::{fmt, net::IpAddr, str::FromStr};

use axum::{
    extract::Request,
    http::{HeaderMap, Uri, header, uri::Authority as HostAndPort},
};

use super::{
    error::Refusal,
    verify::{self, QueryOf},
};
use crate::domain::credential;

/// Where this server is reached.
#[derive(Clone, Debug, Default)]
pub struct Place {
    public: Option<PublicUrl>,
}

/// An https address of ours that others know.
#[derive(Clone, Debug)]
pub struct PublicUrl {
    host: HostAndPort,
    text: String,
}

/// The text is no such address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected an https address without a path, such as `https://tokens.example.com`")]
pub struct NotPublic;

impl FromStr for PublicUrl {
    type Err = NotPublic;

    fn from_str(text: &str) -> Result<Self, NotPublic> {
        let uri: Uri = text.parse().map_err(|_| NotPublic)?;
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        match (uri.scheme_str(), uri.authority()) {
            (Some("https"), Some(host)) if is_bare && !host.as_str().contains('@') => Ok(Self {
                host: host.clone(),
                text: format!("https://{host}"),
            }),
            _ => Err(NotPublic),
        }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Place {
    /// On this machine, and for others at `public`, if they may reach it.
    pub fn new(public: Option<PublicUrl>) -> Self {
        Self { public }
    }

    /// Whether `host` is a name of ours.
    fn is_ours(&self, host: &HostAndPort) -> bool {
        is_loopback(host.host())
            || self
                .public
                .as_ref()
                .is_some_and(|public| is_same(&public.host, host))
    }

    /// Whether a page of this origin is ours: at the very address that was asked.
    fn is_own_origin(&self, origin: &str, asked: &HostAndPort) -> bool {
        let Ok(uri) = origin.parse::<Uri>() else {
            return false;
        };
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.authority()) else {
            return false;
        };
        match scheme {
            "http" => is_loopback(host.host()) && is_same(host, asked),
            "https" => self
                .public
                .as_ref()
                .is_some_and(|public| is_same(&public.host, host)),
            _ => false,
        }
    }
}

/// Lets in what was meant for this server.
pub(super) fn meant_for(place: &Place, request: &Request) -> Result<(), Refusal> {
    let uri = request.uri();
    // A proxy asks with whatever the request that it asks about said. A page that asks in its place
    // learns and changes nothing: it has no token that is not its own.
    match verify::asked_at(uri.path()) {
        Some(QueryOf::Client) => return Ok(()),
        Some(QueryOf::Proxy) => return bears_no_token(uri),
        None => {}
    }
    let host = host(request)?;
    if !place.is_ours(&host) {
        return Err(Refusal::forbidden(
            "this server is not known by the `Host` that was asked for",
            "ask for it as `localhost`; a name that others use is set with `--public-url`",
        ));
    }
    let origins = request.headers().get_all(header::ORIGIN);
    let are_own = origins.iter().all(|origin| {
        let text = origin.to_str().ok();
        text.is_some_and(|text| place.is_own_origin(text, &host))
    });
    if !are_own {
        return Err(Refusal::forbidden(
            "pages of another origin may not ask this server",
            "ask from a program, or from a page of this server",
        ));
    }
    bears_no_token(uri)
}

fn bears_no_token(uri: &Uri) -> Result<(), Refusal> {
    if uri.query().is_some_and(holds_token) {
        return Err(Refusal::bad_request(
            "a token is not to stand in a URL, where logs keep it",
            "send it in the `Authorization` header; if it is a live one, rotate it",
        ));
    }
    Ok(())
}

/// The one host that was asked for: of the target, if that is a whole URL, else of the header.
fn host(request: &Request) -> Result<HostAndPort, Refusal> {
    if let Some(host) = request.uri().authority() {
        return Ok(host.clone());
    }
    one_host(request.headers()).ok_or_else(|| {
        Refusal::bad_request(
            "there is to be one `Host` header, with a name or an address",
            "send one",
        )
    })
}

fn one_host(headers: &HeaderMap) -> Option<HostAndPort> {
    let mut all = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (all.next(), all.next()) else {
        return None;
    };
    let host: HostAndPort = host.to_str().ok()?.parse().ok()?;
    (!host.as_str().contains('@')).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || bare
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

fn is_same(a: &HostAndPort, b: &HostAndPort) -> bool {
    a.host().eq_ignore_ascii_case(b.host()) && a.port_u16() == b.port_u16()
}

/// Whether a query carries a token, by the name of a parameter or by the look of a text, however
/// they are spelt.
fn holds_token(query: &str) -> bool {
    let names = ["token", "access_token", "api_key", "authorization"];
    let holds_value = |text: &str| credential::without_values(text) != text;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    holds_value(query)
        || pairs.any(|(name, value)| {
            names.iter().any(|token| name.eq_ignore_ascii_case(token))
                || holds_value(&name)
                || holds_value(&value)
        })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(host: &[&str], origin: &[&str], uri: &str) -> Request {
        let mut request = axum::http::Request::builder().uri(uri);
        for host in host {
            request = request.header(header::HOST, *host);
        }
        for origin in origin {
            request = request.header(header::ORIGIN, *origin);
        }
        request.body(Body::empty()).unwrap()
    }

    fn place() -> Place {
        Place::new(Some("https://tokens.example.com".parse().unwrap()))
    }

    #[test]
    fn what_was_meant_for_this_server_comes_in() {
        for host in [
            "localhost:8484",
            "LOCALHOST",
            "127.0.0.1:1",
            "127.9.9.9",
            "[::1]:8484",
            "tokens.example.com",
            "Tokens.Example.com",
        ] {
            assert!(
                meant_for(&place(), &request(&[host], &[], "/")).is_ok(),
                "{host}"
            );
        }
        for (host, origin) in [
            ("localhost:8484", "http://localhost:8484"),
            ("[::1]:8484", "http://[::1]:8484"),
            ("tokens.example.com", "https://tokens.example.com"),
        ] {
            let request = request(&[host], &[origin], "/");
            assert!(meant_for(&place(), &request).is_ok(), "{origin}");
        }
    }

    #[test]
    fn another_host_is_turned_away() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "tokens.example.com:8443",
            "tokens.example.com.",
            "x@localhost",
            "0.0.0.0",
            "",
        ] {
            assert!(
                meant_for(&place(), &request(&[host], &[], "/")).is_err(),
                "{host}"
            );
        }
        assert!(meant_for(&place(), &request(&[], &[], "/")).is_err());
        let two = request(&["localhost", "localhost"], &[], "/");
        assert!(meant_for(&place(), &two).is_err());
        let whole = request(&["localhost"], &[], "http://evil.example/");
        assert!(meant_for(&place(), &whole).is_err());
    }

    #[test]
    fn a_page_of_another_origin_is_turned_away() {
        for origin in [
            "null",
            "https://evil.example",
            "http://localhost:3000",
            "https://localhost:8484",
            "http://tokens.example.com",
            "http://localhost:8484.evil.example",
            "",
        ] {
            let request = request(&["localhost:8484"], &[origin], "/");
            assert!(meant_for(&place(), &request).is_err(), "{origin}");
        }
        let two = ["http://localhost:8484", "https://evil.example"];
        assert!(meant_for(&place(), &request(&["localhost:8484"], &two, "/")).is_err());
    }

    #[test]
    fn a_token_in_a_url_is_refused() {
        for uri in [
            "/?token=x",
            "/?a=b&Access_Token=x",
            "/?q=kw_pat_0123456789abcdef",
            "/?access%5Ftoken=x",
            "/?q=kw%5Fp%61t_0123456789abcdef",
            "/?kw_pat%5f0123456789abcdef",
        ] {
            assert!(
                meant_for(&place(), &request(&["localhost"], &[], uri)).is_err(),
                "{uri}"
            );
        }
        assert!(meant_for(&place(), &request(&["localhost"], &[], "/?q=tokens")).is_ok());
    }

    #[test]
    fn what_a_proxy_asks_about_is_not_held_against_it() {
        let ask = |uri| {
            let page = ["https://evil.example"];
            meant_for(&place(), &request(&["evil.example"], &page, uri))
        };
        for uri in [
            "/v1/verify",
            "/v1/verify?scope=read:page",
            "/v1/verify-for/read:page/",
            "/v1/verify-for/read:page/x?token=x",
        ] {
            assert!(ask(uri).is_ok(), "{uri}");
        }
        for uri in [
            "/v1/verify?token=x",
            "/v1/verify/read:page/x",
            "/v1/whoami",
            "/x/v1/verify/",
        ] {
            assert!(ask(uri).is_err(), "{uri}");
        }
    }

    #[test]
    fn a_public_address_is_https_and_bare() {
        for text in [
            "http://tokens.example.com",
            "tokens.example.com",
            "https://tokens.example.com/x",
            "https://tokens.example.com?x",
            "https://ann@tokens.example.com",
            "https://",
        ] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text}");
        }
        let url: PublicUrl = "https://tokens.example.com:8443/".parse().unwrap();
        assert_eq!(url.to_string(), "https://tokens.example.com:8443");
    }
}
