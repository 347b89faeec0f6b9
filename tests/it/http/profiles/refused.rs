//! Whoever may not, at every route of every profile: each refusal beside its success.

use std::fs;

use chrono::Duration;
use keywright::authority::For;

use super::TOKENS;
use crate::support::{TestApp, env_named, mistyped};

/// Every route, with a body where one is needed, and the scope that it needs.
const ROUTES: [(&str, &str, &str, &str); 12] = [
    (
        "POST",
        "/api/settings/token",
        r#"{"label":"x"}"#,
        "write:tokens",
    ),
    ("GET", "/api/settings/token", "", "read:tokens"),
    ("DELETE", "/api/settings/token/{id}", "", "delete:tokens"),
    (
        "POST",
        "/api/v1/me/tokens",
        r#"{"name":"x"}"#,
        "write:tokens",
    ),
    ("GET", "/api/v1/me/tokens", "", "read:tokens"),
    ("GET", "/api/v1/me/tokens/{id}", "", "read:tokens"),
    ("DELETE", "/api/v1/me/tokens/{id}", "", "delete:tokens"),
    ("POST", "/api/user/api-keys", "{}", "write:tokens"),
    ("GET", "/api/user/api-keys", "", "read:tokens"),
    ("DELETE", "/api/user/api-keys/{id}", "", "delete:tokens"),
    ("GET", "/api/public/v1/user/token", "", "read:secrets"),
    (
        "GET",
        "/api/public/v1/app-env/token?envName=production",
        "",
        "read:secrets",
    ),
];

#[test]
fn every_route_is_among_them() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let texts = files.map(|file| fs::read_to_string(file.path()).unwrap());
    let routes: usize = texts.map(|text| text.matches("[[route]]").count()).sum();
    assert_eq!(routes, ROUTES.len());
}

#[tokio::test]
async fn wrong_expired_revoked_and_disabled_are_the_same_bytes_at_every_route() {
    let app = TestApp::new().await;
    let expired = app.agent_until(Duration::hours(1), TOKENS).await;
    let (revoked, off) = (app.usual().await, app.usual().await);
    app.revoke(revoked.id).await;
    app.disable(&crate::support::operator(), off.id).await;
    app.advance(Duration::hours(2));
    let nobody = app.played();

    for (method, path, body, _) in ROUTES {
        let missing = nobody.raw(method, path, body).await;
        assert_eq!(missing.told().0, 401, "{method} {path}");
        for value in [
            "spote_a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4",
            &expired.value,
            &revoked.value,
            &off.value,
        ] {
            let refused = nobody.with(value).raw(method, path, body).await;
            assert_eq!(refused.told(), missing.told(), "{method} {path}");
        }
        // Who asks comes before what is asked.
        let malformed = nobody.raw(method, path, "{").await;
        assert_eq!(malformed.told(), missing.told(), "{method} {path}");
    }
}

#[tokio::test]
async fn every_route_needs_its_scope_and_no_other() {
    let app = TestApp::new().await;
    app.set_cli_token(For::Me, "").await;
    app.app_env("production").await;
    app.set_cli_token(env_named("production"), "").await;
    let lists = app.played().with(&app.usual().await.value);
    for (method, path, body, scope) in ROUTES {
        let mut others = vec![
            "read:tokens",
            "write:tokens",
            "delete:tokens",
            "read:secrets",
        ];
        others.retain(|other| *other != scope);
        let may_not = app.agent([others[0], others[1], others[2]]).await;
        // What is created carries all of these.
        let may = match scope {
            "write:tokens" => app.usual().await,
            scope => app.agent([scope]).await,
        };
        let target = app.usual().await.id;
        let form = lists.get("/api/v1/me/tokens").await.text_at("/tokens/0/id");
        let id = if path.starts_with("/api/v1/") {
            form
        } else {
            target.to_string()
        };
        let path = path.replace("{id}", &id);

        let refused = app
            .played()
            .with(&may_not.value)
            .raw(method, &path, body)
            .await;
        let done = app.played().with(&may.value).raw(method, &path, body).await;

        assert_eq!(refused.told().0, 403, "{method} {path}: {}", refused.text);
        assert!(refused.text.contains(scope), "{}", refused.text);
        assert!(
            (200..300).contains(&done.told().0),
            "{method} {path}: {}",
            done.text
        );
    }
}

#[tokio::test]
async fn a_new_token_exceeds_its_minter_in_nothing() {
    let app = TestApp::new().await;
    let narrow = app.agent(["read:tokens", "write:tokens"]).await;
    let ann = app.played().with(&narrow.value);
    let before = app.rows("tokens");

    for (method, path, body, scope) in ROUTES {
        if scope == "write:tokens" {
            let refused = ann.raw(method, path, body).await;
            let why = "a token cannot give or use the scope `delete:tokens`, which it lacks itself";
            assert_eq!(refused.status.as_u16(), 403);
            assert!(refused.text.contains(why), "{}", refused.text);
        }
    }
    assert_eq!(app.rows("tokens"), before);
}

#[tokio::test]
async fn a_store_out_of_reach_is_no_bad_token() {
    let app = TestApp::new().await;
    let ann = app.played().with(&app.usual().await.value);
    app.authority.close().await.unwrap();

    for (method, path, body, _) in ROUTES {
        let refused = ann.raw(method, path, body).await;
        assert_eq!(refused.told().0, 503, "{method} {path}: {}", refused.text);
        assert_eq!(refused.header("retry-after"), "1");
        assert_eq!(refused.header("www-authenticate"), "");
    }
}

#[tokio::test]
async fn another_method_is_told_which_there_are() {
    let app = TestApp::new().await;
    let ann = app.played().with(&app.usual().await.value);
    let before = app.rows("audit");

    for (path, allow) in [
        ("/api/settings/token", "GET, POST"),
        ("/api/settings/token/x", "DELETE"),
        ("/api/v1/me/tokens/x", "DELETE, GET"),
        ("/api/public/v1/user/token", "GET"),
    ] {
        for method in ["HEAD", "PUT", "PATCH", "OPTIONS", "TRACE", "BREW"] {
            let refused = ann.ask(method, path).await;
            assert_eq!(refused.told().0, 405, "{method} {path}");
            assert_eq!(refused.header("allow"), allow, "{method} {path}");
        }
    }
    assert_eq!(app.rows("audit"), before);
}

#[tokio::test]
async fn a_value_that_is_mistyped_is_refused_as_any_other() {
    let app = TestApp::new().await;
    let ann = app.played().with(&app.usual().await.value);
    let made = ann
        .raw("POST", "/api/settings/token", r#"{"label":"x"}"#)
        .await;
    let value = made.text_at("/token");

    let good = ann.with(&value).get("/api/settings/token").await;
    let bad = ann.with(&mistyped(&value)).get("/api/settings/token").await;

    assert_eq!((good.told().0, bad.told().0), (200, 401));
}
