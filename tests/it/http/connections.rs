//! Connections that dawdle, rates that are kept, and how a server ends.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use keywright::http::{Http, Limits, Place, Rate, router, server};
use nix::sys::signal::Signal;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::served::{Served, Wire, head, json};
use crate::{mcp::process::Home, support::TestApp};

const MANAGES: &str = "read:tokens write:tokens delete:tokens read:secrets";

/// A server in this process: where it is, what stops it, and its end.
async fn serving(app: &TestApp) -> (SocketAddr, CancellationToken, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let ours = router(&Arc::new(app.http()), Router::new());
    let served = server::serve(vec![listener], ours, stop.clone());
    (address, stop, tokio::spawn(served))
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_arrive_is_not_waited_for() {
    let app = TestApp::new().await;
    let (address, stop, served) = serving(&app).await;

    let mut said = String::new();
    let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: loc")
        .await
        .unwrap();
    slow.read_to_string(&mut said).await.unwrap();

    assert!(!said.contains("200"), "{said}");
    stop.cancel();
    served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_takes_no_answer_is_not_waited_for() {
    let app = TestApp::new().await;
    let (address, stop, served) = serving(&app).await;

    let unread = TcpSocket::new_v4().unwrap();
    unread.set_recv_buffer_size(4096).unwrap();
    let mut unread = unread.connect(address).await.unwrap();
    let ask = b"GET /v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
    unread.write_all(&ask.repeat(500)).await.unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    let mut said = Vec::new();
    // It may be cut off in the middle of it.
    drop(unread.read_to_end(&mut said).await);

    let answers = said.windows(9).filter(|word| word == b"HTTP/1.1 ").count();
    assert!((1..400).contains(&answers), "{answers}");
    stop.cancel();
    served.await.unwrap();
}

/// What a server says to `requests` until it closes the connection.
async fn said_to(address: SocketAddr, requests: &str) -> String {
    let mut said = String::new();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(requests.as_bytes()).await.unwrap();
    stream.read_to_string(&mut said).await.unwrap();
    said
}

/// The rest of its body would be taken for the next request, or the next be sent into a connection
/// that is being closed.
#[tokio::test]
async fn a_refusal_of_a_body_that_was_not_read_says_that_the_connection_ends() {
    let app = TestApp::new().await;
    let (address, stop, served) = serving(&app).await;
    let agent = app.agent(["write:tokens"]).await;

    for (path, value) in [
        ("/v1/tokens", "nobodys"),
        ("/v1/introspect", "nobodys"),
        ("/v1/nothing", &agent.value),
    ] {
        let said = said_to(address, &head("POST", path, value, 7)).await;

        assert!(said.starts_with("HTTP/1.1 4"), "{path}: {said}");
        assert!(said.contains("\r\nconnection: close\r\n"), "{path}: {said}");
    }
    let refused = head("POST", "/v1/tokens", &agent.value, 7) + "no json";
    let last = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let said = said_to(address, &(refused + last)).await;
    let (first, second) = said.split_once("HTTP/1.1 200 OK").unwrap();
    assert!(first.starts_with("HTTP/1.1 400"), "{said}");
    assert!(!first.contains("\r\nconnection:"), "{said}");
    assert!(second.contains("\r\nconnection: close\r\n"), "{said}");
    stop.cancel();
    served.await.unwrap();
}

#[test]
fn half_open_and_broken_connections_leave_the_others_alone() {
    let home = Home::new();
    let value = home.token(MANAGES);
    let served = Served::at(&home, &[]);

    let mut open: Vec<_> = (0..50)
        .map(|_| TcpStream::connect(served.address).unwrap())
        .collect();
    for (number, wire) in open.iter_mut().enumerate() {
        let head = head("POST", "/v1/tokens", &value, 100);
        wire.write_all(&head.as_bytes()[..head.len() - number])
            .unwrap();
        if number % 2 == 0 {
            wire.shutdown(Shutdown::Write).unwrap();
        }
    }
    let noise = [
        "\0\0\0\0\r\n\r\n",
        "GET / HTTP/9\r\n\r\n",
        "x".repeat(200_000).as_str(),
    ]
    .map(|noise| {
        let mut wire = TcpStream::connect(served.address).unwrap();
        // It may hang up in the middle of it.
        drop(wire.write_all(noise.as_bytes()));
        let mut told = String::new();
        wire.set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        drop(wire.read_to_string(&mut told));
        told
    });

    assert_eq!(served.wire().ask("GET", "/v1/whoami", &value, "").0, 200);
    for told in noise {
        assert!(told.is_empty() || told.starts_with("HTTP/1.1 4"), "{told}");
    }
    drop(open);
    assert!(served.end().success());
    let (_, log) = home.said("err").pop().unwrap();
    assert!(!String::from_utf8(log).unwrap().contains("panicked"));
}

#[test]
fn a_server_that_is_to_end_answers_what_is_in_flight_and_lets_nobody_in() {
    let home = Home::new();
    let value = home.token(MANAGES);
    let served = Served::at(&home, &[]);
    let body = json!({ "label": "in flight" }).to_string();
    let mut slow = served.wire();
    slow.write(&head("POST", "/v1/tokens", &value, body.len()));
    let mut idle = served.wire();
    assert_eq!(idle.ask("GET", "/healthz", &value, "").0, 200);

    served.signal(Signal::SIGTERM);
    assert_eq!(idle.maybe_answer(), None);
    let nobody = TcpStream::connect(served.address);
    slow.write(&body);
    let (status, made) = slow.answer();

    assert!(nobody.is_err());
    assert_eq!(
        (status, json(&made)["label"].as_str()),
        (201, Some("in flight"))
    );
    assert!(served.end().success());
    home.is_sound();
}

#[test]
fn who_asks_too_often_waits_and_nobody_else_does() {
    let home = Home::new();
    let [busy, other] = [home.token(""), home.token("")];
    let served = Served::at(&home, &["--rate-per-token", "3"]);
    let mut wire = served.wire();

    let statuses: Vec<_> = (0..20)
        .map(|_| wire.ask("GET", "/v1/whoami", &busy, ""))
        .collect();

    assert!(statuses[..3].iter().all(|(status, _)| *status == 200));
    let (_, told) = statuses.iter().find(|(status, _)| *status == 429).unwrap();
    assert_eq!(json(told)["code"], "rate_limited");
    assert_eq!(wire.ask("GET", "/v1/whoami", &other, "").0, 200);
}

#[tokio::test]
async fn who_asks_too_often_is_told_how_long_to_wait() {
    let app = TestApp::new().await;
    let limits = Limits::new(Rate::per_second(0), Rate::per_second(1));
    let claim = keywright::wire::token::ClaimCommand::new("keywright", None, None);
    let http = Http::new(app.authority.clone(), claim, Place::default(), limits);
    let ann = Client::of(http).with(&app.agent([]).await.value);

    let first = ann.get("/v1/whoami").await;
    let second = ann.get("/v1/whoami").await;

    assert_eq!(first.status.as_u16(), 200);
    assert_eq!(
        (second.status.as_u16(), second.code().as_str()),
        (429, "rate_limited")
    );
    assert_eq!(second.header("retry-after"), "1");
}

#[test]
fn beyond_this_machine_it_needs_an_https_address() {
    let home = Home::new();

    let refused = home.shell(&["serve", "--listen", "0.0.0.0:0"]);
    let told = String::from_utf8(refused.stderr).unwrap();

    assert_eq!(refused.status.code(), Some(2));
    assert!(told.contains("--public-url https://"), "{told}");
    let http = home.shell(&["serve", "--public-url", "http://tokens.example.com"]);
    assert_eq!(http.status.code(), Some(2));
}

#[test]
fn metrics_stand_at_a_listener_of_their_own_and_name_nothing_that_was_sent() {
    let home = Home::new();
    let value = home.token("");
    let served = Served::at(&home, &["--metrics", "127.0.0.1:0"]);
    let mut wire = served.wire();
    wire.ask("GET", "/v1/whoami", &value, "");
    wire.ask("GET", "/secret-path", &value, "");

    let at = served.metrics.unwrap();
    let (status, text) = Wire::to(at).ask("GET", "/metrics", "", "");

    assert_eq!(status, 200);
    assert!(
        text.contains(r#"path="/v1/whoami",status="200"} 1"#),
        "{text}"
    );
    assert!(
        text.contains(r#"path="elsewhere",status="404"} 1"#),
        "{text}"
    );
    assert!(!text.contains("secret"));
    assert_eq!(wire.ask("GET", "/metrics", &value, "").0, 404);
}

#[test]
fn the_log_tells_of_every_request_but_of_checks_that_pass_only_if_asked() {
    for (log, told) in [(None, 0), (Some("keywright::http=debug"), 2)] {
        let home = Home::that_logs(log);
        let value = home.token("read:notes introspect:tokens");
        let served = Served::at(&home, &[]);
        let about = json!({ "token": value }).to_string();
        for (method, path, body, status) in [
            ("GET", "/v1/verify?scope=read:notes", "", 200),
            ("POST", "/v1/introspect", &*about, 200),
            ("GET", "/v1/verify?scope=write:notes", "", 403),
            ("GET", "/v1/whoami", "", 200),
        ] {
            assert_eq!(served.wire().ask(method, path, &value, body).0, status);
        }
        assert!(served.end().success());

        let (_, log) = home.said("err").pop().unwrap();
        let log = String::from_utf8(log).unwrap();
        let lines = |words: &[&str]| {
            let has_all = |line: &&str| words.iter().all(|word| line.contains(word));
            log.lines().filter(has_all).count()
        };
        assert_eq!(lines(&["path=\"/v1/whoami\"", "status=200"]), 1, "{log}");
        assert_eq!(lines(&["path=\"/v1/verify\"", "status=403"]), 1, "{log}");
        let passed = ["path=\"/v1/verify\"", "path=\"/v1/introspect\""];
        let passed = passed.map(|path| lines(&[path, "status=200"]));
        assert_eq!(passed.iter().sum::<usize>(), told, "{log}");
    }
}
