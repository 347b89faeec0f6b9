//! A statement that writes takes the entry that tells of it.

use keywright::{
    domain::token::Token,
    store::{Error, Tx},
};

fn write(tx: &mut Tx, token: &Token) -> Result<(), Error> {
    tx.insert_token(token)
}

fn main() {}
