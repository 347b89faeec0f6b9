//! How a session ends: by the end of its input, by a signal, or with its client.

use std::io::Write;
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{LEGACY, MODERN, Wire, call, calls, each_way, initialize, shell, stateless};

#[test]
fn the_end_of_the_input_before_any_word_is_a_clean_end() {
    each_way(|over| {
        let mut wire = Wire::over(over);

        wire.close();
        let ended = wire.end();

        assert!(ended.status.success(), "{}", ended.status);
        assert_eq!(ended.answers, Vec::<Value>::new());
    });
}

#[test]
fn calls_under_way_are_answered_when_the_input_ends() {
    each_way(|over| {
        let mut wire = Wire::initialized(over);

        wire.send(calls(1..=200));
        wire.close();
        let ended = wire.end();

        assert!(ended.status.success(), "{}", ended.status);
        assert_eq!(ended.answers.len(), 200);
    });
}

#[test]
fn a_client_that_vanishes_is_a_clean_end() {
    each_way(|over| {
        let mut wire = Wire::initialized(over);

        wire.output = mpsc::channel().1;
        // The server may be gone before it has read them all.
        let _ = wire
            .input
            .take()
            .unwrap()
            .write_all(calls(1..=100).as_bytes());

        assert!(wire.end().status.success());
    });
}

#[test]
fn a_signal_ends_an_idle_process_cleanly_and_at_once() {
    each_way(|over| {
        for signal in [Signal::SIGTERM, Signal::SIGINT] {
            let mut unopened = Wire::over(over);
            unopened.is_alive();

            for wire in [unopened, Wire::initialized(over)] {
                wire.signal(signal);
                let ended = wire.end();

                assert!(ended.status.success(), "{}", ended.status);
                // A hundred milliseconds on a machine with nothing else to do.
                assert!(ended.took < Duration::from_secs(1), "{:?}", ended.took);
            }
        }
    });
}

#[test]
fn a_signal_among_many_calls_leaves_no_half_answer() {
    each_way(|over| {
        let mut wire = Wire::initialized(over);

        wire.send(calls(1..=300));
        wire.answer();
        wire.signal(Signal::SIGTERM);
        // `end` reads every line as JSON.
        let ended = wire.end();

        assert!(ended.status.success(), "{}", ended.status);
        assert!(
            ended
                .answers
                .iter()
                .all(|answer| answer["result"].is_object())
        );
    });
}

#[test]
fn a_stream_ends_with_its_result_and_at_once_when_the_input_ends() {
    each_way(|over| {
        let mut wire = Wire::over(over);
        let wanted = json!({ "notifications": { "resourcesListChanged": true } });
        wire.say(&stateless(1, "subscriptions/listen", MODERN, wanted));
        let acknowledged = wire.answer();

        wire.close();
        let ended = wire.end();

        let method = "notifications/subscriptions/acknowledged";
        assert_eq!(acknowledged["method"], method);
        assert!(ended.status.success(), "{}", ended.status);
        assert!(ended.took < Duration::from_secs(1), "{:?}", ended.took);
        assert_eq!(ended.answers.len(), 1, "{:?}", ended.answers);
        assert_eq!(ended.answers[0]["id"], 1);
        assert_eq!(ended.answers[0]["result"]["resultType"], "complete");
    });
}

/// The acknowledgment may be on its way when the session breaks off.
#[test]
fn a_stream_that_has_just_been_asked_for_does_not_hold_the_process() {
    each_way(|over| {
        let mut wire = Wire::over(over);
        let wanted = json!({ "notifications": { "resourcesListChanged": true } });

        wire.say(&stateless(1, "subscriptions/listen", MODERN, wanted));
        wire.close();
        let ended = wire.end();

        assert!(ended.status.success(), "{}", ended.status);
        assert!(ended.took < Duration::from_secs(1), "{:?}", ended.took);
    });
}

#[test]
fn a_subscription_does_not_hold_the_process() {
    each_way(|over| {
        for end in [Wire::close, |wire: &mut Wire| wire.signal(Signal::SIGTERM)] {
            let mut wire = Wire::initialized(over);
            let new = json!({ "name": "create_token", "arguments": { "label": "x" } });
            wire.say(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": new }));
            let made = wire.answer_to(1);
            let id = made["result"]["structuredContent"]["id"].as_str().unwrap();
            let uri = json!({ "uri": format!("keywright://tokens/{id}") });
            wire.say(
                &json!({ "jsonrpc": "2.0", "id": 2, "method": "resources/subscribe", "params": uri }),
            );
            let subscribed = wire.answer_to(2);

            end(&mut wire);
            let ended = wire.end();

            assert_eq!(subscribed["result"], json!({}));
            assert!(ended.status.success(), "{}", ended.status);
            assert!(ended.took < Duration::from_secs(1), "{:?}", ended.took);
        }
    });
}

#[test]
fn a_question_that_waits_does_not_hold_the_process_and_is_written_down() {
    each_way(|over| {
        for end in [Wire::close, |wire: &mut Wire| wire.signal(Signal::SIGTERM)] {
            let mut wire = Wire::over(over);
            let mut opening = initialize(0, LEGACY[3]);
            opening["params"]["capabilities"] = json!({ "elicitation": {} });
            wire.say(&opening);
            wire.answer_to(0);
            let made = shell(&wire.directory, &["token", "create", "x", "--claim"]);
            let mut delete = call(1, "delete_token");
            delete["params"]["arguments"] = json!({ "id": made["id"] });
            wire.say(&delete);
            assert_eq!(wire.answer()["method"], "elicitation/create");

            end(&mut wire);
            let ended = wire.end();

            assert!(ended.status.success(), "{}", ended.status);
            assert!(ended.took < Duration::from_secs(1), "{:?}", ended.took);
            let refused = ended.answers.iter().find(|answer| answer["id"] == 1);
            assert_eq!(refused.expect("an answer")["result"]["isError"], true);
        }
    });
}
