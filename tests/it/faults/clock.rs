//! The clock is set by a day, forward and back, under a running process.

use serde_json::json;

use crate::{
    disk::Disk,
    mcp::process::{Home, Session},
};

const DAY: i32 = 24 * 60 * 60;

#[test]
fn a_clock_that_jumps_revives_nothing_and_stops_nobody() {
    let home = Home::new();
    home.token("");
    let Some(disk) = Disk::under(&home) else {
        return;
    };
    let mut command = home.command(&[
        "mcp",
        "--local",
        "--scopes",
        "read:tokens write:tokens delete:tokens read:secrets",
    ]);
    disk.under_command(&mut command);
    let mut session = Session::open(command, &home.process());
    let create = |expires: &str| json!({ "label": "x", "expires": expires, "deliver": "inline" });
    let short = session.done("create_token", create("12h"));
    let ended = session.done("create_token", create("never"));
    session.done("delete_token", json!({ "id": ended["id"] }));
    let state = |session: &mut Session, token: &serde_json::Value| {
        let found = session.done("get_token", json!({ "id": token["id"] }));
        found["state"].as_str().unwrap().to_owned()
    };

    for (seconds, expected) in [(DAY, "expired"), (-DAY, "active"), (0, "active")] {
        disk.set_clock(seconds);
        assert_eq!(state(&mut session, &short), expected);
        assert_eq!(state(&mut session, &ended), "revoked");
        let made = session.done("create_token", create("1h"));
        session.done("rotate_token", json!({ "id": made["id"] }));
        session.done("delete_token", json!({ "id": made["id"] }));
    }

    session.close();
    home.is_sound();
}
