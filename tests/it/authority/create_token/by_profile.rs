//! A token is made through a profile: its value looks as that product's clients expect it, and is
//! shown because the profile's file says so.

use chrono::Duration;
use keywright::{
    authority::{Deliver, Delivered, Minted, NewToken, ThroughProfile},
    domain::{credential::HashedToken, expires::Expires, token::State},
};

use crate::support::{Agent, TestApp, agent, bearer, carrying, code, rotate, token, value, why};

const TOKENS: &str = "read:tokens write:tokens delete:tokens";

fn through(is_privileged: bool) -> Deliver {
    Deliver::Profile(ThroughProfile {
        name: "spote".into(),
        shape: "spote_<32 hex>".parse().unwrap(),
        is_privileged,
    })
}

fn new() -> NewToken {
    NewToken {
        deliver: through(true),
        ..carrying(TOKENS)
    }
}

async fn made(app: &TestApp, by: &Agent) -> Minted {
    app.create(&by.asks(), new()).await.unwrap()
}

fn is_spotes(value: &str) -> bool {
    let digits = value.strip_prefix("spote_").unwrap_or_default();
    digits.len() == 32
        && digits
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[tokio::test]
async fn its_value_is_in_the_answer_without_read_secrets() {
    let app = TestApp::new().await;
    let ann = app
        .agent(["read:tokens", "write:tokens", "delete:tokens"])
        .await;

    let minted = made(&app, &ann).await;

    assert!(is_spotes(&value(&minted)));
    assert_eq!(minted.token.state(minted.at), State::Active);
    let prefix = minted.token.present.clone().unwrap().prefix.unwrap();
    assert!(value(&minted).starts_with(prefix.as_str()));
    assert_eq!(prefix.as_str().len(), "spote_".len() + 4);
    assert!(app.is_good(&value(&minted)).await);
    assert_eq!(
        app.trail(1).await,
        ["token create_token done: through the profile `spote`"]
    );
    app.is_sound().await;
}

#[tokio::test]
async fn a_file_that_gives_no_leave_leaves_it_to_read_secrets() {
    let app = TestApp::new().await;
    let usual = app.agent(["write:tokens"]).await;
    let reader = app.agent(["write:tokens", "read:secrets"]).await;
    let new = NewToken {
        deliver: through(false),
        ..token("child")
    };

    let refused = app.create(&usual.asks(), new.clone()).await;
    let minted = app.create(&reader.asks(), new).await.unwrap();

    assert_eq!(why(refused), "this needs the scope `read:secrets`");
    assert!(is_spotes(&value(&minted)));
}

#[tokio::test]
async fn it_exceeds_its_minter_in_nothing() {
    let app = TestApp::new().await;
    let narrow = app.agent(["read:tokens", "write:tokens"]).await;
    let short = app
        .agent_until(
            Duration::days(1),
            ["read:tokens", "write:tokens", "delete:tokens"],
        )
        .await;
    let longer = NewToken {
        expires: Some(Expires::After(Duration::days(2))),
        ..new()
    };

    let wider = app.create(&narrow.asks(), new()).await;
    let outlives = app.create(&short.asks(), longer).await;
    let usual = made(&app, &short).await;

    let lacking = "a token cannot give or use the scope `delete:tokens`, which it lacks itself";
    assert_eq!(why(wider), lacking);
    assert_eq!(
        why(outlives),
        "a token cannot give a longer life than its own"
    );
    let ends = app.token(short.id).await.powers.expires_at;
    assert_eq!(usual.token.powers.expires_at, ends);
}

#[tokio::test]
async fn it_has_no_end_where_its_minter_has_none() {
    let app = TestApp::new().await;
    let ann = app
        .agent(["read:tokens", "write:tokens", "delete:tokens"])
        .await;

    let child = made(&app, &ann).await;
    let grandchild = made(&app, &agent(&child)).await;

    for minted in [child, grandchild] {
        assert_eq!(minted.token.powers.expires_at, None);
    }
}

#[tokio::test]
async fn its_next_value_looks_the_same_however_it_is_delivered() {
    let app = TestApp::new().await;
    let ann = app
        .agent([
            "read:tokens",
            "write:tokens",
            "delete:tokens",
            "read:secrets",
        ])
        .await;
    let minted = made(&app, &ann).await;

    let inline = keywright::authority::Rotate {
        deliver: Deliver::Inline,
        ..rotate(minted.token.id)
    };
    let rotated = app.rotate(&ann.asks(), inline).await.unwrap();
    let waiting = app.rotate(&ann.asks(), rotate(minted.token.id)).await;
    let claimed = app.claim(&code(&waiting.unwrap())).await.unwrap();

    assert!(is_spotes(&value(&rotated)) && is_spotes(&claimed));
    assert!(!app.is_good(&value(&minted)).await && !app.is_good(&value(&rotated)).await);
    assert!(app.is_good(&claimed).await);
    app.is_sound().await;
}

#[tokio::test]
async fn a_rotation_has_no_leave_of_a_profile() {
    let app = TestApp::new().await;
    let ann = app.agent(["write:tokens"]).await;
    let asked = keywright::authority::Rotate {
        deliver: through(true),
        ..rotate(ann.id)
    };

    let refused = app.rotate(&ann.asks(), asked).await;

    assert_eq!(why(refused), "this needs the scope `read:secrets`");
}

#[tokio::test]
async fn only_its_print_is_kept_and_a_revoked_one_is_refused() {
    let app = TestApp::new().await;
    let ann = app
        .agent(["read:tokens", "write:tokens", "delete:tokens"])
        .await;
    let minted = made(&app, &ann).await;
    let value = value(&minted);
    let kept = "select hash from token_values where format = 'spote_<32 hex>'";
    let hash: Vec<u8> = app
        .database()
        .query_row(kept, [], |row| row.get(0))
        .unwrap();

    app.revoke(minted.token.id).await;

    assert_eq!(hash, HashedToken::of(&value).as_bytes());
    assert!(matches!(minted.delivered, Delivered::Value(_)));
    let refused = app.authority.whoami(&bearer(&value)).await;
    assert_eq!(why(refused), "no valid token was presented");
}
