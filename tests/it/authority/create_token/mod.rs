//! A token is made for whoever asks, never wider than they are, and its value leaves once.

mod by_profile;
mod replays;

use chrono::Duration;
use keywright::{
    authority::{Deliver, Delivered, For, NewToken},
    domain::{
        account::Role,
        credential::{Brand, PlainToken},
        expires::Expires,
        token::{Kind, State},
    },
};

use crate::support::{
    TestApp, agent, bearer, carrying, code, local, local_with, operator, scopes, token, value, why,
};

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
