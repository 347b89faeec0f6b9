//! What an MCP client sends: each line by itself, and all of them as a session.

use std::{collections::BTreeMap, time::Duration};

use keywright::mcp::{
    Conversation,
    fuzzing::{Read, Reader, has_doubled_key, session},
};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt as _, time::timeout};

use crate::house::House;

/// A session that was left ends at the latest after this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// The codes of JSON-RPC that stand in an answer which is not rmcp's.
const CODES: [i64; 3] = [-32700, -32600, -32602];

pub fn look(data: &[u8]) {
    House::with(|house| {
        let conversation = Conversation::with(house.server());
        let readers = [
            Reader::of_lines(&conversation),
            Reader::of_bodies(&conversation),
        ];
        for line in data.split(|b| *b == b'\n') {
            for reader in &readers {
                one(reader, line);
            }
        }
        all(house, data);
    });
}

/// What a line is, by the rule.
fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(line)
        .trim_ascii()
}

/// The same id as every client sees it: `1.0` is `1`.
fn number(id: &Value) -> Value {
    match id.as_f64() {
        Some(number) if id.is_f64() && number.fract() == 0.0 => json!(number as i64),
        Some(_) | None => id.clone(),
    }
}

fn one(reader: &Reader, whole: &[u8]) {
    let line = trimmed(whole);
    let json: Option<Value> = serde_json::from_slice(line).ok();
    let id = json.as_ref().and_then(|json| json.get("id"));
    match reader.read(whole) {
        Read::Message(read) => {
            let json = json.as_ref().expect("a message is JSON");
            assert_eq!(json["jsonrpc"], "2.0");
            if let Some(read) = read {
                assert!(json["method"].is_string());
                assert!(!has_doubled_key(line));
                let read: Value = serde_json::from_str(&read).unwrap();
                assert_eq!(Some(number(&read)), id.map(number));
            }
        }
        Read::Refused(answer) => {
            assert!(answer.len() < 1_000 + line.len());
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            assert_eq!(answer["jsonrpc"], "2.0");
            let code = answer["error"]["code"].as_i64().unwrap();
            assert!(CODES.contains(&code));
            let is_json = serde_json::from_slice::<IgnoredAny>(line).is_ok();
            assert!(!is_json || code != -32700 || json.is_none());
            assert_eq!(code == -32700, json.is_none());
            let answered = &answer["id"];
            assert!(
                answered.is_null() || Some(number(answered)) == id.map(number),
                "{answer} to {json:?}"
            );
            assert!(answer["error"]["message"].as_str().unwrap().len() < 300);
        }
        Read::Ignored => {
            let is_call = |json: &Value| {
                json.get("method").is_some() && json.get("id").is_some() && json.is_object()
            };
            assert!(line.is_empty() || json.is_some_and(|json| !is_call(&json)));
        }
    }
}

/// A session ends with its input, and answers nothing that was not asked.
fn all(house: &House, data: &[u8]) {
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    for line in data.split(|b| *b == b'\n') {
        let json: Option<Value> = serde_json::from_slice(trimmed(line)).ok();
        let id = json
            .as_ref()
            .and_then(|json| json.get("id"))
            .filter(|id| !id.is_null());
        // An id that is none may be answered with none.
        for id in [id, Some(&Value::Null)].into_iter().flatten() {
            *asked.entry(number(id).to_string()).or_default() += 1;
        }
    }
    let input = std::io::Cursor::new(data.to_vec());
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (mut heard, mut said) = (ours, Vec::new());
    let conversation = Conversation::with(house.server());
    let outcome = house.runtime.block_on(async {
        let spoken = async {
            let (outcome, read) = tokio::join!(
                session(conversation, Box::new(input), Box::new(theirs)),
                heard.read_to_end(&mut said),
            );
            read.unwrap();
            outcome
        };
        timeout(PATIENCE, spoken).await
    });
    // Whether the session opened is the client's affair.
    let _ = outcome.expect("a session ends with its input");
    for line in said.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        let answer: Value = serde_json::from_slice(line).expect("nothing but JSON is said");
        assert_eq!(answer["jsonrpc"], "2.0");
        let Some(id) = answer.get("id") else {
            continue;
        };
        assert!(
            answer.get("method").is_none(),
            "nobody is asked back here: {answer}"
        );
        assert!(answer.get("result").is_some() != answer.get("error").is_some());
        let left = asked
            .get_mut(&number(id).to_string())
            .filter(|left| **left > 0);
        *left.unwrap_or_else(|| panic!("{answer} was not asked for")) -= 1;
    }
}
