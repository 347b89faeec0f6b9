//! What the headers say of a message, held against the message itself: proxies route by the headers,
//! and must not be told something else than we do.
//!
//! From 2026-07-28 on every request repeats its protocol version, its method, and what it names in
//! headers. Nothing is decided by them: who may do what is decided by what the body asks.

use axum::http::{HeaderMap, header::ACCEPT, header::CONTENT_TYPE};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use rmcp::{
    ErrorData,
    model::{ClientRequest, ErrorCode, GetMeta as _, JsonObject, ProtocolVersion},
};
use serde_json::Value;

pub(super) const SESSION: &str = "mcp-session-id";
pub(super) const LAST_EVENT: &str = "last-event-id";
const VERSION: &str = "mcp-protocol-version";
const METHOD: &str = "mcp-method";
const NAME: &str = "mcp-name";
const PARAM: &str = "mcp-param-";
const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

/// What a header cannot carry as it is stands between these in Base64.
const SENTINEL: (&str, &str) = ("=?base64?", "?=");

/// The one value of a header, if it is there.
pub(super) fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ErrorData> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    // Whoever reads the other one would read something else.
    if values.next().is_some() {
        return Err(mismatch(format!("there is more than one `{name}` header")));
    }
    let text = value.to_str();
    text.map(Some).map_err(|_| {
        mismatch(format!(
            "the `{name}` header has characters that no header may have"
        ))
    })
}

/// The protocol version that the headers name.
pub(super) fn version(headers: &HeaderMap) -> Result<Option<ProtocolVersion>, ErrorData> {
    let Some(text) = one(headers, VERSION)? else {
        return Ok(None);
    };
    // Its own type takes any text.
    let version = serde_json::from_value(Value::String(text.to_owned()));
    Ok(version.ok())
}

/// The version, where it must be one that we know.
pub(super) fn known(version: &ProtocolVersion) -> Result<(), ErrorData> {
    if ProtocolVersion::KNOWN_VERSIONS.contains(version) {
        return Ok(());
    }
    let known = ProtocolVersion::KNOWN_VERSIONS;
    Err(ErrorData::unsupported_protocol_version(
        version.clone(),
        known,
    ))
}

/// Whether nothing but POST is served in this version.
pub(super) fn is_modern(version: &ProtocolVersion) -> bool {
    !version.has_initialize()
}

/// Whether the client reads both of what we may answer.
pub(super) fn accepts_both(headers: &HeaderMap) -> bool {
    accepts(headers, JSON) && accepts(headers, EVENTS)
}

/// Whether the client reads a stream of events.
pub(super) fn accepts_events(headers: &HeaderMap) -> bool {
    accepts(headers, EVENTS)
}

/// Whether what was sent calls itself JSON. A page of somebody else's cannot have a browser say so
/// without asking us first.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let named = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    named.is_some_and(|named| essence(named).eq_ignore_ascii_case(JSON))
}

/// Holds the headers of a request against it. `schema` is what is known of a tool's arguments.
pub(super) fn agree(
    headers: &HeaderMap,
    named: Option<&ProtocolVersion>,
    request: &ClientRequest,
    schema: impl FnOnce(&str) -> Option<std::sync::Arc<JsonObject>>,
) -> Result<(), ErrorData> {
    if let ClientRequest::InitializeRequest(opening) = request {
        return opens(headers, named, &opening.params.protocol_version);
    }
    let meta = request.get_meta();
    match (meta.protocol_version(), named) {
        (Some(_), None) => {
            return Err(mismatch(
                "a request whose `_meta` names a protocol version has an `MCP-Protocol-Version` \
                 header that names the same",
            ));
        }
        (Some(own), Some(named)) if own != *named => {
            return Err(mismatch(
                "the `MCP-Protocol-Version` header and the request's `_meta` name different versions",
            ));
        }
        (Some(_), Some(_)) => {}
        (None, named) => {
            let is_discover = matches!(request, ClientRequest::DiscoverRequest(_));
            if is_discover || named.is_some_and(is_modern) {
                let missing = meta.missing_required_keys(&ProtocolVersion::V_2026_07_28);
                let why = format!(
                    "the request's `_meta` lacks, or has malformed: {}",
                    missing.join(", ")
                );
                return Err(ErrorData::invalid_params(why, None));
            }
            if let Some(named) = named {
                known(named)?;
            }
        }
    }
    if named.is_some_and(is_modern) {
        method_agrees(headers, request.method())?;
        name_agrees(headers, request)?;
        if let ClientRequest::CallToolRequest(call) = request
            && let Some(schema) = schema(&call.params.name)
        {
            arguments_agree(headers, call.params.arguments.as_ref(), &schema)?;
        }
    }
    Ok(())
}

/// Holds the `Mcp-Method` header of a message against it.
pub(super) fn method_agrees(headers: &HeaderMap, method: &str) -> Result<(), ErrorData> {
    match one(headers, METHOD)? {
        Some(named) if named == method => Ok(()),
        Some(_) => Err(mismatch(
            "the `Mcp-Method` header names another method than the body",
        )),
        None => Err(mismatch("the `Mcp-Method` header is missing")),
    }
}

/// The opening of a session. It may come without any of the headers.
fn opens(
    headers: &HeaderMap,
    named: Option<&ProtocolVersion>,
    asked: &ProtocolVersion,
) -> Result<(), ErrorData> {
    if named.is_some_and(|named| named != asked) {
        let why = "the `MCP-Protocol-Version` header and `initialize` name different versions";
        return Err(ErrorData::invalid_request(why, None));
    }
    if headers.contains_key(METHOD) {
        method_agrees(headers, "initialize")?;
    }
    Ok(())
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what else there is names nothing, and rmcp may add to it"
)]
fn name_agrees(headers: &HeaderMap, request: &ClientRequest) -> Result<(), ErrorData> {
    let expected = match request {
        ClientRequest::CallToolRequest(call) => &*call.params.name,
        ClientRequest::GetPromptRequest(get) => &*get.params.name,
        ClientRequest::ReadResourceRequest(read) => &*read.params.uri,
        ClientRequest::SubscribeRequest(subscribe) => &*subscribe.params.uri,
        ClientRequest::UnsubscribeRequest(unsubscribe) => &*unsubscribe.params.uri,
        _ => return Ok(()),
    };
    match decoded(headers, NAME)? {
        Some(named) if named == expected => Ok(()),
        Some(_) => Err(mismatch(
            "the `Mcp-Name` header names something else than the body",
        )),
        None => Err(mismatch("the `Mcp-Name` header is missing")),
    }
}

/// Arguments that a tool's schema wants in headers besides.
fn arguments_agree(
    headers: &HeaderMap,
    arguments: Option<&JsonObject>,
    schema: &JsonObject,
) -> Result<(), ErrorData> {
    let mut wanted = Vec::new();
    in_headers(schema, &mut Vec::new(), &mut wanted);
    for (path, header) in wanted {
        let mut steps = path.iter();
        let first = steps.next().and_then(|step| arguments?.get(*step));
        let given = steps.fold(first, |value, step| value?.get(*step));
        let given = match given {
            Some(Value::String(text)) => Some(text.clone()),
            Some(value @ (Value::Bool(_) | Value::Number(_))) => Some(value.to_string()),
            Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => None,
        };
        if decoded(headers, &format!("{PARAM}{}", header.to_ascii_lowercase()))? != given {
            return Err(mismatch(format!(
                "the `Mcp-Param-{header}` header is not the argument that it stands for"
            )));
        }
    }
    Ok(())
}

/// The arguments of `schema` that are wanted in headers: where they are, and in which.
fn in_headers<'a>(
    schema: &'a JsonObject,
    path: &mut Vec<&'a str>,
    wanted: &mut Vec<(Vec<&'a str>, &'a str)>,
) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        let Value::Object(schema) = schema else {
            continue;
        };
        path.push(name);
        if let Some(Value::String(header)) = schema.get("x-mcp-header") {
            wanted.push((path.clone(), header));
        }
        in_headers(schema, path, wanted);
        path.pop();
    }
}

fn decoded(headers: &HeaderMap, name: &str) -> Result<Option<String>, ErrorData> {
    let Some(text) = one(headers, name)? else {
        return Ok(None);
    };
    let inner = text.strip_prefix(SENTINEL.0);
    let Some(inner) = inner.and_then(|inner| inner.strip_suffix(SENTINEL.1)) else {
        return Ok(Some(text.to_owned()));
    };
    let bytes = BASE64_STANDARD.decode(inner).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(Some).ok_or_else(|| {
        mismatch(format!(
            "the `{name}` header is not the Base64 that it says it is"
        ))
    })
}

fn mismatch(why: impl Into<String>) -> ErrorData {
    ErrorData::new(ErrorCode::HEADER_MISMATCH, why.into(), None)
}

fn accepts(headers: &HeaderMap, wanted: &str) -> bool {
    let family = wanted.split('/').next().unwrap_or_default();
    let mut lists = headers.get_all(ACCEPT).iter().peekable();
    // RFC 9110, section 12.5.1: whoever sends none reads anything.
    if lists.peek().is_none() {
        return true;
    }
    let entries = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','));
    entries
        .filter(|entry| !is_refused(entry))
        .map(|entry| essence(entry).to_ascii_lowercase())
        .any(|entry| entry == wanted || entry == "*/*" || entry == format!("{family}/*"))
}

fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// Whether an entry of `Accept` has the weight zero.
fn is_refused(entry: &str) -> bool {
    let mut parameters = entry.split(';').skip(1);
    parameters.any(|parameter| {
        let (name, weight) = parameter.split_once('=').unwrap_or_default();
        name.trim().eq_ignore_ascii_case("q") && weight.trim().parse() == Ok(0.0_f32)
    })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn with(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        headers.iter().map(pair).collect()
    }

    #[test]
    fn a_client_reads_what_it_says_that_it_reads() {
        for (said, reads) in [
            ("application/json, text/event-stream", true),
            (
                "text/event-stream;q=0.5, APPLICATION/JSON; charset=utf-8",
                true,
            ),
            ("*/*", true),
            ("application/*, text/*", true),
            ("application/json", false),
            ("text/event-stream", false),
            ("application/json, text/event-stream;q=0", false),
            ("text/html", false),
        ] {
            assert_eq!(accepts_both(&with(&[("accept", said)])), reads, "{said}");
        }
        assert!(accepts_both(&HeaderMap::new()));
    }

    #[test]
    fn only_what_calls_itself_json_is_read() {
        for (said, is) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
        ] {
            assert_eq!(is_json(&with(&[("content-type", said)])), is, "{said}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }

    #[test]
    fn what_a_header_cannot_carry_stands_in_base64() {
        let headers = with(&[(NAME, "=?base64?Y3JlYXRlX3Rva2Vu?=")]);
        assert_eq!(decoded(&headers, NAME), Ok(Some("create_token".to_owned())));
        assert!(decoded(&with(&[(NAME, "=?base64?%?=")]), NAME).is_err());
        assert!(decoded(&with(&[(NAME, "a"), (NAME, "a")]), NAME).is_err());
    }
}
