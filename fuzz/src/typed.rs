//! What is typed in one word: expiries, moments, durations, claim codes, idempotency keys, ids,
//! actors, and addresses.

use std::{fmt::Display, str::FromStr};

use keywright::{
    domain::{
        actor::Actor,
        claim::ClaimCode,
        clock,
        expires::{Expires, Since, duration},
        id::{AccountId, TokenId},
        idempotency::IdempotencyKey,
        sighting,
    },
    http::PublicUrl,
    wire::time::rfc3339,
};

/// The last moment that RFC 3339 has a word for.
const LAST: i64 = 253_402_300_799_999;

pub fn look(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    expiry(text);
    code(text);
    if let Ok(key) = text.parse::<IdempotencyKey>() {
        assert_eq!(key.as_str(), text);
        assert!((1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()));
        assert!(!sighting::holds_value(text));
    }
    one_spelling::<TokenId>(text);
    one_spelling::<AccountId>(text);
    one_spelling::<Actor>(text);
    if let Ok(url) = text.parse::<PublicUrl>() {
        let written = url.to_string();
        assert!(written.starts_with("https://"), "{text:?}");
        assert_eq!(written.parse::<PublicUrl>().unwrap().to_string(), written);
    }
}

fn one_spelling<T: FromStr + Display>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string(), text);
    }
}

fn expiry(text: &str) {
    let now = clock::from_millis(1_800_000_000_000);
    if let Ok(asked) = text.parse::<Expires>()
        && let Ok(end) = asked.resolve(now)
    {
        assert_eq!(end.is_none(), text.trim() == "never");
        if let Some(end) = end {
            assert!(end > now && end.timestamp_millis() <= LAST);
            let written = rfc3339(end);
            let again = written.parse::<Expires>().unwrap().resolve(now).unwrap();
            assert_eq!(again, Some(end), "{text:?} is {written}");
        }
    }
    if let Ok(long) = duration(text) {
        assert!(long >= chrono::Duration::zero());
        assert!(matches!(text.parse(), Ok(Since::Ago(ago)) if ago == long));
    }
    if let Ok(since) = text.parse::<Since>() {
        let then = since.resolve(now);
        if let Since::Ago(_) = since {
            assert!(then <= now);
        }
    }
}

fn code(text: &str) {
    let Ok(code) = text.parse::<ClaimCode>() else {
        return;
    };
    let shown = code.expose();
    assert_eq!(shown.len(), 14);
    let again: ClaimCode = shown.parse().unwrap();
    assert!(again.hashed() == code.hashed());
    assert_eq!(again.expose(), shown);
    let shouted: ClaimCode = text.to_ascii_uppercase().parse().unwrap();
    assert!(shouted.hashed() == code.hashed());
    // One wrong digit is another code.
    for at in (0..shown.len()).filter(|at| shown.as_bytes()[*at] != b'-') {
        let digit = if shown.as_bytes()[at] == b'7' {
            "8"
        } else {
            "7"
        };
        let mut other = shown.clone();
        other.replace_range(at..=at, digit);
        assert!(other.parse::<ClaimCode>().unwrap().hashed() != code.hashed());
    }
}
