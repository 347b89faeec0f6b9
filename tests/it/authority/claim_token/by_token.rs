//! A person on another machine picks a value up with another token of the owner's.

use chrono::Duration;
use keywright::{
    authority::{ClaimRef, Error},
    authz::Request,
    domain::{account::Role, actor::Actor},
};

use super::waiting;
use crate::support::{Agent, TestApp, TestSink, by_code, operator, rotate, why};

/// Ann's own token, with which she picks values up.
async fn anns(app: &TestApp) -> Agent {
    app.agent(["read:tokens", "read:secrets", "read:notes"])
        .await
}

/// What `by` gets for `claim`.
async fn picked(app: &TestApp, by: &Request, claim: ClaimRef) -> Result<String, Error> {
    let mut sink = TestSink::default();
    let claimed = app.authority.claim_token(by, claim, &mut sink).await;
    claimed.map(|_| sink.value())
}

#[tokio::test]
async fn another_token_of_the_owner_picks_a_value_up() {
    let app = TestApp::new().await;
    let (_, _, code) = waiting(&app).await;
    let ann = anns(&app).await;

    let value = picked(&app, &ann.asks(), by_code(&code)).await.unwrap();

    assert!(app.is_good(&value).await);
    assert_eq!(app.trail(1).await, ["token claim_token done: to test"]);
    app.is_sound().await;
}

#[tokio::test]
async fn what_was_asked_for_at_the_shell_is_picked_up_by_its_owners_token_too() {
    let app = TestApp::new().await;
    let (_, code) = app.waiting(&operator(), "read:notes").await;
    let ann = anns(&app).await;

    assert!(picked(&app, &ann.asks(), by_code(&code)).await.is_ok());
}

#[tokio::test]
async fn a_token_picks_nothing_up_without_read_secrets() {
    let app = TestApp::new().await;
    let (_, _, code) = waiting(&app).await;
    let ann = app
        .agent(["read:tokens", "write:tokens", "read:notes"])
        .await;
    let narrowed = anns(&app).await.narrowed("read:tokens read:notes");

    for asks in [ann.asks(), narrowed] {
        let refused = picked(&app, &asks, by_code(&code)).await;
        assert_eq!(why(refused), "this needs the scope `read:secrets`");
    }
    assert!(app.claim(&code).await.is_ok());
}

#[tokio::test]
async fn what_waits_for_somebody_else_is_as_a_code_that_nobody_has() {
    let app = TestApp::new().await;
    app.user("bob", Role::Admin).await;
    let (_, id, code) = waiting(&app).await;
    let bob = app
        .agent_of("bob", ["read:secrets", "manage:account", "read:notes"])
        .await;
    let eve = app.stranger().await;

    for asks in [bob.asks(), eve.asks()] {
        let mut said = Vec::new();
        for claim in [
            by_code(&code),
            ClaimRef::Token(id),
            by_code("0000-0000-0000"),
        ] {
            said.push(why(picked(&app, &asks, claim).await));
        }
        assert_eq!(said, ["there is no such claim here"; 3]);
    }
    assert_eq!(
        app.trail(1).await,
        ["token claim_token refused: there is no such thing here"]
    );
    assert!(app.claim(&code).await.is_ok());
}

#[tokio::test]
async fn an_agent_does_not_pick_up_what_it_asked_for_itself() {
    let app = TestApp::new().await;
    let agent = app
        .agent(["write:tokens", "read:secrets", "read:notes"])
        .await;
    let (id, code) = app.waiting(&agent.asks(), "read:notes").await;

    for claim in [by_code(&code), ClaimRef::Token(id)] {
        let refused = picked(&app, &agent.asks(), claim).await;
        assert_eq!(
            why(refused),
            "a token picks up neither its own value nor one that it asked for"
        );
    }
    assert!(app.claim(&code).await.is_ok());
}

#[tokio::test]
async fn a_token_does_not_pick_up_its_own_next_value() {
    let app = TestApp::new().await;
    let agent = anns(&app).await;
    let minted = app.rotate(&operator(), rotate(agent.id)).await.unwrap();
    let claim = minted.claim().unwrap();

    let refused = picked(&app, &agent.asks(), claim).await;

    assert!(why(refused).starts_with("a token picks up neither its own"));
    assert!(picked(&app, &operator(), claim).await.is_ok());
}

#[tokio::test]
async fn a_token_picks_up_nothing_that_carries_more_than_it_holds() {
    let app = TestApp::new().await;
    let (_, code) = app.waiting(&operator(), "read:notes write:notes").await;
    let ann = anns(&app).await;

    let refused = picked(&app, &ann.asks(), by_code(&code)).await;

    assert_eq!(
        why(refused),
        "a token cannot give or use the scope `write:notes`, which it lacks itself"
    );
    assert!(app.claim(&code).await.is_ok());
}

#[tokio::test]
async fn a_second_claim_by_a_token_is_told_of_the_first_and_written_down() {
    let app = TestApp::new().await;
    let (_, _, code) = waiting(&app).await;
    let ann = anns(&app).await;
    picked(&app, &ann.asks(), by_code(&code)).await.unwrap();
    app.advance(Duration::minutes(1));

    let refused = picked(&app, &ann.asks(), by_code(&code)).await;

    let sentence = "this claim was used before, at 2027-01-15T08:00:00.000Z";
    assert_eq!(why(refused), sentence);
    let line = format!("token claim_token refused: {sentence}");
    assert_eq!(app.trail(1).await, [line]);
}

#[tokio::test]
async fn a_token_picks_nothing_up_while_what_waits_is_off_or_after_it_ended() {
    let app = TestApp::new().await;
    let (_, id, code) = waiting(&app).await;
    let ann = anns(&app).await;
    app.disable(&operator(), id).await;
    let off = picked(&app, &ann.asks(), by_code(&code)).await;

    app.revoke(id).await;
    let ended = picked(&app, &ann.asks(), by_code(&code)).await;

    assert_eq!(why(off), "the token is disabled");
    assert_eq!(why(ended), "there is no such claim here");
}

#[tokio::test]
async fn what_an_ended_agent_asked_for_is_picked_up_by_nobody() {
    let app = TestApp::new().await;
    let (agent, _, code) = waiting(&app).await;
    let ann = anns(&app).await;
    app.revoke(agent.id).await;

    let refused = picked(&app, &ann.asks(), by_code(&code)).await;

    assert_eq!(
        why(refused),
        "whoever asked for this value may not have it made any more"
    );
}

#[tokio::test]
async fn a_claim_that_is_over_is_told_of_as_such() {
    let app = TestApp::new().await;
    let (_, _, code) = waiting(&app).await;
    let ann = anns(&app).await;
    app.advance(Duration::minutes(10));

    let refused = picked(&app, &ann.asks(), by_code(&code)).await;

    assert_eq!(why(refused), "this claim ended at 2027-01-15T08:10:00.000Z");
}

#[tokio::test]
async fn what_a_tokens_sink_does_not_take_waits_again() {
    let app = TestApp::new().await;
    let (_, _, code) = waiting(&app).await;
    let ann = anns(&app).await;
    let mut sink = TestSink::failing_to("publish");

    let failed = app
        .authority
        .claim_token(&ann.asks(), by_code(&code), &mut sink)
        .await;

    assert!(matches!(failed, Err(Error::Sink(_))));
    assert!(picked(&app, &ann.asks(), by_code(&code)).await.is_ok());
    app.is_sound().await;
}

#[tokio::test]
async fn a_token_lists_what_waits_for_its_owner_alone() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let (agent, id, _) = waiting(&app).await;
    let bobs = app.agent_of("bob", ["read:tokens", "write:tokens"]).await;
    app.waiting(&bobs.asks(), "").await;
    let ann = anns(&app).await;

    let waiting = app.authority.list_claims(&ann.asks()).await.unwrap();

    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].token.id, id);
    assert_eq!(waiting[0].opened_by, Actor::Token(agent.id));
    let refused = app.authority.list_claims(&agent.asks()).await;
    assert_eq!(why(refused), "this needs the scope `read:tokens`");
}
