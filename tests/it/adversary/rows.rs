//! Tampering with rows: whoever may write the store's file edits it, by SQL or byte for byte. What
//! is done is found, and the bad row is named; some of it does not even work.

use std::fs;

use keywright::{
    authority::For,
    domain::{credential::HashedToken, id::TokenId},
};

use crate::support::{Agent, TestApp, env_named, operator};

/// A store with two agents of ann's in it.
async fn lived_in() -> (TestApp, Agent, Agent) {
    let app = TestApp::new().await;
    let narrow = app.agent(["read:tokens"]).await;
    let wide = app.agent(["read:tokens", "read:secrets"]).await;
    (app, narrow, wide)
}

fn changed(id: TokenId) -> String {
    format!("token:{id} is not as the last entry about it left it")
}

#[tokio::test]
async fn an_entry_that_nobody_can_read_is_named_and_hides_nothing() {
    for change in [
        "actor = 'somebody'",
        "front = 'x'",
        "target_kind = 'x'",
        "digest = x'00'",
        "request_id = x'00'",
        "user_id = x'00'",
    ] {
        let (app, narrow, _) = lived_in().await;
        app.attack(&format!(
            "update audit set {change} where sequence = 3 and chain != zeroblob(16);
            update tokens set scopes = 'not a scope' where id = x'{}'",
            hex(&narrow.id.to_bytes())
        ));

        let faults = app.faults().await;

        let named = "entry 3 was altered, or what stood before it".to_owned();
        assert_eq!(faults.first(), Some(&named), "{change}: {faults:?}");
        assert!(faults.contains(&changed(narrow.id)), "{change}: {faults:?}");
    }
}

#[tokio::test]
async fn an_account_that_nobody_can_read_is_named() {
    let (app, ..) = lived_in().await;
    app.attack("update accounts set slug = 'No Slug'");

    let faults = app.faults().await;

    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("account:"), "{faults:?}");
}

/// The head is as it was before, so that one that was kept elsewhere would tell nobody.
#[tokio::test]
async fn an_entry_before_the_first_tells_of_nothing() {
    for place in ["-1", "0", "-9223372036854775808"] {
        let (app, _, wide) = lived_in().await;
        app.attack(&format!(
            "create temp table last as select chain, sequence from audit_heads
                where chain != zeroblob(16);
            update audit set sequence = {place} where (chain, sequence) in last;
            update audit_heads set sequence = sequence - 1, hash = (select hash from audit a
                where a.chain = audit_heads.chain and a.sequence = audit_heads.sequence - 1)
                where chain != zeroblob(16)"
        ));
        assert!(app.is_good(&wide.value).await);

        let faults = app.faults().await;

        let wanted = [
            format!("entry {place} stands before the first"),
            format!("token:{} is there, and no entry tells of it", wide.id),
        ];
        assert_eq!(faults, wanted);
    }
}

#[tokio::test]
async fn a_trigger_undoes_no_revocation_and_hides_behind_no_name() {
    for name in ["quiet", "sqlite_stat1", "sqlite_stat9"] {
        let (app, narrow, _) = lived_in().await;
        let trigger = format!(
            "create trigger {name} after update of revoked_at on tokens
                when new.revoked_at is not null
                begin update tokens set revoked_at = null where id = new.id; end"
        );
        let database = app.database();
        database
            .pragma_update(None, "writable_schema", true)
            .unwrap();
        let row = "insert into sqlite_schema values ('trigger', ?1, 'tokens', 0, ?2)";
        database.execute(row, [name, &trigger]).unwrap();
        drop(database);
        let app = app.restarted().await;

        app.revoke(narrow.id).await;

        assert!(!app.is_good(&narrow.value).await, "{name}");
        let fault = "the tables, indexes and triggers are not those that keywright makes";
        assert_eq!(app.faults().await, [fault], "{name}");
    }
}

/// The index holds half of each print, and a look-up compares the whole: one that leads from a
/// stranger's print to somebody's token makes nobody of the stranger, and is found.
#[tokio::test]
async fn an_index_that_leads_from_another_value_is_found() {
    let (app, _, wide) = lived_in().await;
    let path = app.key_path().with_file_name("store.db");
    let app = app.restarted().await;
    app.authority.close().await.unwrap();
    let own = *HashedToken::of(&wide.value).as_bytes();
    let forged = beside(&app, own);
    let bytes = fs::read(&path).unwrap();
    let places = places(&bytes, &own[..16]);
    assert_eq!(places.len(), 2, "in the table and in its index");
    let print = HashedToken::of(&forged);
    let mut is_good = Vec::new();
    for place in places {
        let mut edited = bytes.clone();
        let length = if edited[place..].starts_with(&own) {
            32
        } else {
            16
        };
        edited[place..place + length].copy_from_slice(&print.as_bytes()[..length]);
        fs::write(&path, &edited).unwrap();
        let other = app.another_process();
        is_good.push(other.is_good(&forged).await);

        let faults = other.faults().await;

        let fault = "the file is damaged, or an index says what its table does not";
        assert!(faults.contains(&fault.to_owned()), "{faults:?}");
        other.authority.close().await.unwrap();
    }
    assert_eq!(is_good, [false, false], "neither lets it pass");
}

/// A value whose print stands between the same neighbours as `own`, so that the order holds.
fn beside(app: &TestApp, own: [u8; 32]) -> String {
    let database = app.database();
    let mut prints = database
        .prepare("select hash from token_values where hash is not null")
        .unwrap();
    let prints: Vec<[u8; 32]> = prints
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let below = prints.iter().filter(|print| **print < own).count();
    (0..100_000)
        .map(|number| format!("a-value-of-the-attackers-own-{number:04}"))
        .find(|value| {
            let print = *HashedToken::of(value).as_bytes();
            prints.iter().filter(|other| **other < print).count() == below
        })
        .unwrap()
}

fn places(bytes: &[u8], of: &[u8]) -> Vec<usize> {
    let windows = bytes.windows(of.len()).enumerate();
    windows
        .filter(|(_, window)| *window == of)
        .map(|(place, _)| place)
        .collect()
}

#[tokio::test]
async fn prints_that_changed_rows_are_found_with_both_tokens() {
    let (app, narrow, wide) = lived_in().await;
    app.attack(
        "create temp table was as select token_id, hash from token_values;
        update token_values set hash = null;
        update token_values set hash =
            (select hash from was where was.token_id != token_values.token_id limit 1)",
    );
    let asks = app.authority.whoami(&narrow.asks()).await.unwrap();
    assert_eq!(
        asks.token.unwrap().id,
        wide.id,
        "it works until it is found"
    );

    let mut wanted = [changed(narrow.id), changed(wide.id)];
    wanted.sort();
    assert_eq!(app.faults().await, wanted);
}

#[tokio::test]
async fn sealed_values_that_changed_rows_open_for_nobody_and_are_found() {
    let app = TestApp::new().await;
    app.app_env("production").await;
    let anns = app
        .set_cli_token(For::User("ann".parse().unwrap()), "")
        .await;
    let envs = app.set_cli_token(env_named("production"), "").await;
    app.attack(
        "create temp table was as select token_id, sealed from token_values;
        update token_values set sealed =
            (select sealed from was where was.token_id != token_values.token_id)",
    );

    for of in [For::Me, env_named("production")] {
        let refused = app.reveal(&operator(), of).await.unwrap_err();
        let why = "the sealed value was altered or moved to another row";
        assert_eq!(refused.to_string(), why);
    }
    let mut wanted = [changed(anns.id), changed(envs.id)];
    wanted.sort();
    assert_eq!(app.faults().await, wanted);
}

fn hex(bytes: &[u8]) -> String {
    keywright::crypto::hex::hex(bytes)
}
