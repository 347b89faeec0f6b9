//! Revoked is revoked: for requests that are on their way, and in every process on the store.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use serde_json::json;

use super::served::{Served, Wire, head, json};
use crate::mcp::process::Home;

/// What manages tokens, and may see their values.
const MANAGES: &str = "read:tokens write:tokens delete:tokens read:secrets introspect:tokens";

#[test]
fn a_request_whose_body_is_half_there_when_its_token_ends_changes_nothing() {
    let home = Home::new();
    let admin = home.token(MANAGES);
    let served = Served::at(&home, &[]);
    let mut wire = served.wire();
    let made = json!({ "label": "x", "scopes": ["write:tokens"], "deliver": "inline" });
    let (_, made) = wire.ask("POST", "/v1/tokens", &admin, &made.to_string());
    let (id, value) = (json(&made)["id"].clone(), json(&made)["token"].clone());
    let (id, value) = (id.as_str().unwrap(), value.as_str().unwrap());

    let body = json!({ "label": "made by a token that has ended" }).to_string();
    let (first, rest) = body.split_at(body.len() / 2);
    let mut slow = served.wire();
    slow.write(&head("POST", "/v1/tokens", value, body.len()));
    slow.write(first);
    let ended = wire.ask("DELETE", &format!("/v1/tokens/{id}"), &admin, "");
    slow.write(rest);
    let (status, told) = slow.answer();

    assert_eq!(ended, (204, String::new()));
    assert_eq!(
        (status, json(&told)["code"].as_str()),
        (401, Some("unauthenticated"))
    );
    let (_, list) = wire.ask("GET", "/v1/tokens?state=all", &admin, "");
    assert!(!list.contains("has ended"), "{list}");
}

/// Asks in a loop whether `value` may pass, until it has been refused some times after the end.
/// Every answer is held against what was known before the question was sent.
fn keep_asking(wire: &mut Wire, path: &str, value: &str, has_ended: &AtomicBool) -> (usize, usize) {
    let (mut passed, mut stale, mut refused) = (0, 0, 0);
    while refused < 20 {
        let was_over = has_ended.load(Ordering::SeqCst);
        match wire.ask("GET", path, value, "").0 {
            200 if was_over => stale += 1,
            200 => passed += 1,
            401 => refused += usize::from(was_over),
            other => panic!("{other}"),
        }
        if stale > 0 {
            break;
        }
    }
    (passed, stale)
}

#[test]
fn what_starts_after_the_end_is_refused_in_every_process() {
    let home = Home::new();
    let admin = home.token(MANAGES);
    let unlimited = ["--rate-per-token", "0", "--rate-per-address", "0"];
    let served = [&home; 2].map(|home| Served::at(home, &unlimited));
    let mut wire = served[0].wire();
    let body = json!({ "label": "x", "scopes": ["read:tokens"], "deliver": "inline" }).to_string();
    let (passed, stale) = (AtomicUsize::new(0), AtomicUsize::new(0));

    for round in 0..10 {
        let (_, made) = wire.ask("POST", "/v1/tokens", &admin, &body);
        let (id, value) = (json(&made)["id"].clone(), json(&made)["token"].clone());
        let (id, value) = (id.as_str().unwrap(), value.as_str().unwrap());
        let has_ended = AtomicBool::new(false);
        thread::scope(|scope| {
            for number in 0..8 {
                let (has_ended, passed, stale) = (&has_ended, &passed, &stale);
                let mut wire = served[number % 2].wire();
                let path = ["/v1/verify", "/v1/tokens", "/v1/whoami"][number % 3];
                scope.spawn(move || {
                    let (good, bad) = keep_asking(&mut wire, path, value, has_ended);
                    passed.fetch_add(good, Ordering::Relaxed);
                    stale.fetch_add(bad, Ordering::Relaxed);
                });
            }
            // By turns through either process.
            let mut wire = served[round % 2].wire();
            let ended = wire.ask("DELETE", &format!("/v1/tokens/{id}"), &admin, "");
            has_ended.store(true, Ordering::SeqCst);
            assert_eq!(ended.0, 204);
        });
    }

    assert_eq!(stale.into_inner(), 0);
    assert!(
        passed.into_inner() > 0,
        "nothing was ever asked before an end"
    );
}
