//! How a session ends: by the end of its input, by a signal, or with its client.

use std::io::Write;
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::{Wire, calls, each_way};

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
