//! A stolen copy of the store, without the key file: a backup, a disk. It gives no value, and what is
//! done with it there is worth nothing here.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::json;

use crate::mcp::process::Home;

/// Copies what is beside the store, but for the key.
fn stolen(from: &Path, to: &Path) -> PathBuf {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with("store.db") {
            fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
    to.join("store.db")
}

fn said(done: &Output) -> String {
    String::from_utf8_lossy(&[&done.stdout[..], &done.stderr].concat()).into_owned()
}

#[test]
fn a_stolen_copy_of_the_store_gives_no_value_and_mints_nothing() {
    let home = Home::new();
    let agent = home.token("read:tokens write:tokens read:secrets");
    home.json(&["cli-token", "set"]);
    let sealed = home.shell(&["cli-token", "show", "--to", "stdout"]).stdout;
    let sealed = String::from_utf8(sealed).unwrap().trim().to_owned();
    let mut session = home.with_token(&agent, &[]);
    let waits = session.done("create_token", json!({ "label": "waits" }));
    let code = waits["claim"]["code"].as_str().unwrap().to_owned();

    // In the middle of its life, with what is in the write-ahead log.
    let copy = stolen(
        home.store().parent().unwrap(),
        &home.folder().join("stolen"),
    );
    let there = |words: &[&str]| {
        let mut command = home.command(words);
        // What is said last counts.
        command
            .arg("--store")
            .arg(&copy)
            .env_remove("KEYWRIGHT_STORE");
        command.output().unwrap()
    };

    // No byte of it is a value, a code, or a part of one.
    for file in fs::read_dir(copy.parent().unwrap()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        for secret in [&agent[11..], &sealed[11..], &code, &code.replace('-', "")] {
            for piece in secret.as_bytes().windows(12) {
                let is_in = bytes.windows(12).any(|window| window == piece);
                assert!(!is_in, "a part of a value is in the copy");
            }
        }
    }
    // It can be read by whoever has it, and what is sealed stays sealed.
    assert!(there(&["token", "list"]).status.success());
    let shown = there(&["cli-token", "show", "--to", "stdout"]);
    assert!(!shown.status.success() && shown.stdout.is_empty());
    assert!(said(&shown).contains("the vault key"), "{}", said(&shown));
    // What is made or claimed there, nobody knows here.
    let made = there(&[
        "token",
        "create",
        "mine",
        "--scopes",
        "read:secrets",
        "--to",
        "stdout",
    ]);
    let claimed = there(&["claim", &code, "--to", "stdout"]);
    for value in [&made.stdout, &claimed.stdout] {
        let value = String::from_utf8(value.clone()).unwrap();
        assert_eq!(value.trim().len(), 56, "{}{}", said(&made), said(&claimed));
        let mut thief = home.with_token(value.trim(), &[]);
        assert_eq!(thief.code("whoami", json!({})), "unauthenticated");
        thief.close();
    }
    // And here the claim waits for its person still.
    assert!(
        home.shell(&["claim", &code, "--to", "stdout"])
            .status
            .success()
    );
    session.close();
}
