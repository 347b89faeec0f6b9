//! A process is killed at a step, another does the same again and is answered, and then the power
//! goes: what the second found done already, the first may never have brought to the disk.

use std::{path::Path, process::Command};

use serde_json::json;

use super::{
    ledger::{Ledger, Life, State},
    load::session,
    rounds, tell,
};
use crate::{
    disk::{Calls, Disk, Fault, Left, Model},
    mcp::process::Home,
};

/// What a command that must succeed prints, on this disk.
fn done(disk: &Disk, mut command: Command) -> String {
    let output = disk.with_journal(&mut command).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Kills a command at its step with this number, or says that it has none.
fn killed(disk: &Disk, mut command: Command, step: u32) -> bool {
    disk.arm(Calls::Both, step, Fault::Kill);
    let output = disk.with_journal(&mut command).output().unwrap();
    disk.disarm();
    !output.status.success()
}

/// The folder that is left under `into` when the power goes now.
fn cut(begin: &Model, disk: &Disk, into: &Path) {
    let mut model = begin.clone();
    for record in &disk.journal().records {
        model.play(record);
    }
    model.cut(Left::Nothing, into);
}

async fn missing(folder: &Path, life: Vec<State>) -> Vec<String> {
    let life = Life(life.into_iter().map(|state| (0, state)).collect());
    let ledger = Ledger(vec![life]);
    ledger.missing(&folder.join("keywright"), 1).await
}

/// The numbers of the steps to try: the first, and every one or a few of the others.
fn steps() -> impl Iterator<Item = u32> {
    let stride = if rounds() > 1 { 1 } else { 19 };
    (1..8).chain((8..).step_by(stride))
}

#[tokio::test]
async fn a_store_that_two_made_one_after_the_other_is_kept() {
    let mut lost = Vec::new();
    for step in steps() {
        let home = Home::new();
        let Some(disk) = Disk::under(&home) else {
            return;
        };
        let begin = Model::of(home.folder());
        let create = || home.command(&["token", "create", "x", "--to", "stdout"]);
        if !killed(&disk, create(), step) {
            tell(&format!("{step} steps"));
            break;
        }
        let value = done(&disk, create());

        let folder = tempfile::tempdir().unwrap();
        cut(&begin, &disk, folder.path());
        let found = missing(folder.path(), vec![State::Good(value)]).await;
        lost.extend(found.into_iter().map(|what| format!("step {step}: {what}")));
    }
    assert_eq!(lost, <[String; 0]>::default());
}

#[tokio::test]
async fn a_token_that_two_revoked_one_after_the_other_stays_revoked() {
    let mut lost = Vec::new();
    for step in 1.. {
        let home = Home::new();
        let value = home.token("");
        let Some(disk) = Disk::under(&home) else {
            return;
        };
        let listed = home.json(&["token", "list"]);
        let id = json!({ "id": listed["tokens"][0]["id"] });
        let begin = Model::of(home.folder());
        let mut first = session(&home, &disk);
        disk.arm(Calls::Both, step, Fault::Kill);
        first.ask(
            "tools/call",
            json!({ "name": "delete_token", "arguments": id }),
        );
        let is_over = first.late_answer().is_some();
        disk.disarm();
        if is_over {
            tell(&format!("{step} steps"));
            break;
        }
        first.end();
        // It answers, and goes on.
        let mut second = session(&home, &disk);
        second.done("delete_token", id);

        let folder = tempfile::tempdir().unwrap();
        cut(&begin, &disk, folder.path());
        let life = vec![State::Good(value), State::Ended];
        let found = missing(folder.path(), life).await;
        lost.extend(found.into_iter().map(|what| format!("step {step}: {what}")));
    }
    assert_eq!(lost, <[String; 0]>::default());
}

#[tokio::test]
async fn a_key_that_was_made_by_who_was_killed_is_kept() {
    let mut lost = Vec::new();
    for step in steps() {
        let home = Home::new();
        home.token("");
        let Some(disk) = Disk::under(&home) else {
            return;
        };
        let begin = Model::of(home.folder());
        if !killed(&disk, home.command(&["cli-token", "set"]), step) {
            tell(&format!("{step} steps"));
            break;
        }
        done(&disk, home.command(&["cli-token", "set"]));
        let shown = done(
            &disk,
            home.command(&["cli-token", "show", "--to", "stdout"]),
        );

        let folder = tempfile::tempdir().unwrap();
        cut(&begin, &disk, folder.path());
        let mut again = Command::new(env!("CARGO_BIN_EXE_keywright"));
        again.env_clear().current_dir(folder.path()).args([
            "--store",
            "keywright/store.db",
            "cli-token",
            "show",
            "--to",
            "stdout",
        ]);
        let output = again.output().unwrap();
        if String::from_utf8_lossy(&output.stdout).trim() != shown {
            lost.push(format!(
                "step {step}: {}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
    }
    assert_eq!(lost, <[String; 0]>::default());
}
