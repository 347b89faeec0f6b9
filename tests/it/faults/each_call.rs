//! One call to the disk fails, each in its turn, or all of them from some moment on.

use nix::errno::Errno;
use serde_json::{Value, json};

use crate::{
    disk::{Calls, Disk, Fault},
    mcp::{
        client::refusal,
        process::{Home, Session},
    },
};

const ALL: [&str; 2] = [
    "--scopes",
    "read:tokens write:tokens delete:tokens read:secrets",
];

fn session(home: &Home, disk: &Disk) -> Session {
    let mut command = home.command(&[&["mcp", "--local"][..], &ALL].concat());
    disk.under_command(&mut command);
    Session::open(command, &home.process())
}

/// Whether a value is good, by a process with nothing in its way.
fn is_good(home: &Home, value: &str) -> bool {
    let mut session = home.with_token(value, &[]);
    let answer = session.call("whoami", json!({}));
    session.close();
    answer["isError"] == false
}

/// What a tool answers: what it did, or that the store is unavailable.
fn told(answer: &mut Value) -> Option<Value> {
    if answer["isError"] == false {
        return Some(answer["structuredContent"].take());
    }
    let why = refusal(answer);
    assert!(why.starts_with("unavailable: "), "{why}");
    None
}

#[test]
fn each_call_that_fails_leaves_a_sound_store_and_a_session_that_goes_on() {
    let faults = [
        (Calls::Both, Fault::Once(Errno::EIO as i32)),
        (Calls::Changes, Fault::Once(Errno::ENOSPC as i32)),
        (Calls::Changes, Fault::Half),
        (Calls::Reads, Fault::Once(Errno::EIO as i32)),
    ];
    let home = Home::new();
    home.token("");
    let Some(disk) = Disk::under(&home) else {
        return;
    };
    let mut session = session(&home, &disk);
    let inline = || json!({ "label": "x", "deliver": "inline" });
    let (mut good, mut dead) = (Vec::new(), Vec::new());

    for (calls, fault) in faults {
        for number in 1.. {
            let spare = session.done("create_token", inline());
            disk.arm(calls, number, fault);
            let created = told(&mut session.call("create_token", inline()));
            let id = json!({ "id": spare["id"] });
            let rotate = json!({ "id": spare["id"], "overlap": "0s", "deliver": "inline" });
            let rotated = told(&mut session.call("rotate_token", rotate));
            let deleted = told(&mut session.call("delete_token", id));
            let was_met = disk.seen() >= number;
            disk.disarm();
            good.extend(created.map(|made| made["token"].clone()));
            if deleted.is_some() {
                dead.push(spare["token"].clone());
                dead.extend(rotated.map(|made| made["token"].clone()));
            }
            if !was_met {
                break;
            }
        }
    }

    session.done("create_token", inline());
    session.close();
    home.is_sound();
    assert!(good.len() > 50 && dead.len() > 50);
    for value in good.iter().step_by(7) {
        assert!(is_good(&home, value.as_str().unwrap()));
    }
    for value in dead.iter().step_by(7) {
        assert!(!is_good(&home, value.as_str().unwrap()));
    }
}

#[test]
fn a_disk_that_takes_nothing_more_is_told_and_reads_go_on() {
    for error in [Errno::ENOSPC, Errno::EROFS, Errno::EIO, Errno::EDQUOT] {
        let home = Home::new();
        let value = home.token("read:tokens write:tokens");
        let Some(disk) = Disk::under(&home) else {
            return;
        };
        let mut command = home.command(&["mcp"]);
        disk.under_command(&mut command)
            .env("KEYWRIGHT_TOKEN", &value);
        let mut session = Session::open(command, &home.process());
        session.done("create_token", json!({ "label": "before" }));

        disk.arm(Calls::Both, 1, Fault::Always(error as i32));
        for _ in 0..3 {
            let why = session.refused("create_token", json!({ "label": "x" }));
            assert!(why.starts_with("unavailable: "), "{why}");
            session.done("list_tokens", json!({}));
        }
        disk.disarm();

        session.done("create_token", json!({ "label": "after" }));
        session.close();
        let listed = home.json(&["token", "list"]);
        assert_eq!(listed["tokens"].as_array().unwrap().len(), 3, "{error}");
        home.is_sound();
    }
}
