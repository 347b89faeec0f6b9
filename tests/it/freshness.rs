//! A token is refused by every process at once when its revocation has been answered, whatever they
//! were told before.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use serde_json::json;

use crate::{
    http::served::{Served, Wire, json as read},
    mcp::process::{Home, Session},
};

const SERVERS: usize = 4;
const SESSIONS: usize = 4;
const ROUNDS: usize = 5;

/// So many questions are asked of each process after every revocation.
const AFTER: usize = 4;

/// Who asks one process whether a token is good.
enum Asks {
    Server(Wire, String),
    /// Asked by a service that was shown the token.
    Introspects(Wire, String, String),
    Session(Box<Session>),
    /// The control: it keeps a good answer instead of asking again.
    Remembering(Box<Self>, bool),
}

impl Asks {
    fn is_accepted(&mut self) -> bool {
        match self {
            Self::Server(wire, value) => is_accepted(wire, value),
            Self::Session(session) => session.call("whoami", json!({}))["isError"] != json!(true),
            Self::Introspects(wire, service, value) => {
                let about = json!({ "token": value }).to_string();
                let (status, told) = wire.ask("POST", "/v1/introspect", service, &about);
                assert_eq!(status, 200, "{told}");
                read(&told)["active"] == json!(true)
            }
            Self::Remembering(asks, was_accepted) => {
                *was_accepted = *was_accepted || asks.is_accepted();
                *was_accepted
            }
        }
    }
}

fn is_accepted(wire: &mut Wire, value: &str) -> bool {
    match wire.ask("GET", "/v1/verify", value, "").0 {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

/// What one was answered to questions that it began after the revocation was answered; it asks
/// without a pause from before that.
fn seen(mut asks: Asks, ready: &Barrier, is_revoked: &AtomicBool) -> Vec<bool> {
    assert!(asks.is_accepted() && asks.is_accepted());
    ready.wait();
    let mut seen = Vec::new();
    while seen.len() < AFTER {
        let began_after = is_revoked.load(Ordering::SeqCst);
        let accepted = asks.is_accepted();
        if began_after {
            seen.push(accepted);
        }
    }
    seen
}

#[test]
fn no_process_of_eight_accepts_what_was_revoked_and_one_that_remembers_is_caught() {
    let home = Home::new();
    let admin = home.token("read:tokens delete:tokens introspect:tokens");
    let servers: Vec<_> = (0..SERVERS).map(|_| Served::at(&home, &[])).collect();

    for round in 0..ROUNDS {
        let mut revoker = servers[round % SERVERS].wire();
        let value = home.token("read:notes");
        let me = revoker.ask("GET", "/v1/whoami", &value, "").1;
        let id = read(&me)["current_token"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let mut asks: Vec<_> = servers
            .iter()
            .enumerate()
            .map(|(turn, server)| match turn % 2 {
                0 => Asks::Server(server.wire(), value.clone()),
                _ => Asks::Introspects(server.wire(), admin.clone(), value.clone()),
            })
            .collect();
        let session = || Asks::Session(Box::new(home.with_token(&value, &[])));
        asks.extend((0..SESSIONS).map(|_| session()));
        let server = Asks::Server(servers[0].wire(), value.clone());
        asks.push(Asks::Remembering(Box::new(server), false));
        let (ready, is_revoked) = (Barrier::new(asks.len() + 1), AtomicBool::new(false));

        let (ready, is_revoked) = (&ready, &is_revoked);
        let mut seen: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = asks
                .into_iter()
                .map(|asks| scope.spawn(move || seen(asks, ready, is_revoked)))
                .collect();
            ready.wait();
            let path = format!("/v1/tokens/{id}");
            let (status, _) = revoker.ask("DELETE", &path, &admin, "");
            is_revoked.store(true, Ordering::SeqCst);
            assert!(status == 200 || status == 204, "{status}");
            threads.into_iter().map(|one| one.join().unwrap()).collect()
        });

        let control = seen.pop().unwrap();
        assert!(control.contains(&true), "the check proves nothing");
        assert!(!seen.concat().contains(&true), "{seen:?}");
    }
}
