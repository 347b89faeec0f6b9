//! Whether the time of a refusal tells why: `cargo bench --bench timing`. Values that nobody has ever
//! had, revoked ones and expired ones are presented in turn, 10,000 times each. The first kind is
//! presented twice over: how far its two medians are apart is the noise of this machine.
//!
//! A look-up that does not find the value reads the row that is next to it, so that all of them should
//! be as far apart as the first two are.

#![allow(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for people to watch"
)]

use std::{
    fs,
    os::unix::fs::DirBuilderExt as _,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use keywright::{
    authority::{Authority, Deliver, Delivered, Error, FirstUser, For, Minted, NewToken, Revoke},
    authz::{Credential, Request},
    domain::{
        audit::Front,
        clock::{Clock, from_millis},
        credential::{Brand, PlainToken},
        expires::Expires,
        id::RequestId,
        label::Label,
        scope::Scopes,
        token::Kind,
    },
    store::{Durability, Options, Sqlite, Store},
    vault::Vault,
};

const ROUNDS: usize = 10_000;
const KINDS: [&str; 4] = ["unknown", "unknown, again", "revoked", "expired"];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = std::env::temp_dir().join(format!("keywright-bench-{}", RequestId::fresh()));
    fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
    let options = Options {
        create: true,
        durability: Durability::Off,
    };
    let store = Store::Sqlite(Sqlite::open(&folder.join("store.db"), options).unwrap());
    let clock = Clock::fixed(from_millis(1_800_000_000_000));
    let vault = Vault::at(folder.join("vault.key"));
    let authority = Authority::new(store, vault, clock.clone(), Brand::default());
    let first = FirstUser {
        username: "bench".parse().unwrap(),
        uid: 1000,
    };
    let house = Request::new(Credential::Keywright, Front::Cli);
    authority.found_store(&house, first).await.unwrap();

    let unknown = || {
        PlainToken::generate(&Brand::default(), Kind::Pat)
            .expose()
            .to_owned()
    };
    let values = [
        unknown(),
        unknown(),
        revoked(&authority).await,
        value(&made(&authority).await),
    ];
    // A store with one token has no index to speak of.
    for _ in 0..2_000 {
        made(&authority).await;
    }
    clock.advance(TimeDelta::hours(2));

    let mut times: [Vec<Duration>; 4] = Default::default();
    for round in 0..ROUNDS {
        for turn in 0..values.len() {
            // No kind is always behind the same other one.
            let kind = (round + turn * (1 + 2 * (round % 2))) % values.len();
            let presented = Request::new(Credential::bearer(&values[kind], None), Front::Http);
            let begun = Instant::now();
            let refused = authority.whoami(&presented).await;
            times[kind].push(begun.elapsed());
            assert!(matches!(refused, Err(Error::Unauthenticated)));
        }
    }
    authority.close().await.unwrap();
    fs::remove_dir_all(&folder).unwrap();

    let medians = times.map(|mut times| {
        times.sort_unstable();
        times[ROUNDS / 2]
    });
    for (kind, median) in KINDS.iter().zip(medians) {
        let ratio = median.as_secs_f64() / medians[0].as_secs_f64();
        println!("{kind:16} p50 {median:.2?}   {ratio:.3} of the first");
    }
}

fn operator() -> Request {
    let credential = Credential::Operator {
        uid: 1000,
        account: "default".parse().unwrap(),
    };
    Request::new(credential, Front::Cli)
}

async fn made(authority: &Authority) -> Minted {
    let new = NewToken {
        owner: For::Me,
        label: Label::parse("agent").unwrap(),
        scopes: Scopes::parse(["read:notes"]).unwrap(),
        expires: Some(Expires::After(TimeDelta::hours(1))),
        deliver: Deliver::Inline,
        idempotency_key: None,
    };
    authority.create_token(&operator(), new).await.unwrap()
}

fn value(minted: &Minted) -> String {
    let Delivered::Value(value) = &minted.delivered else {
        unreachable!("it was asked for inline");
    };
    value.expose().to_owned()
}

async fn revoked(authority: &Authority) -> String {
    let minted = made(authority).await;
    let revoke = Revoke::typed(minted.token.id);
    authority.revoke_token(&operator(), revoke).await.unwrap();
    value(&minted)
}
