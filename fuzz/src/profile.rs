//! Profiles: the file of one, and, where nothing is wrong in it, every route that it makes.

use axum::{
    body::Body,
    http::{Request, header},
};
use keywright::{
    domain::text::is_unseen,
    http::{Profile, Profiles},
};
use serde_json::{Map, Value};
use toml_edit::{Document, Item, TableLike};

use crate::house::House;

const FILE: &str = "acme.toml";

pub fn look(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    match Profile::read(FILE, text) {
        Err(why) => told(text, &why.to_string()),
        Ok(profile) => House::with(|house| played(house, text, profile)),
    }
}

/// A mistake is told where it stands, and says what mends it.
fn told(text: &str, why: &str) {
    assert!(!why.contains(is_unseen), "{why:?}");
    let mut parts = why.splitn(4, ':');
    assert_eq!(parts.next(), Some(FILE), "{why}");
    let mut number = || parts.next().and_then(|part| part.parse::<usize>().ok());
    let (Some(line), Some(column)) = (number(), number()) else {
        panic!("no place in {why:?}");
    };
    let lines: Vec<_> = text.split('\n').collect();
    assert!((1..=lines.len()).contains(&line), "{why}");
    let longest = lines[line - 1].chars().count() + 1;
    assert!((1..=longest).contains(&column), "{why}: {longest}");
    assert!(why.contains("; "), "{why}");
}

fn played(house: &House, text: &str, profile: Profile) {
    let _ = (profile.name(), profile.is_privileged());
    let profiles = Profiles::of(vec![profile]).expect("one is in nobody's way");
    let router = house.playing(profiles);
    let document = Document::parse(text).unwrap();
    let Some(routes) = document.get("route").and_then(Item::as_array_of_tables) else {
        panic!("a profile without routes was read");
    };
    for route in routes.iter().take(8) {
        let of = |key: &str| route.get(key).and_then(Item::as_str).unwrap();
        let id = "019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001";
        let path = of("path").replace("{id}", id);
        let given = |key: &str| {
            let names = route.get(key).and_then(Item::as_table_like);
            let names = names.into_iter().flat_map(TableLike::iter);
            names
                .map(|(name, _)| (name.to_owned(), Value::from("12h")))
                .collect::<Map<_, _>>()
        };
        for value in [Some(&house.value), None] {
            for body in [Value::Object(given("body")).to_string(), String::new()] {
                let mut request = Request::builder()
                    .method(of("method"))
                    .uri(&path)
                    .header(header::HOST, "localhost:8484")
                    .header(header::CONTENT_TYPE, "application/json");
                if let Some(value) = value {
                    request = request.header(header::AUTHORIZATION, format!("Bearer {value}"));
                }
                let request = request.body(Body::from(body)).unwrap();
                let answer = house.send_to(&router, request);

                let status = answer.status.as_u16();
                assert!((200..=499).contains(&status), "{answer:?}");
                let told = answer.text.expect("a profile has no streams");
                if !told.is_empty() {
                    let read: Result<Value, _> = serde_json::from_str(&told);
                    assert!(read.is_ok(), "{told}");
                }
                assert!(value.is_some() || status >= 400, "{told}");
            }
        }
    }
}
