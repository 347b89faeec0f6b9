//! [`Ledger`]: what a store has acknowledged, and how a store that is found later falls short of it.

use std::path::Path;

use keywright::{
    authority::{Authority, ClaimRef, Error},
    authz::{Credential, Request},
    domain::{account::Slug, audit::Front, claim::ClaimCode, clock::Clock, credential::Brand},
    store::{Durability, Options, Sqlite, Store},
    vault::Vault,
};

use crate::support::{TestSink, bearer};

/// How a token was left by an acknowledged answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum State {
    /// This value is good.
    Good(String),
    /// Its value waits to be picked up with this code.
    Waits(String),
    /// It was revoked.
    Ended,
}

/// What became of one token, in its order.
#[derive(Clone, Debug, Default)]
pub(super) struct Life(pub(super) Vec<(usize, State)>);

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger(pub(super) Vec<Life>);

impl Ledger {
    /// What the store in `folder` lacks of what was acknowledged before `moment`. What was under way
    /// then may have happened or not.
    pub(super) async fn missing(&self, folder: &Path, moment: usize) -> Vec<String> {
        let options = Options {
            create: false,
            durability: Durability::Off,
        };
        let is_empty = self.0.iter().all(|life| life.acknowledged(moment) == 0);
        let engine = match Sqlite::open(&folder.join("store.db"), options) {
            Ok(engine) => engine,
            Err(_) if is_empty => return Vec::new(),
            Err(error) => return vec![format!("it does not open: {error}")],
        };
        let vault = Vault::at(folder.join("vault.key"));
        let house = Authority::new(
            Store::Sqlite(engine),
            vault,
            Clock::System,
            Brand::default(),
        );
        let mut missing = sound(&house).await;
        for life in &self.0 {
            missing.extend(life.missing(&house, moment).await);
        }
        drop(house.close().await);
        missing
    }
}

/// What its own checks find wrong.
async fn sound(house: &Authority) -> Vec<String> {
    let mut wrong = Vec::new();
    match house.check_store(&shell()).await {
        Ok(checked) => wrong.extend(checked.damage.into_iter().chain(checked.key)),
        Err(error) => wrong.push(format!("it cannot be checked: {error}")),
    }
    match house.verify_audit(&shell(), Vec::new()).await {
        Ok(verified) => wrong.extend(verified.faults.iter().map(ToString::to_string)),
        Err(error) => wrong.push(format!("its trail cannot be read: {error}")),
    }
    wrong
}

impl Life {
    fn acknowledged(&self, moment: usize) -> usize {
        self.0.iter().filter(|(at, _)| *at < moment).count()
    }

    async fn missing(&self, house: &Authority, moment: usize) -> Vec<String> {
        let known = self.acknowledged(moment);
        let mut missing = Vec::new();
        let Some(now) = known.checked_sub(1) else {
            return missing;
        };
        let (_, state) = &self.0[now];
        let next = self.0.get(known).map(|(_, state)| state);
        for (_, before) in &self.0[..now] {
            if let State::Good(value) = before
                && is_good(house, value).await
            {
                missing.push(format!(
                    "step {now}: a value that was replaced or ended is good"
                ));
            }
            if let State::Waits(code) = before
                && claims(house, code).await
            {
                missing.push(format!("step {now}: a claim was paid twice"));
            }
        }
        match (state, next) {
            (State::Good(value), None) if !is_good(house, value).await => {
                missing.push(format!("step {now}: a value is not good"));
            }
            // A claim that was under way may have been paid, and to nobody.
            (State::Waits(code), None) if !claims(house, code).await => {
                missing.push(format!("step {now}: a claim cannot be picked up"));
            }
            (State::Good(_) | State::Waits(_) | State::Ended, _) => {}
        }
        missing
    }
}

/// What a person at the shell asks with, here.
fn shell() -> Request {
    let credential = Credential::Operator {
        uid: nix::unistd::geteuid().as_raw(),
        account: Slug::default(),
    };
    Request::new(credential, Front::Cli)
}

async fn is_good(house: &Authority, value: &str) -> bool {
    match house.whoami(&bearer(value)).await {
        Ok(_) => true,
        Err(Error::Unauthenticated) => false,
        Err(other) => panic!("{other}"),
    }
}

async fn claims(house: &Authority, code: &str) -> bool {
    let code: ClaimCode = code.parse().unwrap();
    let mut sink = TestSink::default();
    let claim = ClaimRef::Code(code.hashed());
    house.claim_token(&shell(), claim, &mut sink).await.is_ok()
}
