//! A person is asked over HTTP: in the stream of the call, or in its answer.

use serde_json::{Value, json};

use super::{Served, Session, wire::Answer};
use crate::support::{Agent, TestApp};

/// A session whose client can ask a person, with a call under way that has asked one.
async fn asked(served: &Served, agent: &Agent, target: &Agent) -> (Session, Answer, Value) {
    let session = served.session_of(agent, json!({ "elicitation": {} })).await;
    let id = target.id.to_string();
    let mut call = session
        .calls(agent, "delete_token", json!({ "id": id }))
        .send()
        .await;
    let question = call.event().await.unwrap();
    assert_eq!(question["method"], "elicitation/create", "{question}");
    (session, call, question)
}

fn digits(agent: &Agent) -> &str {
    &agent.value["kw_pat_".len()..][..4]
}

#[tokio::test]
async fn a_session_asks_in_the_stream_of_the_call() {
    let app = TestApp::new().await;
    let [agent, target] = [app.agent(["delete:tokens"]).await, app.agent([]).await];
    let served = Served::by(&app).await;
    let (session, mut call, question) = asked(&served, &agent, &target).await;

    let yes = json!({ "action": "accept", "content": { "confirmation": digits(&target) } });
    let yes = json!({ "jsonrpc": "2.0", "id": question["id"], "result": yes });
    let (answered, _) = session.says(&agent, &yes).whole().await;
    let told = call.event().await.unwrap();

    assert_eq!(answered.status, 202);
    assert_eq!(told["result"]["isError"], false, "{told}");
    assert_eq!(call.event().await, None);
    assert!(!app.is_good(&target.value).await);
}

#[tokio::test]
async fn a_stranger_cannot_answer_for_a_person() {
    let app = TestApp::new().await;
    let [agent, target] = [app.agent(["delete:tokens"]).await, app.agent([]).await];
    let stranger = app.agent(["delete:tokens"]).await;
    let served = Served::by(&app).await;
    let (session, _call, question) = asked(&served, &agent, &target).await;

    let yes = json!({ "action": "accept", "content": { "confirmation": digits(&target) } });
    let yes = json!({ "jsonrpc": "2.0", "id": question["id"], "result": yes });
    let (answered, _) = session.says(&stranger, &yes).whole().await;

    assert_eq!(answered.status, 404);
    assert!(app.is_good(&target.value).await);
}

#[tokio::test]
async fn an_open_question_ends_with_the_token_of_its_session() {
    let app = TestApp::new().await;
    let [agent, target] = [app.agent(["delete:tokens"]).await, app.agent([]).await];
    let served = Served::by(&app).await;
    let (_session, mut call, _) = asked(&served, &agent, &target).await;

    app.another_process().revoke(agent.id).await;
    let told = call.event().await.unwrap();

    assert_eq!(told["result"]["isError"], true, "{told}");
    let why = told["result"]["content"][0]["text"].as_str().unwrap();
    assert!(why.starts_with("unauthenticated: "), "{why}");
    assert!(app.is_good(&target.value).await);
}

#[tokio::test]
async fn an_open_question_ends_with_its_session() {
    let app = TestApp::new().await;
    let [agent, target] = [app.agent(["delete:tokens"]).await, app.agent([]).await];
    let served = Served::by(&app).await;
    let (session, mut call, _) = asked(&served, &agent, &target).await;

    session.wire(&agent, "DELETE").whole().await;
    let told = call.event().await.unwrap();

    let why = told["result"]["content"][0]["text"].as_str().unwrap();
    assert!(
        why.starts_with("forbidden: the person did not answer"),
        "{why}"
    );
    assert!(app.is_good(&target.value).await);
}

#[tokio::test]
async fn a_modern_client_asks_in_between_two_calls() {
    let app = TestApp::new().await;
    let [agent, target] = [app.agent(["delete:tokens"]).await, app.agent([]).await];
    let other = app.agent(["delete:tokens"]).await;
    let served = Served::by(&app).await;
    let can = json!({ "elicitation": { "form": {} } });
    let mut call = json!({ "name": "delete_token", "arguments": { "id": target.id.to_string() } });
    let asks =
        |who: &Agent, call: &Value| served.modern_of(who, "tools/call", call.clone(), can.clone());

    let (_, asked) = asks(&agent, &call).json().await;
    let yes = json!({ "action": "accept", "content": { "confirmation": digits(&target) } });
    call["requestState"] = asked["result"]["requestState"].clone();
    call["inputResponses"] = json!({ "confirmation": yes });
    let (_, done) = asks(&agent, &call).json().await;
    let (_, again) = asks(&other, &call).json().await;

    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    assert_eq!(done["result"]["isError"], false, "{done}");
    assert_eq!(again["error"]["code"], -32602, "{again}");
}
