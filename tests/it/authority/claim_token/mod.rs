//! A value is made when a person picks it up, once, for an opener who could still ask for it.

mod by_token;
mod opener;
mod publishing;

use chrono::Duration;
use keywright::{
    authority::{ClaimRef, Error, Update},
    domain::{actor::Actor, id::TokenId, token::State},
};

use crate::support::{
    Agent, TestApp, TestSink, by_code, local, local_with, operator, rotate, update, why,
};

/// An agent that asks for values, and one value that waits.
async fn waiting(app: &TestApp) -> (Agent, TokenId, String) {
    let ann = app.agent(["write:tokens", "read:notes"]).await;
    let (id, code) = app.waiting(&ann.asks(), "read:notes").await;
    (ann, id, code)
}

#[tokio::test]
async fn a_claim_prepares_the_sink_then_commits_then_publishes() {
    let app = TestApp::new().await;
    let (_, id, code) = waiting(&app).await;
    let mut sink = TestSink::default();

    let claimed = app.claim_to(by_code(&code), &mut sink).await.unwrap();

    assert_eq!(sink.steps, ["prepare", "publish"]);
    assert_eq!(claimed.token.id, id);
    assert_eq!(claimed.token.state(claimed.at), State::Active);
    assert!(app.is_good(&sink.value()).await);
    assert_eq!(app.trail(1).await, ["operator claim_token done: to test"]);
    app.is_sound().await;
}

#[tokio::test]
async fn a_sink_that_cannot_be_prepared_leaves_the_claim_as_it_was() {
    let app = TestApp::new().await;
    let (_, _, code) = waiting(&app).await;
    let mut sink = TestSink::failing_to("prepare");

    let failed = app.claim_to(by_code(&code), &mut sink).await;

    assert!(matches!(failed, Err(Error::Sink(_))));
    assert_eq!(sink.steps, ["prepare"]);
    assert!(app.claim(&code).await.is_ok());
}

#[tokio::test]
async fn a_refused_claim_withdraws_what_the_sink_had_prepared() {
    let app = TestApp::new().await;
    let mut sink = TestSink::default();

    let refused = app.claim_to(by_code("0000-0000-0000"), &mut sink).await;

    assert_eq!(why(refused), "there is no such claim here");
    assert_eq!(sink.steps, ["prepare", "withdraw"]);
    assert_eq!(
        app.trail(1).await,
        ["operator claim_token refused: there is no such thing here"]
    );
}

#[tokio::test]
async fn a_second_claim_fails_with_the_time_of_the_first_and_is_written_down() {
    let app = TestApp::new().await;
    let (_, id, code) = waiting(&app).await;
    let value = app.claim(&code).await.unwrap();
    app.advance(Duration::minutes(2));

    let refused = app.claim(&code).await;

    let sentence = "this claim was used before, at 2027-01-15T08:00:00.000Z";
    assert_eq!(why(refused), sentence);
    assert!(app.is_good(&value).await);
    let record = app.last_record().await;
    assert_eq!(record.target.unwrap().uuid(), id.as_uuid());
    let line = format!("operator claim_token refused: {sentence}");
    assert_eq!(app.trail(1).await, [line]);
    app.is_sound().await;
}

#[tokio::test]
async fn a_claim_waits_for_ten_minutes() {
    let app = TestApp::new().await;
    let (_, id, code) = waiting(&app).await;
    app.advance(Duration::minutes(10));

    let refused = app.claim(&code).await;

    assert_eq!(why(refused), "this claim ended at 2027-01-15T08:10:00.000Z");
    let token = app.token(id).await;
    assert_eq!(token.state(app.clock.now()), State::Unclaimed);
    assert_eq!(
        app.trail(1).await,
        ["operator claim_token refused: this claim ended at 2027-01-15T08:10:00.000Z"]
    );
}

#[tokio::test]
async fn a_claim_works_until_its_last_millisecond() {
    let app = TestApp::new().await;
    let (_, _, code) = waiting(&app).await;

    app.advance(Duration::minutes(10) - Duration::milliseconds(1));

    assert!(app.claim(&code).await.is_ok());
}

#[tokio::test]
async fn a_claim_fails_while_the_token_is_disabled() {
    let app = TestApp::new().await;
    let (_, id, code) = waiting(&app).await;
    app.disable(&operator(), id).await;

    assert_eq!(why(app.claim(&code).await), "the token is disabled");
    let on = Update {
        enabled: Some(true),
        ..update(id)
    };
    app.update(&operator(), on).await.unwrap();
    assert!(app.claim(&code).await.is_ok());
}

#[tokio::test]
async fn a_claim_ends_with_its_token() {
    let app = TestApp::new().await;
    let (_, id, code) = waiting(&app).await;
    app.revoke(id).await;

    assert_eq!(why(app.claim(&code).await), "there is no such claim here");
    let by_token = app
        .claim_to(ClaimRef::Token(id), &mut TestSink::default())
        .await;
    assert!(by_token.is_err());
    assert_eq!(app.rows("token_values"), 1);
}

#[tokio::test]
async fn a_claim_can_be_chosen_by_its_token() {
    let app = TestApp::new().await;
    let (_, id, code) = waiting(&app).await;
    let mut sink = TestSink::default();

    app.claim_to(ClaimRef::Token(id), &mut sink).await.unwrap();

    assert!(app.is_good(&sink.value()).await);
    assert!(why(app.claim(&code).await).starts_with("this claim was used before"));
}

#[tokio::test]
async fn a_token_that_never_had_a_claim_has_none_to_choose() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;

    let refused = app
        .claim_to(ClaimRef::Token(ann.id), &mut TestSink::default())
        .await;

    assert_eq!(why(refused), "there is no such claim here");
    assert_eq!(
        app.trail(1).await,
        ["operator claim_token refused: there is no such claim here"]
    );
}

#[tokio::test]
async fn what_waits_is_listed_with_who_asked_and_nothing_else_is() {
    let app = TestApp::new().await;
    let (ann, first, _) = waiting(&app).await;
    app.advance(Duration::minutes(1));
    let (second, code) = app.waiting(&local(), "").await;
    let (third, _) = app.waiting(&local(), "").await;
    app.claim(&code).await.unwrap();
    app.revoke(third).await;

    let waiting = app.authority.list_claims(&operator()).await.unwrap();

    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].token.id, first);
    assert_ne!(first, second);
    assert_eq!(waiting[0].opened_by, Actor::Token(ann.id));
    app.advance(Duration::minutes(9));
    let later = app.authority.list_claims(&operator()).await.unwrap();
    assert!(later.is_empty());
}

#[tokio::test]
async fn no_local_session_claims_or_lists_claims() {
    let app = TestApp::new().await;
    let (_, _, code) = waiting(&app).await;
    let session = local_with("read:tokens read:secrets read:notes");
    let mut sink = TestSink::default();

    let claim = app
        .authority
        .claim_token(&session, by_code(&code), &mut sink)
        .await;
    let list = app.authority.list_claims(&session).await;

    assert_eq!(why(claim), "this is done at the machine's shell");
    assert_eq!(why(list), "this is done at the machine's shell");
    assert_eq!(sink.steps, ["prepare", "withdraw"]);
    assert!(app.claim(&code).await.is_ok());
}

#[tokio::test]
async fn an_unclaimed_token_has_no_value_that_could_be_presented() {
    let app = TestApp::new().await;
    let (_, id, code) = waiting(&app).await;

    let token = app.token(id).await;

    assert_eq!(token.state(app.clock.now()), State::Unclaimed);
    // The one value there is belongs to the agent that asked.
    assert_eq!(app.rows("token_values"), 1);
    assert!(app.is_good(&app.claim(&code).await.unwrap()).await);
}

#[tokio::test]
async fn a_code_is_kept_as_a_print_alone() {
    let app = TestApp::new().await;
    let (_, _, code) = waiting(&app).await;

    let kept: Vec<u8> = app
        .database()
        .query_row("select code_hash from claims", [], |row| row.get(0))
        .unwrap();

    assert_eq!(kept.len(), 32);
    let plain = code.replace('-', "");
    assert!(!kept.windows(12).any(|some| some == plain.as_bytes()));
}

#[tokio::test]
async fn of_two_processes_that_claim_at_once_one_gets_the_value() {
    let app = TestApp::new().await;
    let (_, id, code) = waiting(&app).await;
    let other = app.another_process();

    let (one, two) = tokio::join!(app.claim(&code), other.claim(&code));

    let mut both = [one, two];
    both.sort_by_key(Result::is_err);
    let [won, lost] = both;
    assert!(app.is_good(&won.unwrap()).await);
    assert!(why(lost).starts_with("this claim was used before"));
    assert_eq!(app.token(id).await.present.unwrap().generation, 1);
    app.is_sound().await;
}

#[tokio::test]
async fn a_claim_chosen_by_its_token_is_the_one_that_waits() {
    let app = TestApp::new().await;
    let (ann, id, code) = waiting(&app).await;
    let first = app.claim(&code).await.unwrap();
    app.rotate(&ann.asks(), rotate(id)).await.unwrap();
    let mut sink = TestSink::default();

    app.claim_to(ClaimRef::Token(id), &mut sink).await.unwrap();

    assert!(app.is_good(&sink.value()).await);
    assert!(!app.is_good(&first).await);
}
