//! [`Limit`] and [`Cursor`]: how a long list is read in pieces.

use crate::crypto::digest::{self, Fields};

/// How many rows a page has at most: 1 to 200.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limit(u32);

/// The number is no limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a whole number from 1 to 200")]
pub struct NotALimit;

/// Where the next page begins: after one row of one list. It holds no right; it only fits the list
/// that it was made for, so that a stray one is noticed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cursor(String);

/// The text is no cursor of this list.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it is not a `next_cursor` of this list")]
pub struct NotACursor;

/// What a page of rows came to.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page begins, if there is more.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// A page of `limit` rows out of `rows`, which are one more if there is more of `list`; `place`
    /// tells where in it a row stands.
    pub fn cut(mut rows: Vec<T>, limit: Limit, list: &Fields, place: impl Fn(&T) -> u128) -> Self {
        let wanted = limit.0 as usize;
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let end = rows.last().filter(|_| more);
        let next = end.map(|row| Cursor::after(list, place(row)));
        Self { rows, next }
    }
}

impl Limit {
    /// The first row alone.
    pub const ONE: Self = Self(1);

    /// As many as a page can have.
    pub const MOST: Self = Self(200);

    /// The number of rows.
    pub fn rows(self) -> u32 {
        self.0
    }

    /// One row more, which tells whether there is more.
    pub fn and_one(self) -> u32 {
        self.0 + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl TryFrom<i64> for Limit {
    type Error = NotALimit;

    fn try_from(rows: i64) -> Result<Self, NotALimit> {
        match u32::try_from(rows) {
            Ok(rows) if (Self::ONE.0..=Self::MOST.0).contains(&rows) => Ok(Self(rows)),
            Ok(_) | Err(_) => Err(NotALimit),
        }
    }
}

impl Cursor {
    /// The cursor as someone gave it. It is looked at when its list is known.
    pub fn given(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The cursor behind the row at `place` of the list that `list` describes.
    pub fn after(list: &Fields, place: u128) -> Self {
        let check = check(list, place);
        Self(format!("{place:032x}{check:016x}"))
    }

    /// The place that it stands behind, if it is a cursor of the list that `list` describes.
    pub fn place(&self, list: &Fields) -> Result<u128, NotACursor> {
        let text = &self.0;
        if text.len() != 48 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(NotACursor);
        }
        let (place, found) = text.split_at(32);
        let place = u128::from_str_radix(place, 16).map_err(|_| NotACursor)?;
        let found = u64::from_str_radix(found, 16).map_err(|_| NotACursor)?;
        if digest::equal(&found.to_be_bytes(), &check(list, place).to_be_bytes()) {
            Ok(place)
        } else {
            Err(NotACursor)
        }
    }

    /// The cursor as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(list: &Fields, place: u128) -> u64 {
    let digest = list.clone().bytes(&place.to_be_bytes()).finish();
    let mut check = [0; 8];
    check.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(check)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_limit_is_1_to_200() {
        for rows in [1, 200] {
            assert_eq!(Limit::try_from(rows).map(|l| i64::from(l.rows())), Ok(rows));
        }
        for rows in [-1, 0, 201, i64::MAX] {
            assert_eq!(Limit::try_from(rows), Err(NotALimit));
        }
    }

    #[test]
    fn a_cursor_fits_its_own_list_alone() {
        let (mine, yours) = (Fields::new("mine"), Fields::new("yours"));
        let cursor = Cursor::after(&mine, 42);
        assert_eq!(cursor.place(&mine), Ok(42));
        assert_eq!(cursor.place(&yours), Err(NotACursor));
    }

    proptest! {
        #[test]
        fn every_place_reads_back(place: u128) {
            let list = Fields::new("list");
            let cursor = Cursor::given(Cursor::after(&list, place).as_str());
            prop_assert_eq!(cursor.place(&list), Ok(place));
        }

        #[test]
        fn garbage_is_no_cursor(text in "(?s).{0,60}") {
            prop_assert_eq!(Cursor::given(&text).place(&Fields::new("list")), Err(NotACursor));
        }
    }
}
