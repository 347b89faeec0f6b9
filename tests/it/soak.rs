//! Mixed load for a long while: memory and descriptors do not grow, answers do not slow down, and the
//! store is sound afterwards.
//!
//! `SOAK_MINUTES=60 cargo test --release --test it soak -- --ignored --nocapture`

use std::{
    fs,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, ScopedJoinHandle},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    crash::{set, tell},
    http::served::{Served, Wire, json as parsed},
    mcp::process::{Home, Session},
};

const ALL: &str = "read:tokens write:tokens delete:tokens read:secrets introspect:tokens";

/// A run is looked at so many times.
const WINDOWS: u32 = 20;

/// More than this is too much for any of the processes, in KiB.
const MEMORY: u64 = 96 << 10;

/// What was measured in one window.
#[derive(Debug)]
struct Window {
    /// The most that any process holds, in KiB.
    memory: u64,
    descriptors: usize,
    answers: usize,
    /// Of all answers, half came within this.
    half: Duration,
    nearly_all: Duration,
}

impl Window {
    fn line(&self) -> String {
        format!(
            "{} KiB, {} descriptors, {} answers, half within {:?}, 99 of 100 within {:?}",
            self.memory, self.descriptors, self.answers, self.half, self.nearly_all
        )
    }
}

/// How long every answer took since it was looked at last.
#[derive(Default)]
struct Times(Mutex<Vec<Duration>>);

impl Times {
    fn of<T>(&self, ask: impl FnOnce() -> T) -> T {
        let since = Instant::now();
        let answer = ask();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(since.elapsed());
        answer
    }

    fn take(&self) -> Vec<Duration> {
        let mut times = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        times.sort_unstable();
        times
    }
}

fn memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn descriptors(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd")).unwrap().count()
}

/// A service and its agent: a token is made, used, rotated, refused and ended.
fn over_http(served: &Served, value: &str, times: &Times) {
    let mut wire = served.wire();
    let mut ask = |method, path: &str, value: &str, body: &Value| {
        let body = body.to_string();
        times.of(|| wire.ask(method, path, value, &body))
    };
    let create = json!({ "label": "soak", "deliver": "inline", "scopes": ["read:tokens"] });
    let (status, made) = ask("POST", "/v1/tokens", value, &create);
    assert_eq!(status, 201, "{made}");
    let made = parsed(&made);
    let (id, first) = (
        made["id"].as_str().unwrap(),
        made["token"].as_str().unwrap(),
    );
    for _ in 0..20 {
        assert_eq!(ask("GET", "/v1/verify", first, &json!({})).0, 200);
    }
    let rotate = json!({ "overlap": "0s", "deliver": "inline" });
    let (status, rotated) = ask("POST", &format!("/v1/tokens/{id}/rotate"), value, &rotate);
    assert_eq!(status, 200, "{rotated}");
    let rotated = parsed(&rotated);
    assert_eq!(ask("GET", "/v1/verify", first, &json!({})).0, 401);
    assert_eq!(ask("GET", "/v1/tokens?limit=50", value, &json!({})).0, 200);
    assert_eq!(
        ask("DELETE", &format!("/v1/tokens/{id}"), value, &json!({})).0,
        204
    );
    let second = rotated["token"].as_str().unwrap();
    assert_eq!(ask("GET", "/v1/verify", second, &json!({})).0, 401);
    // A client that goes in the middle of its question.
    let mut gone: Wire = served.wire();
    gone.write("POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\n");
}

/// An agent and its person.
fn over_stdio(session: &mut Session, served: &Served, value: &str, times: &Times) {
    let made = times.of(|| session.done("create_token", json!({ "label": "soak" })));
    let claim = json!({ "code": made["claim"]["code"] }).to_string();
    let id = json!({ "id": made["id"] });
    let mut wire = served.wire();
    let (status, claimed) = times.of(|| wire.ask("POST", "/v1/claims", value, &claim));
    assert_eq!(status, 200, "{claimed}");
    assert_eq!(wire.ask("POST", "/v1/claims", value, &claim).0, 409);
    for _ in 0..5 {
        times.of(|| session.done("list_tokens", json!({ "limit": 20 })));
        times.of(|| session.done("get_token", id.clone()));
    }
    times.of(|| session.done("delete_token", id));
}

#[test]
#[ignore = "takes as long as `SOAK_MINUTES` says"]
fn an_hour_of_mixed_load_leaves_memory_descriptors_and_latency_as_they_were() {
    let window = Duration::from_mins(set("SOAK_MINUTES").unwrap_or(60)) / WINDOWS;
    let home = Home::new();
    let value = home.token(ALL);
    // As fast as they can, from one address.
    let served = Served::at(&home, &["--rate-per-token", "0", "--rate-per-address", "0"]);
    let (times, is_over) = (Times::default(), AtomicBool::new(false));
    let goes_on = || !is_over.load(Ordering::Relaxed);
    let idle = descriptors(served.number());
    let mut processes = vec![served.number()];
    let sessions: Vec<_> = (0..2).map(|_| home.local(&["--scopes", ALL])).collect();
    processes.extend(sessions.iter().map(Session::number));

    let windows = thread::scope(|scope| {
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(scope.spawn(|| {
                while goes_on() {
                    over_http(&served, &value, &times);
                }
            }));
        }
        for mut session in sessions {
            let (served, value, times) = (&served, &value, &times);
            clients.push(scope.spawn(move || {
                while goes_on() {
                    over_stdio(&mut session, served, value, times);
                }
                session.close();
            }));
        }
        let windows = (0..WINDOWS).map_while(|_| {
            thread::sleep(window);
            let are_all_well = !clients.iter().any(ScopedJoinHandle::is_finished);
            are_all_well.then(|| {
                let times = times.take();
                let memory = processes.iter().map(|process| memory(*process));
                let seen = Window {
                    memory: memory.max().unwrap(),
                    descriptors: processes.iter().map(|process| descriptors(*process)).sum(),
                    answers: times.len(),
                    half: times[times.len() / 2],
                    nearly_all: times[times.len() / 100 * 99],
                };
                tell(&seen.line());
                seen
            })
        });
        let windows: Vec<_> = windows.collect();
        is_over.store(true, Ordering::Relaxed);
        windows
    });

    let (begin, end) = windows.split_at(windows.len() / 2);
    let most = |windows: &[Window]| windows.iter().map(|window| window.memory).max().unwrap();
    let slowest = |windows: &[Window]| windows.iter().map(|window| window.half).max().unwrap();
    assert!(most(&windows) < MEMORY, "{windows:?}");
    assert!(
        most(end) < most(begin) + (8 << 10),
        "memory grows: {windows:?}"
    );
    assert!(
        slowest(end) < slowest(begin) * 3,
        "it slows down: {windows:?}"
    );
    crate::mcp::process::eventually(|| (descriptors(served.number()) <= idle).then_some(()));
    assert!(served.end().success());
    home.is_sound();
}
