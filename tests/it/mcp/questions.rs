//! What a question to a person stands for while it is open, and what it may not hold up.

use serde_json::{Value, json};

use super::client::{Client, Era, refusal, server};
use crate::support::{Agent, TestApp, carrying, code, label, operator, rotate, update};

/// How many calls may wait for a person.
const WAITING: usize = 32;

/// An agent that may delete, a token that may mint, and a client of the agent's that can ask.
async fn asking(app: &TestApp, era: Era) -> (Agent, Client) {
    let agent = app.agent(["delete:tokens"]).await;
    let token = app.agent(["write:tokens"]).await;
    let can = json!({ "elicitation": {} });
    let client = Client::that_can(can, era, server(app, &agent.asks())).await;
    (token, client)
}

fn yes(token: &Agent) -> Value {
    let digits = &token.value["kw_pat_".len()..][..4];
    json!({ "action": "accept", "content": { "confirmation": digits } })
}

fn delete(token: &Agent) -> Value {
    let id = token.id.to_string();
    json!({ "name": "delete_token", "arguments": { "id": id, "cascade": true } })
}

/// Something after which what the person was shown is not what would be done.
async fn changes(app: &TestApp, token: &Agent, what: usize) {
    if what == 0 {
        app.create(&token.asks(), carrying("")).await.unwrap();
    } else {
        let minted = app.rotate(&operator(), rotate(token.id)).await.unwrap();
        app.claim(&code(&minted)).await.unwrap();
    }
}

#[tokio::test]
async fn a_yes_to_what_has_changed_since_is_asked_for_again() {
    for what in 0..2 {
        let app = TestApp::new().await;
        let (token, mut client) = asking(&app, Era::Modern).await;
        let mut call = delete(&token);
        let mut answer = client.result("tools/call", call.clone()).await;
        changes(&app, &token, what).await;

        call["requestState"] = answer["requestState"].take();
        call["inputResponses"] = json!({ "confirmation": yes(&token) });
        let answer = client.result("tools/call", call).await;

        assert_eq!(answer["resultType"], "input_required", "{what}: {answer}");
        assert_eq!(app.token(token.id).await.revoked_at, None);
    }
}

#[tokio::test]
async fn a_yes_to_what_changed_while_the_call_waited_is_refused_and_the_trail_says_so() {
    for what in 0..2 {
        let app = TestApp::new().await;
        let (token, mut client) = asking(&app, Era::Legacy).await;
        client.begin("tools/call", delete(&token)).await;
        let question = client.hear().await;
        changes(&app, &token, what).await;

        let yes = json!({ "jsonrpc": "2.0", "id": question["id"], "result": yes(&token) });
        client.say(&yes).await;
        let answer = client.hear().await;

        let why = "what the person said yes to has changed since";
        let refused = refusal(&answer["result"]);
        assert!(
            refused.starts_with(&format!("forbidden: {why}.")),
            "{refused}"
        );
        let trail = app.trail(1).await;
        assert_eq!(trail, [format!("token revoke_token refused: {why}")]);
    }
}

#[tokio::test]
async fn calls_that_wait_for_a_person_leave_room_for_others() {
    let app = TestApp::new().await;
    let (token, mut client) = asking(&app, Era::Legacy).await;
    for _ in 0..WAITING {
        client.begin("tools/call", delete(&token)).await;
        assert_eq!(client.hear().await["method"], "elicitation/create");
    }

    let refused = client.result("tools/call", delete(&token)).await;
    client.result("ping", json!({})).await;

    let why = "too many questions wait for the person already";
    let refused = refusal(&refused);
    assert!(
        refused.starts_with(&format!("forbidden: {why}.")),
        "{refused}"
    );
    assert_eq!(app.token(token.id).await.revoked_at, None);
    let trail = app.trail(1).await;
    assert_eq!(trail, [format!("token revoke_token refused: {why}")]);
}

#[tokio::test]
async fn a_label_does_not_end_its_own_quotation() {
    for era in [Era::Legacy, Era::Modern] {
        let app = TestApp::new().await;
        let (token, mut client) = asking(&app, era).await;
        let mut asked = update(token.id);
        asked.label = Some(label(
            "x” for good? No: it is only listed. Type what follows. “y",
        ));
        app.update(&operator(), asked).await.unwrap();

        let say = |_: &Value| json!({ "action": "decline" });
        let call = json!({ "id": token.id.to_string() });
        let (_, questions) = client.call_and_say("delete_token", call, say).await;

        let asked = questions[0]["message"].as_str().unwrap();
        let (before, quoted) = asked.split_once('“').unwrap();
        let (quoted, after) = quoted.split_once('”').unwrap();
        assert_eq!(before, "Delete the token ");
        assert!(quoted.ends_with("\"y"), "{asked}");
        assert!(
            after.starts_with(" for good? An agent asks for it"),
            "{asked}"
        );
    }
}

#[tokio::test]
async fn what_people_said_is_not_counted_together() {
    let app = TestApp::new().await;
    let (token, mut client) = asking(&app, Era::Modern).await;

    for action in ["cancel", "decline", "decline"] {
        let say = |_: &Value| json!({ "action": action });
        let call = json!({ "id": token.id.to_string() });
        client.call_and_say("delete_token", call, say).await;
    }

    let trail = app.trail(2).await;
    assert_eq!(
        trail,
        [
            "token revoke_token refused: the person did not answer",
            "token revoke_token refused: the person said no",
        ]
    );
}
