//! Connections: who may have one, how long it may take to say what it wants, and how it ends.
//!
//! The end comes in two stages. Once asked to stop, nobody new is let in, streams end, and requests
//! in flight are answered; what is not done within [`GRACE`] is cut.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::{passage::Peer, patient::Patient};

/// How long requests in flight may take once the server is to stop.
pub const GRACE: Duration = Duration::from_secs(5);

/// How long a connection may take to say what it wants, the first time and every time after.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

/// No head is larger: room for the largest token, and for what proxies add.
const LARGEST_HEAD: usize = 64 << 10;

/// So many connections are open at a time; the others wait at the door.
const CONNECTIONS: usize = 4096;

/// How long to wait when the system has no descriptor left for another connection.
const BREATH: Duration = Duration::from_millis(100);

/// Serves `router` at every one of `listeners` until `stop` is cancelled, and then for at most
/// [`GRACE`].
pub async fn serve(listeners: Vec<TcpListener>, router: Router, stop: CancellationToken) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut doors = JoinSet::new();
    for listener in listeners {
        doors.spawn(stand_at(
            listener,
            router.clone(),
            Arc::clone(&room),
            stop.clone(),
        ));
    }
    while doors.join_next().await.is_some() {}
}

async fn stand_at(
    listener: TcpListener,
    router: Router,
    room: Arc<Semaphore>,
    stop: CancellationToken,
) {
    let mut connections = JoinSet::new();
    loop {
        let come = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            come = next(&listener, &room) => come,
        };
        match come {
            Ok((stream, peer, permit)) => {
                let (router, stop) = (router.clone(), stop.clone());
                connections.spawn(async move {
                    converse(stream, peer, router, stop).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                sleep(BREATH).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(GRACE, all).await.is_err() {
        tracing::warn!("requests were still in flight when the server had to end");
    }
}

async fn next(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await;
    let permit = permit.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

/// One connection, to its end.
async fn converse(stream: TcpStream, peer: SocketAddr, router: Router, stop: CancellationToken) {
    // An answer in two writes would otherwise wait 40 ms for the client's word on the first.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was gone before it was served");
        return;
    }
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        let router = router.clone();
        async move {
            Ok::<_, Infallible>(
                router
                    .oneshot(request)
                    .await
                    .unwrap_or_else(|never| match never {}),
            )
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(Patient::new(stream)), service);
    let mut connection = pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        // Clients come and go as they like.
        tracing::debug!(%error, "a connection broke off");
    }
}
