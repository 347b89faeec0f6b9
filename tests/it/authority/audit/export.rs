//! The trail as it is kept elsewhere, and what a trail is found to be that was written anew since.

use std::collections::BTreeMap;

use keywright::{
    authority::Known,
    domain::{
        audit::{AuditRecord, Chain, ORIGIN},
        id::AccountId,
    },
    wire::audit::{ExportedRecord, known},
};
use serde_json::Value;

use super::{last_sequence, lived_in};
use crate::support::{TestApp, operator, token, why};

/// Every entry, and how many pieces they came in.
async fn exported(app: &TestApp) -> (Vec<AuditRecord>, usize) {
    let (mut records, mut pieces, mut from) = (Vec::new(), 0, None);
    loop {
        let piece = app.authority.export_audit(&operator(), from).await.unwrap();
        records.extend(piece.records);
        pieces += 1;
        from = piece.next;
        if from.is_none() {
            return (records, pieces);
        }
    }
}

fn line(record: &AuditRecord) -> String {
    serde_json::to_string(&ExportedRecord::from(record)).unwrap()
}

/// What somebody knows who kept what is exported now.
async fn kept(app: &TestApp) -> Vec<Known> {
    let (records, _) = exported(app).await;
    let lines = records.iter().map(line);
    lines.map(|line| known(line.as_bytes()).unwrap()).collect()
}

#[tokio::test]
async fn every_entry_is_there_once_with_all_that_its_hash_is_made_of() {
    let (app, _) = lived_in().await;

    let (records, _) = exported(&app).await;

    let mut ends = BTreeMap::new();
    for record in &records {
        let (last, before) = ends.entry(record.chain.key()).or_insert((0, ORIGIN));
        assert_eq!(record.sequence, *last + 1);
        assert_eq!(record.chained(before), record.hash);
        (*last, *before) = (record.sequence, record.hash);
    }
    let verified = app.authority.verify_audit(&operator(), Vec::new()).await;
    let chains = verified.unwrap().chains.into_iter();
    let told: BTreeMap<_, _> = chains
        .map(|(chain, records, head)| (chain.key(), (records, head)))
        .collect();
    assert_eq!(ends, told);
    assert_eq!(ends.len(), 2);
    let first: Value = serde_json::from_str(&line(&records[0])).unwrap();
    assert!(first["account"].is_null() && first["digest"].is_string());
    for field in ["user", "owner", "request", "target", "reason", "count"] {
        assert!(first.get(field).is_some(), "{field}: {first}");
    }
}

#[tokio::test]
async fn a_long_trail_comes_in_pieces() {
    let app = TestApp::new().await;
    for _ in 0..1_000 {
        app.create(&operator(), token("x")).await.unwrap();
    }

    let (records, pieces) = exported(&app).await;

    // The store's own; a full one of the account's, and the rest.
    assert_eq!(pieces, 3);
    let places = records
        .iter()
        .filter(|record| record.chain != Chain::System);
    let places: Vec<_> = places.map(|record| record.sequence).collect();
    let all: Vec<u64> = (1..=1_001).collect();
    assert_eq!(places, all);
}

#[tokio::test]
async fn what_was_kept_is_still_there_when_more_has_happened() {
    let (app, _) = lived_in().await;
    let kept = kept(&app).await;
    app.create(&operator(), token("later")).await.unwrap();

    assert_eq!(app.faults_against(kept).await, [""; 0]);
}

/// A revocation that is undone, with its entry and the head: nothing on this machine tells of it.
#[tokio::test]
async fn a_trail_that_was_written_anew_is_found_by_what_was_kept_alone() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:notes"]).await;
    app.revoke(agent.id).await;
    let kept = kept(&app).await;
    let last = last_sequence(&app);
    app.attack(&format!(
        "update tokens set revoked_at = null;
        delete from audit where sequence = {last} and chain != zeroblob(16);
        update audit_heads set sequence = {last} - 1, hash = (select hash from audit
            where sequence = {last} - 1 and chain != zeroblob(16)) where chain != zeroblob(16);"
    ));
    assert!(app.is_good(&agent.value).await);
    assert_eq!(app.faults().await, [""; 0]);

    let wanted = [format!(
        "entry {last} is not there as it was kept elsewhere"
    )];
    assert_eq!(app.faults_against(kept.clone()).await, wanted);

    // The last line of each chain is enough, and goes on to be when its place was taken.
    app.create(&operator(), token("in its place"))
        .await
        .unwrap();
    let end = kept.last().copied().into_iter().collect();
    assert_eq!(app.faults_against(end).await, wanted);
}

#[tokio::test]
async fn a_chain_that_is_gone_is_missed() {
    let (app, _) = lived_in().await;
    let mut kept = kept(&app).await;
    kept.truncate(2);
    for entry in &mut kept {
        entry.chain = Chain::Account(AccountId::fresh());
    }
    kept[1].chain = kept[0].chain;

    let faults = app.faults_against(kept).await;

    let wanted = "entry 1 is not there as it was kept elsewhere, nor 1 behind it";
    assert_eq!(faults, [wanted]);
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_not_passed_over() {
    let (app, _) = lived_in().await;
    app.attack("update audit set actor = 'somebody' where sequence = 2 and chain != zeroblob(16)");
    let first = app.authority.export_audit(&operator(), None).await;

    let second = app
        .authority
        .export_audit(&operator(), first.unwrap().next)
        .await;

    assert_eq!(why(second), "the store is unavailable");
}

#[test]
fn what_is_no_entry_of_an_export_is_refused() {
    let hash = "0f".repeat(32);
    let line = |account: &str, sequence: &str, hash: &str| {
        format!(r#"{{"account":{account},"sequence":{sequence},"hash":"{hash}","at":"x"}}"#)
    };
    let id = "\"019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001\"";

    let known = |line: String| known(line.as_bytes());
    let whole = known(line(id, "7", &hash)).unwrap();
    assert_eq!((whole.sequence, whole.hash), (7, [0x0f; 32]));
    assert!(matches!(whole.chain, Chain::Account(_)));
    let own = known(line("null", "1", &hash)).unwrap();
    assert_eq!(own.chain, Chain::System);

    for wrong in [
        String::new(),
        "{}".to_owned(),
        // As `audit list --json` has it: it does not say whose.
        format!(r#"{{"sequence":1,"hash":"{hash}"}}"#),
        line("\"default\"", "1", &hash),
        line(id, "-1", &hash),
        line(id, "1.5", &hash),
        line(id, "1", &hash[1..]),
        line(id, "1", &hash.to_uppercase()),
        format!("{} {}", line(id, "1", &hash), line(id, "2", &hash)),
    ] {
        known(wrong).unwrap_err();
    }
}
