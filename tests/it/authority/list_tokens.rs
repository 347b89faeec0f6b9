//! Records are listed and read, one's own alone, never a value among them.

use std::collections::BTreeSet;

use chrono::Duration;
use keywright::{
    authority::{For, ListTokens, NewToken, Of, Update},
    domain::{
        account::Role,
        audit::Target,
        expires::{self, Expires},
        id::TokenId,
        page::{Cursor, Limit},
        token::State,
    },
    store::StateFilter,
};

use crate::support::{Agent, TestApp, label, list, local, operator, token, update, why};

/// Tokens of ann's local session with these labels, the oldest first.
async fn made(app: &TestApp, labels: &[&str]) -> Vec<TokenId> {
    let mut ids = Vec::new();
    for name in labels {
        let minted = app.create(&local(), token(name)).await.unwrap();
        ids.push(minted.token.id);
    }
    ids
}

fn account() -> ListTokens {
    ListTokens {
        of: Of::Account,
        ..list()
    }
}

fn in_state(state: StateFilter) -> ListTokens {
    ListTokens {
        state: Some(state),
        ..list()
    }
}

fn limited(rows: i64) -> ListTokens {
    ListTokens {
        limit: Limit::try_from(rows).unwrap(),
        ..list()
    }
}

#[tokio::test]
async fn ones_own_tokens_are_listed_newest_first() {
    let app = TestApp::new().await;
    made(&app, &["first", "second", "third"]).await;

    let labels = app.labels(&local(), list()).await;

    assert_eq!(labels, ["third", "second", "first"]);
}

#[tokio::test]
async fn a_list_needs_read_tokens() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;

    let refused = app.authority.list_tokens(&ann.asks(), list()).await;

    assert_eq!(why(refused), "this needs the scope `read:tokens`");
    assert_eq!(
        app.trail(1).await,
        ["token list_tokens refused: this needs the scope `read:tokens`"]
    );
}

#[tokio::test]
async fn others_tokens_are_never_shown() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", ["read:tokens"]).await;
    let stranger = app.stranger().await;
    made(&app, &["ann's"]).await;

    assert_eq!(app.labels(&bob.asks(), list()).await, ["agent"]);
    assert_eq!(app.labels(&stranger.asks(), list()).await, ["agent"]);
    assert_eq!(app.labels(&stranger.asks(), account()).await, ["agent"]);
    assert_eq!(app.labels(&local(), list()).await, ["ann's"]);
}

#[tokio::test]
async fn an_admin_with_manage_account_lists_the_accounts() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    app.agent_of("bob", ["read:tokens"]).await;
    let admin = app.agent(["read:tokens", "manage:account"]).await;
    app.stranger().await;

    assert_eq!(app.labels(&admin.asks(), account()).await.len(), 2);
    assert_eq!(app.labels(&admin.asks(), list()).await.len(), 1);
}

#[tokio::test]
async fn the_accounts_list_needs_both_the_scope_and_the_role() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let member = app.agent_of("bob", ["read:tokens", "manage:account"]).await;
    let admin = app.agent(["read:tokens"]).await;

    let without_role = app.authority.list_tokens(&member.asks(), account()).await;
    let without_scope = app.authority.list_tokens(&admin.asks(), account()).await;

    assert_eq!(
        why(without_role),
        "this needs the role `admin` in the account"
    );
    assert_eq!(why(without_scope), "this needs the scope `manage:account`");
}

#[tokio::test]
async fn the_operator_lists_anybodys() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    app.agent_of("bob", ["read:tokens"]).await;
    made(&app, &["ann's"]).await;
    let bobs = ListTokens {
        of: Of::Owner(For::User("bob".parse().unwrap())),
        ..list()
    };

    assert_eq!(app.labels(&operator(), bobs).await, ["agent"]);
    assert_eq!(app.labels(&operator(), account()).await.len(), 2);
}

#[tokio::test]
async fn a_query_looks_for_text_in_labels_whatever_its_case() {
    let app = TestApp::new().await;
    made(&app, &["Nightly import", "deploy", "50% off", "500 off"]).await;
    let asking = |query: &str| ListTokens {
        query: Some(label(query)),
        ..list()
    };

    assert_eq!(
        app.labels(&local(), asking("NIGHT")).await,
        ["Nightly import"]
    );
    assert_eq!(app.labels(&local(), asking("50%")).await, ["50% off"]);
    assert!(app.labels(&local(), asking("_")).await.is_empty());
    assert!(app.labels(&local(), asking("' or 1=1 --")).await.is_empty());
}

#[tokio::test]
async fn every_state_can_be_asked_for() {
    let app = TestApp::new().await;
    let ids = made(&app, &["unclaimed", "disabled", "revoked"]).await;
    app.disable(&local(), ids[1]).await;
    app.revoke(ids[2]).await;
    let short = NewToken {
        expires: Some(Expires::After(Duration::hours(1))),
        ..token("expired")
    };
    app.create(&local(), short).await.unwrap();
    app.agent([]).await;
    app.advance(Duration::hours(1));

    for state in State::ALL {
        let labels = app.labels(&local(), in_state(StateFilter::Is(state))).await;
        let wanted = if state == State::Active {
            "agent"
        } else {
            state.as_str()
        };
        assert_eq!(labels, [wanted]);
    }
    let any = app.labels(&local(), in_state(StateFilter::Any)).await;
    assert_eq!(
        any,
        ["agent", "expired", "revoked", "disabled", "unclaimed"]
    );
}

#[tokio::test]
async fn what_has_ended_is_not_listed_unless_asked_for() {
    let app = TestApp::new().await;
    let ids = made(&app, &["unclaimed", "disabled", "revoked"]).await;
    app.disable(&local(), ids[1]).await;
    app.revoke(ids[2]).await;
    app.agent_until(Duration::hours(1), []).await;
    app.agent([]).await;
    app.advance(Duration::hours(1));

    let labels = app.labels(&local(), list()).await;

    assert_eq!(labels, ["agent", "disabled", "unclaimed"]);
}

#[tokio::test]
async fn unused_for_finds_what_was_made_and_not_used_for_so_long() {
    let app = TestApp::new().await;
    let asker = app.agent(["read:tokens"]).await;
    let used = app.agent(["read:notes"]).await;
    app.advance(Duration::days(30));
    made(&app, &["new"]).await;
    let unused = ListTokens {
        unused_for: Some(Duration::days(30)),
        ..list()
    };
    assert_eq!(app.labels(&local(), unused.clone()).await.len(), 2);

    assert!(app.is_good(&used.value).await);

    // The one that asks is in use, too.
    assert!(app.labels(&asker.asks(), unused.clone()).await.is_empty());
    app.authority.write_batches().await.unwrap();
    assert!(app.labels(&asker.asks(), unused).await.is_empty());
}

#[tokio::test]
async fn expiring_within_finds_what_is_over_by_then() {
    let app = TestApp::new().await;
    for (name, days) in [("soon", 5), ("on the day", 7), ("later", 8)] {
        let new = NewToken {
            expires: Some(Expires::After(Duration::days(days))),
            ..token(name)
        };
        app.create(&local(), new).await.unwrap();
    }
    let within = ListTokens {
        expiring_within: Some(Duration::days(7)),
        ..list()
    };

    assert_eq!(app.labels(&local(), within).await, ["on the day", "soon"]);
}

#[tokio::test]
async fn pages_show_every_row_that_stays_once_while_others_come_and_go() {
    let app = TestApp::new().await;
    let names: Vec<String> = (0..7).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ids = made(&app, &names).await;

    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let asked = ListTokens {
            cursor,
            ..limited(2)
        };
        let (page, _) = app.authority.list_tokens(&local(), asked).await.unwrap();
        seen.extend(page.rows.iter().map(|token| token.id));
        if seen.len() == 2 {
            // One that was seen goes, one that was not goes, and one comes.
            app.revoke(ids[6]).await;
            app.revoke(ids[3]).await;
            made(&app, &["new"]).await;
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }

    assert_eq!(seen, [ids[6], ids[5], ids[4], ids[2], ids[1], ids[0]]);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len());
}

#[tokio::test]
async fn a_list_that_just_fits_has_no_next_page() {
    let app = TestApp::new().await;
    made(&app, &["a", "b"]).await;

    let (page, _) = app
        .authority
        .list_tokens(&local(), limited(2))
        .await
        .unwrap();

    assert_eq!((page.rows.len(), page.next), (2, None));
}

#[tokio::test]
async fn a_cursor_of_another_list_or_none_at_all_is_refused() {
    let app = TestApp::new().await;
    made(&app, &["a", "b", "c"]).await;
    let (page, _) = app
        .authority
        .list_tokens(&local(), limited(1))
        .await
        .unwrap();
    let other_state = ListTokens {
        cursor: page.next.clone(),
        state: Some(StateFilter::Any),
        ..limited(1)
    };
    let other_query = ListTokens {
        query: Some(label("a")),
        cursor: page.next,
        ..limited(1)
    };
    let garbage = ListTokens {
        cursor: Some(Cursor::given("garbage")),
        ..limited(1)
    };

    for asked in [other_state, other_query, garbage] {
        let refused = app.authority.list_tokens(&local(), asked).await;

        assert_eq!(
            why(refused),
            "`cursor` cannot be used: it is not a `next_cursor` of this list"
        );
    }
}

#[tokio::test]
async fn ones_own_token_is_read() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:tokens"]).await;

    let (found, at) = app.authority.get_token(&ann.asks(), ann.id).await.unwrap();

    assert_eq!((found.id, found.state(at)), (ann.id, State::Active));
    assert_eq!(found.last_used_at, Some(at));
}

#[tokio::test]
async fn anothers_token_and_an_unknown_one_answer_alike() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let ann: Agent = app.agent(["read:tokens", "write:tokens"]).await;
    let bob = app.agent_of("bob", ["read:notes"]).await;
    let stranger = app.stranger().await;

    for id in [bob.id, stranger.id, TokenId::fresh()] {
        let get = app.authority.get_token(&ann.asks(), id).await;
        let change = Update {
            label: Some(label("mine")),
            ..update(id)
        };
        let change = app.update(&ann.asks(), change).await;

        assert_eq!(why(get), "there is no such token here");
        assert_eq!(why(change), "there is no such token here");
    }
    assert_eq!(app.token(bob.id).await.label, label("agent"));
    // The first of each kind is written, the others are counted. It names what was asked for, which
    // says nothing of whether that is there.
    let record = app.last_record().await;
    let asked = Some(Target::Token(bob.id));
    assert_eq!((record.target, record.owner), (asked, None));
}

#[tokio::test]
async fn an_admin_with_manage_account_reads_another_members_token() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", []).await;
    let admin = app.agent(["read:tokens", "manage:account"]).await;

    let (found, _) = app
        .authority
        .get_token(&admin.asks(), bob.id)
        .await
        .unwrap();

    assert_eq!(found.id, bob.id);
}

#[tokio::test]
async fn a_token_of_one_account_does_not_see_its_owners_tokens_in_another() {
    let app = TestApp::new().await;
    let there = app.stranger().await;
    app.set_role("eve", Role::Admin).await;
    let here = app.agent_of("eve", ["read:tokens"]).await;

    let (mine, _) = app
        .authority
        .list_tokens(&here.asks(), list())
        .await
        .unwrap();
    let theirs = app.authority.get_token(&here.asks(), there.id).await;

    assert_eq!(mine.rows.len(), 1);
    assert_eq!(mine.rows[0].id, here.id);
    assert_eq!(why(theirs), "there is no such token here");
}

#[tokio::test]
async fn a_label_that_was_edited_behind_our_back_stays_harmless() {
    let app = TestApp::new().await;
    made(&app, &["plain"]).await;
    app.attack("update tokens set label = 'a' || char(27) || '[31mb' || char(8238)");

    let labels = app.labels(&local(), list()).await;

    assert_eq!(labels, ["a\\u{1b}[31mb\\u{202e}"]);
}

#[tokio::test]
async fn a_time_longer_than_any_store_is_old_is_answered() {
    let app = TestApp::new().await;
    made(&app, &["mortal"]).await;
    app.agent([]).await;
    let ages = || Some(expires::duration("999999999d").unwrap());
    let unused = ListTokens {
        unused_for: ages(),
        ..list()
    };
    let expiring = ListTokens {
        expiring_within: ages(),
        ..list()
    };

    // Nothing is as old as that, and everything that ends is over by then.
    assert_eq!(app.labels(&local(), unused).await, [""; 0]);
    assert_eq!(app.labels(&local(), expiring).await, ["mortal"]);
}
