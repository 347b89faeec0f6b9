//! A value is a value: what a profile makes is good wherever Keywright takes a bearer, ours are good
//! at every profile, and what is revoked is refused at once in all of these places.

use serde_json::json;

use crate::support::TestApp;

/// Where a value that was made through a profile is presented.
const PLACES: [&str; 5] = [
    "/v1/whoami",
    "/v1/tokens",
    "/api/settings/token",
    "/api/v1/me/tokens",
    "/api/user/api-keys",
];

const CREATIONS: [(&str, &str, &str); 3] = [
    ("/api/settings/token", r#"{"label":"x"}"#, "/_id"),
    ("/api/v1/me/tokens", r#"{"name":"x"}"#, "/id"),
    ("/api/user/api-keys", "{}", "/api_key/id"),
];

#[tokio::test]
async fn a_value_of_any_profile_is_good_everywhere_and_revoked_everywhere() {
    let app = TestApp::new().await;
    let agent = app
        .agent([
            "read:tokens",
            "write:tokens",
            "delete:tokens",
            "introspect:tokens",
        ])
        .await;
    let ann = app.played().with(&agent.value);
    for (path, body, id) in CREATIONS {
        let made = ann.raw("POST", path, body).await;
        let value = made.text_at("/token");
        let holder = ann.with(&value);
        let introspected = ann.post("/v1/introspect", json!({ "token": value })).await;
        assert_eq!(introspected.json()["active"], true, "{}", introspected.text);
        assert_eq!(
            introspected.json()["scope"],
            "delete:tokens read:tokens write:tokens"
        );
        assert_eq!(
            holder
                .get("/v1/verify?scope=read:tokens")
                .await
                .status
                .as_u16(),
            200
        );
        for place in PLACES {
            assert_eq!(holder.get(place).await.status.as_u16(), 200, "{place}");
        }

        let gone = format!("{path}/{}", made.text_at(id));
        assert_eq!(ann.ask("DELETE", &gone).await.status.as_u16(), 204);

        let introspected = ann.post("/v1/introspect", json!({ "token": value })).await;
        assert_eq!(introspected.text, r#"{"active":false}"#);
        assert_eq!(
            holder
                .get("/v1/verify?scope=read:tokens")
                .await
                .status
                .as_u16(),
            401
        );
        for place in PLACES {
            assert_eq!(holder.get(place).await.status.as_u16(), 401, "{place}");
        }
        assert!(!app.another_process().is_good(&value).await);
    }
}

#[tokio::test]
async fn no_value_is_kept_told_again_or_written_down() {
    let app = TestApp::new().await;
    let agent = app.usual().await;
    let ann = app.played().with(&agent.value);
    let mut values = Vec::new();
    for (path, body, _) in CREATIONS {
        values.push(ann.raw("POST", path, body).await.text_at("/token"));
    }

    let mut told = String::new();
    for place in PLACES {
        told.push_str(&ann.get(place).await.text);
    }
    let sql = "select group_concat(concat_ws(' ', action, reason, hex(target_id))) from audit";
    told.push_str(
        &app.database()
            .query_row(sql, [], |row| row.get::<_, String>(0))
            .unwrap(),
    );
    let sql = "select group_concat(concat_ws(' ', prefix, format)) from token_values";
    told.push_str(
        &app.database()
            .query_row(sql, [], |row| row.get::<_, String>(0))
            .unwrap(),
    );

    for value in values {
        let shown = value.find('_').unwrap() + 10;
        assert!(!told.contains(&value[..shown.max(value.len() / 2)]));
    }
    assert!(told.contains("through the profile `spedy`"));
}
