//! A session whose token stands in a file, as real processes: it is read anew at every call, so that
//! a running agent survives the rotation of its token.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use serde_json::{Value, json};

use crate::mcp::process::{Home, Session, eventually};

/// A file with `value` in it, for nobody else.
fn token_file(home: &Home, value: &str) -> PathBuf {
    let path = home.folder().join("agent.token");
    fs::write(&path, value).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// A session that reads its token from `file`.
fn session(home: &Home, file: &std::path::Path) -> Session {
    home.session_with(
        &[("KEYWRIGHT_TOKEN_FILE", file.to_str().unwrap())],
        &["mcp"],
    )
}

fn current_value(session: &mut Session) -> Value {
    session.done("whoami", json!({}))["current_value"].take()
}

#[test]
fn a_running_session_survives_the_rotation_of_its_own_token() {
    let home = Home::new();
    let old = home.token("read:tokens write:tokens");
    let file = token_file(&home, &old);
    let mut agent = session(&home, &file);
    let me = agent.done("whoami", json!({}))["current_token"]["id"].take();

    let rotated = agent.done("rotate_token", json!({ "id": me }));
    let command = rotated["claim"]["command"].as_str().unwrap();
    let words = command.split_once(" claim ").unwrap().1;
    let waiting = current_value(&mut agent);
    let claimed = home.shell(&[&["claim"], &words.split(' ').collect::<Vec<_>>()[..]].concat());
    let errors = String::from_utf8_lossy(&claimed.stderr).into_owned();

    assert!(claimed.status.success(), "{errors}");
    assert_eq!(
        waiting,
        json!({ "generation": 1, "is_newest": true, "ends_at": null })
    );
    let renewed = json!({ "generation": 2, "is_newest": true, "ends_at": null });
    assert_eq!(current_value(&mut agent), renewed);
    // Its first use has ended the overlap, within seconds.
    let mut other = home.with_token(&old, &[]);
    eventually(|| (other.call("whoami", json!({}))["isError"] == true).then_some(()));
    assert_eq!(current_value(&mut agent), renewed);
}

#[test]
fn a_session_is_told_that_it_lives_on_the_overlap() {
    let home = Home::new();
    let file = token_file(&home, &home.token("read:tokens write:tokens"));
    let mut agent = session(&home, &file);
    let me = agent.done("whoami", json!({}))["current_token"]["id"].take();

    let rotate = ["token", "rotate", me.as_str().unwrap(), "--overlap", "1h"];
    home.shell(&[&rotate[..], &["--to", "file:new.token"]].concat());

    let value = current_value(&mut agent);
    assert_eq!(
        (&value["generation"], &value["is_newest"]),
        (&json!(1), &json!(false))
    );
    assert!(value["ends_at"].is_string(), "{value}");
}

#[test]
fn a_token_file_that_goes_and_comes_back_is_refused_and_served_again() {
    let home = Home::new();
    let value = home.token("");
    let file = token_file(&home, &value);
    let mut agent = session(&home, &file);
    agent.done("whoami", json!({}));

    fs::remove_file(&file).unwrap();
    let gone = agent.code("whoami", json!({}));
    token_file(&home, "no token at all");
    let nonsense = agent.code("whoami", json!({}));
    token_file(&home, &format!("{value}\r\n"));

    assert_eq!((&*gone, &*nonsense), ("unauthenticated", "unauthenticated"));
    agent.done("whoami", json!({}));
    assert!(
        agent.log().contains("the token file cannot be read"),
        "{}",
        agent.log()
    );
}

#[test]
fn a_token_file_that_others_can_read_is_served_with_a_warning() {
    let home = Home::new();
    let file = token_file(&home, &home.token(""));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();

    let mut agent = session(&home, &file);

    agent.done("whoami", json!({}));
    assert!(agent.log().contains("chmod 600"), "{}", agent.log());
}

#[test]
fn a_token_and_a_token_file_at_once_are_misuse() {
    let home = Home::new();
    let token = home.token("");
    let file = token_file(&home, &token);

    for arguments in [&["mcp"][..], &["mcp", "--local"]] {
        let mut command = home.command(arguments);
        command.env("KEYWRIGHT_TOKEN_FILE", &file);
        if arguments.len() == 1 {
            command.env("KEYWRIGHT_TOKEN", &token);
        }
        let output = command.output().unwrap();

        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains("give one of the two"), "{errors}");
    }
}
