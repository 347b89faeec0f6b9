//! One request to a server elsewhere: over a connection of its own, in bounded time, to the address
//! that was named and to no other.
//!
//! 1. The name is looked up and a connection made; what is spoken in the open stays on this machine.
//! 2. Over it TLS, with the certificates that the platform trusts.
//! 3. The request, HTTP/1.1. No redirect is followed and no proxy is asked: either would be shown
//!    the token.
//! 4. The answer, up to a size that none of ours exceeds.

use std::{io, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    client::conn::http1,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};
use zeroize::Zeroizing;

use super::address::Address;

/// A server that cannot be reached in this time is out of reach.
const TO_CONNECT: Duration = Duration::from_secs(10);

/// A server that was reached answers within this time, or not at all.
const TO_ANSWER: Duration = Duration::from_secs(30);

/// More than 200 records take.
const LONGEST_ANSWER: usize = 1 << 20;

/// What is asked.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) body: Vec<u8>,
}

/// What was answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// Why there is no answer.
pub(super) enum NoAnswer {
    /// The server was not asked.
    Unasked(anyhow::Error),
    /// It was, and what it did is not known.
    Unknown(anyhow::Error),
}

/// Asks the server at `address`, with this `Authorization`. Once it is reached, and before it is
/// asked, `ready` is called.
pub(super) async fn call(
    address: &Address,
    authorization: HeaderValue,
    call: Call<'_>,
    ready: impl FnOnce() -> io::Result<()>,
) -> Result<Answer, NoAnswer> {
    let mut request = Request::builder()
        .method(&call.method)
        .uri(address.path(call.path))
        .header(HOST, address.authority())
        .header(AUTHORIZATION, authorization)
        .header(ACCEPT, "application/json, application/problem+json")
        .header(USER_AGENT, concat!("keywright/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(Bytes::from(call.body)))
        .map_err(|why| NoAnswer::Unasked(why.into()))?;
    if call.method == Method::POST {
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
    }
    let unreached = |why: anyhow::Error| {
        NoAnswer::Unasked(why.context(format!("`{address}` cannot be reached")))
    };
    let connected = timeout(TO_CONNECT, connected(address)).await;
    let stream = connected
        .unwrap_or_else(|_| Err(anyhow!("nobody answered within {TO_CONNECT:?}")))
        .map_err(unreached)?;
    ready().map_err(|why| NoAnswer::Unasked(why.into()))?;
    let answered = timeout(TO_ANSWER, answered(stream, request)).await;
    answered
        .unwrap_or_else(|_| Err(anyhow!("no answer came within {TO_ANSWER:?}")))
        .map_err(NoAnswer::Unknown)
}

/// A stream, in the open or not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Steps 1 and 2.
async fn connected(address: &Address) -> anyhow::Result<Box<dyn Stream>> {
    let places: Vec<_> = lookup_host((address.host.as_str(), address.port))
        .await?
        .collect();
    if !address.is_secret && !places.iter().all(|place| place.ip().is_loopback()) {
        bail!("it is not this machine: say `https://`");
    }
    let stream = TcpStream::connect(places.as_slice()).await?;
    stream.set_nodelay(true)?;
    if !address.is_secret {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(address.host.clone())?;
    let stream = TlsConnector::from(Arc::new(tls()?))
        .connect(name, stream)
        .await?;
    Ok(Box::new(stream))
}

fn tls() -> anyhow::Result<ClientConfig> {
    let mut trusted = RootCertStore::empty();
    // One that cannot be read vouches for nobody; the others may do.
    trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if trusted.is_empty() {
        bail!("this machine trusts no certificates: install the platform's (`ca-certificates`)");
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(config)
}

/// Steps 3 and 4.
async fn answered(
    stream: Box<dyn Stream>,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<Answer> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), LONGEST_ANSWER)
        .collect()
        .await
        .map_err(|why| anyhow!(why))
        .context("its answer broke off")?;
    driver.abort();
    Ok(Answer {
        status,
        body: Zeroizing::new(body.to_bytes().into()),
    })
}
