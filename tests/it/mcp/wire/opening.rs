//! How a session may open, in either era; and what must not keep it from opening.

use serde_json::json;

use super::{LEGACY, MODERN, TOOL, Wire, call, code, each_way, initialize, stateless};

#[test]
fn each_legacy_revision_is_agreed_to() {
    each_way(|over| {
        for version in LEGACY {
            let mut wire = Wire::over(over);

            wire.say(&initialize(1, version));
            let opened = wire.answer_to(1);
            wire.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
            wire.say(&json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" }));
            let listed = wire.answer_to(2);
            wire.say(&call("three", TOOL));
            let called = wire.answer_to("three");

            assert_eq!(opened["result"]["protocolVersion"], version);
            assert!(listed["result"]["tools"].is_array(), "{listed}");
            assert!(called["result"]["content"].is_array(), "{called}");
        }
    });
}

#[test]
fn an_unknown_revision_is_answered_with_our_newest_legacy_one() {
    each_way(|over| {
        let mut wire = Wire::over(over);

        wire.say(&initialize(1, "2031-01-01"));

        assert_eq!(wire.answer_to(1)["result"]["protocolVersion"], LEGACY[3]);
    });
}

#[test]
fn a_modern_client_needs_no_handshake() {
    each_way(|over| {
        let mut wire = Wire::over(over);

        wire.say(&stateless(1, "server/discover", MODERN, json!({})));
        let discovered = wire.answer_to(1);
        wire.say(&stateless(2, "tools/list", MODERN, json!({})));
        let listed = wire.answer_to(2);
        wire.say(&stateless(
            3,
            "tools/call",
            MODERN,
            json!({ "name": TOOL, "arguments": {} }),
        ));
        let called = wire.answer_to(3);

        let versions = discovered["result"]["supportedVersions"]
            .as_array()
            .unwrap();
        assert!(versions.contains(&MODERN.into()), "{discovered}");
        assert_eq!(listed["result"]["resultType"], "complete", "{listed}");
        assert!(listed["result"]["ttlMs"].is_u64(), "{listed}");
        assert_eq!(called["result"]["resultType"], "complete", "{called}");
    });
}

#[test]
fn a_modern_request_of_an_unknown_revision_is_told_which_are_known() {
    each_way(|over| {
        let mut wire = Wire::over(over);

        wire.say(&stateless(1, "tools/list", "2031-01-01", json!({})));
        let refused = wire.answer_to(1);
        wire.say(&stateless(2, "tools/list", MODERN, json!({})));

        assert_eq!(code(&refused), -32022, "{refused}");
        assert!(wire.answer_to(2)["result"]["tools"].is_array());
    });
}

#[test]
fn a_request_before_any_opening_is_refused_and_an_opening_may_follow() {
    each_way(|over| {
        let mut wire = Wire::over(over);

        wire.say(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }));
        let refused = wire.answer_to(1);
        wire.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        wire.say(&initialize(2, LEGACY[3]));

        assert_eq!(code(&refused), -32602, "{refused}");
        assert_eq!(wire.answer_to(2)["result"]["protocolVersion"], LEGACY[3]);
    });
}

#[test]
fn a_notification_first_does_not_end_the_process() {
    each_way(|over| {
        let mut wire = Wire::over(over);

        wire.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        wire.say(&json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {} }));
        wire.is_alive();
        wire.say(&initialize(1, LEGACY[3]));

        assert!(wire.answer_to(1)["result"].is_object());
    });
}

#[test]
fn a_response_first_does_not_end_the_process() {
    each_way(|over| {
        let mut wire = Wire::over(over);
        let error = json!({ "code": -32603, "message": "no" });

        wire.say(&json!({ "jsonrpc": "2.0", "id": 9, "result": {} }));
        wire.say(&json!({ "jsonrpc": "2.0", "id": 9, "error": error }));
        wire.is_alive();
        wire.say(&initialize(1, LEGACY[3]));

        assert!(wire.answer_to(1)["result"].is_object());
    });
}

#[test]
fn a_cancelled_probe_may_be_followed_by_initialize() {
    each_way(|over| {
        let mut wire = Wire::over(over);
        let params = json!({ "requestId": 1, "reason": "timeout" });

        wire.say(&stateless(1, "server/discover", MODERN, json!({})));
        wire.say(
            &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }),
        );
        wire.say(&initialize(2, LEGACY[2]));
        wire.answer_to(1);

        assert_eq!(wire.answer_to(2)["result"]["protocolVersion"], LEGACY[2]);
    });
}

#[test]
fn a_probe_without_metadata_may_be_followed_by_initialize() {
    each_way(|over| {
        let mut wire = Wire::over(over);
        let params = json!({ "requestId": 1 });

        wire.say(&json!({ "jsonrpc": "2.0", "id": 1, "method": "server/discover" }));
        wire.say(
            &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }),
        );
        wire.say(&initialize(2, LEGACY[3]));

        assert_eq!(code(&wire.answer_to(1)), -32602);
        assert!(wire.answer_to(2)["result"].is_object());
    });
}

#[test]
fn a_malformed_initialize_may_be_followed_by_a_right_one() {
    each_way(|over| {
        let mut wire = Wire::over(over);

        wire.say(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {} }));
        let refused = wire.answer_to(1);
        wire.say(&initialize(2, LEGACY[3]));

        assert_eq!(code(&refused), -32602, "{refused}");
        assert!(wire.answer_to(2)["result"].is_object());
    });
}
