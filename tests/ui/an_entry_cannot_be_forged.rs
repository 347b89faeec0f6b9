//! Only a permit makes an entry.

use std::marker::PhantomData;

use keywright::authz::{Entry, Record};

fn forge(record: Record) -> Entry<'static> {
    Entry {
        record,
        permit: PhantomData,
    }
}

fn main() {}
