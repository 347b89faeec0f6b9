//! A value is made when a person picks it up, once, for an opener who could still ask for it.

use std::{io, sync::mpsc, thread};

use chrono::Duration;
use keywright::{
    authority::{ClaimRef, Deliver, Error, Rotate, Sink, Update},
    domain::{account::Role, actor::Actor, credential::PlainToken, id::TokenId, token::State},
};
use tokio::runtime::Runtime;

use crate::{
    mcp::process::PATIENCE,
    support::{
        Agent, TestApp, TestSink, bearer, by_code, code, keywright, local, operator, revoke,
        rotate, scopes, token, update, value, why,
    },
};

/// An agent that asks for values, and one value that waits.
async fn waiting(app: &TestApp) -> (Agent, TokenId, String) {
    let ann = app.agent(["write:tokens", "read:notes"]).await;
    let (id, code) = app.waiting(&ann.asks(), "read:notes").await;
    (ann, id, code)
}

async fn narrow(app: &TestApp, agent: &Agent, to: &str) {
    let narrower = Update {
        scopes: Some(scopes(to)),
        ..update(agent.id)
    };
    app.update(&operator(), narrower).await.unwrap();
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
async fn a_sink_that_cannot_publish_lets_the_claim_wait_again() {
    let app = TestApp::new().await;
    let (_, id, code) = waiting(&app).await;
    let mut sink = TestSink::failing_to("publish");

    let failed = app.claim_to(by_code(&code), &mut sink).await;

    assert!(matches!(failed, Err(Error::Sink(_))));
    assert_eq!(sink.steps, ["prepare", "publish", "withdraw"]);
    assert_eq!(app.token(id).await.present, None);
    assert_eq!(
        app.trail(2).await,
        [
            "operator claim_token done: to test",
            "operator claim_token done: taken back: the value could not be handed over"
        ]
    );
    assert!(app.is_good(&app.claim(&code).await.unwrap()).await);
    app.is_sound().await;
}

#[tokio::test]
async fn a_rotation_that_cannot_be_published_leaves_the_old_value_standing() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let other = app.agent([]).await;
    let before = app.token(other.id).await.present;
    let code = code(&app.rotate(&ann.asks(), rotate(other.id)).await.unwrap());
    let mut sink = TestSink::failing_to("publish");

    app.claim_to(by_code(&code), &mut sink).await.unwrap_err();

    assert_eq!(app.token(other.id).await.present, before);
    assert!(app.is_good(&other.value).await);
    app.claim(&code).await.unwrap();
    assert!(!app.is_good(&other.value).await);
    app.is_sound().await;
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

const OPENER_GONE: &str = "whoever asked for this value may not have it made any more";

#[tokio::test]
async fn a_claim_fails_once_its_opener_is_revoked() {
    let app = TestApp::new().await;
    let (ann, id, code) = waiting(&app).await;
    app.revoke(ann.id).await;

    assert_eq!(why(app.claim(&code).await), OPENER_GONE);
    assert_eq!(app.token(id).await.present, None);
    let line = format!("operator claim_token refused: {OPENER_GONE}");
    assert_eq!(app.trail(1).await, [line]);
    app.is_sound().await;
}

#[tokio::test]
async fn a_claim_fails_while_its_opener_is_disabled() {
    let app = TestApp::new().await;
    let (ann, _, code) = waiting(&app).await;
    app.disable(&operator(), ann.id).await;

    assert_eq!(why(app.claim(&code).await), OPENER_GONE);
}

#[tokio::test]
async fn a_claim_fails_once_its_token_is_over() {
    let app = TestApp::new().await;
    let ann = app
        .agent_until(Duration::minutes(5), ["write:tokens"])
        .await;
    let (_, code) = app.waiting(&ann.asks(), "").await;
    app.advance(Duration::minutes(5));

    assert_eq!(why(app.claim(&code).await), "the token is expired");
    assert_eq!(
        app.trail(1).await,
        ["operator claim_token refused: the token is expired"]
    );
}

#[tokio::test]
async fn a_claim_fails_once_its_opener_lacks_a_scope_that_the_token_carries() {
    let app = TestApp::new().await;
    let (ann, _, code) = waiting(&app).await;
    narrow(&app, &ann, "write:tokens").await;

    assert_eq!(why(app.claim(&code).await), OPENER_GONE);
}

#[tokio::test]
async fn a_claim_fails_once_its_opener_lacks_write_tokens() {
    let app = TestApp::new().await;
    let (ann, _, code) = waiting(&app).await;
    narrow(&app, &ann, "read:notes").await;

    assert_eq!(why(app.claim(&code).await), OPENER_GONE);
}

#[tokio::test]
async fn a_claim_fails_once_its_opener_ends_before_the_token() {
    let app = TestApp::new().await;
    let (ann, _, code) = waiting(&app).await;
    let sooner = Update {
        expires: Some("1h".parse().unwrap()),
        ..update(ann.id)
    };
    app.update(&operator(), sooner).await.unwrap();

    assert_eq!(why(app.claim(&code).await), OPENER_GONE);
}

#[tokio::test]
async fn a_claim_fails_once_its_openers_user_is_switched_off() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", ["write:tokens"]).await;
    let (_, code) = app.waiting(&bob.asks(), "").await;
    app.set_active("bob", false).await;

    assert_eq!(why(app.claim(&code).await), OPENER_GONE);
}

#[tokio::test]
async fn a_claim_of_the_local_session_fails_once_its_user_is_switched_off() {
    let app = TestApp::new().await;
    let (_, code) = app.waiting(&local(), "read:notes").await;
    app.set_active("ann", false).await;

    assert_eq!(why(app.claim(&code).await), OPENER_GONE);
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
async fn no_token_and_no_local_session_claims_or_lists_claims() {
    let app = TestApp::new().await;
    let (_, _, code) = waiting(&app).await;
    let every = app
        .agent(["read:tokens", "write:tokens", "read:secrets"])
        .await;

    for asker in [every.asks(), local()] {
        let mut sink = TestSink::default();
        let claim = app
            .authority
            .claim_token(&asker, by_code(&code), &mut sink)
            .await;
        assert_eq!(why(claim), "this is done at the machine's shell");
        assert_eq!(sink.steps, ["prepare", "withdraw"]);
    }
    for asker in [every.asks(), local()] {
        let list = app.authority.list_claims(&asker).await;
        assert_eq!(why(list), "this is done at the machine's shell");
    }
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
async fn revoking_the_opener_afterwards_leaves_what_was_claimed() {
    let app = TestApp::new().await;
    let (ann, _, code) = waiting(&app).await;
    let value = app.claim(&code).await.unwrap();

    app.revoke_by(&operator(), revoke(ann.id)).await.unwrap();

    assert!(app.is_good(&value).await);
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

/// A sink that does something when the value comes, and then fails to publish it.
struct Meanwhile<F>(Option<F>);

impl<F: FnOnce(&str) + Send> Sink for Meanwhile<F> {
    fn prepare(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn publish(&mut self, value: &PlainToken) -> io::Result<()> {
        self.0.take().unwrap()(value.expose());
        Err(io::Error::other("the disk is full"))
    }

    fn withdraw(&mut self) {}

    fn name(&self) -> String {
        "test".into()
    }
}

/// Waits in a thread of its own, where one may.
fn wait_for<T: Send>(done: impl Future<Output = T> + Send) -> T {
    thread::scope(|scope| {
        let waiting = scope.spawn(|| Runtime::new().unwrap().block_on(done));
        waiting.join().unwrap()
    })
}

/// Picks up `code` into a sink that fails, while `meanwhile` is done.
async fn fail_to_claim(app: &TestApp, code: &str, meanwhile: impl FnOnce(&str) + Send) {
    let mut sink = Meanwhile(Some(meanwhile));
    let failed = app
        .authority
        .claim_token(&operator(), by_code(code), &mut sink)
        .await;
    assert!(matches!(failed, Err(Error::Sink(_))), "{failed:?}");
}

#[tokio::test]
async fn a_rotation_that_came_in_between_stands_when_publishing_fails() {
    let app = TestApp::new().await;
    let other = app.another_process();
    let (_, id, code) = waiting(&app).await;
    let inline = Rotate {
        deliver: Deliver::Inline,
        ..rotate(id)
    };
    let mut rotated = None;

    fail_to_claim(&app, &code, |_| {
        rotated = Some(wait_for(other.rotate(&operator(), inline)).unwrap());
    })
    .await;

    let new = value(&rotated.unwrap());
    assert!(app.is_good(&new).await);
    assert_eq!(app.token(id).await.present.unwrap().generation, 2);
    assert!(app.claim(&code).await.is_err());
    assert!(app.is_good(&new).await);
    app.is_sound().await;
}

#[tokio::test]
async fn a_revocation_that_came_in_between_stands_when_publishing_fails() {
    let app = TestApp::new().await;
    let other = app.another_process();
    let (_, id, code) = waiting(&app).await;

    fail_to_claim(&app, &code, |_| wait_for(other.revoke(id))).await;

    let token = app.token(id).await;
    assert_eq!(token.state(app.clock.now()), State::Revoked);
    assert_eq!(app.trail(1).await, ["operator revoke_token done"]);
    assert!(why(app.claim(&code).await).starts_with("this claim was used before"));
    let waits = app.authority.list_claims(&operator()).await.unwrap();
    assert!(waits.is_empty());
    app.is_sound().await;
}

#[tokio::test]
async fn a_newer_claim_that_came_in_between_stands_when_publishing_fails() {
    let app = TestApp::new().await;
    let other = app.another_process();
    let (_, id, first) = waiting(&app).await;
    let mut rotated = None;

    fail_to_claim(&app, &first, |_| {
        rotated = Some(wait_for(other.rotate(&operator(), rotate(id))).unwrap());
    })
    .await;

    assert_eq!(app.token(id).await.present, None);
    assert!(app.claim(&first).await.is_err());
    let second = code(&rotated.unwrap());
    let claimed = app.claim(&second).await.unwrap();
    assert!(app.is_good(&claimed).await);
    app.is_sound().await;
}

/// A token whose value is about to change, and the code for that.
async fn renewing(app: &TestApp) -> (TokenId, String) {
    let agent = app.agent([]).await;
    let rotated = app.rotate(&operator(), rotate(agent.id)).await;
    (agent.id, code(&rotated.unwrap()))
}

/// The token has a value and waits for another, which is good once somebody comes for it.
async fn can_still_be_claimed(app: &TestApp, id: TokenId, code: &str) {
    let token = app.token(id).await;
    assert_eq!(token.state(app.clock.now()), State::Active);
    assert!(token.present.is_some());
    app.is_sound().await;
    assert!(app.is_good(&app.claim(code).await.unwrap()).await);
    app.is_sound().await;
}

#[tokio::test]
async fn a_failing_hand_over_inside_another_leaves_the_token_a_value() {
    let app = TestApp::new().await;
    let other = app.another_process();
    let (id, first) = renewing(&app).await;
    let mut second = None;

    fail_to_claim(&app, &first, |_| {
        second = Some(wait_for(async {
            let rotated = other.rotate(&operator(), rotate(id)).await;
            let second = code(&rotated.unwrap());
            fail_to_claim(&other, &second, |_| ()).await;
            second
        }));
    })
    .await;

    can_still_be_claimed(&app, id, &second.unwrap()).await;
}

#[tokio::test]
async fn two_failing_hand_overs_at_once_leave_the_token_a_value() {
    let app = TestApp::new().await;
    let other = app.another_process();
    let (id, first) = renewing(&app).await;
    let (committed, is_committed) = mpsc::channel();
    let (fail, may_fail) = mpsc::channel();
    let (failed, has_failed) = mpsc::channel();

    let one = thread::spawn(move || {
        wait_for(fail_to_claim(&other, &first, move |_| {
            committed.send(()).unwrap();
            may_fail.recv_timeout(PATIENCE).unwrap();
        }));
        failed.send(()).unwrap();
    });
    is_committed.recv_timeout(PATIENCE).unwrap();
    let rotated = app.rotate(&operator(), rotate(id)).await;
    let second = code(&rotated.unwrap());
    fail_to_claim(&app, &second, move |_| {
        fail.send(()).unwrap();
        has_failed.recv_timeout(PATIENCE).unwrap();
    })
    .await;
    one.join().unwrap();

    can_still_be_claimed(&app, id, &second).await;
}

#[tokio::test]
async fn a_token_that_minted_one_before_its_hand_over_failed_is_swept_behind_it() {
    let app = TestApp::new().await;
    let other = app.another_process();
    let ann = app.agent(["write:tokens"]).await;
    let (id, code) = app.waiting(&ann.asks(), "write:tokens").await;
    let mut child = None;
    fail_to_claim(&app, &code, |value| {
        let minted = wait_for(other.create(&bearer(value), token("child")));
        child = Some(minted.unwrap().token.id);
    })
    .await;
    app.advance(Duration::days(2));

    let first = app.authority.sweep(&keywright()).await.unwrap();
    let second = app.authority.sweep(&keywright()).await.unwrap();

    // The child goes first, and its parent once it has none.
    assert_eq!((first, second), (1, 1));
    for id in [child.unwrap(), id] {
        let gone = app.authority.get_token(&operator(), id).await;
        assert!(matches!(gone, Err(Error::NotFound(_))));
    }
    app.is_sound().await;
}
