//! A store that is out of reach is never taken for a bad token.

use rusqlite::Connection;
use serde_json::json;

use super::served::{Served, json};
use crate::{mcp::process::Home, support::TestApp};

const MANAGES: &str = "read:tokens write:tokens introspect:tokens";

#[tokio::test]
async fn a_store_that_is_damaged_is_unavailable_and_nobody_is_challenged() {
    let app = TestApp::new().await;
    let ann = app.client().with(&app.agent_holding(MANAGES).await.value);
    app.database()
        .execute_batch("drop table token_values")
        .unwrap();

    for (method, path) in [
        ("GET", "/v1/whoami"),
        ("GET", "/v1/verify"),
        ("GET", "/v1/tokens"),
        ("POST", "/v1/introspect"),
        ("POST", "/v1/tokens"),
    ] {
        let answer = match method {
            "GET" => ann.get(path).await,
            _ => ann.post(path, json!({ "label": "x" })).await,
        };

        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (503, "unavailable")
        );
        assert_eq!(answer.header("retry-after"), "1");
        assert_eq!(answer.header("www-authenticate"), "");
    }
}

#[test]
fn slow_a_store_that_another_holds_is_unavailable_and_nothing_is_lost() {
    let home = Home::new();
    let value = home.token(MANAGES);
    let served = Served::at(&home, &[]);
    let mut wire = served.wire();
    let holder = Connection::open(home.store()).unwrap();
    holder.execute_batch("begin immediate").unwrap();
    let body = json!({ "label": "x" }).to_string();

    let read = wire.ask("GET", "/v1/verify", &value, "");
    let (status, told) = wire.ask("POST", "/v1/tokens", &value, &body);
    holder.execute_batch("rollback").unwrap();
    let (after, _) = wire.ask("POST", "/v1/tokens", &value, &body);

    assert_eq!(read.0, 200);
    assert_eq!(
        (status, json(&told)["code"].as_str()),
        (503, Some("unavailable"))
    );
    assert_eq!(after, 201);
}

#[test]
fn a_full_disk_is_told_and_what_was_acknowledged_stays() {
    let has_prlimit = std::process::Command::new("prlimit")
        .arg("--version")
        .output()
        .is_ok();
    if !has_prlimit {
        crate::cli::refusals::skipped(
            "there is no `prlimit` here to give a process more room again",
        );
        return;
    }
    let home = Home::new();
    let value = home.token(MANAGES);
    let served = Served::with_file_limit(&home, 512_000);
    let mut wire = served.wire();
    let body = json!({ "label": "夜".repeat(200) }).to_string();

    let mut made = 0;
    let told = loop {
        match wire.ask("POST", "/v1/tokens", &value, &body) {
            (201, _) => made += 1,
            refused => break refused,
        }
        assert!(made < 1000, "the disk was never full");
    };
    let reads = wire.ask("GET", "/v1/verify", &value, "").0;
    served.file_limit("unlimited");
    let after = wire.ask("POST", "/v1/tokens", &value, &body).0;

    assert_eq!(
        (told.0, json(&told.1)["code"].as_str()),
        (503, Some("unavailable"))
    );
    assert_eq!((reads, after), (200, 201));
    let rows: i64 = Connection::open(home.store())
        .unwrap()
        .query_row(
            "select count(*) from tokens where label like '夜%'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(
        rows,
        made + 1,
        "what was answered is there, and nothing else"
    );
    drop(served);
    home.is_sound();
}
