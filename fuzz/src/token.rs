//! Values of tokens: what is one, what only looks like one, and that none is left standing in words
//! that repeat what was sent.

use keywright::{
    cli::fuzzing::scanned,
    crypto::checksum::crc32,
    domain::{
        credential::{self, PlainToken, is_malformed, is_value},
        shape::{CHANCE, Shape},
        sighting,
    },
};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How long a value is behind its brand.
const BEHIND_BRAND: usize = "_pat_".len() + 43 + 6;

pub fn look(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data) {
        looked_for(text);
        hidden(text);
        shaped(text);
        if is_value(text) {
            one_wrong_character(text);
        }
    }
    if let [kind, brand, digits @ ..] = data {
        one_wrong_character(&made(*kind, *brand, digits));
    }
    scan(data);
}

/// A value by the rule as it is told to others, with digits of the input.
fn made(kind: u8, brand: u8, digits: &[u8]) -> String {
    let kind = if kind.is_multiple_of(2) { "pat" } else { "cli" };
    let brand = &"kwacme0123456789"[..1 + usize::from(brand % 16)];
    let digits = digits.iter().copied().chain(std::iter::repeat(0)).take(43);
    let digits: String = digits
        .map(|b| char::from(DIGITS[usize::from(b % 62)]))
        .collect();
    let body = format!("{brand}_{kind}_{digits}");
    let mut check = crc32(body.as_bytes());
    let mut told = [b'0'; 6];
    for place in told.iter_mut().rev() {
        *place = DIGITS[(check % 62) as usize];
        check /= 62;
    }
    let value = body + str::from_utf8(&told).unwrap();
    assert!(is_value(&value), "{value}");
    value
}

fn one_wrong_character(value: &str) {
    let (brand, _) = value.split_once('_').unwrap();
    assert_eq!(value.len(), brand.len() + BEHIND_BRAND);
    assert!(!is_malformed(value));
    for at in 0..value.len() {
        let mut typed = value.as_bytes().to_vec();
        for by in [b'0', b'a', b'Z', b'_', typed[at] ^ 1] {
            typed[at] = by;
            let typed = str::from_utf8(&typed).unwrap();
            assert!(typed == value || !is_value(typed), "{typed}");
        }
        // Two that changed their places.
        let mut typed = value.as_bytes().to_vec();
        typed.swap(at, at.saturating_sub(1));
        let typed = str::from_utf8(&typed).unwrap();
        assert!(typed == value || !is_value(typed), "{typed}");
    }
}

/// Everywhere in `text` where a value stands, found the slow way.
fn genuine(text: &str) -> Vec<usize> {
    let stands = |at: usize| {
        (1..=16).any(|brand| {
            text.get(at..at + brand + BEHIND_BRAND)
                .is_some_and(is_value)
        })
    };
    (0..text.len()).filter(|at| stands(*at)).collect()
}

fn looked_for(text: &str) {
    let seen: Vec<_> = sighting::values_in(text).collect();
    for seen in &seen {
        let rest = &text[seen.at..];
        assert!(rest.starts_with(seen.prefix.as_str()));
    }
    let found: Vec<_> = seen.iter().filter(|seen| seen.is_genuine).collect();
    let slow = genuine(text);
    assert_eq!(found.is_empty(), slow.is_empty(), "{text:?}");
    assert!(found.iter().all(|seen| slow.contains(&seen.at)));
    assert_eq!(sighting::holds_value(text), !slow.is_empty());
}

fn hidden(text: &str) {
    let shown = credential::without_values(text);
    assert!(genuine(&shown).is_empty(), "{text:?} became {shown:?}");
    assert!(sighting::values_in(&shown).next().is_none(), "{shown:?}");
    let again = credential::without_values(&shown);
    assert_eq!(again, shown);
}

fn shaped(text: &str) {
    let Ok(shape) = text.parse::<Shape>() else {
        return;
    };
    assert_eq!(shape.to_string(), text);
    for chance in [[0; CHANCE], [77; CHANCE], [239; CHANCE]] {
        let value = PlainToken::shaped(&shape, &chance);
        assert!(!is_malformed(value.expose()), "{}", value.expose());
        assert!(!is_value(value.expose()));
        assert!(shape.stands_in(&format!("é{}é", value.expose())));
    }
}

/// What is found in a file does not depend on the pieces in which it comes.
fn scan(data: &[u8]) {
    let Some((piece, text)) = data.split_first() else {
        return;
    };
    let mut wanted = Vec::new();
    for (line, bytes) in text.split(|b| *b == b'\n').enumerate() {
        let ascii: String = bytes
            .iter()
            .map(|b| if b.is_ascii() { char::from(*b) } else { ' ' })
            .collect();
        let seen = sighting::values_in(&ascii);
        wanted.extend(seen.map(|seen| (line + 1, seen.at + 1, seen.is_genuine)));
    }
    let found = scanned(text, 1 + usize::from(*piece)).unwrap();
    assert_eq!(found, wanted);
}
