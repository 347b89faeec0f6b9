//! The manual pages, set by the typesetter where it is there.

use std::{fs, path::Path};

use super::shell::Shell;

/// The names of all commands, as their pages are called.
fn pages() -> Vec<String> {
    let commands = keywright::cli::help().into_iter();
    commands.map(|(name, _)| name.replace(' ', "-")).collect()
}

#[test]
fn there_is_a_page_for_every_command() {
    let shell = Shell::new();

    shell.ok("keywright man --out pages");

    let mut wanted: Vec<_> = pages().iter().map(|name| format!("{name}.1")).collect();
    let written = fs::read_dir(shell.home().join("pages")).unwrap();
    let written = written.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut written: Vec<_> = written.collect();
    written.sort();
    wanted.sort();
    assert_eq!(written, wanted);
}

#[test]
fn a_page_says_what_its_command_says() {
    let page = Shell::new().ok("keywright man token create");

    for part in [
        ".TH keywright-token-create 1",
        "Make a token; its value goes to this terminal, once",
        r"\fB\-\-scopes\fR",
        ".SH EXAMPLES",
        r"keywright token create CI \-\-expires never \-\-to stdout",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn remarks_stand_with_the_description() {
    let page = Shell::new().ok("keywright man mcp");

    let description = page.find(".SH DESCRIPTION").unwrap();
    let remark = page
        .find("With KEYWRIGHT_TOKEN in its environment")
        .unwrap();
    let options = page.find(".SH OPTIONS").unwrap();
    assert!(description < remark && remark < options, "{page}");
}

#[test]
fn every_page_is_set_without_a_warning() {
    let shell = Shell::new();
    if !Path::new("/usr/bin/groff").exists() {
        return;
    }

    let done = shell.run("keywright man --out pages && groff -man -ww -Tutf8 -z pages/*.1");

    assert_eq!((done.status, done.err.as_str()), (0, ""));
}

#[test]
fn what_is_no_command_is_misuse() {
    let shell = Shell::new();

    let done = shell.run("keywright man token nothing");

    assert_eq!((done.status, done.out.as_str()), (2, ""));
    assert!(
        done.err.contains("there is no such command"),
        "{}",
        done.err
    );
    assert_eq!(shell.run("keywright man token --out pages").status, 2);
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let shell = Shell::new();

    let told = shell.refused("touch pages && keywright man --out pages");

    assert!(told.contains("the manual pages in `pages`"), "{told}");
}
