//! What happened is told in chains that nobody rewrites unnoticed, and refusals are counted.

mod export;
mod reading;
mod refusals;
mod tampering;

use keywright::domain::{
    audit::{Front, Outcome},
    id::TokenId,
};

use crate::support::{TestApp, local, operator, revoke, token};

/// A store in which some things happened.
async fn lived_in() -> (TestApp, TokenId) {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "delete:tokens"]).await;
    let child = app.child(&ann, "").await;
    app.revoke_by(&ann.asks(), revoke(child.id)).await.unwrap();
    let (id, _) = app.waiting(&local(), "").await;
    app.is_sound().await;
    (app, id)
}

/// The place of the last entry of `default`.
fn last_sequence(app: &TestApp) -> i64 {
    let sql = "select max(sequence) from audit where chain != zeroblob(16)";
    app.database().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn an_entry_names_who_through_what_which_request_and_what() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let asked = ann.asks();

    let minted = app.create(&asked, token("child")).await.unwrap();

    let record = app.last_record().await;
    assert_eq!(record.actor.to_string(), format!("token:{}", ann.id));
    assert_eq!((record.front, record.request), (Front::Mcp, asked.id));
    assert_eq!((record.action.as_str(), record.count), ("create_token", 1));
    assert_eq!((record.outcome, record.at), (Outcome::Done, minted.at));
    let target = record.target.unwrap().to_string();
    assert_eq!(target, format!("token:{}", minted.token.id));
    assert!(record.user.is_some() && record.user == record.owner);
    assert!(record.digest.is_some());
}

#[tokio::test]
async fn every_chain_is_verified_with_its_head() {
    let (app, _) = lived_in().await;

    let verified = app
        .authority
        .verify_audit(&operator(), Vec::new())
        .await
        .unwrap();

    assert_eq!(verified.chains.len(), 2);
    let entries: u64 = verified.chains.iter().map(|(_, count, _)| count).sum();
    assert_eq!(entries, app.rows("audit"));
    // One account, one person, one membership, three tokens.
    assert_eq!(verified.rows, 6);
}

#[tokio::test]
async fn no_entry_holds_a_value_or_a_code() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let (_, code) = app.waiting(&ann.asks(), "").await;
    let value = app.claim(&code).await.unwrap();
    app.claim(&code).await.unwrap_err();

    let trail = app.trail(200).await.join("\n");

    for secret in [ann.value, value, code] {
        assert!(!trail.contains(&secret));
    }
}

#[tokio::test]
async fn two_processes_write_one_chain() {
    let app = TestApp::new().await;
    let other = app.another_process();
    let mut writing = tokio::task::JoinSet::new();
    for place in 0..40 {
        let app = if place % 2 == 0 { &app } else { &other };
        let authority = app.authority.clone();
        writing.spawn(async move {
            let made = authority.create_token(&local(), token("x")).await;
            made.unwrap();
        });
    }

    writing.join_all().await;

    assert_eq!(app.rows("audit"), 43);
    app.is_sound().await;
}

#[tokio::test]
async fn an_account_that_was_just_added_has_a_chain() {
    let app = TestApp::new().await;

    app.stranger().await;

    app.is_sound().await;
}
