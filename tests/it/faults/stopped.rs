//! A process is stopped in the middle of writing, and goes on a while later.

use nix::sys::signal::Signal;
use serde_json::json;

use crate::{
    disk::{Calls, Disk, Fault},
    mcp::process::{Home, Session, eventually},
};

/// Whether a process is stopped.
fn is_stopped(session: &Session) -> bool {
    let path = format!("/proc/{}/stat", session.number());
    let stat = std::fs::read_to_string(path).unwrap();
    stat.rsplit(')').next().unwrap().trim().starts_with('T')
}

#[test]
fn slow_others_read_while_one_that_writes_is_stopped_and_all_goes_on_with_it() {
    let home = Home::new();
    let value = home.token("read:tokens");
    let Some(disk) = Disk::under(&home) else {
        return;
    };
    for number in [1, 2] {
        let mut command = home.command(&["mcp", "--local"]);
        disk.under_command(&mut command);
        let mut stopped = Session::open(command, &home.process());
        let mut other = home.local(&[]);
        let mut reader = home.with_token(&value, &[]);

        disk.arm(Calls::Both, number, Fault::Stop);
        stopped.ask(
            "tools/call",
            json!({ "name": "create_token", "arguments": { "label": "stopped" } }),
        );
        eventually(|| is_stopped(&stopped).then_some(()));
        disk.disarm();
        reader.done("list_tokens", json!({}));
        other.done("list_tokens", json!({}));
        let why = other.refused("create_token", json!({ "label": "x" }));
        reader.done("whoami", json!({}));
        stopped.signal(Signal::SIGCONT);

        assert!(why.starts_with("unavailable: "), "{why}");
        let log = other.log();
        assert!(
            log.contains("another process keeps the store busy"),
            "{log}"
        );
        assert_eq!(stopped.answer()["result"]["isError"], false);
        other.done("create_token", json!({ "label": "y" }));
        stopped.close();
    }
    let listed = home.json(&["token", "list", "--state", "all"]);
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 5);
    home.is_sound();
}
