//! A token ends for good and at once; with it, if asked, those that it minted.

use chrono::Duration;
use keywright::{
    authority::{Error, Revoke, Update},
    domain::{account::Role, id::TokenId, token::State},
};

use crate::support::{Agent, TestApp, operator, revoke, scopes, token, update, why};

fn cascade(id: TokenId) -> Revoke {
    Revoke {
        cascade: true,
        ..revoke(id)
    }
}

/// A token, its child and its grandchild.
async fn family(app: &TestApp) -> [Agent; 3] {
    let parent = app.agent(["write:tokens", "delete:tokens"]).await;
    let child = app.child(&parent, "write:tokens").await;
    let grandchild = app.child(&child, "").await;
    [parent, child, grandchild]
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once() {
    let app = TestApp::new().await;
    let ann = app.agent(["delete:tokens"]).await;
    let other = app.agent(["read:tokens"]).await;

    let revoked = app.revoke_by(&ann.asks(), revoke(other.id)).await;
    let revoked = revoked.unwrap();

    assert_eq!((revoked.revoked_count, revoked.live_children), (1, 0));
    assert_eq!(revoked.revoked_at, app.clock.now());
    assert!(!app.is_good(&other.value).await);
    assert_eq!(
        app.token(other.id).await.state(app.clock.now()),
        State::Revoked
    );
    assert_eq!(
        app.trail(1).await,
        ["token revoke_token done: without asking a person"]
    );
    app.is_sound().await;
}

#[tokio::test]
async fn a_revoked_token_never_comes_back() {
    let app = TestApp::new().await;
    let other = app.agent([]).await;
    app.revoke(other.id).await;
    let on = Update {
        enabled: Some(true),
        ..update(other.id)
    };

    let enabled = app.update(&operator(), on).await;
    app.advance(Duration::days(1000));

    assert_eq!(why(enabled), "the token is revoked");
    assert!(!app.is_good(&other.value).await);
}

#[tokio::test]
async fn revoking_twice_is_no_error_and_tells_of_the_first_time() {
    let app = TestApp::new().await;
    let ann = app.agent(["delete:tokens"]).await;
    let other = app.agent([]).await;
    let first = app.revoke_by(&ann.asks(), revoke(other.id)).await;
    let first = first.unwrap();
    app.advance(Duration::hours(1));

    let again = app.revoke_by(&ann.asks(), revoke(other.id)).await;
    let again = again.unwrap();

    assert_eq!((first.revoked_count, again.revoked_count), (1, 0));
    assert_eq!(again.revoked_at, first.revoked_at);
    let revocations = app.trail(10).await;
    let revocations = revocations.iter().filter(|line| line.contains("revoke"));
    assert_eq!(revocations.count(), 1);
    app.is_sound().await;
}

#[tokio::test]
async fn revoking_needs_delete_tokens() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:tokens", "write:tokens"]).await;
    let other = app.agent([]).await;

    let refused = app.revoke_by(&ann.asks(), revoke(other.id)).await;

    assert_eq!(why(refused), "this needs the scope `delete:tokens`");
    assert!(app.is_good(&other.value).await);
}

#[tokio::test]
async fn a_token_ends_itself_only_when_that_is_meant() {
    let app = TestApp::new().await;
    let ann = app.agent(["delete:tokens"]).await;
    let meant = Revoke {
        allow_self: true,
        ..revoke(ann.id)
    };

    let refused = app.revoke_by(&ann.asks(), revoke(ann.id)).await;
    assert_eq!(why(refused), "this would end the very token that asks");
    assert!(app.is_good(&ann.value).await);
    let ended = app.revoke_by(&ann.asks(), meant).await;

    assert_eq!(ended.unwrap().revoked_count, 1);
    assert!(!app.is_good(&ann.value).await);
    assert_eq!(
        app.trail(2).await,
        [
            "token revoke_token refused: this would end the very token that asks",
            "token revoke_token done: without asking a person"
        ]
    );
}

#[tokio::test]
async fn children_live_on_without_cascade_and_are_counted() {
    let app = TestApp::new().await;
    let [parent, child, grandchild] = family(&app).await;

    let revoked = app.revoke_by(&operator(), revoke(parent.id)).await;
    let revoked = revoked.unwrap();

    assert_eq!((revoked.revoked_count, revoked.live_children), (1, 1));
    assert!(!app.is_good(&parent.value).await);
    assert!(app.is_good(&child.value).await);
    assert!(app.is_good(&grandchild.value).await);
}

#[tokio::test]
async fn only_children_that_are_good_are_counted() {
    let app = TestApp::new().await;
    let parent = app.agent(["write:tokens"]).await;
    let [disabled, revoked, _good] = [
        app.child(&parent, "").await,
        app.child(&parent, "").await,
        app.child(&parent, "").await,
    ];
    app.waiting(&parent.asks(), "").await;
    app.disable(&operator(), disabled.id).await;
    app.revoke(revoked.id).await;

    let ended = app.revoke_by(&operator(), revoke(parent.id)).await;

    assert_eq!(ended.unwrap().live_children, 1);
}

#[tokio::test]
async fn a_cascade_ends_children_and_grandchildren() {
    let app = TestApp::new().await;
    let [parent, child, grandchild] = family(&app).await;
    let (_, waiting) = app.waiting(&child.asks(), "").await;
    let bystander = app.agent([]).await;

    let revoked = app.revoke_by(&operator(), cascade(parent.id)).await;
    let revoked = revoked.unwrap();

    assert_eq!((revoked.revoked_count, revoked.live_children), (4, 0));
    for ended in [&parent, &child, &grandchild] {
        assert!(!app.is_good(&ended.value).await);
    }
    assert_eq!(
        why(app.claim(&waiting).await),
        "there is no such claim here"
    );
    assert!(app.is_good(&bystander.value).await);
    let line = format!(
        "operator revoke_token done: with token {}, which minted it",
        parent.id
    );
    let trail = app.trail(5).await;
    assert_eq!(trail[0], "operator revoke_token done");
    assert_eq!(trail[1..4], [line.clone(), line.clone(), line]);
    app.is_sound().await;
}

#[tokio::test]
async fn a_cascade_reaches_the_grandchild_of_a_child_that_had_ended() {
    let app = TestApp::new().await;
    let [parent, child, grandchild] = family(&app).await;
    app.revoke(child.id).await;

    let revoked = app.revoke_by(&operator(), cascade(parent.id)).await;

    assert_eq!(revoked.unwrap().revoked_count, 2);
    assert!(!app.is_good(&grandchild.value).await);
}

#[tokio::test]
async fn a_cascade_can_follow_a_revocation_without_one() {
    let app = TestApp::new().await;
    let [parent, child, _] = family(&app).await;
    app.revoke(parent.id).await;

    let revoked = app.revoke_by(&operator(), cascade(parent.id)).await;

    assert_eq!(revoked.unwrap().revoked_count, 2);
    assert!(!app.is_good(&child.value).await);
}

#[tokio::test]
async fn another_members_token_is_ended_by_an_admin_alone() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app
        .agent_of("bob", ["delete:tokens", "manage:account"])
        .await;
    let ann = app.agent(["delete:tokens"]).await;
    let admin = app.agent(["delete:tokens", "manage:account"]).await;

    let by_member = app.revoke_by(&bob.asks(), revoke(ann.id)).await;
    let by_ann = app.revoke_by(&ann.asks(), revoke(bob.id)).await;
    let by_admin = app.revoke_by(&admin.asks(), revoke(bob.id)).await;

    assert!(matches!(by_member, Err(Error::NotFound(_))));
    assert!(matches!(by_ann, Err(Error::NotFound(_))));
    assert_eq!(by_admin.unwrap().revoked_count, 1);
    assert!(!app.is_good(&bob.value).await);
}

#[tokio::test]
async fn the_operator_of_one_account_ends_a_token_of_another() {
    let app = TestApp::new().await;
    let stranger = app.stranger().await;

    app.revoke(stranger.id).await;

    assert!(!app.is_good(&stranger.value).await);
    app.is_sound().await;
}

#[tokio::test]
async fn a_revocation_in_one_process_is_refused_in_the_other_at_the_next_call() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:tokens"]).await;
    let other = app.another_process();
    assert!(other.is_good(&ann.value).await);

    app.revoke(ann.id).await;

    assert!(!other.is_good(&ann.value).await);
    other.is_sound().await;
}

#[tokio::test]
async fn a_disabled_token_and_a_narrowed_one_are_seen_by_the_other_process() {
    let app = TestApp::new().await;
    let [one, two] = [
        app.agent(["read:tokens"]).await,
        app.agent(["read:tokens"]).await,
    ];
    let other = app.another_process();
    app.disable(&operator(), one.id).await;
    let narrower = Update {
        scopes: Some(scopes("")),
        ..update(two.id)
    };
    app.update(&operator(), narrower).await.unwrap();

    assert!(!other.is_good(&one.value).await);
    let refused = other.authority.get_token(&two.asks(), two.id).await;
    assert_eq!(why(refused), "this needs the scope `read:tokens`");
}

#[tokio::test]
async fn nothing_of_a_revoked_token_is_committed_after_the_revocation() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let other = app.another_process();
    let asking: Vec<_> = (0..20)
        .map(|_| {
            let (authority, request) = (other.authority.clone(), ann.asks());
            tokio::spawn(async move {
                let new = token("child");
                authority.create_token(&request, new).await.is_ok()
            })
        })
        .collect();

    app.revoke(ann.id).await;

    let made_by_then = app.rows("tokens");
    for asked in asking {
        asked.await.unwrap();
    }
    assert_eq!(app.rows("tokens"), made_by_then);
    app.is_sound().await;
}

/// A token and a child of it that may end tokens.
async fn parent_and_child(app: &TestApp) -> [Agent; 2] {
    let parent = app.agent(["write:tokens", "delete:tokens"]).await;
    let child = app.child(&parent, "delete:tokens").await;
    [parent, child]
}

#[tokio::test]
async fn a_cascade_does_not_end_the_token_that_asks_by_accident() {
    let app = TestApp::new().await;
    let [parent, child] = parent_and_child(&app).await;
    let sibling = app.child(&parent, "").await;

    let refused = app.revoke_by(&child.asks(), cascade(parent.id)).await;

    assert_eq!(why(refused), "this would end the very token that asks");
    for agent in [&parent, &child, &sibling] {
        assert!(app.is_good(&agent.value).await);
    }
    assert_eq!(
        app.trail(2).await,
        [
            "operator claim_token done: to test",
            "token revoke_token refused: this would end the very token that asks"
        ]
    );
    let target = app.last_record().await.target.unwrap();
    assert_eq!(target.uuid(), child.id.as_uuid());
    app.is_sound().await;
}

#[tokio::test]
async fn a_cascade_ends_the_token_that_asks_where_that_is_meant() {
    let app = TestApp::new().await;
    let [parent, child] = parent_and_child(&app).await;
    let sibling = app.child(&parent, "").await;
    let meant = Revoke {
        allow_self: true,
        ..cascade(parent.id)
    };

    let revoked = app.revoke_by(&child.asks(), meant).await;

    assert_eq!(revoked.unwrap().revoked_count, 3);
    for agent in [&parent, &child, &sibling] {
        assert!(!app.is_good(&agent.value).await);
    }
    app.is_sound().await;
}

#[tokio::test]
async fn what_a_token_minted_itself_it_ends_without_a_word() {
    let app = TestApp::new().await;
    let [parent, child] = parent_and_child(&app).await;
    let other = app.agent([]).await;

    for id in [child.id, other.id] {
        let revoked = app.revoke_by(&parent.asks(), revoke(id)).await;
        revoked.unwrap();
    }
    app.revoke(parent.id).await;

    assert_eq!(
        app.trail(3).await,
        [
            "token revoke_token done",
            "token revoke_token done: without asking a person",
            "operator revoke_token done"
        ]
    );
}
