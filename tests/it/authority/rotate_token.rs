//! A token gets a new value and keeps its id; the old value ends at once or after an overlap.

use chrono::Duration;
use keywright::{
    authority::{Deliver, Delivered, Error, For, NewToken, Rotate, Update},
    domain::{
        account::Role,
        expires,
        id::{RequestId, TokenId},
        token::State,
    },
    wire::problem::{Code, Problem},
};

use crate::support::{
    Agent, TestApp, bearer, code, local, operator, rotate, scopes, token, update, value, why,
};

fn inline(id: TokenId) -> Rotate {
    Rotate {
        deliver: Deliver::Inline,
        ..rotate(id)
    }
}

#[tokio::test]
async fn the_id_stays_and_the_value_is_another() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:secrets"]).await;
    let other = app.agent([]).await;
    let before = app.token(other.id).await;
    app.advance(Duration::hours(1));

    let rotated = app.rotate(&ann.asks(), inline(other.id)).await;
    let rotated = rotated.unwrap();

    let after = rotated.token.clone();
    assert_eq!(after.id, other.id);
    assert_eq!(after.powers, before.powers);
    let (old, new) = (before.present.unwrap(), after.present.unwrap());
    assert_eq!(new.generation, old.generation + 1);
    assert_eq!(new.generated_at - old.generated_at, Duration::hours(1));
    assert_ne!(new.prefix, old.prefix);
    assert!(!rotated.is_own);
    assert!(app.is_good(&value(&rotated)).await);
    assert!(!app.is_good(&other.value).await);
    assert_eq!(app.trail(1).await, ["token rotate_token done"]);
    app.is_sound().await;
}

#[tokio::test]
async fn the_old_value_of_ones_own_token_works_for_an_hour() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:secrets"]).await;

    let rotated = app.rotate(&ann.asks(), inline(ann.id)).await;
    assert!(rotated.unwrap().is_own);

    app.advance(Duration::hours(1) - Duration::milliseconds(1));
    assert!(app.is_good(&ann.value).await);
    app.advance(Duration::milliseconds(1));
    assert!(!app.is_good(&ann.value).await);
}

#[tokio::test]
async fn an_overlap_lasts_as_long_as_was_asked() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:secrets"]).await;
    let other = app.agent([]).await;
    let overlapping = Rotate {
        overlap: Some(Duration::minutes(5)),
        ..inline(other.id)
    };

    let rotated = app.rotate(&ann.asks(), overlapping).await;
    let new = value(&rotated.unwrap());

    app.advance(Duration::minutes(5) - Duration::milliseconds(1));
    assert!(app.is_good(&other.value).await);
    app.advance(Duration::milliseconds(1));
    assert!(!app.is_good(&other.value).await);
    assert!(app.is_good(&new).await);
}

#[tokio::test]
async fn a_second_rotation_ends_the_value_before_the_last() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:secrets"]).await;
    let first = app.rotate(&ann.asks(), inline(ann.id)).await;
    let first = value(&first.unwrap());

    let second = app.rotate(&bearer(&first), inline(ann.id)).await;
    second.unwrap();

    assert!(!app.is_good(&ann.value).await);
    assert!(app.is_good(&first).await);
    assert_eq!(app.rows("token_values"), 2);
    app.is_sound().await;
}

#[tokio::test]
async fn revoking_ends_both_values_of_an_overlap() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:secrets"]).await;
    let rotated = app.rotate(&ann.asks(), inline(ann.id)).await;
    let new = value(&rotated.unwrap());

    app.revoke(ann.id).await;

    assert!(!app.is_good(&ann.value).await);
    assert!(!app.is_good(&new).await);
}

#[tokio::test]
async fn a_rotation_by_claim_leaves_the_old_value_until_it_is_claimed() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let other = app.agent([]).await;
    let before = app.token(other.id).await.present;

    let rotated = app.rotate(&ann.asks(), rotate(other.id)).await;
    let rotated = rotated.unwrap();

    assert_eq!(rotated.token.present, before);
    assert!(app.is_good(&other.value).await);
    let new = app.claim(&code(&rotated)).await.unwrap();
    assert!(app.is_good(&new).await);
    assert!(!app.is_good(&other.value).await);
    assert_ne!(app.token(other.id).await.present, before);
    app.is_sound().await;
}

#[tokio::test]
async fn the_overlap_counts_from_the_claim() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let rotated = app.rotate(&ann.asks(), rotate(ann.id)).await;
    let code = code(&rotated.unwrap());
    app.advance(Duration::minutes(9));

    app.claim(&code).await.unwrap();

    app.advance(Duration::hours(1) - Duration::milliseconds(1));
    assert!(app.is_good(&ann.value).await);
    app.advance(Duration::milliseconds(1));
    assert!(!app.is_good(&ann.value).await);
}

#[tokio::test]
async fn a_rotation_whose_claim_lapses_changes_nothing() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let before = app.token(ann.id).await.present;
    let rotated = app.rotate(&ann.asks(), rotate(ann.id)).await;
    let code = code(&rotated.unwrap());

    app.advance(Duration::minutes(10));

    assert!(app.claim(&code).await.is_err());
    assert!(app.is_good(&ann.value).await);
    assert_eq!(app.token(ann.id).await.present, before);
}

#[tokio::test]
async fn rotating_an_unclaimed_token_replaces_its_claim() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let (id, old) = app.waiting(&ann.asks(), "").await;

    let rotated = app.rotate(&ann.asks(), rotate(id)).await;
    let rotated = rotated.unwrap();

    assert_eq!(rotated.token.state(rotated.at), State::Unclaimed);
    assert_eq!(why(app.claim(&old).await), "there is no such claim here");
    assert!(
        app.is_good(&app.claim(&code(&rotated)).await.unwrap())
            .await
    );
    assert_eq!(app.rows("claims"), 1);
}

#[tokio::test]
async fn an_inline_rotation_ends_a_claim_that_waits() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:secrets"]).await;
    let (id, old) = app.waiting(&ann.asks(), "").await;

    let rotated = app.rotate(&ann.asks(), inline(id)).await;

    assert!(app.is_good(&value(&rotated.unwrap())).await);
    assert_eq!(why(app.claim(&old).await), "there is no such claim here");
}

#[tokio::test]
async fn what_is_disabled_or_has_ended_is_not_rotated() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let [disabled, revoked] = [app.agent([]).await, app.agent([]).await];
    let expired = app.agent_until(Duration::hours(1), []).await;
    app.disable(&ann.asks(), disabled.id).await;
    app.revoke(revoked.id).await;
    app.advance(Duration::hours(1));

    for (id, state) in [
        (disabled.id, "disabled"),
        (revoked.id, "revoked"),
        (expired.id, "expired"),
    ] {
        let refused = app.rotate(&ann.asks(), rotate(id)).await;

        assert!(matches!(refused, Err(Error::Conflict(_))));
        assert_eq!(why(refused), format!("the token is {state}"));
    }
    assert_eq!(app.rows("claims"), 0);
}

#[tokio::test]
async fn a_wider_sibling_is_not_rotated() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:secrets"]).await;
    let wider = app.agent(["read:notes"]).await;

    for asked in [inline(wider.id), rotate(wider.id)] {
        let refused = app.rotate(&ann.asks(), asked).await;

        assert!(why(refused).contains("cannot give or use the scope `read:notes`"));
    }
    assert!(app.is_good(&wider.value).await);
    assert!(app.trail(1).await[0].starts_with("token rotate_token refused: a token cannot"));
}

#[tokio::test]
async fn a_sibling_that_outlives_is_not_rotated() {
    let app = TestApp::new().await;
    let ann = app.agent_until(Duration::days(1), ["write:tokens"]).await;
    let lasting = app.agent([]).await;

    let refused = app.rotate(&ann.asks(), rotate(lasting.id)).await;

    assert_eq!(
        why(refused),
        "a token cannot give a longer life than its own"
    );
}

#[tokio::test]
async fn nobody_rotates_another_members_token() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", ["write:tokens"]).await;
    let admin = app.agent(["write:tokens", "manage:account"]).await;

    let by_admin = app.rotate(&admin.asks(), rotate(bob.id)).await;
    let by_member = app.rotate(&bob.asks(), rotate(admin.id)).await;

    assert!(why(by_admin).contains("only its owner"));
    assert_eq!(why(by_member), "there is no such token here");
}

#[tokio::test]
async fn inline_without_read_secrets_is_refused_and_the_value_stands() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;

    let refused = app.rotate(&ann.asks(), inline(ann.id)).await;

    assert_eq!(why(refused), "this needs the scope `read:secrets`");
    assert!(app.is_good(&ann.value).await);
    assert_eq!(app.token(ann.id).await.present.unwrap().generation, 1);
}

#[tokio::test]
async fn rotation_does_not_move_the_end() {
    let app = TestApp::new().await;
    let held = ["write:tokens", "read:secrets"];
    let ann = app.agent_until(Duration::days(30), held).await;
    let before = app.token(ann.id).await.powers.expires_at;
    app.advance(Duration::days(10));

    let rotated = app.rotate(&ann.asks(), inline(ann.id)).await;

    assert_eq!(rotated.unwrap().token.powers.expires_at, before);
}

#[tokio::test]
async fn only_a_person_gives_a_new_end_with_a_rotation() {
    let app = TestApp::new().await;
    let ann = app.agent_until(Duration::days(30), ["write:tokens"]).await;
    let longer = || Rotate {
        expires: Some("60d".parse().unwrap()),
        ..rotate(ann.id)
    };

    let by_token = app.rotate(&ann.asks(), longer()).await;
    let by_session = app.rotate(&local(), longer()).await;
    let by_person = app.rotate(&operator(), longer()).await;

    let sentence = "only a person gives a token a longer life, and only with a new value";
    assert_eq!(why(by_token), sentence);
    assert_eq!(why(by_session), sentence);
    let end = app.clock.now() + Duration::days(60);
    assert_eq!(by_person.unwrap().token.powers.expires_at, Some(end));
    app.is_sound().await;
}

#[tokio::test]
async fn a_repeated_rotation_does_not_rotate_again() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:secrets"]).await;
    let other = app.agent([]).await;
    let keyed = |id| Rotate {
        idempotency_key: Some("k1".parse().unwrap()),
        ..inline(id)
    };

    let first = app.rotate(&ann.asks(), keyed(other.id)).await;
    let first = value(&first.unwrap());
    let again = app.rotate(&ann.asks(), keyed(other.id)).await;
    let again = again.unwrap();
    let elsewhere = app.rotate(&ann.asks(), keyed(ann.id)).await;

    assert!(again.replayed && matches!(again.delivered, Delivered::Before));
    assert!(app.is_good(&first).await);
    assert_eq!(app.token(other.id).await.present.unwrap().generation, 2);
    assert_eq!(
        why(elsewhere),
        "this `idempotency_key` was used with other arguments"
    );
    app.is_sound().await;
}

#[tokio::test]
async fn a_repeated_rotation_by_claim_gives_a_fresh_code() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let keyed = || Rotate {
        idempotency_key: Some("k1".parse().unwrap()),
        ..rotate(ann.id)
    };

    let first = app.rotate(&ann.asks(), keyed()).await;
    let first = code(&first.unwrap());
    let again = app.rotate(&ann.asks(), keyed()).await;
    let again = again.unwrap();

    assert!(again.replayed);
    assert!(app.claim(&first).await.is_err());
    assert!(app.claim(&code(&again)).await.is_ok());
}

#[tokio::test]
async fn a_key_of_create_is_another_one_for_rotate() {
    let app = TestApp::new().await;
    let new = NewToken {
        idempotency_key: Some("k1".parse().unwrap()),
        ..token("x")
    };
    let made = app.create(&local(), new).await.unwrap();
    let keyed = Rotate {
        idempotency_key: Some("k1".parse().unwrap()),
        ..rotate(made.token.id)
    };

    let rotated = app.rotate(&local(), keyed).await;

    assert!(!rotated.unwrap().replayed);
}

#[tokio::test]
async fn a_replay_of_a_rotation_is_decided_anew() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "read:notes"]).await;
    let other = app.agent(["read:notes"]).await;
    let keyed = || Rotate {
        idempotency_key: Some("k1".parse().unwrap()),
        ..rotate(other.id)
    };
    let first = app.rotate(&ann.asks(), keyed()).await;
    first.unwrap();
    let narrower = Update {
        scopes: Some(scopes("write:tokens")),
        ..update(ann.id)
    };
    app.update(&ann.asks(), narrower).await.unwrap();

    let again = app.rotate(&ann.asks(), keyed()).await;

    assert!(why(again).contains("`read:notes`"));
}

#[tokio::test]
async fn a_cli_tokens_rotation_moves_generated_at_and_seals_the_new_value() {
    let app = TestApp::new().await;
    let before = app.set_cli_token(For::Me, "").await;
    app.advance(Duration::hours(1));

    let rotated = app.rotate(&operator(), inline(before.id)).await;
    let rotated = rotated.unwrap();

    let shown = app.reveal(&operator(), For::Me).await;
    let shown = shown.unwrap();
    assert_eq!(shown.value.expose(), value(&rotated));
    assert_eq!(shown.generated_at, app.clock.now());
    assert_eq!(rotated.token.id, before.id);
    app.is_sound().await;
}

/// An agent that has just renewed its own token, and the new value.
async fn overlapping(app: &TestApp) -> (Agent, String) {
    let ann = app.agent(["write:tokens", "read:secrets"]).await;
    let rotated = app.rotate(&ann.asks(), inline(ann.id)).await;
    app.authority.write_batches().await.unwrap();
    (ann, value(&rotated.unwrap()))
}

#[tokio::test]
async fn an_overlap_ends_soon_after_the_first_use_of_the_new_value() {
    let app = TestApp::new().await;
    let (ann, new) = overlapping(&app).await;
    assert!(app.is_good(&new).await);
    assert!(app.is_good(&ann.value).await);

    app.authority.write_batches().await.unwrap();

    assert!(!app.is_good(&ann.value).await);
    assert!(app.is_good(&new).await);
    assert_eq!(
        app.trail(1).await,
        ["keywright sweep done: the overlap is over: the new value is in use"]
    );
    let target = app.last_record().await.target.unwrap();
    assert_eq!(target.uuid(), ann.id.as_uuid());
    app.is_sound().await;
}

#[tokio::test]
async fn a_token_that_presents_an_overtaken_value_does_not_end_it_by_rotating_again() {
    let app = TestApp::new().await;
    let (ann, new) = overlapping(&app).await;

    for again in [rotate(ann.id), inline(ann.id)] {
        let refused = app.rotate(&ann.asks(), again).await;
        assert_eq!(
            why(refused),
            "the token has a newer value than the one that this session presents"
        );
    }
    assert!(app.is_good(&ann.value).await && app.is_good(&new).await);
    app.rotate(&bearer(&new), rotate(ann.id)).await.unwrap();
}

#[tokio::test]
async fn the_use_of_the_old_value_does_not_end_an_overlap() {
    let app = TestApp::new().await;
    let (ann, new) = overlapping(&app).await;
    let before = app.rows("audit");

    for _ in 0..2 {
        assert!(app.is_good(&ann.value).await);
        app.authority.write_batches().await.unwrap();
    }

    assert!(app.is_good(&ann.value).await);
    assert!(app.is_good(&new).await);
    assert_eq!(app.rows("audit"), before);
}

#[tokio::test]
async fn an_overlap_ends_once_though_the_new_value_is_used_again() {
    let app = TestApp::new().await;
    let (_, new) = overlapping(&app).await;
    for _ in 0..3 {
        assert!(app.is_good(&new).await);
        app.authority.write_batches().await.unwrap();
    }

    let trail = app.trail(10).await;

    let ends = trail
        .iter()
        .filter(|line| line.contains("the overlap is over"));
    assert_eq!(ends.count(), 1);
    app.is_sound().await;
}

#[tokio::test]
async fn an_overlap_ends_with_the_use_in_another_process_too() {
    let app = TestApp::new().await;
    let other = app.another_process();
    let (ann, new) = overlapping(&app).await;

    assert!(other.is_good(&new).await);
    other.authority.write_batches().await.unwrap();

    assert!(!app.is_good(&ann.value).await);
    app.is_sound().await;
}

#[tokio::test]
async fn an_overlap_is_thirty_days_at_most() {
    let app = TestApp::new().await;
    let ann = app.agent([]).await;
    let lasting = |overlap| Rotate {
        overlap: Some(overlap),
        ..inline(ann.id)
    };
    let month = Duration::days(30);
    let absurd = expires::duration("999999999d").unwrap();

    for overlap in [month + Duration::milliseconds(1), absurd] {
        let refused = app.rotate(&operator(), lasting(overlap)).await;

        let sentence = "`overlap` cannot be used: it is longer than 30 days";
        assert_eq!(why(refused), sentence);
    }
    let allowed = app.rotate(&operator(), lasting(month)).await;
    assert!(allowed.is_ok());
    assert!(app.is_good(&ann.value).await);
}

#[tokio::test]
async fn a_new_end_from_who_is_no_person_is_an_escalation_and_written_down() {
    let app = TestApp::new().await;
    let ann = app.agent_until(Duration::days(30), ["write:tokens"]).await;
    let before = app.token(ann.id).await.powers;

    for end in ["1d", "60d", "never"] {
        let asked = Rotate {
            expires: Some(end.parse().unwrap()),
            ..rotate(ann.id)
        };
        let refused = app.rotate(&ann.asks(), asked).await.unwrap_err();

        let code = Problem::of(&refused, RequestId::fresh()).code;
        assert_eq!(code, Code::ScopeEscalation, "{end}");
    }
    assert_eq!(
        app.trail(1).await,
        [
            "token rotate_token refused: only a person gives a token a longer life, and only with a new value"
        ]
    );
    let target = app.last_record().await.target.unwrap();
    assert_eq!(target.uuid(), ann.id.as_uuid());
    assert_eq!(app.token(ann.id).await.powers, before);
    assert_eq!(app.rows("claims"), 0);
}
