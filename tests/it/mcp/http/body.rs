//! What a request must look like before it is asked what it wants.

use axum::{body::Body, extract::Request};
use keywright::{
    authz::Credential,
    mcp::{
        Server,
        streamable_http::{Limits, StreamableHttp},
    },
    wire::token::ClaimCommand,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Served, wire::Wire};
use crate::support::TestApp;

#[tokio::test]
async fn what_is_no_message_is_refused_with_words() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let served = Served::by(&app).await;
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));

    for (body, code, word) in [
        ("", -32600, "not a JSON-RPC message"),
        ("not JSON", -32700, "not JSON"),
        ("{\"jsonrpc\": \"2.0\", \"id\"", -32700, "not JSON"),
        ("\u{feff}[]", -32600, "batches"),
        (
            r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
            -32600,
            "batches are not served",
        ),
        ("\"text\"", -32600, "one JSON object"),
        (
            r#"{"id":1,"method":"ping"}"#,
            -32600,
            "not a JSON-RPC request",
        ),
        (&deep, -32700, "not JSON"),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_token",
                "arguments":{"label":"x","scopes":["a:b"],"scopes":["c:d"]}}}"#,
            -32600,
            "a key stands twice",
        ),
    ] {
        let (status, told) = served.post(&agent).saying(body).json().await;
        assert_eq!(
            (status, &told["error"]["code"]),
            (400, &json!(code)),
            "{body:.40}"
        );
        let why = told["error"]["message"].as_str().unwrap();
        assert!(why.contains(word), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let claim = ClaimCommand::new("keywright", None, None);
    let server = Server::new(app.authority.clone(), Credential::Nobody.into(), claim);
    let mcp = StreamableHttp::new(server, Limits::default(), CancellationToken::new());
    let never = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();

    let request = Request::post("/mcp")
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .extension(Credential::bearer(&agent.value, None));
    let request = request.body(Body::from_stream(never)).unwrap();
    let answer = mcp.handle(request).await;

    assert_eq!(answer.status(), 408);
}

#[tokio::test]
async fn wrong_parameters_are_told_by_the_id_of_their_call() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let served = Served::by(&app).await;

    let call = r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":5}}"#;
    let (status, told) = served.post(&agent).saying(call).json().await;

    assert_eq!((status, &told["id"]), (200, &json!("a")));
    assert_eq!(told["error"]["code"], -32602);
}

#[tokio::test]
async fn a_body_may_have_a_mebibyte_and_no_byte_more() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let served = Served::by(&app).await;
    let call = served.modern(&agent, "tools/list", json!({}));
    let fits = |length: usize| {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let params = json!({ "_meta": meta });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params });
        let body = body.to_string();
        format!("{}{body}", " ".repeat(length - body.len()))
    };

    let largest = call.clone().saying(fits(1 << 20)).json().await;
    let (answer, body) = call.saying(fits((1 << 20) + 1)).whole().await;

    assert_eq!(largest.0, 200, "{}", largest.1);
    assert_eq!(answer.status, 413);
    assert!(body.contains("longer than 1 MiB"), "{body}");
}

#[tokio::test]
async fn only_what_is_served_here_is_taken() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let served = Served::by(&app).await;
    let good = served.modern(&agent, "tools/list", json!({}));
    let bare = |method| {
        Wire::new(served.at, method).with("authorization", format!("Bearer {}", agent.value))
    };

    for (wire, status) in [
        (good.clone(), 200),
        (good.clone().with("accept", "*/*"), 200),
        (good.clone().without("accept"), 200),
        (good.clone().with("accept", "application/json"), 406),
        (good.clone().with("accept", "text/html"), 406),
        (
            good.clone()
                .with("content-type", "application/json; charset=utf-8"),
            200,
        ),
        (good.clone().with("content-type", "text/plain"), 415),
        (good.without("content-type"), 415),
        (bare("PUT"), 405),
        (bare("PATCH"), 405),
        (bare("GET"), 400),
        (bare("DELETE"), 400),
        (bare("GET").with("mcp-protocol-version", "2026-07-28"), 405),
        (
            bare("DELETE").with("mcp-protocol-version", "2026-07-28"),
            405,
        ),
    ] {
        let (told, body) = wire.json().await;
        assert_eq!(told, status, "{body}");
    }
    let (answer, _) = bare("PUT").whole().await;
    assert_eq!(answer.header("allow"), Some("GET, POST, DELETE"));
}
