//! Whoever edits, inserts or takes away behind the authority's back is found out.

use keywright::domain::{account::Role, id::TokenId};

use super::{last_sequence, lived_in};
use crate::support::{TestApp, local, token};

#[tokio::test]
async fn the_trail_is_append_only_for_who_does_not_know_better() {
    let (app, _) = lived_in().await;

    for sql in ["update audit set reason = 'x'", "delete from audit"] {
        let refused = app.database().execute(sql, []).unwrap_err();

        assert_eq!(refused.to_string(), "the audit trail is append-only");
    }
}

#[tokio::test]
async fn an_edited_entry_is_found() {
    for change in [
        "reason = 'nothing to see'",
        "actor = 'operator'",
        "at = at - 1",
        "count = 7",
        "outcome = 'refused'",
        "digest = zeroblob(32)",
    ] {
        let (app, _) = lived_in().await;
        let place = "sequence = 3 and chain != zeroblob(16)";
        app.attack(&format!("update audit set {change} where {place}"));

        let faults = app.faults().await;

        let wanted = "entry 3 was altered, or what stood before it".to_owned();
        assert!(faults.contains(&wanted), "{change}: {faults:?}");
    }
}

#[tokio::test]
async fn an_entry_about_nothing_has_no_kind_of_thing() {
    let app = TestApp::new().await;
    let ann = app.agent([]).await;
    app.create(&ann.asks(), token("x")).await.unwrap_err();
    app.is_sound().await;
    app.attack("update audit set target_kind = 'user' where target_id is null");

    let faults = app.faults().await;

    let wanted = "entry 3 was altered, or what stood before it".to_owned();
    assert!(faults.contains(&wanted), "{faults:?}");
}

#[tokio::test]
async fn a_deleted_entry_is_found() {
    let (app, _) = lived_in().await;
    app.attack("delete from audit where sequence = 3 and chain != zeroblob(16)");

    let faults = app.faults().await;

    assert!(faults.contains(&"entries are missing before entry 4".into()));
}

#[tokio::test]
async fn entries_that_changed_places_are_found() {
    let (app, _) = lived_in().await;
    app.attack(
        "update audit set sequence = -3 where sequence = 3 and chain != zeroblob(16);
        update audit set sequence = 3 where sequence = 4 and chain != zeroblob(16);
        update audit set sequence = 4 where sequence = -3;",
    );

    let faults = app.faults().await;

    assert!(faults.contains(&"entry 3 was altered, or what stood before it".into()));
}

#[tokio::test]
async fn a_tail_that_was_cut_off_is_found() {
    let (app, _) = lived_in().await;
    let last = last_sequence(&app);
    app.attack(&format!(
        "delete from audit where sequence >= {last} and chain != zeroblob(16)"
    ));

    let faults = app.faults().await;

    let wanted = format!(
        "the chain ends at entry {}, and should at entry {last}",
        last - 1
    );
    assert!(faults.contains(&wanted), "{faults:?}");
}

#[tokio::test]
async fn a_tail_that_was_cut_off_with_its_head_is_found_by_the_row_it_told_of() {
    let (app, id) = lived_in().await;
    let last = last_sequence(&app);
    app.attack(&format!(
        "delete from audit where sequence >= {last} and chain != zeroblob(16);
        update audit_heads set sequence = {last} - 1, hash = (select hash from audit
            where sequence = {last} - 1 and chain != zeroblob(16)) where chain != zeroblob(16);"
    ));

    let faults = app.faults().await;

    assert_eq!(
        faults,
        [format!("token:{id} is there, and no entry tells of it")]
    );
}

#[tokio::test]
async fn a_head_that_was_taken_away_is_found() {
    let (app, _) = lived_in().await;
    let last = last_sequence(&app);
    app.attack("delete from audit_heads where chain != zeroblob(16)");

    let wanted = format!("the chain ends at entry {last}, and should at entry 0");
    assert_eq!(app.faults().await, [wanted]);
}

#[tokio::test]
async fn a_head_that_was_edited_is_found() {
    let (app, _) = lived_in().await;
    let last = last_sequence(&app);
    app.attack("update audit_heads set hash = zeroblob(32) where chain != zeroblob(16)");

    let wanted = format!("the chain ends at entry {last}, and should at entry {last}");
    assert_eq!(app.faults().await, [wanted]);
}

#[tokio::test]
async fn an_edited_token_row_is_found() {
    for change in [
        "scopes = 'read:secrets'",
        "expires_at = null",
        "revoked_at = 1",
        "owner_id = randomblob(16)",
        "label = 'x'",
    ] {
        let (app, id) = lived_in().await;
        let sql = format!("update tokens set {change} where id = ?1");
        app.database().execute(&sql, [id.to_bytes()]).unwrap();

        let fault = format!("token:{id} is not as the last entry about it left it");
        assert_eq!(app.faults().await, [fault], "{change}");
    }
}

#[tokio::test]
async fn a_revocation_that_was_undone_behind_our_back_is_found() {
    let app = TestApp::new().await;
    let ann = app.agent([]).await;
    app.revoke(ann.id).await;
    app.attack("update tokens set revoked_at = null");

    let fault = format!("token:{} is not as the last entry about it left it", ann.id);
    assert_eq!(app.faults().await, [fault]);
}

#[tokio::test]
async fn an_edited_value_is_found() {
    let app = TestApp::new().await;
    let ann = app.agent([]).await;
    app.attack("update token_values set hash = randomblob(32)");

    let fault = format!("token:{} is not as the last entry about it left it", ann.id);
    assert_eq!(app.faults().await, [fault]);
    assert!(!app.is_good(&ann.value).await);
}

#[tokio::test]
async fn a_deleted_token_row_is_found() {
    let (app, id) = lived_in().await;
    app.database()
        .execute("delete from tokens where id = ?1", [id.to_bytes()])
        .unwrap();

    let fault = format!("token:{id} is gone, and no entry tells of that");
    assert_eq!(app.faults().await, [fault]);
}

#[tokio::test]
async fn an_inserted_token_row_is_found() {
    let (app, id) = lived_in().await;
    let new = TokenId::fresh();
    app.database()
        .execute(
            "insert into tokens (id, kind, account_id, owner_kind, owner_id, label, scopes,
                created_at, created_by)
            select ?1, kind, account_id, owner_kind, owner_id, 'x', 'read:secrets', created_at,
                created_by from tokens where id = ?2",
            [new.to_bytes(), id.to_bytes()],
        )
        .unwrap();

    let fault = format!("token:{new} is there, and no entry tells of it");
    assert_eq!(app.faults().await, [fault]);
}

#[tokio::test]
async fn a_person_or_a_role_that_was_changed_behind_our_back_is_found() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    app.set_active("bob", false).await;
    app.attack(
        "update memberships set role = 'admin';
        update users set deactivated_at = null;",
    );

    let faults = app.faults().await;

    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("membership:"));
    assert!(faults[1].starts_with("user:"));
}

#[tokio::test]
async fn tables_indexes_and_triggers_that_are_not_ours_are_found() {
    for change in [
        "create trigger quiet after update on tokens begin select 1; end",
        "create index quick on tokens (label)",
        "create table more (x)",
        "create view seen as select * from tokens",
        "drop index claims_open",
        "drop index audit_of_target",
        "drop trigger audit_is_not_cut",
        "alter table users add column more text",
    ] {
        let (app, _) = lived_in().await;
        app.database().execute_batch(change).unwrap();

        let fault = "the tables, indexes and triggers are not those that keywright makes";
        assert_eq!(app.faults().await, [fault], "{change}");
    }
}

#[tokio::test]
async fn a_claim_that_was_edited_is_found() {
    for change in [
        "opened_by = 'operator'",
        "code_hash = randomblob(32)",
        "expires_at = expires_at + 1",
        "overlap = 1",
        "used_at = 1",
    ] {
        let (app, id) = lived_in().await;
        let sql = format!("update claims set {change} where token_id = ?1");
        app.database().execute(&sql, [id.to_bytes()]).unwrap();

        let fault = format!("token:{id} is not as the last entry about it left it");
        assert_eq!(app.faults().await, [fault], "{change}");
    }
}

#[tokio::test]
async fn a_claim_that_was_inserted_or_taken_away_is_found() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let (waits, _) = app.waiting(&local(), "").await;
    app.database()
        .execute(
            "insert into claims (code_hash, token_id, opened_by, opened_at, expires_at, overlap)
            select randomblob(32), ?1, 'operator', opened_at, expires_at, 0 from claims",
            [agent.id.to_bytes()],
        )
        .unwrap();
    app.database()
        .execute("delete from claims where token_id = ?1", [waits.to_bytes()])
        .unwrap();

    let mut faults = app.faults().await;

    faults.sort();
    let mut wanted =
        [agent.id, waits].map(|id| format!("token:{id} is not as the last entry about it left it"));
    wanted.sort();
    assert_eq!(faults, wanted);
}

#[tokio::test]
async fn a_whole_chain_that_was_taken_away_with_its_rows_is_found() {
    let (app, _) = lived_in().await;
    app.attack(
        "delete from claims; delete from token_values; delete from token_uses;
        delete from idempotency_keys; delete from tokens; delete from memberships;
        delete from audit where chain != zeroblob(16);
        delete from audit_heads where chain != zeroblob(16)",
    );

    let faults = app.faults().await;

    assert_eq!(faults.len(), 1, "{faults:?}");
    let fault = &faults[0];
    assert!(fault.starts_with("the account ") && fault.ends_with("every account begins one"));
}

#[tokio::test]
async fn statistics_for_the_planner_are_no_tampering() {
    let app = TestApp::new().await;
    app.agent([]).await;

    app.attack("analyze");

    app.is_sound().await;
}
