//! What happened is told in chains that nobody rewrites unnoticed, and refusals are counted.

use chrono::Duration;
use keywright::{
    authority::ReadAudit,
    domain::{
        account::Role,
        audit::{Front, Outcome},
        expires::{self, Since},
        id::TokenId,
        page::{Cursor, Limit},
    },
};

use crate::support::{
    Agent, TestApp, bearer, carrying, env_named, local, operator, revoke, token, why,
};

/// A store in which some things happened.
async fn lived_in() -> (TestApp, TokenId) {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens", "delete:tokens"]).await;
    let child = app.child(&ann, "").await;
    app.revoke_by(&ann.asks(), revoke(child.id)).await.unwrap();
    let (id, _) = app.waiting(&local(), "").await;
    app.is_sound().await;
    (app, id)
}

/// The place of the last entry of `default`.
fn last_sequence(app: &TestApp) -> i64 {
    let sql = "select max(sequence) from audit where chain != zeroblob(16)";
    app.database().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn an_entry_names_who_through_what_which_request_and_what() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let asked = ann.asks();

    let minted = app.create(&asked, token("child")).await.unwrap();

    let record = app.last_record().await;
    assert_eq!(record.actor.to_string(), format!("token:{}", ann.id));
    assert_eq!((record.front, record.request), (Front::Mcp, asked.id));
    assert_eq!((record.action.as_str(), record.count), ("create_token", 1));
    assert_eq!((record.outcome, record.at), (Outcome::Done, minted.at));
    let target = record.target.unwrap().to_string();
    assert_eq!(target, format!("token:{}", minted.token.id));
    assert!(record.user.is_some() && record.user == record.owner);
    assert!(record.digest.is_some());
}

#[tokio::test]
async fn every_chain_is_verified_with_its_head() {
    let (app, _) = lived_in().await;

    let verified = app.authority.verify_audit(&operator()).await.unwrap();

    assert_eq!(verified.chains.len(), 2);
    let entries: u64 = verified.chains.iter().map(|(_, count, _)| count).sum();
    assert_eq!(entries, app.rows("audit"));
    // One account, one person, one membership, three tokens.
    assert_eq!(verified.rows, 6);
}

#[tokio::test]
async fn the_trail_is_append_only_for_who_does_not_know_better() {
    let (app, _) = lived_in().await;

    for sql in ["update audit set reason = 'x'", "delete from audit"] {
        let refused = app.database().execute(sql, []).unwrap_err();

        assert_eq!(refused.to_string(), "the audit trail is append-only");
    }
}

#[tokio::test]
async fn an_edited_entry_is_found() {
    for change in [
        "reason = 'nothing to see'",
        "actor = 'operator'",
        "at = at - 1",
        "count = 7",
        "outcome = 'refused'",
        "digest = zeroblob(32)",
    ] {
        let (app, _) = lived_in().await;
        let place = "sequence = 3 and chain != zeroblob(16)";
        app.attack(&format!("update audit set {change} where {place}"));

        let faults = app.faults().await;

        let wanted = "entry 3 was altered, or what stood before it".to_owned();
        assert!(faults.contains(&wanted), "{change}: {faults:?}");
    }
}

#[tokio::test]
async fn a_deleted_entry_is_found() {
    let (app, _) = lived_in().await;
    app.attack("delete from audit where sequence = 3 and chain != zeroblob(16)");

    let faults = app.faults().await;

    assert!(faults.contains(&"entries are missing before entry 4".into()));
}

#[tokio::test]
async fn entries_that_changed_places_are_found() {
    let (app, _) = lived_in().await;
    app.attack(
        "update audit set sequence = -3 where sequence = 3 and chain != zeroblob(16);
        update audit set sequence = 3 where sequence = 4 and chain != zeroblob(16);
        update audit set sequence = 4 where sequence = -3;",
    );

    let faults = app.faults().await;

    assert!(faults.contains(&"entry 3 was altered, or what stood before it".into()));
}

#[tokio::test]
async fn a_tail_that_was_cut_off_is_found() {
    let (app, _) = lived_in().await;
    let last = last_sequence(&app);
    app.attack(&format!(
        "delete from audit where sequence >= {last} and chain != zeroblob(16)"
    ));

    let faults = app.faults().await;

    let wanted = format!(
        "the chain ends at entry {}, and should at entry {last}",
        last - 1
    );
    assert!(faults.contains(&wanted), "{faults:?}");
}

#[tokio::test]
async fn a_tail_that_was_cut_off_with_its_head_is_found_by_the_row_it_told_of() {
    let (app, id) = lived_in().await;
    let last = last_sequence(&app);
    app.attack(&format!(
        "delete from audit where sequence >= {last} and chain != zeroblob(16);
        update audit_heads set sequence = {last} - 1, hash = (select hash from audit
            where sequence = {last} - 1 and chain != zeroblob(16)) where chain != zeroblob(16);"
    ));

    let faults = app.faults().await;

    assert_eq!(
        faults,
        [format!("token:{id} is there, and no entry tells of it")]
    );
}

#[tokio::test]
async fn a_head_that_was_taken_away_is_found() {
    let (app, _) = lived_in().await;
    let last = last_sequence(&app);
    app.attack("delete from audit_heads where chain != zeroblob(16)");

    let wanted = format!("the chain ends at entry {last}, and should at entry 0");
    assert_eq!(app.faults().await, [wanted]);
}

#[tokio::test]
async fn a_head_that_was_edited_is_found() {
    let (app, _) = lived_in().await;
    let last = last_sequence(&app);
    app.attack("update audit_heads set hash = zeroblob(32) where chain != zeroblob(16)");

    let wanted = format!("the chain ends at entry {last}, and should at entry {last}");
    assert_eq!(app.faults().await, [wanted]);
}

#[tokio::test]
async fn an_edited_token_row_is_found() {
    for change in [
        "scopes = 'read:secrets'",
        "expires_at = null",
        "revoked_at = 1",
        "owner_id = randomblob(16)",
        "label = 'x'",
    ] {
        let (app, id) = lived_in().await;
        let sql = format!("update tokens set {change} where id = ?1");
        app.database().execute(&sql, [id.to_bytes()]).unwrap();

        let fault = format!("token:{id} is not as the last entry about it left it");
        assert_eq!(app.faults().await, [fault], "{change}");
    }
}

#[tokio::test]
async fn a_revocation_that_was_undone_behind_our_back_is_found() {
    let app = TestApp::new().await;
    let ann = app.agent([]).await;
    app.revoke(ann.id).await;
    app.attack("update tokens set revoked_at = null");

    let fault = format!("token:{} is not as the last entry about it left it", ann.id);
    assert_eq!(app.faults().await, [fault]);
}

#[tokio::test]
async fn an_edited_value_is_found() {
    let app = TestApp::new().await;
    let ann = app.agent([]).await;
    app.attack("update token_values set hash = randomblob(32)");

    let fault = format!("token:{} is not as the last entry about it left it", ann.id);
    assert_eq!(app.faults().await, [fault]);
    assert!(!app.is_good(&ann.value).await);
}

#[tokio::test]
async fn a_deleted_token_row_is_found() {
    let (app, id) = lived_in().await;
    app.database()
        .execute("delete from tokens where id = ?1", [id.to_bytes()])
        .unwrap();

    let fault = format!("token:{id} is gone, and no entry tells of that");
    assert_eq!(app.faults().await, [fault]);
}

#[tokio::test]
async fn an_inserted_token_row_is_found() {
    let (app, id) = lived_in().await;
    let new = TokenId::fresh();
    app.database()
        .execute(
            "insert into tokens (id, kind, account_id, owner_kind, owner_id, label, scopes,
                created_at, created_by)
            select ?1, kind, account_id, owner_kind, owner_id, 'x', 'read:secrets', created_at,
                created_by from tokens where id = ?2",
            [new.to_bytes(), id.to_bytes()],
        )
        .unwrap();

    let fault = format!("token:{new} is there, and no entry tells of it");
    assert_eq!(app.faults().await, [fault]);
}

#[tokio::test]
async fn a_person_or_a_role_that_was_changed_behind_our_back_is_found() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    app.set_active("bob", false).await;
    app.attack(
        "update memberships set role = 'admin';
        update users set deactivated_at = null;",
    );

    let faults = app.faults().await;

    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("membership:"));
    assert!(faults[1].starts_with("user:"));
}

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
async fn no_entry_holds_a_value_or_a_code() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let (_, code) = app.waiting(&ann.asks(), "").await;
    let value = app.claim(&code).await.unwrap();
    app.claim(&code).await.unwrap_err();

    let trail = app.trail(200).await.join("\n");

    for secret in [ann.value, value, code] {
        assert!(!trail.contains(&secret));
    }
}

#[tokio::test]
async fn two_processes_write_one_chain() {
    let app = TestApp::new().await;
    let other = app.another_process();
    let mut writing = tokio::task::JoinSet::new();
    for place in 0..40 {
        let app = if place % 2 == 0 { &app } else { &other };
        let authority = app.authority.clone();
        writing.spawn(async move {
            let made = authority.create_token(&local(), token("x")).await;
            made.unwrap();
        });
    }

    writing.join_all().await;

    assert_eq!(app.rows("audit"), 43);
    app.is_sound().await;
}

#[tokio::test]
async fn tables_indexes_and_triggers_that_are_not_ours_are_found() {
    for change in [
        "create trigger quiet after update on tokens begin select 1; end",
        "create index quick on tokens (label)",
        "create table more (x)",
        "create view seen as select * from tokens",
        "drop index claims_open",
        "drop index audit_of_target",
        "drop trigger audit_is_not_cut",
        "alter table users add column more text",
    ] {
        let (app, _) = lived_in().await;
        app.database().execute_batch(change).unwrap();

        let fault = "the tables, indexes and triggers are not those that keywright makes";
        assert_eq!(app.faults().await, [fault], "{change}");
    }
}

#[tokio::test]
async fn a_claim_that_was_edited_is_found() {
    for change in [
        "opened_by = 'operator'",
        "code_hash = randomblob(32)",
        "expires_at = expires_at + 1",
        "overlap = 1",
        "used_at = 1",
    ] {
        let (app, id) = lived_in().await;
        let sql = format!("update claims set {change} where token_id = ?1");
        app.database().execute(&sql, [id.to_bytes()]).unwrap();

        let fault = format!("token:{id} is not as the last entry about it left it");
        assert_eq!(app.faults().await, [fault], "{change}");
    }
}

#[tokio::test]
async fn a_claim_that_was_inserted_or_taken_away_is_found() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let (waits, _) = app.waiting(&local(), "").await;
    app.database()
        .execute(
            "insert into claims (code_hash, token_id, opened_by, opened_at, expires_at, overlap)
            select randomblob(32), ?1, 'operator', opened_at, expires_at, 0 from claims",
            [agent.id.to_bytes()],
        )
        .unwrap();
    app.database()
        .execute("delete from claims where token_id = ?1", [waits.to_bytes()])
        .unwrap();

    let mut faults = app.faults().await;

    faults.sort();
    let mut wanted =
        [agent.id, waits].map(|id| format!("token:{id} is not as the last entry about it left it"));
    wanted.sort();
    assert_eq!(faults, wanted);
}

#[tokio::test]
async fn a_whole_chain_that_was_taken_away_with_its_rows_is_found() {
    let (app, _) = lived_in().await;
    app.attack(
        "delete from claims; delete from token_values; delete from token_uses;
        delete from idempotency_keys; delete from tokens; delete from memberships;
        delete from audit where chain != zeroblob(16);
        delete from audit_heads where chain != zeroblob(16)",
    );

    let faults = app.faults().await;

    assert_eq!(faults.len(), 1, "{faults:?}");
    let fault = &faults[0];
    assert!(fault.starts_with("the account ") && fault.ends_with("every account begins one"));
}

#[tokio::test]
async fn an_account_that_was_just_added_has_a_chain() {
    let app = TestApp::new().await;

    app.stranger().await;

    app.is_sound().await;
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
