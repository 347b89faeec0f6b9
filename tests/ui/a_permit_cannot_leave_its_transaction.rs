//! A permit borrows the principal, which ends with its transaction.

use keywright::{
    authz::{self, Action, Permit, Request},
    domain::{clock::Time, token::Whose},
    store::{Error, Refused, Store, Tx},
};

async fn keep(store: &Store, request: Request, now: Time) -> Result<Permit<'static>, Error> {
    store
        .write(move |_: &mut Tx| {
            let who = authz::recognize(&request, authz::Found::Nothing, now).unwrap();
            let permit = authz::decide(&who, Action::CheckStore, Whose::System).unwrap();
            Ok::<_, Refused<Error>>(permit)
        })
        .await
}

fn main() {}
