//! MCP over standard input and output: one session, from the first line to the last answer.
//!
//! The process outlives whatever the client sends, answers every call that it has begun, and ends
//! soon after the client has gone or a signal has asked it to. Nothing but the protocol reaches the
//! client, since the protocol has descriptors of its own.
//!
//! 1. [`Descriptors::take`] moves the protocol away from descriptors 0 and 1, before anything can
//!    print.
//! 2. [`stop_on_signals`] turns SIGTERM and SIGINT into a wish to stop.
//! 3. [`serve`] opens the session and stays until the input has ended or the wish has come.
//! 4. From then on nothing is read; what is in flight is answered, for at most [`GRACE`].

mod descriptors;
mod guard;
mod lines;

use std::io;
use std::time::Duration;

use rmcp::service::{QuitReason, ServerInitializeError, serve_server};
use rmcp::{RoleServer, Service};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

pub use self::descriptors::Descriptors;
use self::descriptors::Streams;
use self::guard::{Guard, UNWRITTEN};
use super::frame::{Served, Unit};

/// How long calls in flight may take once nothing more is read.
///
/// Clients of the TypeScript SDK send SIGTERM 2 s after they have closed our input; this leaves
/// them time to see a clean end. Without it, rmcp would wait 5 s for a call that cannot end.
pub const GRACE: Duration = Duration::from_millis(1500);

/// How long a client may leave its answers unread, in a debugger perhaps, before it counts as gone.
/// While they are unread nothing more is read, not even that the client has hung up.
const UNREAD: Duration = Duration::from_mins(10);

/// What keeps a session from being served to its end. All else, even a client that never says
/// `initialize`, is a clean end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A standard stream cannot be read or written.
    #[error("cannot speak MCP over the standard streams. Start this from an MCP client")]
    Streams(#[source] io::Error),
    /// The client's opening was refused, and it has been told so.
    #[error("the MCP session did not open")]
    Opening(#[source] Box<ServerInitializeError>),
    /// The session's own task ended by a panic.
    #[error("the MCP session broke off")]
    Broken(#[source] JoinError),
}

/// A token that SIGTERM or SIGINT cancels, for the rest of the process's life.
///
/// # Panics
///
/// Outside a Tokio runtime.
pub fn stop_on_signals() -> io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = CancellationToken::new();

    let wish = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        wish.cancel();
    });

    Ok(stop)
}

/// Serves one session over these descriptors, until the client closes them or `stop` is cancelled.
///
/// Returns at the latest [`GRACE`] after either. Calls that are not done by then go on until the
/// runtime ends, unheard; so end it with `Runtime::shutdown_timeout`, which does not wait for
/// blocking work for ever.
pub async fn serve<S: Service<RoleServer>>(
    service: S,
    descriptors: Descriptors,
    stop: CancellationToken,
) -> Result<(), Error> {
    let Streams {
        input,
        output,
        flags,
    } = descriptors.open().map_err(Error::Streams)?;
    let outcome = session(service, input, output, stop).await;
    // The flags are put back last, when nothing reads or writes any more.
    drop(flags);
    outcome
}

pub(super) async fn session<S: Service<RoleServer>>(
    service: S,
    input: Box<dyn AsyncRead + Send + Unpin>,
    output: Box<dyn AsyncWrite + Send + Unpin>,
    stop: CancellationToken,
) -> Result<(), Error> {
    let (answers, unwritten) = mpsc::channel(UNWRITTEN);
    let mut writer = tokio::spawn(write(output, unwritten, UNREAD));
    let ended = CancellationToken::new();
    let guard = Guard::new(
        input,
        answers,
        Served::by(&service, Unit::Line),
        stop.clone(),
        ended.clone(),
    );

    let served = async {
        let outcome = run(service, guard).await;
        // The guard is gone, and the writer ends when it has written what is under way.
        let written = (&mut writer).await.map_err(Error::Broken)?;
        outcome.and(written.map_err(Error::Streams))
    };
    let deadline = async {
        tokio::select! {
            () = ended.cancelled() => {}
            () = stop.cancelled() => {}
        }
        tokio::time::sleep(GRACE).await;
    };

    tokio::select! {
        outcome = served => outcome,
        () = deadline => {
            tracing::warn!("calls were still in flight when the session had to end");
            writer.abort();
            let _ = writer.await;
            Ok(())
        }
    }
}

/// Hands the session to rmcp, and sorts its endings into clean ones and others.
async fn run<S: Service<RoleServer>>(service: S, guard: Guard) -> Result<(), Error> {
    use ServerInitializeError as Opening;

    match serve_server(service, guard).await {
        Ok(running) => match running.waiting().await {
            Ok(QuitReason::JoinError(error)) | Err(error) => Err(Error::Broken(error)),
            Ok(_) => Ok(()),
        },
        // The client left, or we were asked to stop, before the session was open. A client that
        // does not take our answer has left as well; the writer knows if it was something else.
        Err(Opening::ConnectionClosed(_) | Opening::Cancelled | Opening::TransportError { .. }) => {
            Ok(())
        }
        Err(refused) => Err(Error::Opening(Box::new(refused))),
    }
}

/// Writes lines until nobody can send any more; many at once, when many are there.
///
/// A task of its own, so that no cancelled future can leave half a line on the wire.
async fn write(
    mut output: impl AsyncWrite + Unpin,
    mut lines: mpsc::Receiver<Vec<u8>>,
    unread: Duration,
) -> io::Result<()> {
    const AT_ONCE: usize = 64;

    let mut batch = Vec::with_capacity(AT_ONCE);
    while lines.recv_many(&mut batch, AT_ONCE).await > 0 {
        let written = async {
            output.write_all(&batch.concat()).await?;
            output.flush().await
        };
        match tokio::time::timeout(unread, written).await {
            Ok(Ok(())) => batch.clear(),
            // The client has stopped listening. That is its way to leave.
            Ok(Err(error)) if has_left(&error) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(_) => {
                tracing::warn!("the client has long stopped reading its answers");
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Whether the client went away, which is no error of ours.
fn has_left(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use rmcp::model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ServerCapabilities,
        ServerConfig,
    };
    use rmcp::service::RequestContext;
    use rmcp::{ErrorData, ServerHandler};
    use serde_json::{Value, json};
    use tokio::io::{AsyncBufReadExt, BufReader, DuplexStream, Lines};
    use tokio::task::JoinHandle;

    use super::*;

    /// Has a tool that takes a while, and others that take for ever.
    struct Tools;

    impl ServerHandler for Tools {
        fn get_info(&self) -> ServerConfig {
            ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
        }

        async fn call_tool(
            &self,
            call: CallToolRequestParams,
            _context: RequestContext<RoleServer>,
        ) -> Result<CallToolResponse, ErrorData> {
            match &*call.name {
                "slow" => tokio::time::sleep(Duration::from_millis(100)).await,
                _ => std::future::pending().await,
            }
            Ok(CallToolResult::success(vec![ContentBlock::text("done")]).into())
        }
    }

    /// A client that has called, and how its session went.
    struct Client {
        input: DuplexStream,
        output: Lines<BufReader<DuplexStream>>,
        stop: CancellationToken,
        session: JoinHandle<Result<(), Error>>,
    }

    impl Client {
        /// One whose calls of these tools have been read.
        async fn of(tools: &[&str]) -> Self {
            let (mut input, theirs) = tokio::io::duplex(64 * 1024);
            let (their_output, output) = tokio::io::duplex(64 * 1024);
            let stop = CancellationToken::new();
            let session = session(
                Tools,
                Box::new(theirs),
                Box::new(their_output),
                stop.clone(),
            );
            let session = tokio::spawn(session);
            let mut output = BufReader::new(output).lines();

            let me = json!({ "name": "test", "version": "1" });
            let opening =
                json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": me });
            let calls = tools
                .iter()
                .map(|tool| ("tools/call", json!({ "name": tool })));
            let opening = [("initialize", opening), ("ping", json!({}))];
            let asked = opening
                .into_iter()
                .chain(calls)
                .chain([("ping", json!({}))]);
            for (id, (method, params)) in asked.enumerate() {
                let ask = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
                input
                    .write_all(format!("{ask}\n").as_bytes())
                    .await
                    .unwrap();
            }
            for _ in 0..3 {
                output.next_line().await.unwrap().unwrap();
            }
            Self {
                input,
                output,
                stop,
                session,
            }
        }

        /// What else it hears, until its session has ended well.
        async fn hears(self, end: impl FnOnce(DuplexStream, CancellationToken)) -> Vec<Value> {
            let Self {
                input,
                mut output,
                stop,
                session,
            } = self;
            end(input, stop);
            let mut heard = Vec::new();
            while let Some(line) = output.next_line().await.unwrap() {
                heard.push(serde_json::from_str(&line).unwrap());
            }
            session.await.unwrap().unwrap();
            heard
        }
    }

    #[tokio::test]
    async fn calls_in_flight_are_answered_after_the_end_of_the_input() {
        let heard = Client::of(&["slow", "slow"])
            .await
            .hears(|input, _| drop(input))
            .await;

        assert_eq!(heard.len(), 2);
        assert!(
            heard
                .iter()
                .all(|answer| answer["result"]["isError"] == false),
            "{heard:?}"
        );
    }

    #[tokio::test]
    async fn calls_in_flight_are_answered_after_a_wish_to_stop() {
        let client = Client::of(&["slow", "slow"]).await;

        let mut open = None;
        let heard = client.hears(|input, stop| {
            open = Some(input);
            stop.cancel();
        });

        assert_eq!(heard.await.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_never_ends_does_not_outlast_the_grace() {
        let client = Client::of(&["endless", "slow"]).await;

        let begun = Instant::now();
        let heard = client.hears(|input, _| drop(input)).await;

        assert_eq!(heard.len(), 1);
        assert!(begun.elapsed() < 2 * GRACE, "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn a_client_that_stops_reading_does_not_hold_us_for_ever() {
        let (ours, _theirs) = tokio::io::duplex(1);
        let (answers, unwritten) = mpsc::channel(1);
        answers.send(b"more than fits".to_vec()).await.unwrap();

        let ended = write(ours, unwritten, Duration::from_millis(1)).await;

        assert!(ended.is_ok());
        assert!(answers.is_closed());
    }
}
