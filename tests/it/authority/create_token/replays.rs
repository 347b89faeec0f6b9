//! The same key comes to the same token, decided anew, and never to its value again.

use chrono::Duration;
use keywright::{
    authority::{Deliver, Delivered, NewAccount, NewToken, Rotate, Update},
    authz::{Credential, Request},
    domain::{account::Role, expires::Expires, token::State},
};

use crate::support::{
    Agent, TestApp, code, label, local, operator, rotate, scopes, token, update, value, why,
};

fn keyed(key: &str) -> NewToken {
    NewToken {
        idempotency_key: Some(key.parse().unwrap()),
        ..token("nightly")
    }
}

#[tokio::test]
async fn the_same_key_and_arguments_come_to_the_same_token_and_never_to_its_value() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:secrets"]).await;
    let new = NewToken {
        deliver: Deliver::Inline,
        ..keyed("k1")
    };

    let first = app.create(&ann.asks(), new.clone()).await.unwrap();
    let again = app.create(&ann.asks(), new).await.unwrap();

    assert!(!first.replayed && again.replayed);
    assert_eq!(first.token.id, again.token.id);
    assert!(matches!(again.delivered, Delivered::Before));
    assert!(app.is_good(&value(&first)).await);
    assert_eq!(
        app.trail(2).await,
        [
            "token create_token done",
            "token create_token done: replayed"
        ]
    );
    app.is_sound().await;
}

#[tokio::test]
async fn a_replay_while_the_claim_is_open_gives_a_fresh_code_and_ends_the_old_one() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;

    let first = app.create(&ann.asks(), keyed("k1")).await.unwrap();
    let again = app.create(&ann.asks(), keyed("k1")).await.unwrap();

    assert!(again.replayed);
    assert_eq!(
        why(app.claim(&code(&first)).await),
        "there is no such claim here"
    );
    assert!(app.is_good(&app.claim(&code(&again)).await.unwrap()).await);
    app.is_sound().await;
}

#[tokio::test]
async fn a_replay_after_the_claim_gives_neither_code_nor_value() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let first = app.create(&ann.asks(), keyed("k1")).await.unwrap();
    let value = app.claim(&code(&first)).await.unwrap();

    let again = app.create(&ann.asks(), keyed("k1")).await.unwrap();

    assert!(matches!(again.delivered, Delivered::Before));
    assert!(app.is_good(&value).await);
}

#[tokio::test]
async fn other_arguments_under_the_same_key_are_a_conflict() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:notes"]).await;
    app.create(&ann.asks(), keyed("k1")).await.unwrap();
    let before = app.rows("tokens");

    for other in [
        NewToken {
            scopes: scopes("read:notes"),
            ..keyed("k1")
        },
        NewToken {
            expires: Some(Expires::After(Duration::days(1))),
            ..keyed("k1")
        },
        NewToken {
            label: label("daily"),
            ..keyed("k1")
        },
    ] {
        let refused = app.create(&ann.asks(), other).await;

        assert_eq!(
            why(refused),
            "this `idempotency_key` was used with other arguments"
        );
    }
    assert_eq!(app.rows("tokens"), before);
}

#[tokio::test]
async fn the_same_key_of_another_caller_is_another_key() {
    let app = TestApp::new().await;
    let [one, two] = [
        app.agent(["write:tokens"]).await,
        app.agent(["write:tokens"]).await,
    ];

    let first = app.create(&one.asks(), keyed("k1")).await.unwrap();
    let second = app.create(&two.asks(), keyed("k1")).await.unwrap();
    let third = app.create(&local(), keyed("k1")).await.unwrap();

    assert!(!second.replayed && !third.replayed);
    assert_ne!(first.token.id, second.token.id);
    assert_ne!(second.token.id, third.token.id);
}

#[tokio::test]
async fn a_key_is_new_again_after_a_day() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let first = app.create(&ann.asks(), keyed("k1")).await.unwrap();

    app.advance(Duration::hours(24) - Duration::milliseconds(1));
    let again = app.create(&ann.asks(), keyed("k1")).await.unwrap();
    app.advance(Duration::milliseconds(1));
    let new = app.create(&ann.asks(), keyed("k1")).await.unwrap();

    assert!(again.replayed && !new.replayed);
    assert_ne!(first.token.id, new.token.id);
}

#[tokio::test]
async fn a_replay_is_decided_anew() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:notes"]).await;
    let new = || NewToken {
        scopes: scopes("read:notes"),
        ..keyed("k1")
    };
    app.create(&ann.asks(), new()).await.unwrap();
    let narrower = Update {
        scopes: Some(scopes("write:tokens")),
        ..update(ann.id)
    };
    app.update(&ann.asks(), narrower).await.unwrap();

    let refused = app.create(&ann.asks(), new()).await;

    assert!(why(refused).contains("`read:notes`"));
}

#[tokio::test]
async fn a_replay_by_who_was_revoked_is_refused() {
    let app = TestApp::new().await;
    let ann: Agent = app.agent(["write:tokens"]).await;
    app.create(&ann.asks(), keyed("k1")).await.unwrap();
    app.revoke(ann.id).await;

    let refused = app.create(&ann.asks(), keyed("k1")).await;

    assert_eq!(why(refused), "no valid token was presented");
}

#[tokio::test]
async fn the_same_key_from_two_processes_at_once_comes_to_one_token() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let other = app.another_process();
    let requests = [ann.asks(), ann.asks()];

    let (one, two) = tokio::join!(
        app.create(&requests[0], keyed("k1")),
        other.create(&requests[1], keyed("k1")),
    );

    let [one, two] = [one.unwrap(), two.unwrap()];
    assert_eq!(one.token.id, two.token.id);
    assert_ne!(one.replayed, two.replayed);
    assert_eq!(app.rows("tokens"), 2);
    app.is_sound().await;
}

#[tokio::test]
async fn a_replay_once_the_claim_has_lapsed_gives_no_code() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    app.create(&ann.asks(), keyed("k1")).await.unwrap();
    app.advance(Duration::minutes(10));

    let again = app.create(&ann.asks(), keyed("k1")).await.unwrap();

    assert!(again.replayed && matches!(again.delivered, Delivered::Before));
    assert_eq!(app.rows("claims"), 1);
}

#[tokio::test]
async fn a_replay_by_who_ends_before_the_token_now_is_refused() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    app.create(&ann.asks(), keyed("k1")).await.unwrap();
    let sooner = Update {
        expires: Some(Expires::After(Duration::days(1))),
        ..update(ann.id)
    };
    app.update(&ann.asks(), sooner).await.unwrap();

    let refused = app.create(&ann.asks(), keyed("k1")).await;

    assert_eq!(
        why(refused),
        "a token cannot give a longer life than its own"
    );
}

#[tokio::test]
async fn a_replay_answers_though_the_end_that_was_asked_for_has_passed() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let end = app.clock.now() + Duration::hours(1);
    let new = NewToken {
        expires: Some(Expires::At(end)),
        ..keyed("k1")
    };
    let first = app.create(&ann.asks(), new.clone()).await.unwrap();
    app.advance(Duration::hours(2));

    let again = app.create(&ann.asks(), new).await.unwrap();

    assert!(again.replayed && matches!(again.delivered, Delivered::Before));
    assert_eq!(again.token.id, first.token.id);
    assert_eq!(again.token.powers.expires_at, Some(end));
    assert_eq!(again.token.state(again.at), State::Expired);
    app.is_sound().await;
}

#[tokio::test]
async fn a_replay_is_decided_by_the_life_that_was_given_not_by_the_one_that_was_asked() {
    let app = TestApp::new().await;
    let ann = app.agent_until(Duration::days(30), ["write:tokens"]).await;
    let new = NewToken {
        expires: Some(Expires::After(Duration::days(30))),
        ..keyed("k1")
    };
    let first = app.create(&ann.asks(), new.clone()).await.unwrap();
    app.advance(Duration::minutes(1));

    let again = app.create(&ann.asks(), new).await.unwrap();

    assert!(again.replayed);
    assert_eq!(again.token.id, first.token.id);
    assert_eq!(again.token.powers, first.token.powers);
    assert!(app.is_good(&app.claim(&code(&again)).await.unwrap()).await);
}

#[tokio::test]
async fn a_replay_of_an_older_rotation_leaves_the_newer_ones_claim() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let rotated = async |key: &str| {
        let asked = Rotate {
            idempotency_key: Some(key.parse().unwrap()),
            ..rotate(ann.id)
        };
        app.rotate(&ann.asks(), asked).await.unwrap()
    };
    rotated("k1").await;
    let newer = rotated("k2").await;

    let again = rotated("k1").await;

    assert!(again.replayed && matches!(again.delivered, Delivered::Before));
    assert!(app.is_good(&app.claim(&code(&newer)).await.unwrap()).await);
    app.is_sound().await;
}

#[tokio::test]
async fn a_replay_of_a_creation_leaves_the_claim_of_a_rotation() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let first = app.create(&ann.asks(), keyed("k1")).await.unwrap();
    let rotated = app.rotate(&ann.asks(), rotate(first.token.id)).await;

    let again = app.create(&ann.asks(), keyed("k1")).await.unwrap();

    assert!(again.replayed && matches!(again.delivered, Delivered::Before));
    assert!(app.claim(&code(&rotated.unwrap())).await.is_ok());
}

#[tokio::test]
async fn a_replay_gives_its_key_no_longer_life() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let first = app.create(&ann.asks(), keyed("k1")).await.unwrap();
    app.advance(Duration::minutes(9));
    let again = app.create(&ann.asks(), keyed("k1")).await.unwrap();
    code(&again);
    app.advance(Duration::hours(24) - Duration::minutes(9));

    let new = app.create(&ann.asks(), keyed("k1")).await.unwrap();

    assert!(again.replayed && !new.replayed);
    assert_ne!(first.token.id, new.token.id);
}

#[tokio::test]
async fn a_replay_opens_no_claim_that_could_not_be_used() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let first = app.create(&ann.asks(), keyed("k1")).await.unwrap();
    let off = Update {
        enabled: Some(false),
        ..update(first.token.id)
    };
    app.update(&ann.asks(), off).await.unwrap();

    let again = app.create(&ann.asks(), keyed("k1")).await.unwrap();

    assert!(again.replayed && matches!(again.delivered, Delivered::Before));
    assert_eq!(again.token.state(app.clock.now()), State::Disabled);
}

#[tokio::test]
async fn a_person_may_use_the_same_key_in_two_accounts() {
    let app = TestApp::new().await;
    let other = in_account(operator(), "other");
    let account = NewAccount {
        slug: "other".parse().unwrap(),
        name: label("Other"),
    };
    app.authority
        .create_account(&operator(), account)
        .await
        .unwrap();
    let ann = "ann".parse().unwrap();
    app.authority
        .set_membership(&other, ann, Role::Admin)
        .await
        .unwrap();

    let here = app.create(&local(), keyed("k1")).await.unwrap();
    let there = app
        .create(&in_account(local(), "other"), keyed("k1"))
        .await
        .unwrap();

    assert!(!here.replayed && !there.replayed);
    assert_ne!(here.token.account, there.token.account);
    app.is_sound().await;
}

fn in_account(mut request: Request, slug: &str) -> Request {
    match &mut request.credential {
        Credential::LocalSession { account, .. } | Credential::Operator { account, .. } => {
            *account = slug.parse().unwrap();
        }
        Credential::Nobody | Credential::Token { .. } | Credential::Keywright => {}
    }
    request
}
