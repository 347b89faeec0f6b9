//! The first refusal is written down at once, and its repeats of a minute are a count.

use chrono::Duration;
use keywright::domain::id::TokenId;

use crate::support::{TestApp, bearer, carrying, revoke, token, why};

#[tokio::test]
async fn the_first_refusal_is_written_at_once_and_repeats_when_the_minute_is_over() {
    let app = TestApp::new().await;
    let ann = app.agent([]).await;
    for _ in 0..5 {
        let refused = app.create(&ann.asks(), token("x")).await;
        assert!(refused.is_err());
    }
    let sentence = "this needs the scope `write:tokens`";
    let once = format!("token create_token refused: {sentence}");
    let created = "operator create_token done".to_owned();
    assert_eq!(app.trail(2).await, [created, once.clone()]);

    app.authority.write_batches().await.unwrap();
    assert_eq!(app.trail(1).await, std::slice::from_ref(&once));
    app.advance(Duration::minutes(1));
    app.authority.write_batches().await.unwrap();

    let counted = format!("token create_token refused x4: {sentence}");
    assert_eq!(app.trail(2).await, [once.clone(), counted.clone()]);
    app.create(&ann.asks(), token("x")).await.unwrap_err();
    assert_eq!(app.trail(2).await, [counted, once]);
    app.is_sound().await;
}

#[tokio::test]
async fn a_refusal_that_came_once_leaves_no_count() {
    let app = TestApp::new().await;
    let ann = app.agent([]).await;
    app.create(&ann.asks(), token("x")).await.unwrap_err();
    let written = app.rows("audit");

    app.advance(Duration::minutes(1));
    app.authority.write_batches().await.unwrap();

    assert_eq!(app.rows("audit"), written);
}

#[tokio::test]
async fn a_count_is_written_once() {
    let app = TestApp::new().await;
    for _ in 0..2 {
        app.authority.whoami(&bearer("noise")).await.unwrap_err();
    }
    app.advance(Duration::minutes(1));
    app.authority.write_batches().await.unwrap();
    let written = app.rows("audit");

    app.authority.write_batches().await.unwrap();

    assert_eq!(app.rows("audit"), written);
}

/// A verb may have to run again after its transaction did not come about, and is refused again.
#[tokio::test]
async fn a_request_that_runs_again_is_one_refusal() {
    let app = TestApp::new().await;
    let ann = app.agent([]).await;
    let first = ann.asks();
    for request in [&first, &first] {
        app.create(request, token("x")).await.unwrap_err();
    }
    // Each time its entry was there to be written: the first may have been lost.
    let refused = "token create_token refused: this needs the scope `write:tokens`";
    assert_eq!(app.trail(2).await, [refused; 2]);
    let (second, third) = (ann.asks(), ann.asks());
    for request in [&second, &second, &second, &third] {
        app.create(request, token("x")).await.unwrap_err();
    }

    app.advance(Duration::minutes(1));
    app.authority.write_batches().await.unwrap();

    let counted = refused.replace("refused", "refused x2");
    assert_eq!(app.trail(2).await, [refused, &counted]);
}

#[tokio::test]
async fn refusals_of_others_and_of_other_actions_are_counted_apart() {
    let app = TestApp::new().await;
    let [one, two] = [app.agent([]).await, app.agent([]).await];
    for agent in [&one, &two] {
        app.create(&agent.asks(), token("x")).await.unwrap_err();
        let revoked = app.revoke_by(&agent.asks(), revoke(one.id)).await;
        revoked.unwrap_err();
    }

    let trail = app.trail(4).await;

    let refused = trail.iter().filter(|line| line.contains("refused"));
    assert_eq!(refused.count(), 4);
}

#[tokio::test]
async fn nobody_leaves_only_a_count_in_the_systems_chain() {
    let app = TestApp::new().await;
    let (ours, before) = (app.rows("audit"), app.system_trail(9).await);
    for _ in 0..3 {
        app.authority.whoami(&bearer("noise")).await.unwrap_err();
    }
    app.create(&bearer("kw_pat_x"), token("x"))
        .await
        .unwrap_err();
    assert_eq!(app.rows("audit"), ours);

    app.advance(Duration::minutes(1));
    app.authority.write_batches().await.unwrap();

    let mut wanted = before;
    wanted.push("nobody authenticate refused x4: no valid token was presented".into());
    assert_eq!(app.system_trail(9).await, wanted);
    assert_eq!(app.rows("audit"), ours + 1);
    app.is_sound().await;
}

#[tokio::test]
async fn closing_writes_the_counts_of_this_minute() {
    let app = TestApp::new().await;
    app.authority.whoami(&bearer("noise")).await.unwrap_err();

    let app = app.restarted().await;

    assert_eq!(
        app.system_trail(1).await,
        ["nobody authenticate refused: no valid token was presented"]
    );
}

#[tokio::test]
async fn a_refusal_names_what_was_asked_for_and_a_count_names_nothing() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:tokens"]).await;
    let ids = [TokenId::fresh(), TokenId::fresh(), TokenId::fresh()];
    for id in ids {
        app.authority.get_token(&ann.asks(), id).await.unwrap_err();
    }
    let first = app.last_record().await;

    app.advance(Duration::minutes(1));
    app.authority.write_batches().await.unwrap();

    assert_eq!(first.target.unwrap().uuid(), ids[0].as_uuid());
    let counted = app.last_record().await;
    assert_eq!((counted.target, counted.count), (None, 2));
    app.is_sound().await;
}

#[tokio::test]
async fn refusals_over_other_scopes_are_counted_together() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let create = async |scope: &str| {
        let refused = app.create(&ann.asks(), carrying(scope)).await;
        why(refused)
    };
    let first = create("read:a").await;
    for scope in ["read:b", "read:c"] {
        create(scope).await;
    }
    let last = create("read:d").await;

    app.advance(Duration::minutes(1));
    app.authority.write_batches().await.unwrap();

    assert_eq!(
        app.trail(2).await,
        [
            format!("token create_token refused: {first}"),
            format!("token create_token refused x3: {last}")
        ]
    );
}
