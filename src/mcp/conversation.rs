//! [`Conversation`]: the server as a client meets it. What rmcp leaves out around every request,
//! whichever it is, stands here once.

use std::{
    borrow::Cow,
    future::pending,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::FutureExt as _;
use rmcp::{
    ErrorData, RoleServer, ServerHandler as _, Service,
    model::{
        ClientNotification, ClientRequest, ErrorCode, ProtocolVersion, ServerConfig, ServerResult,
        Tool,
    },
    service::{NotificationContext, RequestContext},
};

use tokio::time::sleep;

use super::{
    Presents, Server, is_modern, progress,
    subscriptions::{self, End, ended},
};
use crate::{
    authz::{Missed, Request},
    domain::id::RequestId,
};

/// How long a stream may take to end once its client has gone. It takes a millisecond.
const ENDS_WITHIN: Duration = Duration::from_millis(100);

/// What a request brings of its own, where many callers share one server. Such a transport puts it
/// beside every request.
#[derive(Clone, Debug)]
pub(super) struct Brought {
    /// What was presented with it.
    pub(super) presents: Presents,
    /// What is presented when the session looks again for itself, after the request.
    pub(super) lasting: Presents,
    /// Which it is, in the log and in the audit trail.
    pub(super) id: RequestId,
    /// What it asked last, for the transport to look at.
    pub(super) last: Last,
}

/// The last that was asked of the authority.
#[derive(Clone, Debug, Default)]
pub(super) struct Last(Arc<Mutex<Option<Request>>>);

impl Last {
    pub(super) fn note(&self, request: &Request) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(request.clone());
    }

    /// What would have had to be presented, if it was refused for the lack of it.
    pub(super) fn missed(&self) -> Option<Missed> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().and_then(Request::what_was_missed)
    }
}

/// A server that is spoken to. A request that the client cancels is dropped, so that a verb that
/// still waits for its turn is never run; one that takes long is told of; one that panics is
/// answered; and a stream is looked at before it is acknowledged.
#[derive(Clone, Debug)]
pub struct Conversation(Server);

impl Conversation {
    /// With this server. Each conversation waits for news of its own: those with clones of one
    /// server hear nothing of each other.
    pub fn with(server: Server) -> Self {
        Self(Server {
            subscriptions: Arc::default(),
            ..server
        })
    }

    /// The same, with questions of its own besides: nobody else's keep a person from being asked.
    pub(super) fn apart(server: Server) -> Self {
        Self::with(Server {
            confirmations: Arc::new(server.confirmations.others()),
            ..server
        })
    }

    /// The tool of this name.
    pub(super) fn tool(&self, name: &str) -> Option<Tool> {
        #[cfg(feature = "conformance-fixtures")]
        return super::fixtures::Beside(self.0.clone()).get_tool(name);
        #[cfg(not(feature = "conformance-fixtures"))]
        self.0.get_tool(name)
    }

    async fn answer(
        &self,
        request: ClientRequest,
        mut context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let brought = context.extensions.get::<Brought>();
        let brought = brought.map(|brought| self.0.for_one_that_brings(brought));
        let server = brought.as_ref().unwrap_or(&self.0);
        let is_call = matches!(request, ClientRequest::CallToolRequest(_));
        if let ClientRequest::SubscriptionsListenRequest(listen) = &request
            && is_modern(&context)
        {
            let asked = &listen.params.notifications;
            let prepared = subscriptions::prepare(server, asked).await?;
            context.extensions.insert(prepared);
        }
        #[cfg(feature = "conformance-fixtures")]
        let server = &super::fixtures::Beside(server.clone());
        let answer = server.handle_request(request, context).await;
        if is_call {
            self.0.subscriptions.called();
        }
        answer
    }
}

impl Service<RoleServer> for Conversation {
    async fn handle_request(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let cancelled = context.ct.clone();
        let progress = progress::of(&request, &context);
        let is_stream = matches!(request, ClientRequest::SubscriptionsListenRequest(_));
        let end = context.extensions.get::<End>().cloned();
        // rmcp waits for ever to acknowledge a stream whose client has gone in the meantime.
        let stuck = async move {
            if is_stream {
                ended(end).await;
                sleep(ENDS_WITHIN).await;
            } else {
                pending::<()>().await;
            }
        };
        let answer = AssertUnwindSafe(Box::pin(self.answer(request, context))).catch_unwind();
        tokio::select! {
            biased;
            answer = progress::told(progress, answer) => answer.unwrap_or_else(|_| {
                tracing::error!("a request panicked");
                Err(error("something went wrong on our side"))
            }),
            // rmcp does not send this: a request that was cancelled has no answer.
            () = cancelled.cancelled() => Err(error("it was cancelled")),
            () = stuck => Err(error("the session is over")),
        }
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.0.handle_notification(notification, context).await
    }

    fn get_info(&self) -> ServerConfig {
        #[cfg(feature = "conformance-fixtures")]
        return Service::get_info(&super::fixtures::Beside(self.0.clone()));
        #[cfg(not(feature = "conformance-fixtures"))]
        Service::get_info(&self.0)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Service::supported_protocol_versions(&self.0)
    }
}

fn error(why: &'static str) -> ErrorData {
    ErrorData::new(ErrorCode::INTERNAL_ERROR, why, None)
}
