//! What is proposed while somebody types, and to whom.

use keywright::authz::Request;
use serde_json::{Value, json};

use super::client::{Client, Era};
use crate::support::{TestApp, bearer, local, local_with};

/// What a client is proposed in the place of `typed`.
async fn proposed(client: &mut Client, prompt: bool, name: &str, typed: &str) -> Value {
    let named = if prompt {
        json!({ "type": "ref/prompt", "name": "connect_service" })
    } else {
        json!({ "type": "ref/resource", "uri": "keywright://tokens/{id}" })
    };
    let asked = json!({ "ref": named, "argument": { "name": name, "value": typed } });
    let mut complete = client.result("completion/complete", asked).await;
    complete["completion"].take()
}

/// The same, where `service` was filled in before.
async fn scopes_for(client: &mut Client, service: &str, typed: &str) -> Value {
    let asked = json!({
        "ref": { "type": "ref/prompt", "name": "connect_service" },
        "argument": { "name": "scopes", "value": typed },
        "context": { "arguments": { "service": service } },
    });
    let mut complete = client.result("completion/complete", asked).await;
    complete["completion"]["values"].take()
}

async fn made(client: &mut Client, label: &str, scopes: &[&str]) -> String {
    let new = json!({ "label": label, "scopes": scopes });
    let made = client.done("create_token", new).await;
    made["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_id_is_found_by_its_beginning_and_by_a_part_of_its_label() {
    for era in [Era::Legacy, Era::Modern] {
        let app = TestApp::new().await;
        let mut client = Client::in_era(era, &app, &local()).await;
        let backup = made(&mut client, "Nightly backup", &[]).await;
        let notes = made(&mut client, "notes", &[]).await;

        let all = proposed(&mut client, false, "id", "").await;
        let by_id = proposed(&mut client, false, "id", &backup[..35]).await;
        let by_label = proposed(&mut client, false, "id", "BACK").await;
        let none = proposed(&mut client, false, "id", "zzz").await;

        assert_eq!(
            all,
            json!({ "values": [notes, backup], "total": 2, "hasMore": false })
        );
        assert!(by_id["values"].as_array().unwrap().contains(&json!(backup)));
        assert_eq!(by_label["values"], json!([backup]));
        assert_eq!(none, json!({ "values": [], "total": 0, "hasMore": false }));
    }
}

#[tokio::test]
async fn at_most_a_hundred_are_proposed_and_the_others_counted() {
    let app = TestApp::new().await;
    for _ in 0..101 {
        app.agent([]).await;
    }
    let mut client = Client::of(&app, &local()).await;

    let all = proposed(&mut client, false, "id", "").await;

    assert_eq!(all["values"].as_array().unwrap().len(), 100);
    assert_eq!(
        (&all["total"], &all["hasMore"]),
        (&json!(101), &json!(true))
    );
}

#[tokio::test]
async fn a_service_is_one_that_has_a_token() {
    let app = TestApp::new().await;
    let mut client = Client::of(&app, &local()).await;
    for label in ["the backup", "backup", "backup", "notes"] {
        made(&mut client, label, &[]).await;
    }

    let services = proposed(&mut client, true, "service", "back").await;

    assert_eq!(services["values"], json!(["backup", "the backup"]));
}

#[tokio::test]
async fn the_last_scope_of_a_list_is_completed_by_one_that_could_be_given() {
    let app = TestApp::new().await;
    let mut client = Client::of(&app, &local_with("read:tokens write:tokens read:envs")).await;
    made(&mut client, "notes", &["read:notes"]).await;

    let one = proposed(&mut client, true, "scopes", "re").await;
    let next = proposed(&mut client, true, "scopes", "read:notes, re").await;
    let likely = scopes_for(&mut client, "Notes", "re").await;

    assert_eq!(
        one["values"],
        json!(["read:envs", "read:notes", "read:tokens"])
    );
    let expected = json!(["read:notes, read:envs", "read:notes, read:tokens"]);
    assert_eq!(next["values"], expected);
    assert_eq!(likely, json!(["read:notes", "read:envs", "read:tokens"]));
}

/// Ann's other tokens may carry what this one may not give.
#[tokio::test]
async fn nothing_is_proposed_that_would_be_refused() {
    let app = TestApp::new().await;
    app.agent(["write:notes", "read:secrets"]).await;
    let agent = app.agent(["read:tokens", "read:notes"]).await;
    let mut client = Client::of(&app, &agent.asks()).await;

    let scopes = proposed(&mut client, true, "scopes", "").await;

    assert_eq!(scopes["values"], json!(["read:notes", "read:tokens"]));
}

#[tokio::test]
async fn an_environment_and_an_end_are_proposed() {
    let app = TestApp::new().await;
    for name in ["production", "preview", "staging"] {
        app.app_env(name).await;
    }
    let mut client = Client::of(&app, &local()).await;

    let environments = proposed(&mut client, true, "environment", "pr").await;
    let lives = proposed(&mut client, true, "expires", "3").await;

    assert_eq!(environments["values"], json!(["preview", "production"]));
    assert_eq!(lives["values"], json!(["30d", "365d"]));
}

/// A store with something to propose for everything, and everything that somebody is proposed.
async fn all_for(app: &TestApp, who: &Request) -> Vec<Value> {
    let mut client = Client::of(app, who).await;
    let mut all = Vec::new();
    for (prompt, name) in [
        (false, "id"),
        (true, "service"),
        (true, "scopes"),
        (true, "environment"),
    ] {
        all.push(proposed(&mut client, prompt, name, "").await["values"].take());
    }
    all
}

#[tokio::test]
async fn who_may_list_nothing_is_proposed_nothing_and_it_is_no_refusal() {
    let app = TestApp::new().await;
    app.app_env("production").await;
    let small = app.agent(["read:notes"]).await;
    let before = app.trail(50).await;

    let mine = all_for(&app, &small.asks()).await;
    let nobodys = all_for(&app, &bearer("nothing")).await;

    // What it holds itself it knows anyway.
    assert_eq!(
        mine,
        [json!([]), json!([]), json!(["read:notes"]), json!([])]
    );
    assert!(nobodys.iter().all(|values| *values == json!([])));
    assert_eq!(app.trail(50).await, before);
}

#[tokio::test]
async fn a_stranger_is_proposed_what_is_theirs() {
    let app = TestApp::new().await;
    app.app_env("production").await;
    app.agent(["read:notes"]).await;
    let stranger = app.stranger().await;

    let theirs = all_for(&app, &stranger.asks()).await;

    assert_eq!(theirs[0], json!([stranger.id.to_string()]));
    assert_eq!(theirs[1], json!(["agent"]));
    assert_eq!(theirs[3], json!([]));
}

#[tokio::test]
async fn what_cannot_be_completed_is_an_error() {
    let app = TestApp::new().await;
    let mut client = Client::of(&app, &local()).await;
    let argument = json!({ "name": "id", "value": "" });

    for asked in [
        json!({ "ref": { "type": "ref/prompt", "name": "steal" }, "argument": argument }),
        json!({ "ref": { "type": "ref/resource", "uri": "file:///{x}" }, "argument": argument }),
        json!({ "ref": { "type": "ref/prompt", "name": "connect_service" }, "argument": argument }),
    ] {
        let (code, text) = client.error("completion/complete", asked).await;
        assert_eq!(code, -32602);
        assert!(text.starts_with("invalid_argument: "), "{text}");
    }
}
