//! The parts of `bench/run` that have to be of the same make as Keywright: a handler that only
//! answers 200, a store of many tokens, and how its bytes are spent.
//!
//! `bench/run` builds and calls it; nobody else needs to.

#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for another program to call"
)]

#[path = "../benches/support/mod.rs"]
mod support;

use std::{
    io::{BufWriter, Write as _},
    path::Path,
};

use axum::{Router, http::StatusCode};
use keywright::authority::Delivered;
use rusqlite::{Connection, OpenFlags};

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    match asked[..] {
        ["bare"] => bare(),
        ["seed", store, count, every] => {
            seed(
                store.as_ref(),
                count.parse().unwrap(),
                every.parse().unwrap(),
            );
        }
        ["bytes", store] => bytes(store.as_ref()),
        _ => {
            eprintln!("usage: parts bare | seed STORE COUNT EVERY | bytes STORE");
            std::process::exit(2);
        }
    }
}

/// Answers 200 to everything, on one thread, as `keywright serve` runs on one.
fn bare() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        eprintln!("serving http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(async || StatusCode::OK);
        axum::serve(listener, router).await.unwrap();
    });
}

/// Says `id value` of every `every`th token that it makes.
fn seed(store: &Path, count: u32, every: usize) {
    let mut lines = BufWriter::new(std::io::stdout().lock());
    let mut made = 0;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(support::seed_telling(store, count, |minted| {
        if made % every == 0
            && let Delivered::Value(value) = &minted.delivered
        {
            writeln!(lines, "{} {}", minted.token.id, value.expose()).unwrap();
        }
        made += 1;
    }));
    lines.flush().unwrap();
}

/// Says how many tokens there are, and how many bytes the audit trail takes and everything else.
fn bytes(store: &Path) {
    let connection = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let one = |query: &str| -> i64 { connection.query_row(query, [], |row| row.get(0)).unwrap() };
    let tokens = one("select count(*) from tokens");
    let pages = "select coalesce(sum(pgsize), 0) from dbstat where aggregate = true and name";
    let trail = "(select name from sqlite_schema where tbl_name like 'audit%')";
    let audit = one(&format!("{pages} in {trail}"));
    let others = one(&format!("{pages} not in {trail}"));
    println!("{tokens} {audit} {others}");
}
