//! Cursors: each fits the very list that it was made for. An input is two lists, by fields, a line
//! each; a place; and what somebody gives in a cursor's stead.

use keywright::{
    crypto::digest::Fields,
    domain::page::{Cursor, Limit, NotACursor, Page},
};

pub fn look(data: &[u8]) {
    let mut lines = data.splitn(4, |b| *b == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (one, other, place, given) = (line(), line(), line(), line());
    let given = String::from_utf8_lossy(given);
    let place = place
        .iter()
        .fold(0u128, |place, b| place << 8 | u128::from(*b));
    let (here, there) = (list(one), list(other));

    let cursor = Cursor::after(&here, place);
    let text = cursor.as_str();
    assert_eq!(Cursor::given(text).place(&here), Ok(place));
    let elsewhere = Cursor::given(text).place(&there);
    if fields(one) == fields(other) {
        assert_eq!(elsewhere, Ok(place));
    } else {
        assert_eq!(elsewhere, Err(NotACursor), "{one:?} and {other:?}");
    }
    for stray in [
        &*given,
        &text[1..],
        &text.to_uppercase(),
        &format!("{text} "),
    ] {
        if let Ok(place) = Cursor::given(stray).place(&here) {
            assert_eq!(Cursor::after(&here, place).as_str(), stray);
        }
    }
    for at in 0..text.len() {
        let digit = if text.as_bytes()[at] == b'7' {
            "8"
        } else {
            "7"
        };
        let mut typed = text.to_owned();
        typed.replace_range(at..=at, digit);
        assert_eq!(Cursor::given(&typed).place(&here), Err(NotACursor));
    }
    pages(&here, place);
}

/// The fields of a line, which are cut apart by tabs. A list has the same kinds of fields whatever
/// stands in them, so they are all of one kind here: bytes that may be missing.
fn fields(line: &[u8]) -> Vec<Option<&[u8]>> {
    let fields = line.split(|b| *b == b'\t');
    fields
        .map(|field| if field == b"-" { None } else { Some(field) })
        .collect()
}

fn list(line: &[u8]) -> Fields {
    let fields = fields(line).into_iter();
    fields.fold(Fields::new("list"), |list, field| {
        list.maybe(field, Fields::bytes)
    })
}

/// Read page by page, a list tells every row once and ends.
fn pages(list: &Fields, place: u128) {
    let many = u32::try_from(place % 450).unwrap();
    let rows = i64::try_from(place % 200 + 1).unwrap();
    let limit = Limit::try_from(rows).unwrap();
    let (mut next, mut told) = (0, Vec::new());
    loop {
        let found: Vec<_> = (next..many).take(limit.and_one() as usize).collect();
        let page = Page::cut(found, limit, list, |row| u128::from(*row));
        assert!(page.rows.len() <= limit.rows() as usize);
        told.extend(page.rows);
        match page.next {
            None => break,
            Some(cursor) => next = u32::try_from(cursor.place(list).unwrap()).unwrap() + 1,
        }
    }
    assert_eq!(told, (0..many).collect::<Vec<_>>());
}
