//! Asking the person before a token is deleted that the caller did not mint, in both eras.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use keywright::{
    authz::Credential,
    mcp::{Confirm, Presents, Server},
    wire::token::ClaimCommand,
};
use rmcp::model::ErrorCode;
use serde_json::{Value, json};

use super::client::{Client, Era, refusal, server};
use crate::support::{Agent, TestApp, carrying};

/// What a person answers to a question.
type Says = fn(&Value) -> Value;

const ERAS: [Era; 2] = [Era::Legacy, Era::Modern];

/// An agent that may delete, and a token that a person made.
async fn agent_and_token(app: &TestApp) -> (Agent, Agent) {
    let agent = app.agent(["delete:tokens", "write:tokens"]).await;
    (agent, app.agent([]).await)
}

/// A client of the agent's that can show forms.
async fn asking(app: &TestApp, agent: &Agent, era: Era) -> Client {
    let can = json!({ "elicitation": {} });
    Client::that_can(can, era, server(app, &agent.asks())).await
}

/// Has the client delete this token, where a person says `says`: the answer, and what was asked.
async fn delete(
    client: &mut Client,
    what: &Agent,
    says: impl Fn(&Value) -> Value,
) -> (Value, Vec<Value>) {
    let what = json!({ "id": what.id.to_string() });
    client.call_and_say("delete_token", what, says).await
}

/// The same, without waiting for anything.
async fn begin(client: &mut Client, what: &Agent) {
    let what = json!({ "id": what.id.to_string() });
    let call = json!({ "name": "delete_token", "arguments": what });
    client.begin("tools/call", call).await;
}

/// The answer is a refusal for this reason.
fn is_refused(answer: &Value, why: &str) {
    let said = refusal(answer);
    assert!(said.starts_with(&format!("forbidden: {why}.")), "{said}");
}

/// Somebody who types this.
fn types(text: &str) -> impl Fn(&Value) -> Value {
    move |_| json!({ "action": "accept", "content": { "confirmation": text } })
}

/// The end of the visible beginning of a value.
fn digits(agent: &Agent) -> &str {
    &agent.value["kw_pat_".len()..][..4]
}

#[tokio::test]
async fn a_person_who_types_the_digits_has_the_token_deleted() {
    for era in ERAS {
        let app = TestApp::new().await;
        let (agent, token) = agent_and_token(&app).await;
        let mut client = asking(&app, &agent, era).await;

        let yes = types(digits(&token));
        let (answer, questions) = delete(&mut client, &token, yes).await;

        assert_eq!(answer["isError"], false, "{answer}");
        assert_eq!(answer["structuredContent"]["revoked_count"], 1);
        assert_eq!(questions.len(), 1);
        assert!(!app.is_good(&token.value).await);
        assert_eq!(
            app.trail(1).await,
            ["token revoke_token done: a person said yes"]
        );
    }
}

#[tokio::test]
async fn the_question_says_which_token_and_what_to_type() {
    for era in ERAS {
        let app = TestApp::new().await;
        let (agent, token) = agent_and_token(&app).await;
        let mut client = asking(&app, &agent, era).await;

        let (_, questions) = delete(&mut client, &token, types("")).await;

        let shown = questions[0]
            .to_string()
            .replace(digits(&token), "[4 digits]");
        let mut shown: Value = serde_json::from_str(&shown).unwrap();
        // The transport adds a progress token where the question is a request of its own.
        shown.as_object_mut().unwrap().shift_remove("_meta");
        insta::allow_duplicates! {
            insta::assert_json_snapshot!(shown, @r#"
            {
              "mode": "form",
              "message": "Delete the token “agent” for good? An agent asks for it, and did not make this token. Its value begins with kw_pat_[4 digits]. Whoever uses it is refused from then on. To confirm, type the last four characters of that beginning.",
              "requestedSchema": {
                "type": "object",
                "properties": {
                  "confirmation": {
                    "type": "string",
                    "title": "Confirmation",
                    "description": "As asked: the last four characters of that beginning"
                  }
                },
                "required": [
                  "confirmation"
                ]
              }
            }
            "#);
        }
    }
}

#[tokio::test]
async fn whatever_is_no_yes_leaves_the_token_alone() {
    let empty = |_: &Value| json!({ "action": "accept" });
    let form = |_: &Value| json!({ "action": "accept", "content": {} });
    let no = |_: &Value| json!({ "action": "decline" });
    let closed = |_: &Value| json!({ "action": "cancel" });
    let odd = |_: &Value| json!({ "action": "accept", "content": { "confirmation": 1234 } });
    let says: [(Says, &str); 5] = [
        (empty, "what was typed is not what confirms it"),
        (form, "what was typed is not what confirms it"),
        (odd, "what was typed is not what confirms it"),
        (no, "the person said no"),
        (closed, "the person did not answer"),
    ];
    for era in ERAS {
        for (says, why) in says {
            let app = TestApp::new().await;
            let (agent, token) = agent_and_token(&app).await;
            let mut client = asking(&app, &agent, era).await;

            let (answer, questions) = delete(&mut client, &token, says).await;

            is_refused(&answer, why);
            assert_eq!(questions.len(), 1);
            assert!(app.is_good(&token.value).await);
            assert_eq!(
                app.trail(1).await,
                [format!("token revoke_token refused: {why}")]
            );
        }
    }
}

#[tokio::test]
async fn a_token_that_the_caller_minted_is_deleted_without_a_question() {
    for era in ERAS {
        let app = TestApp::new().await;
        let (agent, _) = agent_and_token(&app).await;
        let child = app.child(&agent, "").await;
        let mut client = asking(&app, &agent, era).await;

        let (answer, questions) = delete(&mut client, &child, types("")).await;

        assert_eq!(answer["isError"], false, "{answer}");
        assert_eq!(questions.len(), 0);
    }
}

#[tokio::test]
async fn a_client_that_cannot_ask_goes_ahead_and_the_trail_says_so() {
    for era in ERAS {
        for can in [json!({}), json!({ "elicitation": { "url": {} } })] {
            let app = TestApp::new().await;
            let (agent, token) = agent_and_token(&app).await;
            let mut client = Client::that_can(can, era, server(&app, &agent.asks())).await;

            client
                .done("delete_token", json!({ "id": token.id.to_string() }))
                .await;

            let trail = app.trail(1).await;
            assert_eq!(trail, ["token revoke_token done: without asking a person"]);
        }
    }
}

#[tokio::test]
async fn where_a_person_must_confirm_a_client_that_cannot_ask_is_refused() {
    for era in ERAS {
        let app = TestApp::new().await;
        let (agent, token) = agent_and_token(&app).await;
        let child = app.child(&agent, "").await;
        let server = server(&app, &agent.asks()).confirming(Confirm::Always, None);
        let mut client = Client::that_can(json!({}), era, server).await;

        let refused = client
            .refused("delete_token", json!({ "id": token.id.to_string() }))
            .await;

        assert!(
            refused.starts_with("forbidden: a person is to confirm this"),
            "{refused}"
        );
        assert!(app.is_good(&token.value).await);
        client
            .done("delete_token", json!({ "id": child.id.to_string() }))
            .await;
    }
}

#[tokio::test]
async fn nobody_is_asked_about_what_is_refused_anyway() {
    for era in ERAS {
        let app = TestApp::new().await;
        let (agent, token) = agent_and_token(&app).await;
        let weak = app.agent(["read:tokens"]).await;
        let stranger = app.stranger().await;
        let cases = [
            (&weak, &token, "insufficient_scope: "),
            (&stranger, &token, "not_found: "),
            (&agent, &stranger, "not_found: "),
            (&agent, &agent, "forbidden: this would end the very token"),
        ];
        for (who, what, refusal_begins) in cases {
            let mut client = asking(&app, who, era).await;

            let yes = types(digits(what));
            let (answer, questions) = delete(&mut client, what, yes).await;

            let refused = refusal(&answer);
            assert!(refused.starts_with(refusal_begins), "{refused}");
            assert_eq!(questions.len(), 0);
            assert!(app.is_good(&what.value).await);
        }
    }
}

#[tokio::test]
async fn a_token_that_ends_itself_is_asked_about() {
    for era in ERAS {
        let app = TestApp::new().await;
        let (agent, _) = agent_and_token(&app).await;
        let mut client = asking(&app, &agent, era).await;

        let delete = json!({ "id": agent.id.to_string(), "allow_self": true });
        let yes = types(digits(&agent));
        let (answer, questions) = client.call_and_say("delete_token", delete, yes).await;

        assert_eq!(answer["isError"], false, "{answer}");
        assert_eq!(questions.len(), 1);
        assert!(!app.is_good(&agent.value).await);
    }
}

#[tokio::test]
async fn a_token_without_a_value_is_confirmed_by_its_id() {
    let app = TestApp::new().await;
    let (agent, _) = agent_and_token(&app).await;
    let (id, _) = app.waiting(&crate::support::operator(), "").await;
    let mut client = asking(&app, &agent, Era::Modern).await;

    let id = id.to_string();
    let yes = types(&id[id.len() - 4..]);
    let (answer, questions) = client
        .call_and_say("delete_token", json!({ "id": id }), yes)
        .await;

    assert_eq!(answer["isError"], false, "{answer}");
    let asked = questions[0]["message"].as_str().unwrap();
    assert!(
        asked.contains(&id) && asked.contains("the last four characters of that id"),
        "{asked}"
    );
}

#[tokio::test]
async fn the_question_counts_what_ends_with_the_token() {
    let app = TestApp::new().await;
    let agent = app.agent(["delete:tokens"]).await;
    let parent = app.agent(["write:tokens"]).await;
    for _ in 0..2 {
        app.create(&parent.asks(), carrying("")).await.unwrap();
    }
    let mut client = asking(&app, &agent, Era::Modern).await;

    let delete = json!({ "id": parent.id.to_string(), "cascade": true });
    let yes = types(digits(&parent));
    let (answer, questions) = client.call_and_say("delete_token", delete, yes).await;

    let asked = questions[0]["message"].as_str().unwrap();
    assert!(
        asked.contains("2 tokens that it minted end with it"),
        "{asked}"
    );
    assert_eq!(answer["structuredContent"]["revoked_count"], 3, "{answer}");
}

#[tokio::test]
async fn a_token_that_has_ended_is_no_question() {
    let app = TestApp::new().await;
    let (agent, token) = agent_and_token(&app).await;
    app.revoke(token.id).await;
    let mut client = asking(&app, &agent, Era::Modern).await;

    let (answer, questions) = delete(&mut client, &token, types("")).await;

    assert_eq!(answer["structuredContent"]["revoked_count"], 0, "{answer}");
    assert_eq!(questions.len(), 0);
}

/// A call that has been answered with a question: its parameters, ready to come again with a yes.
async fn asked(client: &mut Client, token: &Agent) -> Value {
    let mut call = json!({ "name": "delete_token", "arguments": { "id": token.id.to_string() } });
    let mut answer = client.result("tools/call", call.clone()).await;
    assert_eq!(answer["resultType"], "input_required", "{answer}");
    call["requestState"] = answer["requestState"].take();
    call["inputResponses"] = json!({ "confirmation": types(digits(token))(&answer) });
    call
}

#[tokio::test]
async fn a_request_state_is_good_once() {
    let app = TestApp::new().await;
    let (agent, token) = agent_and_token(&app).await;
    let mut client = asking(&app, &agent, Era::Modern).await;
    let yes = asked(&mut client, &token).await;

    let first = client.ask("tools/call", yes.clone()).await;
    let second = client.ask("tools/call", yes).await;

    assert_eq!(first["result"]["isError"], false, "{first}");
    assert_eq!(
        second["error"]["code"],
        ErrorCode::INVALID_PARAMS.0,
        "{second}"
    );
}

#[tokio::test]
async fn a_request_state_is_good_for_its_own_call_alone() {
    let app = TestApp::new().await;
    let (agent, token) = agent_and_token(&app).await;
    let other = app.agent([]).await;
    let mut client = asking(&app, &agent, Era::Modern).await;
    let mut stranger = asking(&app, &agent, Era::Modern).await;

    let (one, two) = (
        asked(&mut client, &token).await,
        asked(&mut client, &token).await,
    );
    let mut elsewhere = one.clone();
    elsewhere["arguments"]["id"] = json!(other.id.to_string());
    let mut forged = two.clone();
    forged["requestState"] = json!(format!("x{}", &two["requestState"].as_str().unwrap()[1..]));

    let refused = [
        client.ask("tools/call", elsewhere).await,
        client.ask("tools/call", forged).await,
        stranger.ask("tools/call", two).await,
    ];
    for refused in refused {
        assert_eq!(
            refused["error"]["code"],
            ErrorCode::INVALID_PARAMS.0,
            "{refused}"
        );
    }
    assert!(app.is_good(&token.value).await && app.is_good(&other.value).await);
}

#[tokio::test]
async fn a_request_state_lapses() {
    let app = TestApp::new().await;
    let (agent, token) = agent_and_token(&app).await;
    let server =
        server(&app, &agent.asks()).confirming(Confirm::WherePossible, Some(Duration::ZERO));
    let mut client = Client::that_can(json!({ "elicitation": {} }), Era::Modern, server).await;
    let yes = asked(&mut client, &token).await;

    let late = client.ask("tools/call", yes).await;

    assert_eq!(late["error"]["code"], ErrorCode::INVALID_PARAMS.0, "{late}");
    assert!(app.is_good(&token.value).await);
}

#[tokio::test]
async fn a_call_that_comes_again_without_an_answer_is_asked_again() {
    let app = TestApp::new().await;
    let (agent, token) = agent_and_token(&app).await;
    let mut client = asking(&app, &agent, Era::Modern).await;
    let mut again = asked(&mut client, &token).await;
    again.as_object_mut().unwrap().remove("inputResponses");

    let answer = client.result("tools/call", again).await;

    assert_eq!(answer["resultType"], "input_required", "{answer}");
    assert!(app.is_good(&token.value).await);
}

#[tokio::test]
async fn a_yes_to_one_asker_is_none_to_another() {
    let app = TestApp::new().await;
    let (agent, token) = agent_and_token(&app).await;
    let second = app.agent(["delete:tokens"]).await;
    let switch = Arc::new(AtomicBool::new(false));
    let is_second = Arc::clone(&switch);
    let presents = Presents::anew(move || {
        let who = if is_second.load(Ordering::Relaxed) {
            &second
        } else {
            &agent
        };
        Credential::bearer(&who.value, None)
    });
    let claim = ClaimCommand::new("keywright", None, None);
    let server = Server::new(app.authority.clone(), presents, claim);
    let mut client = Client::that_can(json!({ "elicitation": {} }), Era::Modern, server).await;
    let yes = asked(&mut client, &token).await;

    switch.store(true, Ordering::Relaxed);
    let answer = client.result("tools/call", yes).await;

    assert_eq!(answer["resultType"], "input_required", "{answer}");
    assert!(app.is_good(&token.value).await);
}

#[tokio::test]
async fn no_answer_within_the_time_is_a_no() {
    let app = TestApp::new().await;
    let (agent, token) = agent_and_token(&app).await;
    let patience = Some(Duration::from_millis(20));
    let server = server(&app, &agent.asks()).confirming(Confirm::WherePossible, patience);
    let mut client = Client::that_can(json!({ "elicitation": {} }), Era::Legacy, server).await;

    begin(&mut client, &token).await;
    let (question, taken_back, answer) = (
        client.hear().await,
        client.hear().await,
        client.hear().await,
    );

    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(taken_back["method"], "notifications/cancelled");
    assert_eq!(taken_back["params"]["requestId"], question["id"]);
    is_refused(&answer["result"], "the person did not answer");
    assert!(app.is_good(&token.value).await);
}

#[tokio::test]
async fn a_call_that_is_given_up_takes_its_question_back() {
    let app = TestApp::new().await;
    let (agent, token) = agent_and_token(&app).await;
    let mut client = asking(&app, &agent, Era::Legacy).await;
    begin(&mut client, &token).await;
    let question = client.hear().await;

    let given_up = json!({ "requestId": 2, "reason": "the person changed their mind" });
    let cancelled = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": given_up,
    });
    client.say(&cancelled).await;
    let taken_back = client.hear().await;

    assert_eq!(taken_back["method"], "notifications/cancelled");
    assert_eq!(taken_back["params"]["requestId"], question["id"]);
    assert!(app.is_good(&token.value).await);
}

#[tokio::test]
async fn a_client_that_will_not_ask_after_all_has_no_yes() {
    let app = TestApp::new().await;
    let (agent, token) = agent_and_token(&app).await;
    let mut client = asking(&app, &agent, Era::Legacy).await;
    begin(&mut client, &token).await;
    let question = client.hear().await;

    let error = json!({ "code": -32601, "message": "no such method" });
    client
        .say(&json!({ "jsonrpc": "2.0", "id": question["id"], "error": error }))
        .await;
    let answer = client.hear().await;

    is_refused(&answer["result"], "the person did not answer");
    assert!(app.is_good(&token.value).await);
}
