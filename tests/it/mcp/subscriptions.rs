//! Who waits for news hears of it, of all that they may see and of nothing else.

use chrono::Duration;
use keywright::domain::id::TokenId;
use serde_json::{Value, json};

use super::client::{Client, Era};
use crate::support::{Agent, TestApp, bearer, label, local, local_with, operator, update};

const ERAS: [Era; 2] = [Era::Legacy, Era::Modern];
const RECENT: &str = "keywright://audit/recent";

fn uri(id: TokenId) -> String {
    format!("keywright://tokens/{id}")
}

/// Waits for news of these, in the way of the client's era. The id of a modern one's stream.
async fn waits(era: Era, client: &mut Client, uris: &[String]) -> u64 {
    if era == Era::Legacy {
        for uri in uris {
            client
                .result("resources/subscribe", json!({ "uri": uri }))
                .await;
        }
        return 0;
    }
    let wanted = json!({ "resourceSubscriptions": uris });
    listens(client, wanted).await
}

/// Opens a stream: its id.
async fn listens(client: &mut Client, wanted: Value) -> u64 {
    let id = client
        .begin("subscriptions/listen", json!({ "notifications": wanted }))
        .await;
    let (method, told) = client.hears().await;
    assert_eq!(method, "notifications/subscriptions/acknowledged");
    assert_eq!(told["notifications"], wanted);
    assert_eq!(told["_meta"]["io.modelcontextprotocol/subscriptionId"], id);
    id
}

/// Hears next that this was updated.
async fn hears_of(client: &mut Client, uri: &str) {
    let (method, told) = client.hears().await;
    assert_eq!(
        (&*method, &told["uri"]),
        ("notifications/resources/updated", &json!(uri))
    );
}

async fn relabel(app: &TestApp, agent: &Agent, to: &str) {
    let mut asked = update(agent.id);
    asked.label = Some(label(to));
    app.authority
        .update_token(&operator(), asked)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_change_by_another_process_is_heard_of() {
    for era in ERAS {
        let app = TestApp::new().await;
        let agent = app.agent([]).await;
        let mut client = Client::in_era(era, &app, &local()).await;
        let id = waits(era, &mut client, &[uri(agent.id)]).await;

        relabel(&app.another_process(), &agent, "changed").await;

        let (method, told) = client.hears().await;
        assert_eq!(method, "notifications/resources/updated");
        assert_eq!(told["uri"], uri(agent.id));
        if era == Era::Modern {
            assert_eq!(told["_meta"]["io.modelcontextprotocol/subscriptionId"], id);
        }
    }
}

#[tokio::test]
async fn the_end_by_the_clock_alone_is_heard_of() {
    for era in ERAS {
        let app = TestApp::new().await;
        let agent = app.agent_until(Duration::hours(1), []).await;
        let mut client = Client::in_era(era, &app, &local()).await;
        waits(era, &mut client, &[uri(agent.id)]).await;

        app.advance(Duration::hours(1));

        hears_of(&mut client, &uri(agent.id)).await;
    }
}

#[tokio::test]
async fn only_what_is_waited_for_and_changes_is_heard_of() {
    for era in ERAS {
        let app = TestApp::new().await;
        let [first, second, third] = [
            app.agent([]).await,
            app.agent([]).await,
            app.agent([]).await,
        ];
        let mut client = Client::in_era(era, &app, &local()).await;
        let wanted = [uri(first.id), uri(second.id)];
        waits(era, &mut client, &wanted).await;

        // One that is not waited for, and a use, which is no change.
        relabel(&app, &third, "changed").await;
        app.authority.whoami(&first.asks()).await.unwrap();
        app.authority.write_batches().await.unwrap();
        client.done("whoami", json!({})).await;
        relabel(&app, &second, "changed").await;

        hears_of(&mut client, &uri(second.id)).await;
    }
}

#[tokio::test]
async fn what_this_session_does_is_heard_of_at_once() {
    for era in ERAS {
        let app = TestApp::new().await;
        let agent = app.agent([]).await;
        let mut client = Client::in_era(
            era,
            &app,
            &local_with("read:audit delete:tokens read:tokens"),
        )
        .await;
        waits(era, &mut client, &[uri(agent.id), RECENT.to_owned()]).await;

        client
            .done("delete_token", json!({ "id": agent.id.to_string() }))
            .await;

        hears_of(&mut client, &uri(agent.id)).await;
        if era == Era::Legacy {
            let (method, _) = client.hears().await;
            assert_eq!(method, "notifications/resources/list_changed");
        }
        hears_of(&mut client, RECENT).await;
    }
}

#[tokio::test]
async fn looking_again_is_no_use_of_the_token() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens"]).await;
    let other = app.agent([]).await;
    let mut client = Client::in_era(Era::Modern, &app, &agent.asks()).await;
    waits(Era::Modern, &mut client, &[uri(other.id)]).await;
    let before = app.token(agent.id).await.last_used_at;

    app.advance(Duration::minutes(1));
    relabel(&app, &other, "changed").await;
    hears_of(&mut client, &uri(other.id)).await;

    assert!(before.is_some());
    assert_eq!(app.token(agent.id).await.last_used_at, before);
}

#[tokio::test]
async fn a_modern_stream_tells_of_the_list_where_it_was_asked_to() {
    let app = TestApp::new().await;
    let mut client = Client::in_era(Era::Modern, &app, &local()).await;
    listens(&mut client, json!({ "resourcesListChanged": true })).await;

    app.another_process().agent([]).await;

    let (method, _) = client.hears().await;
    assert_eq!(method, "notifications/resources/list_changed");
}

#[tokio::test]
async fn a_legacy_client_that_has_listed_hears_what_its_own_calls_change() {
    let app = TestApp::new().await;
    let mut client = Client::of(&app, &local()).await;
    client.result("resources/list", json!({})).await;

    client.done("create_token", json!({ "label": "x" })).await;

    let (method, _) = client.hears().await;
    assert_eq!(method, "notifications/resources/list_changed");
}

#[tokio::test]
async fn a_legacy_client_that_has_subscribed_hears_of_the_list_too() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let mut client = Client::of(&app, &local()).await;
    waits(Era::Legacy, &mut client, &[uri(agent.id)]).await;

    app.another_process().agent([]).await;

    let (method, _) = client.hears().await;
    assert_eq!(method, "notifications/resources/list_changed");
}

#[tokio::test]
async fn nothing_is_heard_after_unsubscribing() {
    let app = TestApp::new().await;
    let [first, second] = [app.agent([]).await, app.agent([]).await];
    let mut client = Client::of(&app, &local()).await;
    waits(Era::Legacy, &mut client, &[uri(first.id), uri(second.id)]).await;

    client
        .result("resources/unsubscribe", json!({ "uri": uri(first.id) }))
        .await;
    relabel(&app, &first, "changed").await;
    relabel(&app, &second, "changed").await;

    hears_of(&mut client, &uri(second.id)).await;
}

#[tokio::test]
async fn a_stream_that_is_cancelled_is_over_without_a_word() {
    let app = TestApp::new().await;
    let agent = app.agent([]).await;
    let mut client = Client::in_era(Era::Modern, &app, &local()).await;
    let id = waits(Era::Modern, &mut client, &[uri(agent.id)]).await;

    client
        .tell("notifications/cancelled", json!({ "requestId": id }))
        .await;
    client
        .done("delete_token", json!({ "id": agent.id.to_string() }))
        .await;
    let again = waits(Era::Modern, &mut client, &[uri(agent.id)]).await;

    assert_eq!(again, id + 2);
}

#[tokio::test]
async fn who_is_known_no_longer_hears_no_more_and_a_stream_ends() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens"]).await;
    let other = app.agent([]).await;
    let mut client = Client::in_era(Era::Modern, &app, &agent.asks()).await;
    let id = waits(Era::Modern, &mut client, &[uri(other.id)]).await;

    app.revoke(agent.id).await;
    relabel(&app, &other, "changed").await;

    let ended = client.answer_to(id).await;
    let result = &ended["result"];
    assert_eq!(result["resultType"], "complete", "{ended}");
    assert_eq!(
        result["_meta"]["io.modelcontextprotocol/subscriptionId"],
        id
    );
}

#[tokio::test]
async fn a_stream_of_the_list_alone_ends_with_who_asked_for_it_and_is_nobodys_for_ever() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens"]).await;
    let list = json!({ "resourcesListChanged": true });
    let mut client = Client::in_era(Era::Modern, &app, &agent.asks()).await;
    let id = listens(&mut client, list.clone()).await;
    let mut nobody = Client::in_era(Era::Modern, &app, &bearer("nobody's")).await;
    listens(&mut nobody, list.clone()).await;

    app.revoke(agent.id).await;
    let ended = client.answer_to(id).await;
    nobody
        .error("resources/read", json!({ "uri": RECENT }))
        .await;

    assert_eq!(ended["result"]["resultType"], "complete", "{ended}");
    assert!(client.has_heard_nothing() && nobody.has_heard_nothing());
}

#[tokio::test]
async fn a_legacy_client_that_is_known_no_longer_hears_nothing() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens"]).await;
    let other = app.agent([]).await;
    let mut gone = Client::of(&app, &agent.asks()).await;
    waits(Era::Legacy, &mut gone, &[uri(other.id)]).await;
    app.revoke(agent.id).await;
    // Somebody who looks no sooner than they do.
    let mut known = Client::of(&app, &local()).await;
    waits(Era::Legacy, &mut known, &[uri(other.id)]).await;

    relabel(&app, &other, "changed").await;
    hears_of(&mut known, &uri(other.id)).await;
    let asked = json!({ "uri": uri(other.id) });
    let (_, again) = gone.error("resources/subscribe", asked).await;

    assert!(again.starts_with("unauthenticated: "), "{again}");
    assert!(gone.has_heard_nothing());
}

#[tokio::test]
async fn a_legacy_client_that_asks_for_the_same_again_is_looked_up_anew() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens"]).await;
    let asked = json!({ "uri": uri(agent.id) });
    let mut client = Client::of(&app, &agent.asks()).await;
    client.result("resources/subscribe", asked.clone()).await;
    client.result("resources/subscribe", asked.clone()).await;

    app.revoke(agent.id).await;
    let (_, again) = client.error("resources/subscribe", asked).await;

    assert!(again.starts_with("unauthenticated: "), "{again}");
}

#[tokio::test]
async fn a_stream_ends_with_the_life_of_its_token() {
    let app = TestApp::new().await;
    let agent = app.agent_until(Duration::hours(1), ["read:tokens"]).await;
    let other = app.agent([]).await;
    let mut client = Client::in_era(Era::Modern, &app, &agent.asks()).await;
    let id = waits(Era::Modern, &mut client, &[uri(other.id)]).await;

    app.advance(Duration::hours(1));

    assert!(client.answer_to(id).await["result"].is_object());
}

#[tokio::test]
async fn who_loses_a_scope_hears_no_more_of_what_it_was_for() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens", "read:audit"]).await;
    let other = app.agent([]).await;
    let mut client = Client::in_era(Era::Modern, &app, &agent.asks()).await;
    waits(
        Era::Modern,
        &mut client,
        &[uri(other.id), RECENT.to_owned()],
    )
    .await;

    let mut narrower = update(agent.id);
    narrower.scopes = Some(crate::support::scopes("read:audit"));
    app.authority
        .update_token(&operator(), narrower)
        .await
        .unwrap();
    relabel(&app, &other, "changed").await;

    for _ in 0..2 {
        hears_of(&mut client, RECENT).await;
        app.agent([]).await;
    }
}

#[tokio::test]
async fn what_may_not_be_read_may_not_be_waited_for_and_no_stream_is_opened() {
    let app = TestApp::new().await;
    let [stranger, small] = [app.stranger().await, app.agent([]).await];
    let asking = |uri: &str| {
        [
            (Era::Legacy, "resources/subscribe", json!({ "uri": uri })),
            (
                Era::Modern,
                "subscriptions/listen",
                json!({ "notifications": { "resourceSubscriptions": [uri] } }),
            ),
        ]
    };
    for (who, wanted, code) in [
        (local(), uri(stranger.id), "not_found"),
        (local(), "keywright://tokens/?".to_owned(), "not_found"),
        (local(), "file:///etc/passwd".to_owned(), "not_found"),
        (small.asks(), uri(small.id), "insufficient_scope"),
        (small.asks(), RECENT.to_owned(), "insufficient_scope"),
        (bearer("nothing"), uri(small.id), "unauthenticated"),
    ] {
        for (era, method, asked) in asking(&wanted) {
            let mut client = Client::in_era(era, &app, &who).await;

            let (_, subscribing) = client.error(method, asked).await;
            let (_, reading) = client
                .error("resources/read", json!({ "uri": wanted }))
                .await;

            assert!(
                subscribing.starts_with(&format!("{code}: ")),
                "{subscribing}"
            );
            assert_eq!(subscribing, reading);
        }
    }
}

#[tokio::test]
async fn a_session_waits_for_a_hundred_and_twenty_eight_things_and_no_more() {
    let app = TestApp::new().await;
    let mut uris = Vec::new();
    for _ in 0..129 {
        uris.push(uri(app.agent([]).await.id));
    }
    let mut legacy = Client::of(&app, &local()).await;
    let mut modern = Client::in_era(Era::Modern, &app, &local()).await;

    waits(Era::Legacy, &mut legacy, &uris[..128]).await;
    let one_more = legacy
        .error("resources/subscribe", json!({ "uri": uris[128] }))
        .await;
    let wanted = json!({ "notifications": { "resourceSubscriptions": uris } });
    let all = modern.error("subscriptions/listen", wanted).await;
    // The same one once more is none.
    legacy
        .result("resources/subscribe", json!({ "uri": uris[0] }))
        .await;
    legacy
        .result("resources/unsubscribe", json!({ "uri": uris[0] }))
        .await;
    waits(Era::Legacy, &mut legacy, &uris[128..]).await;
    waits(Era::Modern, &mut modern, &uris[..128]).await;

    for (_, text) in [one_more, all] {
        assert!(
            text.starts_with("limit_exceeded: this session waits for 128 "),
            "{text}"
        );
        assert!(text.contains(" You can: "), "{text}");
    }
}

#[tokio::test]
async fn a_session_has_sixteen_streams_and_no_more() {
    let app = TestApp::new().await;
    let mut client = Client::in_era(Era::Modern, &app, &local()).await;
    for _ in 0..16 {
        listens(&mut client, json!({})).await;
    }

    let wanted = json!({ "notifications": {} });
    let (_, text) = client.error("subscriptions/listen", wanted).await;

    assert!(
        text.starts_with("limit_exceeded: this session has 16 streams"),
        "{text}"
    );
}
