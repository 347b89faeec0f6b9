//! Spote: `/api/settings/token`.

use chrono::Duration;

use super::NOW;
use crate::support::{TestApp, carrying};

const PATH: &str = "/api/settings/token";

#[tokio::test]
async fn a_token_is_created_listed_and_deleted_as_documented() {
    let app = TestApp::new().await;
    let agent = app.usual().await;
    let ann = app.played().with(&agent.value);

    let made = ann
        .raw("POST", PATH, r#"{"label": "Claude Desktop"}"#)
        .await;
    let id = made.text_at("/_id");
    let value = made.text_at("/token");
    let listed = ann.get(PATH).await;
    let deleted = ann.ask("DELETE", &format!("{PATH}/{id}")).await;

    let record = format!(r#""_id":"{id}","label":"Claude Desktop","created_at":"{NOW}","#);
    let first = format!(r#"{{{record}"last_used_at":null,"token":"{value}"}}"#);
    assert_eq!(made.told(), (201, &*first));
    let own = agent.id;
    let list = format!(
        r#"[{{"_id":"{own}","label":"agent","created_at":"{NOW}","last_used_at":"{NOW}"}},{{{record}"last_used_at":null}}]"#
    );
    assert_eq!(listed.told(), (200, &*list));
    assert_eq!(deleted.told(), (204, ""));
    assert_eq!((value.len(), &value[..6]), (38, "spote_"));
    assert!(!app.is_good(&value).await);
    app.is_sound().await;
}

#[tokio::test]
async fn a_list_holds_every_active_token_of_the_owner_oldest_first() {
    let app = TestApp::new().await;
    let agent = app.usual().await;
    let ann = app.played().with(&agent.value);
    let mut labels = vec!["agent".to_owned()];
    for number in 0..205 {
        let label = format!("token {number}");
        let made = ann
            .raw("POST", PATH, format!(r#"{{"label":"{label}"}}"#))
            .await;
        assert_eq!(made.status.as_u16(), 201);
        labels.push(label);
    }
    // Made elsewhere, and not through the profile.
    app.child(&agent, "read:tokens").await;
    labels.push("child".to_owned());
    let (waiting, _) = app.waiting(&agent.asks(), "").await;
    let off = app.child(&agent, "").await;
    app.disable(&agent.asks(), off.id).await;
    let over = app.agent_until(Duration::hours(1), []).await;
    app.advance(Duration::hours(2));

    let listed = ann.get(PATH).await;

    let list = listed.json();
    let shown: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["label"].clone())
        .collect();
    assert_eq!(shown, labels);
    for id in [waiting, off.id, over.id] {
        assert!(!listed.text.contains(&id.to_string()));
    }
    assert!(!listed.text.contains("spote_"));
}

#[tokio::test]
async fn what_is_not_there_and_what_is_anothers_are_told_alike() {
    let app = TestApp::new().await;
    let ann = app.played().with(&app.usual().await.value);
    let stranger = app.stranger().await;
    let gone = app.agent([]).await;
    app.revoke(gone.id).await;

    for id in [
        stranger.id.to_string(),
        gone.id.to_string(),
        "019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001".to_owned(),
        "t1a2b3c4-...".to_owned(),
        "%00".to_owned(),
        stranger.value.clone(),
    ] {
        let answer = ann.ask("DELETE", &format!("{PATH}/{id}")).await;
        assert_eq!(
            answer.told(),
            (404, r#"{"message":"Token not found"}"#),
            "{id}"
        );
    }
    assert!(app.is_good(&stranger.value).await);
}

#[tokio::test]
async fn a_token_may_delete_itself() {
    let app = TestApp::new().await;
    let agent = app.usual().await;
    let ann = app.played().with(&agent.value);

    let deleted = ann.ask("DELETE", &format!("{PATH}/{}", agent.id)).await;

    assert_eq!(deleted.told(), (204, ""));
    assert_eq!(
        ann.get(PATH).await.told(),
        (401, r#"{"message":"Unauthorized"}"#)
    );
}

#[tokio::test]
async fn a_deletion_leaves_an_entry_and_ends_one_token_alone() {
    let app = TestApp::new().await;
    let agent = app.usual().await;
    let ann = app.played().with(&agent.value);
    let made = ann.raw("POST", PATH, r#"{"label":"x"}"#).await;
    let child = ann.with(&made.text_at("/token"));
    let grandchild = child.raw("POST", PATH, r#"{"label":"y"}"#).await;

    ann.ask("DELETE", &format!("{PATH}/{}", made.text_at("/_id")))
        .await;

    assert_eq!(
        app.trail(3).await,
        [
            "token create_token done: through the profile `spote`",
            "token create_token done: through the profile `spote`",
            "token revoke_token done",
        ]
    );
    assert!(app.is_good(&grandchild.text_at("/token")).await);
}

#[tokio::test]
async fn a_new_token_carries_what_tokens_need_and_has_no_end() {
    let app = TestApp::new().await;
    let agent = app.usual().await;
    let ann = app.played().with(&agent.value);

    let made = ann.raw("POST", PATH, r#"{"label":"x"}"#).await;

    let token = app.token(made.text_at("/_id").parse().unwrap()).await;
    assert_eq!(
        token.powers.scopes,
        carrying(&super::TOKENS.join(" ")).scopes
    );
    assert_eq!(
        (token.powers.expires_at, token.parent),
        (None, Some(agent.id))
    );
}
