//! Which profiles can be played together, and files of one's own.

use std::fs;

use axum::http::StatusCode;
use keywright::http::{Profile, Profiles};

use crate::support::{TestApp, label};

/// A profile of one route.
fn one(name: &str, path: &str) -> String {
    format!(
        r#"name = "{name}"
schemes = ["Bearer"]
id = "<uuid>"
times = "milliseconds"

[errors]
answer = {{ oops = "{{message}}" }}

[[route]]
method = "GET"
path = "{path}"
verb = "list_tokens"
order = "newest_first"
status = 203
answer = {{ all = [{{ id = "{{id}}", name = "{{label}}", at = "{{created_at}}", may = "{{scopes}}" }}] }}
"#
    )
}

fn read(file: &str, text: &str) -> Profile {
    Profile::read(file, text).unwrap()
}

fn why(profiles: Vec<Profile>) -> String {
    Profiles::of(profiles).unwrap_err().to_string()
}

#[test]
fn all_that_come_with_the_program_can_be_played_at_once() {
    let named = Profiles::known().map(str::to_owned);
    assert!(Profiles::named(&named).is_ok());
}

#[test]
fn two_profiles_in_each_others_way_are_refused_with_both_files() {
    let path = "/api/keys";
    let (mine, yours) = (one("mine", path), one("yours", path));

    let error = why(vec![read("mine.toml", &mine), read("yours.toml", &yours)]);

    assert_eq!(
        error,
        "yours.toml:11:1: `/api/keys` is in the way of mine.toml:11:1: `/api/keys`; a path is played \
         by one profile: serve the other at a port of its own"
    );
    assert!(
        Profiles::of(vec![
            read("mine.toml", &mine),
            read("x.toml", &one("x", "/api/key"))
        ])
        .is_ok()
    );
}

#[test]
fn a_path_that_could_be_anothers_id_is_refused() {
    let one_token = one("mine", "/api/keys/{id}").replace("list_tokens", "get_token");
    let one_token = one_token.replace("order = \"newest_first\"\n", "");
    let one_token = one_token
        .replace("all = [{", "all = {")
        .replace("}] }", "} }");
    let mine = || read("mine.toml", &one_token);

    for path in ["/api/keys/all", "/api/keys/0"] {
        let error = why(vec![mine(), read("yours.toml", &one("yours", path))]);
        let begins = format!(
            "yours.toml:11:1: `{path}` is in the way of mine.toml:11:1: `/api/keys/{{id}}`"
        );
        assert!(error.starts_with(&begins), "{error}");
    }
    for path in ["/api/keys", "/api/key/all", "/api/keys/all/x"] {
        assert!(
            Profiles::of(vec![mine(), read("x.toml", &one("x", path))]).is_ok(),
            "{path}"
        );
    }
}

#[test]
fn a_file_that_is_cut_or_changed_anywhere_is_read_or_refused() {
    let whole = include_str!("../../../vectors/profile.toml");
    let mut odd = ["", "\u{1b}", "\"", "{id}", "é"].iter().cycle();
    let mut refused = 0;
    for (at, c) in whole.char_indices() {
        let (before, behind) = (&whole[..at], &whole[at + c.len_utf8()..]);
        let odd = odd.next().unwrap();
        for text in [format!("{before}{odd}{behind}"), format!("{before}{odd}")] {
            let Err(error) = Profile::read("acme.toml", &text) else {
                continue;
            };
            refused += 1;
            let error = error.to_string();
            assert!(
                error.starts_with("acme.toml:") && !error.contains('\u{1b}'),
                "{error}"
            );
        }
    }
    assert!(refused > whole.len(), "{refused}");
}

#[test]
fn a_profile_twice_is_refused() {
    let named = ["spote", "spote"].map(str::to_owned);
    let error = Profiles::named(&named).unwrap_err().to_string();
    assert_eq!(
        error,
        "profiles/spote.toml: `spote` is the name of profiles/spote.toml, too; name a profile once, \
         and give your own a name of its own"
    );
}

#[test]
fn a_profile_that_is_not_there_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("acme.toml").display().to_string();
    let error = |named: &str| {
        Profiles::named(&[named.to_owned()])
            .unwrap_err()
            .to_string()
    };

    assert_eq!(
        error("spotify"),
        "spotify: there is no such profile; there are `quave`, `spedy`, `spherescout` and `spote`, \
         and a file of your own is named by its path, such as `./acme.toml`"
    );
    assert_eq!(
        error(&absent),
        format!(
            "{absent}: the profile cannot be read: No such file or directory (os error 2); name a \
             file of yours that is text"
        )
    );
}

#[tokio::test]
async fn a_file_of_ones_own_is_played() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.toml");
    fs::write(&path, one("acme", "/acme/tokens")).unwrap();
    let app = TestApp::new().await;
    let agent = app.agent(["read:tokens"]).await;
    let text = fs::read_to_string(&path).unwrap();
    assert!(Profiles::named(&[path.display().to_string()]).is_ok());

    let listed = app
        .playing(&text)
        .with(&agent.value)
        .get("/acme/tokens")
        .await;

    let words = format!(
        r#"{{"all":[{{"id":"{}","name":"agent","at":"2027-01-15T08:00:00.000Z","may":["read:tokens"]}}]}}"#,
        agent.id
    );
    assert_eq!(listed.told(), (203, &*words));
    assert_eq!(label("agent"), app.token(agent.id).await.label);
}

#[tokio::test]
async fn statuses_and_words_of_a_profile_are_heeded() {
    let text = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/vectors/profile.toml"
    ));
    let text = text.unwrap();
    let app = TestApp::new().await;
    let acme = app.playing(&text);
    let ann = acme.with(&app.usual().await.value);

    let unknown = acme.get("/api/tokens").await;
    let missing = ann.raw("POST", "/api/tokens", "{}").await;
    let method = ann.ask("PATCH", "/api/tokens").await;

    let words = r#"{"error":{"text":"Who are you?","code":"unauthenticated"},"status":401}"#;
    assert_eq!(unknown.told(), (401, words));
    let words = r#"{"error":{"text":"`name` cannot be used: it is missing","code":"invalid_argument"},"status":422}"#;
    assert_eq!(missing.told(), (422, words));
    assert_eq!(method.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_file_without_the_privilege_leaves_creation_to_read_secrets() {
    let text = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/vectors/profile.toml"
    ));
    let privilege = "show_new_value_without_read_secrets = ";
    let text = text
        .unwrap()
        .replace(&format!("{privilege}true"), &format!("{privilege}false"));
    let app = TestApp::new().await;
    let usual = app.usual().await;
    let reader = app
        .agent([
            "read:tokens",
            "write:tokens",
            "delete:tokens",
            "read:secrets",
        ])
        .await;
    let acme = app.playing(&text);

    let refused = acme.with(&usual.value).ask("PUT", "/api/keys").await;
    let made = acme.with(&reader.value).ask("PUT", "/api/keys").await;

    let words = r#"{"error":{"text":"this needs the scope `acme:read:secrets`","code":"insufficient_scope"},"status":403}"#;
    assert_eq!(refused.told(), (403, words));
    assert!(app.is_good(&made.text_at("/key")).await);
}
