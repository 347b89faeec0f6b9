//! Whole requests at every path: bearers, headers, queries, forms and bodies. An input is a request
//! as it is written down (`{value}` and `{other}` stand for two good values):
//!
//! ```text
//! POST /v1/introspect
//! Authorization: Bearer {value}
//! Content-Type: application/json
//!
//! {"token": "{other}"}
//! ```

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Method, Request, Uri, header},
};
use keywright::domain::{sighting, text::is_unseen};
use serde_json::Value;

use crate::house::{Answer, House};

pub fn look(data: &[u8]) {
    let is_alive = House::with(|house| {
        let Some(request) = request(house, data) else {
            return true;
        };
        let path = request.uri().path().to_owned();
        let is_bearer = bearer(&request) == Some(house.value.as_str());
        let answer = house.send(request);
        holds(house, &path, &answer);
        // It may have ended its own token.
        !(is_bearer && answer.status == 401)
    });
    if !is_alive {
        House::is_spoilt();
    }
}

/// The one value that a request presents in the usual way.
fn bearer(request: &Request<Body>) -> Option<&str> {
    let mut given = request.headers().get_all(header::AUTHORIZATION).iter();
    let (Some(given), None) = (given.next(), given.next()) else {
        return None;
    };
    let given = given.to_str().ok()?;
    given.strip_prefix("Bearer ")
}

/// The request that `data` writes down, if any client could send it.
fn request(house: &House, data: &[u8]) -> Option<Request<Body>> {
    let end = data.windows(2).position(|two| two == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&data[..end], &data[end + 2..]),
        None => (data, &b""[..]),
    };
    let filled = |text: &str| {
        text.replace("{value}", &house.value)
            .replace("{other}", &house.other)
    };
    let mut lines = head.split(|b| *b == b'\n');
    let first = filled(str::from_utf8(lines.next()?).ok()?);
    let (method, target) = first.split_once(' ')?;
    let target: Uri = target.parse().ok()?;
    let mut request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).ok()?)
        .uri(target);
    let mut has_host = false;
    for line in lines {
        let colon = line.iter().position(|b| *b == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        has_host |= name == header::HOST;
        let value = line[colon + 1..].trim_ascii();
        let value = match str::from_utf8(value) {
            Ok(text) => HeaderValue::from_str(&filled(text)),
            Err(_) => HeaderValue::from_bytes(value),
        };
        request = request.header(name, value.ok()?);
    }
    if !has_host {
        request = request.header(header::HOST, "localhost:8484");
    }
    let body = match str::from_utf8(body) {
        Ok(text) => filled(text).into_bytes(),
        Err(_) => body.to_vec(),
    };
    request.body(body.into()).ok()
}

/// What is true of every answer.
fn holds(house: &House, path: &str, answer: &Answer) {
    let status = answer.status.as_u16();
    assert!(status != 500 && status != 503, "{path}: {answer:?}");
    let head = |name: &str| {
        answer
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap())
    };
    assert!(head("x-request-id").is_some(), "{path}: {answer:?}");
    for (_, value) in &answer.headers {
        // Whoever asked holds no `read:secrets`: nothing that it is told has a value in it.
        assert!(
            !value.to_str().is_ok_and(sighting::holds_value),
            "{path}: {answer:?}"
        );
    }
    let Some(text) = &answer.text else {
        return;
    };
    assert!(!sighting::holds_value(text), "{path}: {answer:?}");
    for value in [&house.value, &house.other] {
        assert!(!text.contains(&value[12..]), "{path}: {answer:?}");
    }
    let kind = head("content-type").unwrap_or_default();
    if kind.contains("json") {
        assert!(!text.contains(is_unseen), "{path}: {answer:?}");
        let body: Value = serde_json::from_str(text).expect("an answer is JSON");
        if kind == "application/problem+json" {
            assert!((400..=599).contains(&status));
            assert_eq!(body["status"], status, "{path}: {answer:?}");
            assert_eq!(body["request_id"].as_str(), head("x-request-id"));
            assert!(body["code"].is_string() && body["message"].is_string());
        }
    } else {
        assert!(text.is_empty(), "{path}: {answer:?}");
    }
}
