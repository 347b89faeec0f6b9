//! A call of 2026-07-28 or later: it brings all that it needs, and nothing is kept of it.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use futures::{StreamExt as _, stream};
use rmcp::{
    ErrorData,
    model::{
        ClientCapabilities, ClientRequest, ErrorCode, GetExtensions as _, GetMeta as _,
        Implementation, InitializeRequestParams, JsonRpcError, JsonRpcMessage, JsonRpcRequest,
        ProtocolVersion, RequestId, ServerJsonRpcMessage, ServerResult,
    },
    service::serve_directly_with_ct,
    transport::{OneshotTransport, streamable_http_server::session::ServerSseMessage},
};

use super::{
    StreamableHttp, answer,
    caller::Caller,
    refuse::{self, Refused},
};
use crate::{
    authz::Missed,
    mcp::{Conversation, frame::Refusal, subscriptions::End},
};

impl StreamableHttp {
    /// Answers a call that stands for itself.
    pub(super) async fn stateless(
        &self,
        caller: &Caller,
        mut call: JsonRpcRequest<ClientRequest>,
        version: ProtocolVersion,
    ) -> Result<Response, Refused> {
        let house = &self.0;
        let id = call.id.clone();
        let missing = call.request.get_meta();
        let is_malformed = !missing
            .missing_required_keys(&ProtocolVersion::V_2026_07_28)
            .is_empty();
        let end = house.stop.child_token();
        let is_stream = matches!(call.request, ClientRequest::SubscriptionsListenRequest(_));
        let (place, watched) = if is_stream {
            if end.is_cancelled() {
                return Err(refuse::ending());
            }
            let watched = house.watched.add(caller.presented.clone(), end.clone());
            (self.stream_place(caller).await?, Some(watched))
        } else {
            (
                self.call_place(caller, &Refusal::too_many(Some(&id)))
                    .await?,
                None,
            )
        };
        let brought = caller.brings(None);
        let last = brought.last.clone();
        let beside = call.request.extensions_mut();
        // The place goes with the call's context, and is free when that is dropped.
        beside.insert(Arc::new(place));
        beside.insert(End(end));
        beside.insert(brought);

        let peer =
            InitializeRequestParams::new(ClientCapabilities::default(), Implementation::default());
        let (transport, mut messages) = OneshotTransport::new(JsonRpcMessage::Request(call));
        let cut = house.cut.child_token();
        let running = serve_directly_with_ct(
            Conversation::with(house.server.clone()),
            transport,
            Some(peer.with_protocol_version(version)),
            cut.clone(),
        );
        tokio::spawn(async move { drop(running.waiting().await) });
        // Whoever closes the connection drops this, and the call with it.
        let gone = cut.clone().drop_guard();
        let first = tokio::select! {
            biased;
            first = messages.recv() => first,
            () = cut.cancelled() => None,
        };
        let first = first.ok_or_else(refuse::ending)?;
        if answer::is_last(&first) {
            return Ok(told(&first, last.missed(), id, is_malformed));
        }
        let messages = stream::iter([first])
            .chain(answer::rest(messages))
            .map(ServerSseMessage::from_message);
        Ok(answer::events(messages, cut, (gone, watched)))
    }
}

/// An answer, with the status that belongs to it.
fn told(
    answer: &ServerJsonRpcMessage,
    missed: Option<Missed>,
    id: RequestId,
    is_malformed: bool,
) -> Response {
    let refusal = refused(answer).map(|why| ErrorData::invalid_request(why, None));
    match (refusal, missed) {
        // The verb itself has refused it: there is no other decision.
        (Some(why), Some(Missed::Scopes(scopes))) => {
            let body = JsonRpcError::new(Some(id), why);
            refuse::insufficient_scope(scopes, &body)
        }
        // They were known when the request came, and are not any more.
        (Some(_), Some(Missed::Token)) => refuse::unauthenticated(true, Some(id)).response(),
        (_, _) => refuse::message(status(answer, is_malformed), answer),
    }
}

/// The text of a refusal, whether a tool or the protocol tells it.
fn refused(answer: &ServerJsonRpcMessage) -> Option<String> {
    match answer {
        JsonRpcMessage::Error(error) => Some(error.error.message.to_string()),
        JsonRpcMessage::Response(response) => {
            let ServerResult::CallToolResult(result) = &response.result else {
                return None;
            };
            let text = result.content.first()?.as_text()?;
            (result.is_error == Some(true)).then(|| text.text.clone())
        }
        JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
    }
}

/// The statuses that 2026-07-28 gives to errors of the protocol.
fn status(answer: &ServerJsonRpcMessage, is_malformed: bool) -> StatusCode {
    let JsonRpcMessage::Error(error) = answer else {
        return StatusCode::OK;
    };
    match error.error.code {
        ErrorCode::UNSUPPORTED_PROTOCOL_VERSION
        | ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY
        | ErrorCode::HEADER_MISMATCH => StatusCode::BAD_REQUEST,
        ErrorCode::INVALID_PARAMS if is_malformed => StatusCode::BAD_REQUEST,
        ErrorCode::METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
        _ => StatusCode::OK,
    }
}
