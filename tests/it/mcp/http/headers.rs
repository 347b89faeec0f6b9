//! Headers that say something else than the body: who routes by them would be told a lie.

use serde_json::{Value, json};

use super::Served;
use crate::support::TestApp;

/// `text` as a header carries what it cannot carry as it is.
fn in_base64(text: &str) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    format!("=?base64?{}?=", BASE64_STANDARD.encode(text))
}

#[tokio::test]
async fn headers_and_body_must_agree() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let served = Served::by(&app).await;
    let good = served.calls(&agent, "whoami", json!({}));

    for (wire, why) in [
        (
            good.clone().with("mcp-method", "tools/list"),
            "another method",
        ),
        (
            good.clone().without("mcp-method"),
            "`Mcp-Method` header is missing",
        ),
        (
            good.clone().with("mcp-name", "list_tokens"),
            "something else",
        ),
        (
            good.clone().without("mcp-name"),
            "`Mcp-Name` header is missing",
        ),
        (
            good.clone().with("mcp-name", in_base64("list_tokens")),
            "something else",
        ),
        (
            good.clone().with("mcp-name", "=?base64?%?="),
            "not the Base64",
        ),
        (
            good.clone().with("mcp-protocol-version", "2025-11-25"),
            "different versions",
        ),
        (
            good.clone().without("mcp-protocol-version"),
            "names the same",
        ),
    ] {
        let (status, told) = wire.json().await;
        assert_eq!(
            (status, &told["error"]["code"]),
            (400, &json!(-32020)),
            "{told}"
        );
        let said = told["error"]["message"].as_str().unwrap();
        assert!(said.contains(why), "{said}");
        assert_eq!(told["id"], 7);
    }
    let (status, _) = good.with("mcp-name", in_base64("whoami")).json().await;
    assert_eq!(status, 200);
}

/// A header that a check of headers alone would take for another tool's.
#[tokio::test]
async fn a_forged_name_opens_nothing() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens"]).await;
    let served = Served::by(&app).await;
    let call = served.calls(&agent, "create_token", json!({ "label": "x" }));

    for name in ["list_tokens".to_owned(), in_base64("list_tokens")] {
        let (status, _) = call.clone().with("mcp-name", name).json().await;
        assert_eq!(status, 400);
    }
    for name in ["create_token".to_owned(), in_base64("create_token")] {
        let (answer, _) = call.clone().with("mcp-name", name).whole().await;
        let challenge =
            "Bearer realm=\"keywright\", error=\"insufficient_scope\", scope=\"write:tokens\"";
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (403, Some(challenge))
        );
    }
    assert_eq!(app.rows("tokens"), 1);
}

#[tokio::test]
async fn a_version_that_nobody_knows_is_told_those_there_are() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let served = Served::by(&app).await;
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2099-01-01",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let asked = |meta: Value| {
        let params = json!({ "_meta": meta });
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": params });
        let post = served.post(&agent).saying(body.to_string());
        post.with("mcp-protocol-version", "2099-01-01")
            .with("mcp-method", "tools/list")
    };

    let session = served.session(&agent).await;
    let later = session.asks(&agent, "ping", json!({}));
    for wire in [
        asked(meta),
        later.with("mcp-protocol-version", "1999-01-01"),
    ] {
        let (status, told) = wire.json().await;
        assert_eq!(
            (status, &told["error"]["code"]),
            (400, &json!(-32022)),
            "{told}"
        );
        let supported = told["error"]["data"]["supported"].as_array().unwrap();
        assert!(supported.contains(&json!("2026-07-28")), "{told}");
    }
}

#[tokio::test]
async fn what_a_modern_request_must_bring_is_told_where_it_is_missing() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let served = Served::by(&app).await;

    for (method, meta) in [
        ("tools/list", json!({})),
        ("server/discover", json!({})),
        (
            "tools/list",
            json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28" }),
        ),
    ] {
        let params = json!({ "_meta": meta });
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let wire = served
            .modern(&agent, method, json!({}))
            .saying(body.to_string());
        let (status, told) = wire.json().await;
        assert_eq!(
            (status, &told["error"]["code"]),
            (400, &json!(-32602)),
            "{told}"
        );
    }
}

#[tokio::test]
async fn an_earlier_revision_is_served_in_a_session_alone() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let served = Served::by(&app).await;
    let session = served.session(&agent).await;
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2025-11-25",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let call = json!({
        "jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": { "name": "whoami", "_meta": meta },
    });

    let bare = served
        .post(&agent)
        .with("mcp-protocol-version", "2025-11-25");
    let (status, told) = bare.saying(call.to_string()).json().await;
    let (within, _) = session.says(&agent, &call).json().await;

    assert_eq!((status, within), (400, 200), "{told}");
    let why = told["error"]["message"].as_str().unwrap();
    assert!(why.contains("Open a session"), "{told}");
}
