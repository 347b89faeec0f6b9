//! A transaction that looks has no statement that writes.

use keywright::{
    authz::Entry,
    domain::token::Token,
    store::{Error, View, WriteTokens as _},
};

fn write(view: &mut View, token: &Token, entry: &Entry<'_>) -> Result<(), Error> {
    view.insert_token(token, entry)
}

fn main() {}
