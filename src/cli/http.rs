//! `keywright serve`: MCP, REST and checks of tokens over HTTP, until a signal ends it.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use anyhow::Context as _;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;

use super::{
    args,
    error::Failure,
    output,
    serve::{House, Missing},
};
use crate::{
    authz::Credential,
    http::{Http, Limits, Place, Profiles, Rate, metrics_router, router, server},
    mcp::{
        Server, stdio,
        streamable_http::{self, StreamableHttp},
    },
    wire::token::ClaimCommand,
};

/// Where it listens, unless it is told otherwise.
const PORT: u16 = 8484;

/// Serves until it is asked to stop.
pub(super) async fn run(place: &args::Place, asked: args::Serve) -> Result<(), Failure> {
    if asked.public_url.is_none() {
        let everywhere = asked.listen.iter().chain(&asked.metrics);
        if let Some(open) = everywhere.clone().find(|at| !at.ip().is_loopback()) {
            return Err(Failure::Misuse(format!(
                "`{open}` can be reached from other machines, and tokens would cross the network \
                 in the clear: put a proxy that speaks TLS in front and name its address with \
                 `--public-url https://...`, or listen on 127.0.0.1"
            )));
        }
    }
    let profiles =
        Profiles::named(&asked.profile).map_err(|why| Failure::Misuse(why.to_string()))?;
    raise_descriptor_limit();
    let stop = stdio::stop_on_signals().context("the signals")?;
    let listeners = listeners(&asked.listen).await?;
    let metrics_listener = match asked.metrics {
        Some(at) => Some(bound(at).await?),
        None => None,
    };

    let house = House::at(place, Missing::IsMade)?;
    let authority = house.authority().await?;
    super::run::sweep(&house).await;
    let limits = Limits::new(
        Rate::per_second(asked.rate_per_address),
        Rate::per_second(asked.rate_per_token),
    );
    // Whoever asks at a public address, and their person, may be at any machine.
    let claim = match &asked.public_url {
        Some(url) => ClaimCommand::elsewhere(&url.to_string()),
        None => house.claim_command(),
    };
    let stands = Place::new(asked.public_url);
    profiles.announce();
    let server = Server::new(authority.clone(), Credential::Nobody.into(), claim.clone());
    let mcp = StreamableHttp::new(server, streamable_http::Limits::default(), stop.clone());
    let http = Http::new(authority.clone(), claim, stands, limits).playing(profiles);
    let http = Arc::new(http);

    for listener in &listeners {
        let at = listener.local_addr().context("a listener")?;
        output::tell(&format!("serving http://{at}"));
    }
    if let Some(listener) = &metrics_listener {
        let at = listener.local_addr().context("a listener")?;
        output::tell(&format!("serving metrics at http://{at}/metrics"));
    }
    let metrics = metrics_listener.into_iter().collect();
    tokio::select! {
        () = async {
            tokio::join!(
                server::serve(listeners, router(&http, mcp.router()), stop.clone()),
                server::serve(metrics, metrics_router(&http), stop.clone()),
            );
        } => {}
        () = authority.keep_house() => {}
        () = http.limits().keep_small() => {}
    }
    house.close().await;
    Ok(())
}

/// Where to listen: as it was told, or on this machine, by the older protocol and the newer one,
/// where there is one.
async fn listeners(named: &[SocketAddr]) -> Result<Vec<TcpListener>, Failure> {
    let mut listeners = Vec::new();
    for at in named {
        listeners.push(bound(*at).await?);
    }
    if listeners.is_empty() {
        listeners.push(bound((Ipv4Addr::LOCALHOST, PORT).into()).await?);
        match TcpListener::bind((Ipv6Addr::LOCALHOST, PORT)).await {
            Ok(listener) => listeners.push(listener),
            // Not every machine has IPv6.
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable => {}
            Err(error) => tracing::warn!(%error, "[::1]:{PORT} is not listened at"),
        }
    }
    Ok(listeners)
}

async fn bound(at: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(at).await;
    listener.map_err(|error| {
        let remedy = if error.kind() == ErrorKind::AddrInUse {
            "; another program listens there: name another address with `--listen`"
        } else if error.kind() == ErrorKind::PermissionDenied {
            "; name a port above 1023 with `--listen`"
        } else {
            ""
        };
        Failure::Failed(anyhow::anyhow!("cannot listen at {at}: {error}{remedy}"))
    })
}

/// Every connection is a descriptor, and many systems begin with 1024.
fn raise_descriptor_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        let wanted = hard.min(65_536);
        if soft < wanted {
            setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?;
        }
        Ok(())
    });
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open descriptors stays as it is");
    }
}
