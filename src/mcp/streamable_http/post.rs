//! POST: one JSON-RPC message.

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header::CONTENT_LENGTH, request::Parts},
    response::Response,
};
use futures::StreamExt as _;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, ErrorCode, GetMeta as _,
    JsonRpcMessage, JsonRpcRequest, ProtocolVersion,
};
use tokio::time::{Duration, timeout};

use super::{
    StreamableHttp,
    caller::Caller,
    headers,
    refuse::{self, Refused},
    wrong,
};
use crate::mcp::frame::{Frame, LONGEST, Refusal, Unit};

/// How long a body may take to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(20);

impl StreamableHttp {
    pub(super) async fn post(
        &self,
        caller: Caller,
        parts: &Parts,
        body: Body,
    ) -> Result<Response, Refused> {
        if !headers::accepts_both(&parts.headers) {
            let why = "the `Accept` header must have application/json and text/event-stream";
            return Err(refuse::sentence(StatusCode::NOT_ACCEPTABLE, why));
        }
        if !headers::is_json(&parts.headers) {
            let why = "the `Content-Type` header must be application/json";
            return Err(refuse::sentence(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
        }
        let body = timeout(BODY_WITHIN, read(&parts.headers, body)).await;
        let body = body.unwrap_or_else(|_| {
            let why = "the body did not arrive in time";
            Err(refuse::sentence(StatusCode::REQUEST_TIMEOUT, why))
        })?;
        let message = match Frame::read(&body, &self.0.served) {
            Frame::Message(message) => *message,
            Frame::Refused(refused) => {
                // Wrong parameters of a call are told in its answer.
                let status = match refused.code {
                    ErrorCode::INVALID_PARAMS => StatusCode::OK,
                    _ => StatusCode::BAD_REQUEST,
                };
                return Err(refuse::refusal(status, &refused));
            }
            Frame::Ignored => {
                let why = "this body is not a JSON-RPC message. Send one JSON object a request";
                return Err(refuse::sentence(StatusCode::BAD_REQUEST, why));
            }
        };
        let named = wrong(headers::version(&parts.headers))?;
        match message {
            JsonRpcMessage::Request(call) => self.call(caller, parts, call, named).await,
            JsonRpcMessage::Notification(told) => {
                if named.as_ref().is_some_and(headers::is_modern) {
                    let told = method(&told.notification);
                    wrong(headers::method_agrees(&parts.headers, &told))?;
                    return Ok(accepted());
                }
                self.tell(&caller, parts, JsonRpcMessage::Notification(told))
                    .await
            }
            answer @ (JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_)) => {
                if named.as_ref().is_some_and(headers::is_modern) {
                    let why = "nothing was asked of the client: 2026-07-28 has no such requests";
                    return Err(refuse::sentence(StatusCode::BAD_REQUEST, why));
                }
                self.tell(&caller, parts, answer).await
            }
        }
    }

    async fn call(
        &self,
        caller: Caller,
        parts: &Parts,
        call: JsonRpcRequest<ClientRequest>,
        named: Option<ProtocolVersion>,
    ) -> Result<Response, Refused> {
        let schema = |tool: &str| self.0.tools.tool(tool).map(|tool| tool.input_schema);
        let agreed = headers::agree(&parts.headers, named.as_ref(), &call.request, schema);
        agreed.map_err(|error| {
            refuse::error(StatusCode::BAD_REQUEST, error, Some(call.id.clone()))
        })?;
        if let ClientRequest::InitializeRequest(opening) = &call.request {
            let version = opening.params.protocol_version.clone();
            return self.open(&caller, call, &version).await;
        }
        let meta = call.request.get_meta();
        let version = meta.protocol_version().or(named);
        let version = version.unwrap_or(ProtocolVersion::V_2025_03_26);
        // Of an earlier one, a question would be asked in a stream that nobody can answer to. One
        // that nobody knows is told those there are.
        if headers::is_modern(&version) || headers::known(&version).is_err() {
            return self.stateless(&caller, call, version).await;
        }
        let session = self.session(&caller, parts)?;
        self.ask(&caller, &session, call).await
    }

    /// Hands a session what has no answer.
    async fn tell(
        &self,
        caller: &Caller,
        parts: &Parts,
        message: ClientJsonRpcMessage,
    ) -> Result<Response, Refused> {
        let session = self.session(caller, parts)?;
        session
            .told(caller, message)
            .await
            .ok_or_else(refuse::no_session)?;
        Ok(accepted())
    }
}

/// All of a body, if it is not too long.
async fn read(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Refused> {
    let too_long = || {
        refuse::refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            &Refusal::too_long(Unit::Body),
        )
    };
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    let announced = announced.and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > LONGEST) {
        return Err(too_long());
    }
    let mut parts = body.into_data_stream();
    let mut read = Vec::with_capacity(announced.unwrap_or_default());
    while let Some(part) = parts.next().await {
        let Ok(part) = part else {
            let why = "the body broke off";
            return Err(refuse::sentence(StatusCode::BAD_REQUEST, why));
        };
        if read.len() + part.len() > LONGEST {
            return Err(too_long());
        }
        read.extend_from_slice(&part);
    }
    Ok(read)
}

/// It was taken, and there is nothing to say.
fn accepted() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

fn method(notification: &ClientNotification) -> String {
    let written = serde_json::to_value(notification).unwrap_or_default();
    written["method"].as_str().unwrap_or_default().to_owned()
}
