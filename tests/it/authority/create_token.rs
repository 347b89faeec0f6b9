//! A token is made for whoever asks, never wider than they are, and its value leaves once.

use chrono::Duration;
use keywright::{
    authority::{Deliver, Delivered, For, NewToken, Rotate, Update},
    domain::{
        account::Role,
        credential::{Brand, PlainToken},
        expires::Expires,
        token::{Kind, State},
    },
};

use crate::support::{
    Agent, TestApp, agent, bearer, carrying, code, label, local, local_with, operator, rotate,
    scopes, token, update, value, why,
};

fn keyed(key: &str) -> NewToken {
    NewToken {
        idempotency_key: Some(key.parse().unwrap()),
        ..token("nightly")
    }
}

fn inline(held: &str) -> NewToken {
    NewToken {
        deliver: Deliver::Inline,
        ..carrying(held)
    }
}

fn until(expires: Expires) -> NewToken {
    NewToken {
        expires: Some(expires),
        ..token("child")
    }
}

#[tokio::test]
async fn a_token_waits_to_be_claimed_unless_its_value_is_asked_for() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:notes"]).await;

    let minted = app
        .create(&ann.asks(), carrying("read:notes"))
        .await
        .unwrap();

    let made = minted.token.clone();
    assert_eq!(made.state(minted.at), State::Unclaimed);
    assert_eq!((made.kind, made.parent), (Kind::Pat, Some(ann.id)));
    assert_eq!(made.powers.scopes, scopes("read:notes"));
    assert_eq!((made.present, made.last_used_at), (None, None));
    let Delivered::Claim { expires_at, .. } = minted.delivered else {
        panic!("{:?}", minted.delivered);
    };
    assert_eq!(expires_at - minted.at, Duration::minutes(10));
    assert_eq!(app.trail(1).await, ["token create_token done"]);
    app.is_sound().await;
}

#[tokio::test]
async fn a_value_leaves_in_the_answer_for_who_holds_read_secrets() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:secrets"]).await;

    let minted = app.create(&ann.asks(), inline("")).await.unwrap();

    let value = value(&minted);
    assert_eq!(minted.token.state(minted.at), State::Active);
    let prefix = minted.token.present.unwrap().prefix.unwrap();
    assert_eq!(prefix.as_str().len(), "kw_pat_".len() + 4);
    assert!(value.starts_with(prefix.as_str()));
    assert!(app.is_good(&value).await);
    app.is_sound().await;
}

#[tokio::test]
async fn inline_without_read_secrets_is_refused_and_nothing_is_made() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let before = app.rows("tokens");

    let refused = app.create(&ann.asks(), inline("")).await;

    assert_eq!(why(refused), "this needs the scope `read:secrets`");
    assert_eq!(app.rows("tokens"), before);
    assert_eq!(
        app.trail(1).await,
        ["token create_token refused: this needs the scope `read:secrets`"]
    );
}

#[tokio::test]
async fn the_local_session_gets_no_value_inline_either() {
    let app = TestApp::new().await;

    let refused = app.create(&local(), inline("")).await;
    let allowed = app
        .create(&local_with("write:tokens read:secrets"), inline(""))
        .await;

    assert_eq!(why(refused), "this needs the scope `read:secrets`");
    assert_eq!(allowed.unwrap().token.parent, None);
}

#[tokio::test]
async fn without_write_tokens_nothing_is_made() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:tokens", "read:secrets"]).await;

    let refused = app.create(&ann.asks(), token("child")).await;

    assert_eq!(why(refused), "this needs the scope `write:tokens`");
    let record = app.last_record().await;
    assert_eq!(record.actor.to_string(), format!("token:{}", ann.id));
    assert_eq!((record.target, record.digest), (None, None));
}

#[tokio::test]
async fn nobody_makes_a_token() {
    let app = TestApp::new().await;
    let unknown = PlainToken::generate(&Brand::default(), Kind::Pat);

    for value in ["", "noise", "kw_pat_x", unknown.expose()] {
        let refused = app.create(&bearer(value), token("child")).await;

        assert_eq!(why(refused), "no valid token was presented");
    }
    assert_eq!(app.rows("tokens"), 0);
}

#[tokio::test]
async fn a_scope_that_the_asker_lacks_is_refused_as_an_escalation() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:notes"]).await;

    let refused = app
        .create(&ann.asks(), carrying("read:notes write:notes"))
        .await;

    let sentence = "a token cannot give or use the scope `write:notes`, which it lacks itself";
    assert_eq!(why(refused), sentence);
    let line = format!("token create_token refused: {sentence}");
    assert_eq!(app.trail(1).await, [line]);
}

#[tokio::test]
async fn a_narrowed_session_gives_only_what_it_was_narrowed_to() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:notes"]).await;

    let refused = app
        .create(&ann.narrowed("write:tokens"), carrying("read:notes"))
        .await;

    assert!(why(refused).contains("`read:notes`"));
}

#[tokio::test]
async fn ninety_days_are_given_when_nothing_is_said() {
    let app = TestApp::new().await;

    let minted = app.create(&local(), token("x")).await.unwrap();

    let life = minted.token.powers.expires_at.unwrap() - minted.at;
    assert_eq!(life, Duration::days(90));
}

#[tokio::test]
async fn a_minter_with_less_life_left_gives_what_is_left() {
    let app = TestApp::new().await;
    let ann = app.agent_until(Duration::days(30), ["write:tokens"]).await;
    app.advance(Duration::days(10));

    let minted = app.create(&ann.asks(), token("child")).await.unwrap();

    let life = minted.token.powers.expires_at.unwrap() - minted.at;
    assert_eq!(life, Duration::days(20));
}

#[tokio::test]
async fn a_longer_life_than_the_minters_is_refused_and_never_clamped() {
    let app = TestApp::new().await;
    let ann = app.agent_until(Duration::days(30), ["write:tokens"]).await;
    let before = app.rows("tokens");

    let as_long = until(Expires::After(Duration::days(30)));
    let longer = until(Expires::After(
        Duration::days(30) + Duration::milliseconds(1),
    ));
    app.create(&ann.asks(), as_long).await.unwrap();
    let refused = app.create(&ann.asks(), longer).await;

    assert_eq!(
        why(refused),
        "a token cannot give a longer life than its own"
    );
    assert_eq!(app.rows("tokens"), before + 1);
    assert_eq!(
        app.trail(1).await,
        ["token create_token refused: a token cannot give a longer life than its own"]
    );
}

#[tokio::test]
async fn never_is_given_only_by_who_never_ends() {
    let app = TestApp::new().await;
    let mortal = app.agent_until(Duration::days(900), ["write:tokens"]).await;
    let immortal = app.agent(["write:tokens"]).await;

    let refused = app.create(&mortal.asks(), until(Expires::Never)).await;
    let minted = app.create(&immortal.asks(), until(Expires::Never)).await;

    assert_eq!(
        why(refused),
        "a token cannot give a longer life than its own"
    );
    assert_eq!(minted.unwrap().token.powers.expires_at, None);
}

#[tokio::test]
async fn an_end_in_the_past_is_refused() {
    let app = TestApp::new().await;

    let refused = app
        .create(&local(), until(Expires::At(app.clock.now())))
        .await;

    assert_eq!(why(refused), "`expires` cannot be used: it is in the past");
    assert_eq!(app.rows("tokens"), 0);
}

#[tokio::test]
async fn nobody_makes_a_token_for_somebody_else_but_the_operator() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let ann = app.agent(["write:tokens", "manage:account"]).await;
    let for_bob = || NewToken {
        owner: For::User("bob".parse().unwrap()),
        ..token("bob's")
    };

    let refused = app.create(&ann.asks(), for_bob()).await;
    let made = app.create(&operator(), for_bob()).await;

    assert!(why(refused).contains("only its owner"));
    assert_eq!(made.unwrap().token.parent, None);
}

#[tokio::test]
async fn a_member_cannot_tell_somebody_else_from_nobody() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let ann = app.agent(["write:tokens"]).await;

    for name in ["bob", "nobody"] {
        let new = NewToken {
            owner: For::User(name.parse().unwrap()),
            ..token("x")
        };
        let refused = app.create(&ann.asks(), new).await;

        assert_eq!(why(refused), "there is no such user here");
    }
}

#[tokio::test]
async fn the_same_label_may_stand_twice() {
    let app = TestApp::new().await;

    for _ in 0..2 {
        app.create(&local(), token("nightly")).await.unwrap();
    }

    assert_eq!(app.rows("tokens"), 2);
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
async fn a_chain_of_mintings_only_narrows() {
    let app = TestApp::new().await;
    let held = ["write:tokens", "read:secrets", "read:notes"];
    let ann = app.agent_until(Duration::days(30), held).await;
    let child = app
        .create(&ann.asks(), inline("write:tokens read:secrets"))
        .await;
    let child = agent(&child.unwrap());

    let wider = app.create(&child.asks(), carrying("read:notes")).await;
    let longer = app
        .create(&child.asks(), until(Expires::After(Duration::days(31))))
        .await;

    assert!(why(wider).contains("`read:notes`"));
    assert!(why(longer).contains("longer life"));
    app.is_sound().await;
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
async fn an_answer_does_not_show_its_value_or_its_code_when_it_is_printed() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:secrets"]).await;

    let with_value = app.create(&ann.asks(), inline("")).await.unwrap();
    let with_code = app.create(&ann.asks(), token("x")).await.unwrap();

    let secret = &value(&with_value)["kw_pat_0000".len()..];
    assert!(!format!("{with_value:?}").contains(secret));
    assert!(!format!("{with_code:?}").contains(&code(&with_code)));
    assert!(!format!("{:?}", ann.asks()).contains(&ann.value[11..]));
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
