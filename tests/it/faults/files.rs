//! The store is on a disk that nobody may write.

use std::process::Command;

use crate::{cli::refusals::skipped, mcp::process::Home};

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
