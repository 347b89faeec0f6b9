//! A statement that reads rows takes the permit that it reads them by.

use keywright::{
    domain::{id::TokenId, token::Token},
    store::{Error, View},
};

fn read(view: &mut View, id: TokenId) -> Result<Option<Token>, Error> {
    view.token(id)
}

fn main() {}
