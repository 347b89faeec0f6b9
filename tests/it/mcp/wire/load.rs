//! Many calls at once, and clients that do not keep up.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{LEGACY, TOOL, Wire, call, calls, each_way, initialize};

#[test]
fn slow_ten_thousand_calls_at_once_are_all_answered_in_little_memory() {
    each_way(|over| {
        // Enough to see memory grow with them, if it did: by about 100 MiB.
        const CALLS: u64 = 10_000;
        let mut wire = Wire::initialized(over);
        let before = wire.peak();

        let client = wire.say_meanwhile(calls(1..=CALLS));
        let mut ids: Vec<_> = (1..=CALLS)
            .map(|_| {
                let answer = wire.answer();
                assert!(answer["result"].is_object(), "{answer}");
                answer["id"].as_u64().unwrap()
            })
            .collect();
        wire.input = Some(client.join().unwrap());
        wire.is_alive();

        ids.sort_unstable();
        assert!(ids.into_iter().eq(1..=CALLS));
        if let (Some(before), Some(after)) = (before, wire.peak()) {
            assert!(
                after - before < 16 * 1024,
                "{before} KiB became {after} KiB"
            );
        }
    });
}

#[test]
fn a_client_that_does_not_read_is_not_read_from() {
    each_way(|over| {
        // More than fit into the buffers between us and into the server.
        const CALLS: u64 = 5_000;
        let (mut wire, output) = Wire::unheard(over);
        wire.say(&initialize(0, LEGACY[3]));

        let client = wire.say_meanwhile(calls(1..=CALLS));
        let begun = Instant::now();
        while !client.is_finished() && begun.elapsed() < Duration::from_millis(300) {
            thread::sleep(Duration::from_millis(1));
        }
        let had_to_wait = !client.is_finished();
        wire.listen(output);

        assert!(had_to_wait);
        (0..=CALLS).for_each(|_| assert!(wire.answer()["result"].is_object()));
        client.join().unwrap();
    });
}

#[test]
fn calls_that_share_an_id_do_not_use_up_the_places() {
    each_way(|over| {
        let mut wire = Wire::initialized(over);

        for _ in 0..1000 {
            wire.say(&call(1, TOOL));
        }
        wire.say(&call("last", TOOL));

        // Calls of one id in flight at once have one answer between them.
        while wire.answer()["id"] != "last" {}
    });
}

#[test]
fn cancelled_calls_do_not_use_up_the_places() {
    each_way(|over| {
        let mut wire = Wire::initialized(over);

        for id in 0..1000 {
            let params = json!({ "requestId": id });
            wire.say(&call(id, TOOL));
            wire.say(
                &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }),
            );
        }
        wire.say(&call("last", TOOL));

        while wire.answer()["id"] != "last" {}
    });
}
