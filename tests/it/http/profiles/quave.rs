//! Quave: the CLI tokens of a user and of app environments.

use keywright::{authority::For, domain::account::Role};

use super::super::client::{Answer, Client};
use crate::support::{Agent, TestApp, env_named};

const USER: &str = "/api/public/v1/user/token";
const ENV: &str = "/api/public/v1/app-env/token";

impl Client {
    /// As Quave's own clients ask: the value alone.
    async fn bare(&self, agent: &Agent, path: &str) -> Answer {
        self.authorized("GET", path, &[&agent.value]).await
    }
}

#[tokio::test]
async fn a_users_token_is_told_as_documented() {
    let app = TestApp::new().await;
    app.set_cli_token(For::Me, "").await;
    let agent = app.agent(["read:secrets"]).await;

    let answer = app.played().bare(&agent, USER).await;

    let value = answer.text_at("/token");
    let words = format!(
        r#"{{"token":"{value}","username":"ann","email":null,"cliTokenGeneratedAt":"2027-01-15T08:00:00.000Z"}}"#
    );
    assert_eq!(answer.told(), (200, &*words));
    assert!(value.starts_with("kw_cli_"));
    assert_eq!(app.trail(1).await, ["token reveal_user_token done"]);
}

#[tokio::test]
async fn an_app_environments_token_is_told_by_id_or_by_name_and_the_id_wins() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:secrets"]).await;
    let production = app.app_env("production").await.id;
    app.set_cli_token(env_named("production"), "").await;
    app.app_env("staging").await;
    app.set_cli_token(env_named("staging"), "").await;
    let played = app.played();

    let by_id = played
        .bare(&agent, &format!("{ENV}?appEnvId={production}"))
        .await;
    let by_name = played
        .bare(&agent, &format!("{ENV}?envName=production"))
        .await;
    let both = format!("{ENV}?envName=staging&appEnvId={production}");
    let both = played.bare(&agent, &both).await;

    let value = by_id.text_at("/token");
    let words = format!(
        r#"{{"token":"{value}","appEnvId":"{production}","cliEnvName":"production","name":"production","cliTokenGeneratedAt":"2027-01-15T08:00:00.000Z"}}"#
    );
    assert_eq!(by_id.told(), (200, &*words));
    assert_eq!((by_name.told(), both.told()), (by_id.told(), by_id.told()));
}

#[tokio::test]
async fn neither_an_id_nor_a_name_is_refused() {
    let app = TestApp::new().await;
    let agent = app.agent(["read:secrets"]).await;
    let nobody = app.played();

    for path in [
        ENV.to_owned(),
        format!("{ENV}?appEnvId="),
        format!("{ENV}?appenvid=x"),
    ] {
        let answer = nobody.bare(&agent, &path).await;
        let words = r#"{"error":"`appEnvId` cannot be used: `appEnvId` or `envName` is needed"}"#;
        assert_eq!(answer.told(), (400, words), "{path}");
    }
    assert_eq!(
        nobody.get(ENV).await.told(),
        (401, r#"{"error":"Unauthorized"}"#)
    );
}

#[tokio::test]
async fn a_stranger_is_told_the_same_of_what_is_there_and_what_is_not() {
    let app = TestApp::new().await;
    let eve = app.stranger().await;
    let production = app.app_env("production").await.id;
    app.set_cli_token(env_named("production"), "").await;
    let played = app.played();

    for query in [
        format!("appEnvId={production}"),
        "appEnvId=019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001".to_owned(),
        "appEnvId=5f7b1b7b7b7b7b7b7b7b7b7b".to_owned(),
        "envName=production".to_owned(),
        "envName=nowhere".to_owned(),
        "envName=%00%C3%A9".to_owned(),
    ] {
        let answer = played.bare(&eve, &format!("{ENV}?{query}")).await;
        assert_eq!(answer.told(), (404, r#"{"error":"Not found"}"#), "{query}");
    }
}

#[tokio::test]
async fn an_app_environments_token_also_needs_an_admin() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", ["read:secrets"]).await;
    app.app_env("production").await;
    app.set_cli_token(env_named("production"), "").await;
    let path = format!("{ENV}?envName=production");

    let refused = app.played().bare(&bob, &path).await;
    app.set_role("bob", Role::Admin).await;
    let shown = app.played().bare(&bob, &path).await;

    let words = r#"{"error":"this needs the role `admin` in the account"}"#;
    assert_eq!(refused.told(), (403, words));
    assert_eq!(shown.status.as_u16(), 200);
}

#[tokio::test]
async fn an_agent_needs_the_scope_that_quave_names() {
    let app = TestApp::new().await;
    app.set_cli_token(For::Me, "").await;
    let agent = app.usual().await;

    let refused = app.played().bare(&agent, USER).await;

    let words = r#"{"error":"this needs the scope `quave:read:secrets`"}"#;
    assert_eq!(refused.told(), (403, words));
    assert_eq!(
        refused.header("www-authenticate"),
        r#"Bearer realm="keywright", error="insufficient_scope", scope="quave:read:secrets""#
    );
    assert_eq!(
        app.trail(1).await,
        ["token reveal_user_token refused: this needs the scope `read:secrets`"]
    );
}

#[tokio::test]
async fn a_bearer_is_understood_and_a_head_reveals_nothing() {
    let app = TestApp::new().await;
    app.set_cli_token(For::Me, "").await;
    let agent = app.agent(["read:secrets"]).await;
    let ann = app.played().with(&agent.value);
    let before = app.rows("audit");

    let head = ann.ask("HEAD", USER).await;
    let after = app.rows("audit");
    let shown = ann.get(USER).await;

    assert_eq!((head.status.as_u16(), head.header("allow")), (405, "GET"));
    assert_eq!(before, after);
    assert_eq!(shown.status.as_u16(), 200);
}
