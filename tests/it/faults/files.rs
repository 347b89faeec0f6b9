//! Files of the store go while it is open, or are on a disk that nobody may write.

use std::{fs, process::Command};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::{
    cli::refusals::skipped,
    http::served::{Served, json as parsed},
    mcp::process::Home,
};

const MANAGES: &str = "read:tokens write:tokens delete:tokens";

/// A file of the store by its ending.
fn beside(home: &Home, ending: &str) -> std::path::PathBuf {
    let mut name = home.store().into_os_string();
    name.push(ending);
    name.into()
}

#[test]
fn a_file_of_the_store_that_is_taken_away_is_missed_at_once() {
    for ending in ["", "-wal", "-shm"] {
        let home = Home::new();
        let value = home.token(MANAGES);
        let served = Served::at(&home, &[]);
        let mut wire = served.wire();
        let body = json!({ "label": "x" }).to_string();
        assert_eq!(wire.ask("POST", "/v1/tokens", &value, &body).0, 201);

        fs::remove_file(beside(&home, ending)).unwrap();
        let (verified, _) = wire.ask("GET", "/v1/verify", &value, "");
        let (made, told) = wire.ask("POST", "/v1/tokens", &value, &body);

        assert_eq!((verified, made), (503, 503), "`{ending}`: {told}");
        assert_eq!(parsed(&told)["code"], "unavailable");
    }
}

#[test]
fn a_log_that_was_replaced_is_not_taken_for_ours() {
    for ending in ["-wal", "-shm"] {
        let home = Home::new();
        let value = home.token(MANAGES);
        let mut running = home.with_token(&value, &[]);
        running.done("create_token", json!({ "label": "x" }));
        let me = running.done("whoami", json!({}));
        let id = me["current_token"]["id"].as_str().unwrap();

        fs::remove_file(beside(&home, ending)).unwrap();
        let revoked = home.shell(&["token", "revoke", id]);
        let code = running.call("whoami", json!({}));
        let is_dead = revoked.status.success();

        // Whatever the other could do: what it revoked is not served.
        assert!(!is_dead || code["isError"] == true, "`{ending}`: {code}");
        drop(running);
        home.is_sound();
    }
}

/// Puts a copy in the place of the store's folder.
fn replace_folder(home: &Home) {
    let folder = home.store().parent().unwrap().to_owned();
    let away = folder.with_extension("away");
    let copy = ["-Rp", folder.to_str().unwrap(), away.to_str().unwrap()];
    assert!(Command::new("cp").args(copy).status().unwrap().success());
    fs::rename(&folder, folder.with_extension("old")).unwrap();
    fs::rename(&away, &folder).unwrap();
}

#[test]
fn who_closes_a_store_that_was_replaced_leaves_the_new_ones_log_alone() {
    let replaced: [fn(&Home); 2] = [replace_folder, |home| {
        fs::remove_file(beside(home, "-shm")).unwrap();
    }];
    for replace in replaced {
        let home = Home::new();
        let value = home.token(MANAGES);
        let mut old = home.with_token(&value, &[]);
        let me = old.done("whoami", json!({}));

        replace(&home);
        let mut new = home.local(&[]);
        new.done("delete_token", json!({ "id": me["current_token"]["id"] }));
        new.signal(Signal::SIGKILL);
        new.end();
        old.close();

        let mut session = home.with_token(&value, &[]);
        assert_eq!(session.code("whoami", json!({})), "unauthenticated");
        session.close();
        home.is_sound();
    }
}

#[test]
fn a_store_on_a_disk_that_is_closed_to_all_says_so() {
    let home = Home::new();
    home.token("");
    let folder = home.store().parent().unwrap().to_owned();
    let closed = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$@\"";
    let in_there = |arguments: &[&str]| {
        let keywright = home.command(arguments);
        let mut command = Command::new("unshare");
        command
            .args(["-rm", "sh", "-c", closed])
            .arg(&folder)
            .arg(keywright.get_program())
            .args(keywright.get_args());
        command.output()
    };
    if !Command::new("unshare")
        .args(["-rm", "sh", "-c", closed])
        .arg(&folder)
        .arg("true")
        .status()
        .is_ok_and(|status| status.success())
    {
        skipped("there are no mounts of one's own here");
        return;
    }

    let output = in_there(&["token", "create", "x", "--to", "stdout"]).unwrap();

    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("cannot be written"), "{errors}");
}
