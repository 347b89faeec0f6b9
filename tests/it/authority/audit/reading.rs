//! Entries are read by those they are about, or with the scope and the role for it.

use chrono::Duration;
use keywright::{
    authority::ReadAudit,
    domain::{
        account::Role,
        expires::{self, Since},
        page::{Cursor, Limit},
    },
};

use crate::support::{Agent, TestApp, bearer, env_named, local, operator, token, why};

#[tokio::test]
async fn ones_own_entries_are_read_and_not_those_of_others() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", ["read:audit", "write:tokens"]).await;
    let ann = app.agent(["write:tokens"]).await;
    app.create(&ann.asks(), token("ann's")).await.unwrap();
    app.create(&bob.asks(), token("bob's")).await.unwrap();

    let page = app
        .authority
        .read_audit(&bob.asks(), ReadAudit::default())
        .await
        .unwrap();

    // What bob's token did, and what the operator did about bob.
    let actions: Vec<_> = page.rows.iter().map(|r| r.action.as_str()).collect();
    assert_eq!(actions, ["create_token", "create_token"]);
    assert_eq!(page.rows[0].actor.to_string(), format!("token:{}", bob.id));
    assert_eq!(page.rows[1].actor.to_string(), "operator");
}

#[tokio::test]
async fn the_accounts_entries_need_manage_account_and_the_role() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let held = ["read:audit", "manage:account"];
    let admin = app.agent(held).await;
    let member = app.agent_of("bob", held).await;
    let count = async |by: &Agent| {
        let asked = ReadAudit::default();
        let page = app.authority.read_audit(&by.asks(), asked).await;
        page.unwrap().rows.len()
    };

    let (all, own) = (count(&admin).await, count(&member).await);

    assert_eq!((all, own), (4, 1));
}

#[tokio::test]
async fn entries_need_read_audit_and_the_systems_the_operator() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:tokens", "manage:account"]).await;
    let auditor = app.agent(["read:audit", "manage:account"]).await;
    let system = ReadAudit {
        system: true,
        ..ReadAudit::default()
    };

    let without_scope = app
        .authority
        .read_audit(&ann.asks(), ReadAudit::default())
        .await;
    let systems = app.authority.read_audit(&auditor.asks(), system).await;

    assert_eq!(why(without_scope), "this needs the scope `read:audit`");
    assert_eq!(why(systems), "there is no such account here");
}

#[tokio::test]
async fn another_accounts_entries_are_never_read() {
    let app = TestApp::new().await;
    let eve = app.stranger().await;
    app.agent([]).await;

    let page = app
        .authority
        .read_audit(&eve.asks(), ReadAudit::default())
        .await
        .unwrap();

    let chain = page.rows[0].chain;
    assert_eq!(page.rows.len(), 3);
    assert!(page.rows.iter().all(|record| record.chain == chain));
}

#[tokio::test]
async fn entries_are_found_by_token_action_and_time() {
    let app = TestApp::new().await;
    let first = app.agent([]).await;
    app.advance(Duration::hours(1));
    let since = app.clock.now();
    let second = app.agent([]).await;
    app.revoke(first.id).await;
    let count = async |asked| {
        let page = app.authority.read_audit(&operator(), asked).await;
        page.unwrap().rows.len()
    };

    let of_token = ReadAudit {
        token: Some(first.id),
        ..ReadAudit::default()
    };
    let of_action = ReadAudit {
        action: Some("create_token"),
        ..ReadAudit::default()
    };
    let of_time = ReadAudit {
        since: Some(Since::At(since)),
        ..ReadAudit::default()
    };

    assert_ne!(first.id, second.id);
    assert_eq!(count(of_token).await, 2);
    assert_eq!(count(of_action).await, 2);
    assert_eq!(count(of_time).await, 2);
}

#[tokio::test]
async fn pages_of_entries_join_while_more_are_written() {
    let app = TestApp::new().await;
    for _ in 0..5 {
        app.agent([]).await;
    }
    let before = app.trail(200).await.len();
    let mut asked = ReadAudit {
        limit: Limit::try_from(2).unwrap(),
        ..ReadAudit::default()
    };

    let mut seen = Vec::new();
    loop {
        let page = app.authority.read_audit(&operator(), asked.clone()).await;
        let page = page.unwrap();
        seen.extend(page.rows.iter().map(|record| record.sequence));
        app.agent([]).await;
        asked.cursor = page.next;
        if asked.cursor.is_none() {
            break;
        }
    }

    let wanted: Vec<u64> = (1..=before as u64).rev().collect();
    assert_eq!(seen, wanted);
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let app = TestApp::new().await;
    app.agent([]).await;
    let limit = Limit::try_from(1).unwrap();
    let one = ReadAudit {
        limit,
        ..ReadAudit::default()
    };
    let page = app.authority.read_audit(&operator(), one).await;

    for cursor in [page.unwrap().next, Some(Cursor::given("garbage"))] {
        let other = ReadAudit {
            limit,
            action: Some("create_token"),
            cursor,
            ..ReadAudit::default()
        };
        let refused = app.authority.read_audit(&operator(), other).await;

        assert_eq!(
            why(refused),
            "`cursor` cannot be used: it is not a `next_cursor` of this list"
        );
    }
}

#[tokio::test]
async fn an_app_environments_token_reads_its_own_entries() {
    let app = TestApp::new().await;
    app.app_env("staging").await;
    let set = app.set_cli_token(env_named("staging"), "read:audit").await;
    let shown = app.reveal(&operator(), env_named("staging")).await;
    let env = bearer(shown.unwrap().value.expose());
    app.create(&env, token("x")).await.unwrap_err();
    app.create(&local(), token("x")).await.unwrap();

    let page = app.authority.read_audit(&env, ReadAudit::default()).await;

    let rows = page.unwrap().rows;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].actor.to_string(), format!("token:{}", set.id));
    assert_eq!(rows[0].action, "create_token");
}

#[tokio::test]
async fn entries_are_found_by_token_action_and_time_at_once() {
    let app = TestApp::new().await;
    let [agent, _] = [app.agent([]).await, app.agent([]).await];
    app.advance(Duration::hours(1));
    app.revoke(agent.id).await;
    let count = async |since| {
        let asked = ReadAudit {
            token: Some(agent.id),
            action: Some("revoke_token"),
            since: Some(Since::Ago(since)),
            ..ReadAudit::default()
        };
        let page = app.authority.read_audit(&operator(), asked).await;
        page.unwrap().rows.len()
    };

    assert_eq!(count(Duration::minutes(1)).await, 1);
    assert_eq!(count(expires::duration("999999999d").unwrap()).await, 1);
    app.advance(Duration::hours(1));
    assert_eq!(count(Duration::minutes(1)).await, 0);
}
