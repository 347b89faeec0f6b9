//! No value in any log line, at trace, of the program or of the libraries under it; nor in what is
//! counted.

use serde_json::{Value, json};

use super::served::{Served, Wire, json as read};
use crate::mcp::process::Home;

const SCOPES: &str = "read:tokens write:tokens delete:tokens read:secrets introspect:tokens";

fn text<'a>(answer: &'a Value, field: &str) -> &'a str {
    answer[field].as_str().unwrap_or_else(|| panic!("{answer}"))
}

#[test]
fn no_value_is_logged_or_counted() {
    let home = Home::that_logs(Some("trace"));
    let admin = home.token(SCOPES);
    let other = home.token(SCOPES);
    let served = Served::at(&home, &["--metrics", "127.0.0.1:0"]);
    let mut wire = served.wire();
    let mut ask = |method: &str, path: &str, value: &str, body: Value| {
        wire.ask(method, path, value, &body.to_string())
    };

    let inline = json!({ "label": "x", "deliver": "inline" });
    let made = read(&ask("POST", "/v1/tokens", &admin, inline).1);
    let value = text(&made, "token");
    let waits = read(&ask("POST", "/v1/tokens", &admin, json!({ "label": "y" })).1);
    let code = text(&waits["claim"], "code");
    let claimed = read(&ask("POST", "/v1/claims", &other, json!({ "code": code })).1);
    let claimed = text(&claimed, "token");
    let rotate = format!("/v1/tokens/{}/rotate", text(&made, "id"));
    let rotated = read(&ask("POST", &rotate, &admin, json!({ "deliver": "inline" })).1);
    let rotated = text(&rotated, "token");
    for (method, path, value, body) in [
        (
            "POST",
            "/v1/introspect".to_owned(),
            &*admin,
            json!({ "token": rotated }),
        ),
        (
            "POST",
            "/v1/introspect".to_owned(),
            value,
            json!({ "token": claimed }),
        ),
        ("GET", "/v1/verify".to_owned(), rotated, json!(null)),
        (
            "GET",
            format!("/v1/tokens?access_token={claimed}"),
            &*admin,
            json!(null),
        ),
        ("GET", format!("/v1/tokens/{claimed}"), &*admin, json!(null)),
        ("GET", format!("/{claimed}"), &*admin, json!(null)),
        (
            "POST",
            "/v1/tokens".to_owned(),
            &*admin,
            json!({ "label": claimed }),
        ),
        (
            "POST",
            "/mcp".to_owned(),
            &*admin,
            json!({ "jsonrpc": "2.0", "id": claimed, "method": claimed }),
        ),
        (claimed, "/v1/tokens".to_owned(), &*admin, json!(null)),
    ] {
        ask(method, &path, value, body);
    }
    let metrics = Wire::to(served.metrics.unwrap())
        .ask("GET", "/metrics", "", "")
        .1;
    assert!(served.end().success());

    let mut logs = vec![metrics];
    logs.extend(
        home.said("err")
            .into_iter()
            .map(|(_, said)| String::from_utf8(said).unwrap()),
    );
    assert!(logs.iter().any(|log| log.contains("path=\"/v1/claims\"")));
    for log in logs {
        for (name, secret) in [
            ("the one at the shell", &admin[..]),
            ("the other one", &other),
            ("the inline one", value),
            ("the claimed one", claimed),
            ("the rotated one", rotated),
        ] {
            assert!(!log.contains(&secret[11..40]), "{name}: {log}");
        }
        assert!(!log.contains(code), "the code: {log}");
    }
}
