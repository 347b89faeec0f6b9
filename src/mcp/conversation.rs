//! [`Conversation`]: the server as a client meets it. What rmcp leaves out around every request,
//! whichever it is, stands here once.

use std::{borrow::Cow, future::pending, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt as _;
use rmcp::{
    ErrorData, RoleServer, Service,
    model::{
        ClientNotification, ClientRequest, ErrorCode, ProtocolVersion, ServerConfig, ServerResult,
    },
    service::{NotificationContext, RequestContext},
};

use tokio::time::sleep;

use super::{
    Server, is_modern, progress,
    subscriptions::{self, End, ended},
};

/// How long a stream may take to end once its client has gone. It takes a millisecond.
const ENDS_WITHIN: Duration = Duration::from_millis(100);

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

    async fn answer(
        &self,
        request: ClientRequest,
        mut context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let is_call = matches!(request, ClientRequest::CallToolRequest(_));
        if let ClientRequest::SubscriptionsListenRequest(listen) = &request
            && is_modern(&context)
        {
            let asked = &listen.params.notifications;
            let prepared = subscriptions::prepare(&self.0, asked).await?;
            context.extensions.insert(prepared);
        }
        let answer = self.0.handle_request(request, context).await;
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
        Service::get_info(&self.0)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Service::supported_protocol_versions(&self.0)
    }
}

fn error(why: &'static str) -> ErrorData {
    ErrorData::new(ErrorCode::INTERNAL_ERROR, why, None)
}
