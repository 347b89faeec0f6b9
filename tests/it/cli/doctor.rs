//! `doctor`: each thing that can be wrong, beside the same thing when it is sound.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use chrono::Duration;
use serde_json::{Value, json};

use super::shell::Shell;
use crate::support::TestApp;

const ID: &str = "019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001";

/// What is found, and whether all is sound. `keywright` must say the same by its exit code.
fn examined(shell: &Shell) -> Value {
    let done = shell.run("keywright doctor --json");
    let found: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(done.status == 0, found["sound"] == true, "{done:?}");
    assert_eq!(done.err, "");
    found
}

/// The levels and words of all that is found about this.
fn about(shell: &Shell, what: &str) -> Vec<(String, String)> {
    let found = examined(shell);
    let findings = found["findings"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    findings
        .filter(|found| found["about"] == what)
        .map(|found| {
            let says = format!("{} | {}", text(&found["says"]), text(&found["mend"]));
            (text(&found["level"]), says)
        })
        .collect()
}

/// Exactly one thing is found about this, of this level and with these words.
fn finds(shell: &Shell, what: &str, level: &str, words: &str) {
    let found = about(shell, what);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, level, "{found:?}");
    assert!(found[0].1.contains(words), "{found:?}");
}

/// A shell with a store, and Zed connected to it.
fn connected() -> Shell {
    let shell = Shell::new();
    fs::create_dir_all(zed(&shell).parent().unwrap()).unwrap();
    shell.ok("keywright connect zed");
    finds(
        &shell,
        "zed",
        "ok",
        "its server answers, and knows its token",
    );
    shell
}

fn zed(shell: &Shell) -> PathBuf {
    shell.home().join(".config/zed/settings.json")
}

fn beside(shell: &Shell, name: &str) -> PathBuf {
    shell.store().with_file_name(name)
}

fn close(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn token_id(shell: &Shell) -> String {
    let list: Value = serde_json::from_str(&shell.ok("keywright token list --json")).unwrap();
    list["tokens"][0]["id"].as_str().unwrap().to_owned()
}

/// Zed's entry with another piece of text in it.
fn edited(shell: &Shell, from: &str, to: &str) {
    let text = fs::read_to_string(zed(shell)).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(zed(shell), text.replace(from, to)).unwrap();
}

#[test]
fn a_sound_installation_is_sound_and_nothing_in_it_changes() {
    let shell = connected();
    let before = fs::read(zed(&shell)).unwrap();
    let trail = || shell.ok("keywright audit list --json");
    let told = trail();

    let found = examined(&shell);

    let levels = found["findings"].as_array().unwrap().iter();
    assert!(
        levels
            .map(|found| &found["level"])
            .all(|level| level == "ok"),
        "{found}"
    );
    assert_eq!((fs::read(zed(&shell)).unwrap(), trail()), (before, told));
}

#[test]
fn a_store_that_is_not_there_is_a_warning_and_is_not_made() {
    let shell = Shell::new();
    finds(&shell, "store", "warning", "there is none at ");
    assert!(!shell.store().exists());
    shell.ok("keywright token create x --claim");
    finds(&shell, "store", "ok", "opens, is private and whole");
}

#[test]
fn a_store_that_others_may_look_into_is_a_problem() {
    let shell = connected();
    let folder = shell.store().parent().unwrap().to_owned();
    close(&folder, 0o755);
    finds(&shell, "store", "problem", "chmod 700 ");
    close(&folder, 0o700);
    close(&shell.store(), 0o644);
    finds(&shell, "store", "problem", "chmod 600 ");
    close(&shell.store(), 0o600);
    finds(&shell, "store", "ok", "opens");
}

#[test]
fn a_store_that_cannot_be_read_is_a_problem() {
    let shell = connected();
    shell.attack("pragma user_version = 99");
    finds(&shell, "store", "problem", "newer");
    finds(&shell, "zed", "problem", "its server cannot open the store");
}

#[test]
fn a_row_that_was_changed_behind_our_back_is_a_problem() {
    let shell = connected();
    finds(&shell, "audit trail", "ok", "unbroken");
    shell.attack("update tokens set scopes = 'read:secrets'");
    finds(&shell, "audit trail", "problem", "keywright audit verify");
}

#[test]
fn a_vault_key_that_is_gone_or_open_to_others_is_a_problem() {
    let shell = connected();
    finds(&shell, "vault key", "ok", "it opens all that is sealed");
    shell.ok("keywright cli-token set");
    let key = beside(&shell, "vault.key");
    close(&key, 0o644);
    finds(&shell, "vault key", "problem", "chmod 600 ");
    close(&key, 0o600);
    finds(&shell, "vault key", "ok", "it opens all that is sealed");
    fs::remove_file(key).unwrap();
    finds(&shell, "vault key", "problem", "is missing");
}

#[tokio::test]
async fn a_clock_behind_what_has_happened_is_a_problem() {
    let (shell, app) = (Shell::new(), TestApp::new().await);
    shell.ok("keywright token create x --claim");
    finds(&shell, "clock", "ok", "not behind the audit trail");

    app.advance(Duration::days(36_500));
    app.agent([]).await;
    let store = app.key_path().with_file_name("store.db");
    let done = shell.run(&format!("keywright doctor --store {}", store.display()));

    assert_eq!(done.status, 1, "{done:?}");
    assert!(done.out.contains("tokens live too long"), "{done:?}");
}

#[test]
fn a_run_that_was_cut_short_is_a_warning() {
    let shell = Shell::new();
    shell.ok("keywright token create x --claim");
    finds(&shell, "runs", "ok", "none was cut short");
    fs::create_dir(beside(&shell, "runs")).unwrap();
    fs::write(beside(&shell, &format!("runs/{ID}.store.db")), "").unwrap();
    finds(
        &shell,
        "runs",
        "warning",
        &format!("keywright token revoke {ID}"),
    );
}

#[test]
fn a_client_that_nobody_connected_is_not_looked_into() {
    let shell = Shell::new();
    finds(&shell, "clients", "ok", "none is connected");
    let by_hand = json!({ "context_servers": { "keywright": { "command": "/bin/false" } } });
    fs::create_dir_all(zed(&shell).parent().unwrap()).unwrap();
    fs::write(zed(&shell), by_hand.to_string()).unwrap();
    finds(&shell, "zed", "ok", "is not of this store's making");
}

#[test]
fn a_clients_file_that_is_broken_is_a_problem() {
    let shell = connected();
    edited(&shell, "\"context_servers\"", "context_servers");
    finds(&shell, "zed", "problem", "line 2, column 3: ");
    let cursor = shell.home().join(".cursor");
    fs::create_dir(&cursor).unwrap();
    fs::write(cursor.join("mcp.json"), "[").unwrap();
    finds(&shell, "cursor", "warning", "line 1, column 1: ");
}

#[test]
fn an_entry_that_is_gone_is_a_warning() {
    let shell = connected();
    fs::write(zed(&shell), "{}").unwrap();
    finds(&shell, "zed", "warning", "it has a token, and no entry in ");
}

#[test]
fn an_entry_that_starts_no_program_is_a_problem() {
    let shell = connected();
    edited(&shell, "/keywright\"", "/keywright-of-before\"");
    finds(
        &shell,
        "zed",
        "problem",
        "which is no program | keywright connect zed",
    );
    shell.ok("keywright connect zed");
    finds(&shell, "zed", "ok", "its server answers");
}

#[test]
fn a_token_file_that_is_gone_is_a_problem() {
    let shell = connected();
    fs::remove_file(beside(&shell, "clients/zed.token")).unwrap();
    finds(&shell, "zed", "problem", "is gone | keywright connect zed");
}

#[test]
fn a_token_file_that_others_may_read_is_a_problem() {
    let shell = connected();
    let file = beside(&shell, "clients/zed.token");
    close(&file, 0o640);
    finds(&shell, "zed", "problem", "(mode 0640) | chmod 600 ");
    close(&file, 0o600);
    close(file.parent().unwrap(), 0o750);
    finds(&shell, "zed", "problem", "(mode 0750) | chmod 700 ");
}

#[test]
fn a_token_that_is_good_for_nothing_is_a_problem() {
    let shell = connected();
    let id = token_id(&shell);
    shell.ok(&format!("keywright token update {id} --disable"));
    finds(
        &shell,
        "zed",
        "problem",
        &format!("is disabled | keywright token update {id} --enable"),
    );
    shell.ok(&format!("keywright token update {id} --enable"));
    finds(&shell, "zed", "ok", "");
    shell.ok(&format!("keywright token revoke {id}"));
    finds(
        &shell,
        "zed",
        "problem",
        "is revoked | keywright connect zed",
    );
}

#[test]
fn a_token_that_has_ended_is_a_problem_and_one_that_ends_soon_a_warning() {
    let shell = connected();
    shell.ok("keywright connect zed --expires 6d");
    let found = about(&shell, "zed");
    assert_eq!(found[0].0, "warning", "{found:?}");
    assert!(
        found[0].1.starts_with("its token ends soon, at "),
        "{found:?}"
    );
    assert_eq!(found[1].0, "ok", "{found:?}");
    shell.attack("update tokens set expires_at = 1");
    finds(
        &shell,
        "zed",
        "problem",
        "is expired | keywright connect zed",
    );
}

#[test]
fn a_token_that_is_in_no_store_or_is_another_ones_is_a_problem() {
    let shell = connected();
    shell.ok("keywright token create other --to token-file:other");
    let file = beside(&shell, "clients/zed.token");
    fs::rename(shell.home().join("other"), &file).unwrap();
    finds(
        &shell,
        "zed",
        "problem",
        "presents another token than was made for it",
    );
    shell.ok("keywright connect zed");

    let record = beside(&shell, "clients/zed.json");
    let text = fs::read_to_string(&record).unwrap();
    let mut kept: Value = serde_json::from_str(&text).unwrap();
    kept["token"] = json!(ID);
    fs::write(&record, kept.to_string()).unwrap();
    finds(&shell, "zed", "problem", "is not in this store");
    fs::write(&record, "{").unwrap();
    finds(&shell, "zed", "problem", "is damaged; put it aside");
}

#[test]
fn a_connection_that_was_cut_short_is_a_warning() {
    let shell = connected();
    let record = beside(&shell, "clients/zed.json");
    let text = fs::read_to_string(&record).unwrap();
    let mut kept: Value = serde_json::from_str(&text).unwrap();
    kept["ending"] = json!([ID]);
    fs::write(&record, kept.to_string()).unwrap();
    let found = about(&shell, "zed");
    assert_eq!(found[0].0, "warning", "{found:?}");
    assert!(
        found[0].1.contains("was not ended | keywright connect zed"),
        "{found:?}"
    );
}

#[test]
fn a_server_that_refuses_its_token_is_a_problem() {
    let shell = connected();
    let me = shell.ok("keywright user list --json | grep username | cut -d '\"' -f 4");
    shell.ok(&format!("keywright user deactivate {me}").replace('\n', ""));
    finds(
        &shell,
        "zed",
        "problem",
        "its server does not answer as it should: unauthenticated: ",
    );
}

#[test]
fn a_server_of_another_version_is_a_warning() {
    let shell = connected();
    let wrapper = shell.home().join("keywright-0.0.9");
    let version = env!("CARGO_PKG_VERSION");
    let script = format!(
        "#!/bin/sh\n\"{}\" \"$@\" | sed -u 's/\"version\":\"{version}\"/\"version\":\"0.0.9\"/'\n",
        env!("CARGO_BIN_EXE_keywright")
    );
    fs::write(&wrapper, script).unwrap();
    close(&wrapper, 0o755);
    edited(
        &shell,
        env!("CARGO_BIN_EXE_keywright"),
        wrapper.to_str().unwrap(),
    );
    finds(&shell, "zed", "warning", "it starts keywright 0.0.9 at ");
}

#[test]
fn a_value_in_a_clients_file_is_a_warning_and_is_not_repeated() {
    let shell = connected();
    let value = shell.ok("keywright token create x --to stdout");
    edited(
        &shell,
        "{\n  \"context",
        &format!("{{\n  // {}\n  \"context", value.trim()),
    );
    close(&zed(&shell), 0o644);
    let done = shell.run("keywright doctor");
    assert_eq!(done.status, 0, "{done:?}");
    assert!(done.out.contains("a token, kw_pat_"), "{done:?}");
    assert!(done.out.contains("stands in line 2 of ") && done.out.contains("others may read"));
    assert!(!done.out.contains(&value.trim()[12..]));
    close(&zed(&shell), 0o600);
    let found = about(&shell, "zed");
    assert_eq!(
        (found.len(), found[0].0.as_str()),
        (2, "warning"),
        "{found:?}"
    );
    assert!(!found[0].1.contains("others may read"), "{found:?}");
}
