//! Tokens of an app environment: its account's admins look after them, and they survive whoever
//! made them.

use chrono::Duration;
use keywright::{
    authority::{Deliver, For, ListTokens, Minted, NewToken, Of},
    authz::Request,
    domain::{account::Role, app_env::AppEnvRef, expires::Expires, id::TokenId, token::Owner},
};

use crate::support::{
    Agent, TestApp, TestSink, agent, by_code, code, env_named, label, list, operator, revoke,
    rotate, scopes, token, update, why,
};

/// Somebody who may do all that there is to do with an environment's tokens.
const ALL: [&str; 7] = [
    "read:tokens",
    "write:tokens",
    "delete:tokens",
    "read:secrets",
    "read:envs",
    "write:envs",
    "deploy:app",
];

fn for_staging() -> NewToken {
    NewToken {
        owner: env_named("staging"),
        scopes: scopes("deploy:app"),
        expires: Some(Expires::Never),
        deliver: Deliver::Inline,
        ..token("deploy")
    }
}

/// A store with the environment `staging`, and bob, an admin, with an agent of his.
async fn furnished() -> (TestApp, Agent) {
    let app = TestApp::new().await;
    app.app_env("staging").await;
    app.user("bob", Role::Admin).await;
    let bob = app.agent_of("bob", ALL).await;
    (app, bob)
}

async fn made(app: &TestApp, by: &Request) -> Minted {
    app.create(by, for_staging()).await.unwrap()
}

fn of_staging() -> ListTokens {
    ListTokens {
        of: Of::Owner(env_named("staging")),
        ..list()
    }
}

#[tokio::test]
async fn an_admin_makes_lists_reads_changes_renews_and_ends_them() {
    let (app, bob) = furnished().await;

    let minted = made(&app, &bob.asks()).await;
    let id = minted.token.id;
    assert!(matches!(minted.token.owner, Owner::AppEnv(_)));
    assert_eq!(minted.token.parent, Some(bob.id));
    assert_eq!(app.labels(&bob.asks(), of_staging()).await, ["deploy"]);
    assert!(app.authority.get_token(&bob.asks(), id).await.is_ok());
    let mut change = update(id);
    change.label = Some(label("deploys"));
    app.update(&bob.asks(), change).await.unwrap();
    app.rotate(&bob.asks(), rotate(id)).await.unwrap();
    let ended = app.revoke_by(&bob.asks(), revoke(id)).await.unwrap();

    assert_eq!(ended.revoked_count, 1);
    assert_eq!(
        app.trail(4).await,
        [
            "token create_token done",
            "token update_token done: label",
            "token rotate_token done",
            "token revoke_token done"
        ]
    );
    app.is_sound().await;
}

#[tokio::test]
async fn they_survive_whoever_made_them() {
    let (app, bob) = furnished().await;
    let staging = agent(&made(&app, &bob.asks()).await);

    app.revoke(bob.id).await;
    assert!(app.is_good(&staging.value).await);
    app.set_active("bob", false).await;
    assert!(app.is_good(&staging.value).await);
    app.authority
        .remove_membership(&operator(), "bob".parse().unwrap())
        .await
        .unwrap();

    assert!(app.is_good(&staging.value).await);
}

#[tokio::test]
async fn they_end_with_their_environment() {
    let (app, bob) = furnished().await;
    let staging = agent(&made(&app, &bob.asks()).await);

    app.authority
        .delete_app_env(&bob.asks(), AppEnvRef::Name("staging".parse().unwrap()))
        .await
        .unwrap();

    assert!(!app.is_good(&staging.value).await);
    assert!(app.token(staging.id).await.revoked_at.is_some());
    app.is_sound().await;
}

#[tokio::test]
async fn they_exceed_their_minter_in_nothing() {
    let (app, _) = furnished().await;
    let bob = app
        .agent_until(
            Duration::days(1),
            ["write:tokens", "write:envs", "read:secrets"],
        )
        .await;

    let wider = app.create(&bob.asks(), for_staging()).await;
    let longer = NewToken {
        scopes: scopes(""),
        ..for_staging()
    };
    let longer = app.create(&bob.asks(), longer).await;

    assert!(why(wider).contains("`deploy:app`, which it lacks itself"));
    assert_eq!(
        why(longer),
        "a token cannot give a longer life than its own"
    );
}

#[tokio::test]
async fn a_member_makes_none_and_sees_none() {
    let (app, bob) = furnished().await;
    let id = made(&app, &bob.asks()).await.token.id;
    app.set_role("bob", Role::Member).await;

    let make = app.create(&bob.asks(), for_staging()).await;
    let listed = app.authority.list_tokens(&bob.asks(), of_staging()).await;

    assert_eq!(why(make), "this needs the role `admin` in the account");
    assert_eq!(why(listed), "this needs the role `admin` in the account");
    assert_eq!(
        refused(&app, &bob.asks(), id).await,
        ["there is no such token here"; 4]
    );
    app.is_sound().await;
}

/// What is said to reading, changing, renewing and ending the token.
async fn refused(app: &TestApp, by: &Request, id: TokenId) -> [String; 4] {
    let mut change = update(id);
    change.label = Some(label("x"));
    [
        why(app.authority.get_token(by, id).await),
        why(app.update(by, change).await),
        why(app.rotate(by, rotate(id)).await),
        why(app.revoke_by(by, revoke(id)).await),
    ]
}

#[tokio::test]
async fn an_admin_needs_the_scopes_over_environments_too() {
    let (app, bob) = furnished().await;
    let id = made(&app, &bob.asks()).await.token.id;
    let ann = app
        .agent([
            "read:tokens",
            "write:tokens",
            "delete:tokens",
            "deploy:app",
            "read:secrets",
        ])
        .await;

    let make = app.create(&ann.asks(), for_staging()).await;
    let listed = app.authority.list_tokens(&ann.asks(), of_staging()).await;

    assert_eq!(why(make), "this needs the scope `write:envs`");
    assert_eq!(why(listed), "this needs the scope `read:envs`");
    assert_eq!(
        refused(&app, &ann.asks(), id).await,
        ["there is no such token here"; 4]
    );
}

#[tokio::test]
async fn a_stranger_is_told_of_no_environment_and_of_none_of_its_tokens() {
    let (app, bob) = furnished().await;
    let id = made(&app, &bob.asks()).await.token.id;
    let eve = app.stranger().await;
    let nowhere = NewToken {
        owner: env_named("nowhere"),
        ..for_staging()
    };

    let there = NewToken {
        scopes: scopes(""),
        ..for_staging()
    };
    let said = [
        why(app.create(&eve.asks(), there).await),
        why(app.create(&eve.asks(), nowhere).await),
        why(app.authority.list_tokens(&eve.asks(), of_staging()).await),
    ];

    assert_eq!(said, ["there is no such app environment here"; 3]);
    assert_eq!(
        refused(&app, &eve.asks(), id).await,
        ["there is no such token here"; 4]
    );
}

#[tokio::test]
async fn an_environments_own_token_acts_on_its_own_things_alone() {
    let (app, bob) = furnished().await;
    app.app_env("production").await;
    let mut asked = for_staging();
    asked.scopes = scopes("read:tokens write:tokens delete:tokens read:envs write:envs");
    let staging = agent(&app.create(&bob.asks(), asked.clone()).await.unwrap());
    let production = NewToken {
        owner: env_named("production"),
        ..asked
    };
    let production = app.create(&bob.asks(), production).await.unwrap().token.id;

    let own = app.labels(&staging.asks(), list()).await;
    let by_name = app.labels(&staging.asks(), of_staging()).await;
    let for_itself = app.create(&staging.asks(), token("child")).await.unwrap();

    assert_eq!(
        (own, by_name),
        (vec!["deploy".to_owned()], vec!["deploy".to_owned()])
    );
    assert_eq!(for_itself.token.owner, app.token(staging.id).await.owner);
    for id in [bob.id, production] {
        let said = refused(&app, &staging.asks(), id).await;
        assert_eq!(said, ["there is no such token here"; 4]);
    }
    let for_another = NewToken {
        owner: For::User("bob".parse().unwrap()),
        ..token("x")
    };
    assert!(app.create(&staging.asks(), for_another).await.is_err());
    app.is_sound().await;
}

#[tokio::test]
async fn an_admins_token_picks_up_what_waits_for_an_environment_unless_it_asked_for_it() {
    let (app, bob) = furnished().await;
    let ann = app.agent(["read:secrets", "deploy:app"]).await;
    let waits = NewToken {
        deliver: Deliver::Claim,
        ..for_staging()
    };
    let waits = app.create(&bob.asks(), waits).await.unwrap();
    let claim = by_code(&code(&waits));
    let house = &app.authority;

    let mut sink = TestSink::default();
    let by_itself = house.claim_token(&bob.asks(), claim, &mut sink).await;
    app.set_role("ann", Role::Member).await;
    let as_member = house
        .claim_token(&ann.asks(), claim, &mut TestSink::default())
        .await;
    app.set_role("ann", Role::Admin).await;
    house
        .claim_token(&ann.asks(), claim, &mut sink)
        .await
        .unwrap();

    assert!(why(by_itself).starts_with("a token picks up neither"));
    assert_eq!(why(as_member), "there is no such claim here");
    assert!(app.is_good(&sink.value()).await);
}

#[tokio::test]
async fn ending_a_token_with_its_children_leaves_an_environments_to_who_may_end_it() {
    let (app, bob) = furnished().await;
    let staging = agent(&made(&app, &bob.asks()).await);
    let child = app.child(&bob, "").await;
    app.set_role("bob", Role::Member).await;
    let with_children = |id| {
        let mut asked = revoke(id);
        (asked.cascade, asked.allow_self) = (true, true);
        asked
    };

    let ended = app
        .revoke_by(&bob.asks(), with_children(bob.id))
        .await
        .unwrap();

    assert_eq!((ended.revoked_count, ended.live_children), (2, 1));
    assert!(!app.is_good(&child.value).await);
    assert!(app.is_good(&staging.value).await);
    let ended = app
        .revoke_by(&operator(), with_children(bob.id))
        .await
        .unwrap();
    assert_eq!((ended.revoked_count, ended.live_children), (1, 0));
    app.is_sound().await;
}

#[tokio::test]
async fn a_repeated_call_answers_with_the_environments_token() {
    let (app, bob) = furnished().await;
    let asked = || NewToken {
        idempotency_key: Some("k".parse().unwrap()),
        ..for_staging()
    };

    let first = app.create(&bob.asks(), asked()).await.unwrap();
    let again = app.create(&bob.asks(), asked()).await.unwrap();
    app.set_role("bob", Role::Member).await;
    let no_admin = app.create(&bob.asks(), asked()).await;

    assert!(again.replayed);
    assert_eq!(first.token.id, again.token.id);
    assert_eq!(why(no_admin), "this needs the role `admin` in the account");
}
