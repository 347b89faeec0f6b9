//! What is answered to lines that are no calls, and to calls that are not right.

use serde_json::{Value, json};

use super::{LEGACY, TOOL, Wire, call, code, each_way, initialize};

#[test]
fn a_line_that_is_not_json_is_answered_without_an_id() {
    each_way(|over| {
        for garbage in [
            &b"hello"[..],
            b"{\"jsonrpc\":",
            b"\xff\xfe\x00",
            &[b'['; 5000],
        ] {
            let mut wire = Wire::over(over);

            wire.send([garbage, b"\n"].concat());
            let early = wire.answer_to(Value::Null);
            wire.say(&initialize(1, LEGACY[3]));
            wire.answer_to(1);
            wire.send([garbage, b"\n"].concat());
            let late = wire.answer_to(Value::Null);

            assert_eq!((code(&early), code(&late)), (-32700, -32700));
            wire.is_alive();
        }
    });
}

#[test]
fn json_that_is_not_a_message_is_answered_with_its_id_where_it_has_one() {
    each_way(|over| {
        let mut wire = Wire::initialized(over);

        for (wrong, id) in [
            (json!(5), Value::Null),
            (json!("hello"), Value::Null),
            (json!({}), Value::Null),
            (json!({ "id": 7 }), json!(7)),
            (json!({ "id": "seven", "method": "ping" }), json!("seven")),
            (
                json!({ "jsonrpc": "1.0", "id": 8, "method": "ping" }),
                json!(8),
            ),
            (
                json!({ "jsonrpc": "2.0", "id": null, "method": "ping" }),
                Value::Null,
            ),
            (
                json!({ "jsonrpc": "2.0", "id": {}, "method": "ping" }),
                Value::Null,
            ),
            (
                json!({ "jsonrpc": "2.0", "id": 9, "method": "ping", "result": {} }),
                json!(9),
            ),
            (json!({ "jsonrpc": "2.0", "id": 9, "method": 9 }), json!(9)),
        ] {
            wire.say(&wrong);
            let answer = wire.answer_to(id);
            assert_eq!(code(&answer), -32600, "{wrong} {answer}");
        }

        wire.is_alive();
    });
}

#[test]
fn a_wrong_answer_or_notification_is_not_answered() {
    each_way(|over| {
        let mut wire = Wire::initialized(over);

        wire.say(&json!({ "jsonrpc": "2.0", "id": null, "error": { "code": 1, "message": "" } }));
        wire.say(&json!({ "jsonrpc": "2.0", "id": {}, "result": 5 }));
        wire.say(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": 5 }));
        wire.say(&json!({ "jsonrpc": "2.0", "method": 5 }));

        wire.is_alive();
    });
}

#[test]
fn empty_lines_and_carriage_returns_are_no_matter() {
    each_way(|over| {
        let mut wire = Wire::initialized(over);

        wire.send(format!("\r\n\n  \n\u{feff}{}\r\n", call(1, TOOL)));

        assert!(wire.answer_to(1)["result"].is_object());
        wire.is_alive();
    });
}

#[test]
fn a_batch_is_refused_once() {
    each_way(|over| {
        let mut wire = Wire::initialized(over);

        wire.say(&json!([call(1, TOOL), call(2, TOOL)]));
        let refused = wire.answer_to(Value::Null);
        wire.say(&json!([]));

        assert_eq!(code(&refused), -32600, "{refused}");
        assert!(
            refused["error"]["message"]
                .as_str()
                .unwrap()
                .contains("batches"),
            "{refused}"
        );
        assert_eq!(code(&wire.answer_to(Value::Null)), -32600);
        wire.is_alive();
    });
}

#[test]
fn a_line_of_two_mebibytes_is_dropped_and_the_next_is_answered() {
    each_way(|over| {
        for mut wire in [Wire::over(over), Wire::initialized(over)] {
            let long = "x".repeat(2 * 1024 * 1024);

            wire.say(
                &json!({ "jsonrpc": "2.0", "id": 1, "method": "ping", "params": { "x": long } }),
            );
            let refused = wire.answer_to(Value::Null);

            assert_eq!(code(&refused), -32600, "{refused}");
            wire.is_alive();
        }
    });
}

#[test]
fn a_line_of_almost_a_mebibyte_is_read() {
    each_way(|over| {
        let mut wire = Wire::initialized(over);
        let long = "x".repeat(1024 * 1024 - 200);

        wire.say(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping", "params": { "x": long } }));

        assert_eq!(wire.answer_to(1)["result"], json!({}));
    });
}

#[test]
fn an_unknown_method_is_told_from_wrong_params() {
    each_way(|over| {
        let mut wire = Wire::initialized(over);

        for (id, method, params, expected) in [
            (1, "tools/fetch", json!({}), -32601),
            (2, "tools/call", json!({ "name": 5 }), -32602),
            (
                3,
                "tools/call",
                json!({ "name": TOOL, "arguments": [] }),
                -32602,
            ),
            (4, "tools/call", json!([TOOL]), -32602),
            (5, "initialize", json!({}), -32602),
            (7, "resources/subscribe", json!({ "uri": 5 }), -32602),
            (8, "prompts/get", json!({ "name": [] }), -32602),
            (9, "completion/complete", json!({}), -32602),
        ] {
            wire.say(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
            let answer = wire.answer_to(id);
            assert_eq!(code(&answer), expected, "{method} {params} {answer}");
        }

        wire.say(&json!({ "jsonrpc": "2.0", "id": 6, "method": "tools/call" }));
        assert_eq!(code(&wire.answer_to(6)), -32602);
        wire.is_alive();
    });
}

#[test]
fn an_unknown_tool_is_an_error_of_the_call() {
    each_way(|over| {
        let mut wire = Wire::initialized(over);

        wire.say(&call(1, "no_such_tool"));

        assert_eq!(code(&wire.answer_to(1)), -32602);
        wire.is_alive();
    });
}

#[test]
fn the_last_line_needs_no_newline() {
    each_way(|over| {
        let mut wire = Wire::over(over);

        wire.send(initialize(1, LEGACY[3]).to_string());
        wire.close();
        let ended = wire.end();

        assert!(ended.status.success(), "{}", ended.status);
        assert_eq!(ended.answers[0]["result"]["protocolVersion"], LEGACY[3]);
    });
}
