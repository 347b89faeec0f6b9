//! A token is only ever made narrower; what a person disabled, a person enables.

use chrono::Duration;
use keywright::{
    authority::{Error, Update},
    domain::{account::Role, expires::Expires, id::TokenId, token::State},
};

use crate::support::{TestApp, label, local, operator, scopes, update, why};

fn carrying(id: TokenId, held: &str) -> Update {
    Update {
        scopes: Some(scopes(held)),
        ..update(id)
    }
}

fn until(id: TokenId, expires: Expires) -> Update {
    Update {
        expires: Some(expires),
        ..update(id)
    }
}

fn enabled(id: TokenId, enabled: bool) -> Update {
    Update {
        enabled: Some(enabled),
        ..update(id)
    }
}

#[tokio::test]
async fn a_token_loses_scopes_and_never_gains_one() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:notes"]).await;

    let fewer = app
        .update(&ann.asks(), carrying(ann.id, "write:tokens"))
        .await;
    let more = app
        .update(&ann.asks(), carrying(ann.id, "write:tokens read:notes"))
        .await;

    assert_eq!(fewer.unwrap().powers.scopes, scopes("write:tokens"));
    let sentence = "an update only takes scopes away, and this would add `read:notes`";
    assert_eq!(why(more), sentence);
    assert_eq!(
        app.trail(2).await,
        [
            "token update_token done: scopes".to_owned(),
            format!("token update_token refused: {sentence}")
        ]
    );
    app.is_sound().await;
}

#[tokio::test]
async fn a_narrowed_token_is_narrower_at_its_next_call() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:tokens"]).await;
    app.update(&operator(), carrying(ann.id, "")).await.unwrap();

    let refused = app.authority.get_token(&ann.asks(), ann.id).await;

    assert_eq!(why(refused), "this needs the scope `read:tokens`");
}

#[tokio::test]
async fn a_life_becomes_shorter_and_never_longer() {
    let app = TestApp::new().await;
    let ann = app.agent_until(Duration::days(30), ["write:tokens"]).await;
    let days = |days| Expires::After(Duration::days(days));

    let sooner = app.update(&ann.asks(), until(ann.id, days(10))).await;
    let later = app.update(&ann.asks(), until(ann.id, days(11))).await;
    let never = app.update(&ann.asks(), until(ann.id, Expires::Never)).await;
    let past = until(ann.id, Expires::At(app.clock.now()));
    let past = app.update(&ann.asks(), past).await;

    let end = app.clock.now() + Duration::days(10);
    assert_eq!(sooner.unwrap().powers.expires_at, Some(end));
    assert_eq!(
        why(later),
        "only a person gives a token a longer life, and only with a new value"
    );
    assert_eq!(
        why(never),
        "only a person gives a token a longer life, and only with a new value"
    );
    assert_eq!(why(past), "`expires` cannot be used: it is in the past");
}

#[tokio::test]
async fn not_even_the_operator_widens_a_token_that_is_there() {
    let app = TestApp::new().await;
    let ann = app.agent_until(Duration::days(30), []).await;

    let more = app
        .update(&operator(), carrying(ann.id, "read:notes"))
        .await;
    let longer = app.update(&operator(), until(ann.id, Expires::Never)).await;

    assert!(why(more).contains("takes scopes away"));
    assert!(why(longer).contains("longer life"));
}

#[tokio::test]
async fn a_label_is_changed_and_nothing_else() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let before = app.token(ann.id).await;
    let relabel = Update {
        label: Some(label("nightly")),
        ..update(ann.id)
    };

    let after = app.update(&ann.asks(), relabel).await.unwrap();

    assert_eq!(after.label, label("nightly"));
    assert_eq!(after.powers, before.powers);
    assert_eq!(after.present, before.present);
    assert_eq!(app.trail(1).await, ["token update_token done: label"]);
}

#[tokio::test]
async fn an_update_needs_write_tokens() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:tokens", "delete:tokens"]).await;

    let refused = app.update(&ann.asks(), enabled(ann.id, true)).await;

    assert_eq!(why(refused), "this needs the scope `write:tokens`");
}

#[tokio::test]
async fn a_disabled_token_is_refused_until_it_is_enabled() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let other = app.agent([]).await;

    let off = app.update(&ann.asks(), enabled(other.id, false)).await;
    assert_eq!(off.unwrap().state(app.clock.now()), State::Disabled);
    assert!(!app.is_good(&other.value).await);

    app.update(&ann.asks(), enabled(other.id, true))
        .await
        .unwrap();
    assert!(app.is_good(&other.value).await);
    assert_eq!(
        app.trail(2).await,
        [
            "token update_token done: disabled",
            "token update_token done: enabled"
        ]
    );
    app.is_sound().await;
}

#[tokio::test]
async fn a_token_does_not_disable_itself() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;

    let refused = app.update(&ann.asks(), enabled(ann.id, false)).await;

    assert_eq!(why(refused), "this would end the very token that asks");
    assert!(app.is_good(&ann.value).await);
    assert_eq!(
        app.trail(1).await,
        ["token update_token refused: this would end the very token that asks"]
    );
}

#[tokio::test]
async fn what_a_person_disabled_only_a_person_enables() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let other = app.agent([]).await;
    app.disable(&operator(), other.id).await;

    let by_token = app.update(&ann.asks(), enabled(other.id, true)).await;
    let by_session = app.update(&local(), enabled(other.id, true)).await;

    let sentence = "a person disabled this token, and only a person enables it again";
    assert_eq!(why(by_token), sentence);
    assert_eq!(why(by_session), sentence);
    let by_person = app.update(&operator(), enabled(other.id, true)).await;
    assert!(by_person.is_ok());
    assert!(app.is_good(&other.value).await);
}

#[tokio::test]
async fn disabling_once_more_does_not_take_it_from_the_person() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let other = app.agent([]).await;
    app.disable(&operator(), other.id).await;
    let disabled = app.token(other.id).await.disabled;
    app.advance(Duration::hours(1));

    app.disable(&ann.asks(), other.id).await;

    assert_eq!(app.token(other.id).await.disabled, disabled);
    let on = app.update(&ann.asks(), enabled(other.id, true)).await;
    assert!(why(on).contains("only a person"));
}

#[tokio::test]
async fn a_person_takes_over_what_an_agent_had_disabled() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let other = app.agent([]).await;
    app.disable(&ann.asks(), other.id).await;
    app.disable(&operator(), other.id).await;

    let on = app.update(&ann.asks(), enabled(other.id, true)).await;

    assert!(why(on).contains("only a person"));
}

#[tokio::test]
async fn a_wider_sibling_is_narrowed_and_disabled_but_not_enabled() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let wider = app.agent(["read:secrets", "read:notes"]).await;

    let fewer = app
        .update(&ann.asks(), carrying(wider.id, "read:secrets"))
        .await;
    assert!(fewer.is_ok());
    app.disable(&ann.asks(), wider.id).await;
    let on = app.update(&ann.asks(), enabled(wider.id, true)).await;

    assert!(why(on).contains("cannot give or use the scope `read:secrets`"));
    assert!(!app.is_good(&wider.value).await);
}

#[tokio::test]
async fn a_sibling_that_outlives_is_not_enabled() {
    let app = TestApp::new().await;
    let ann = app.agent_until(Duration::days(1), ["write:tokens"]).await;
    let lasting = app.agent_until(Duration::days(2), []).await;
    app.disable(&ann.asks(), lasting.id).await;

    let on = app.update(&ann.asks(), enabled(lasting.id, true)).await;

    assert_eq!(why(on), "a token cannot give a longer life than its own");
}

#[tokio::test]
async fn what_has_ended_is_not_changed() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let expired = app.agent_until(Duration::hours(1), []).await;
    let revoked = app.agent([]).await;
    app.revoke(revoked.id).await;
    app.advance(Duration::hours(1));

    for (id, state) in [(expired.id, State::Expired), (revoked.id, State::Revoked)] {
        let refused = app.update(&ann.asks(), enabled(id, true)).await;

        assert!(matches!(refused, Err(Error::Conflict(_))));
        assert_eq!(why(refused), format!("the token is {state}"));
    }
}

#[tokio::test]
async fn an_admin_narrows_and_disables_another_members_token_and_nothing_more() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", ["read:notes", "read:tokens"]).await;
    let admin = app.agent(["write:tokens", "manage:account"]).await;
    let relabel = Update {
        label: Some(label("mine")),
        ..update(bob.id)
    };

    let fewer = app
        .update(&admin.asks(), carrying(bob.id, "read:notes"))
        .await;
    assert!(fewer.is_ok());
    let relabel = app.update(&admin.asks(), relabel).await;
    app.disable(&admin.asks(), bob.id).await;
    let on = app.update(&admin.asks(), enabled(bob.id, true)).await;

    let sentence = "only its owner may do this with another member's token";
    assert_eq!(why(relabel), sentence);
    assert_eq!(why(on), sentence);
    app.is_sound().await;
}

#[tokio::test]
async fn a_member_with_manage_account_does_not_see_anothers_token() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app
        .agent_of("bob", ["write:tokens", "manage:account"])
        .await;
    let ann = app.agent([]).await;

    let refused = app.update(&bob.asks(), enabled(ann.id, false)).await;

    assert_eq!(why(refused), "there is no such token here");
    assert!(app.is_good(&ann.value).await);
}

#[tokio::test]
async fn enabling_what_is_on_changes_nothing_and_needs_nothing() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let wider = app.agent(["read:notes"]).await;

    let on = app.update(&ann.asks(), enabled(wider.id, true)).await;

    assert_eq!(on.unwrap().disabled, None);
    assert!(app.is_good(&wider.value).await);
}

#[tokio::test]
async fn what_an_admin_disabled_the_members_own_agent_does_not_enable() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", ["write:tokens"]).await;
    let other = app.agent_of("bob", []).await;
    let admin = app.agent(["write:tokens", "manage:account"]).await;
    app.disable(&admin.asks(), other.id).await;

    let by_agent = app.update(&bob.asks(), enabled(other.id, true)).await;

    let sentence = "a person disabled this token, and only a person enables it again";
    assert_eq!(why(by_agent), sentence);
    assert!(!app.is_good(&other.value).await);
    let by_person = app.update(&operator(), enabled(other.id, true)).await;
    by_person.unwrap();
    assert!(app.is_good(&other.value).await);
    app.is_sound().await;
}

#[tokio::test]
async fn what_ones_own_agent_disabled_it_enables() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let other = app.agent([]).await;
    app.disable(&ann.asks(), other.id).await;

    app.update(&ann.asks(), enabled(other.id, true))
        .await
        .unwrap();

    assert!(app.is_good(&other.value).await);
}

#[tokio::test]
async fn an_update_of_nothing_is_no_update() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let before = app.rows("audit");

    let refused = app.update(&ann.asks(), update(ann.id)).await;

    assert!(matches!(refused, Err(Error::Invalid { .. })));
    assert!(why(refused).contains("nothing is to change"));
    assert_eq!(app.rows("audit"), before);
}
