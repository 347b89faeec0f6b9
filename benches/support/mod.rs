//! A store with many tokens in it.

use std::path::Path;

use keywright::{
    authority::{Authority, Deliver, FirstUser, For, Minted, NewToken},
    authz::{Credential, Request},
    domain::{audit::Front, clock::Clock, credential::Brand, label::Label, scope::Scopes},
    store::{Durability, Options, Sqlite, Store},
    vault::Vault,
};

/// Makes a store the way that anyone does, but for the durability of it.
#[allow(dead_code, reason = "one of the programs is told of each token")]
pub(crate) async fn seed(path: &Path, tokens: u32) {
    seed_telling(path, tokens, |_| ()).await;
}

/// The same; `told` of each token, in no order.
pub(crate) async fn seed_telling(path: &Path, tokens: u32, mut told: impl FnMut(&Minted)) {
    let options = Options {
        create: true,
        durability: Durability::Off,
    };
    let store = Store::Sqlite(Sqlite::open(path, options).unwrap());
    let vault = Vault::at(path.with_file_name("vault.key"));
    let authority = Authority::new(store, vault, Clock::System, Brand::default());
    let request = |credential| Request::new(credential, Front::Cli);
    let first = FirstUser {
        username: "bench".parse().unwrap(),
        uid: nix::unistd::geteuid().as_raw(),
    };
    authority
        .found_store(&request(Credential::Keywright), first)
        .await
        .unwrap();
    let operator = request(Credential::Operator {
        uid: nix::unistd::geteuid().as_raw(),
        account: "default".parse().unwrap(),
    });
    let mut left = tokens;
    while left > 0 {
        let mut verbs = tokio::task::JoinSet::new();
        for n in 0..left.min(256) {
            let (authority, operator) = (authority.clone(), operator.clone());
            let new = NewToken {
                owner: For::Me,
                label: Label::parse(&format!("agent {n}")).unwrap(),
                scopes: Scopes::parse(["read:notes", "write:notes"]).unwrap(),
                expires: None,
                deliver: Deliver::Inline,
                idempotency_key: None,
            };
            verbs.spawn(async move { authority.create_token(&operator, new).await });
        }
        left -= u32::try_from(verbs.len()).unwrap();
        for minted in verbs.join_all().await {
            told(&minted.unwrap());
        }
    }
    authority.close().await.unwrap();
}
