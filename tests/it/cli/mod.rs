//! The command line, as a person and as a script meet it: the real binary in a real shell.
//!
//! The cases are files in `tests/cli`: what was typed, and what came of it. After a change,
//! `INSTA_UPDATE=always cargo test --test it cli::` writes them anew, to be read.

mod claim_at;
mod clipboard;
mod completions;
mod connect;
mod doctor;
mod full_disk;
mod help;
mod json;
mod keychain;
mod man;
pub(crate) mod refusals;
mod run;
mod shell;
mod terminal;

use std::{fmt::Write as _, fs, path::Path};

use shell::Shell;

#[test]
fn a_token_is_made_shown_changed_renewed_and_ended() {
    transcript("token");
}

#[test]
fn a_value_is_claimed_once() {
    transcript("claim");
}

#[test]
fn a_value_goes_where_it_is_told_to() {
    transcript("sinks");
}

#[test]
fn one_key_of_a_dotenv_file_is_changed_and_nothing_else() {
    transcript("dotenv");
}

#[test]
fn a_command_is_run_with_a_token_of_its_own() {
    transcript("run");
}

#[test]
fn a_client_is_connected_and_disconnected() {
    transcript("connect");
}

#[test]
fn an_installation_says_whether_it_is_sound() {
    transcript("doctor");
}

#[test]
fn an_app_environment_comes_and_goes() {
    transcript("env");
}

#[test]
fn a_cli_token_can_be_shown_again() {
    transcript("cli_token");
}

#[test]
fn people_and_accounts_are_looked_after() {
    transcript("people");
}

#[test]
fn what_happened_is_listed_and_verified() {
    transcript("audit");
}

#[test]
fn a_store_says_where_it_is_and_whether_it_is_sound() {
    transcript("store");
}

#[test]
fn a_store_that_cannot_be_used_is_left_alone_and_says_how_to_mend_it() {
    transcript("bad_stores");
}

#[test]
fn a_key_that_cannot_be_used_says_how_to_mend_it() {
    transcript("keys");
}

#[test]
fn what_makes_no_sense_is_misuse_and_makes_no_token() {
    transcript("misuse");
}

#[test]
fn values_are_found_in_files_by_their_checksum() {
    transcript("scan");
}

#[test]
fn five_attacks_are_played_and_each_is_refused() {
    transcript("demo_attack");
}

#[test]
fn the_environment_is_read_as_it_says() {
    transcript("environment");
}

/// Types what stands in a file of `tests/cli`, and holds what comes against what stands there.
fn transcript(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cli/{name}.txt"));
    let wanted = fs::read_to_string(&path).unwrap();
    let shell = Shell::new();
    let mut got = String::new();
    let mut is_output = false;
    for line in wanted.lines() {
        if let Some(typed) = line.strip_prefix("$ ") {
            write!(got, "{line}\n{}", shell.transcript(typed)).unwrap();
            is_output = true;
        } else if line.is_empty() || line.starts_with("# ") {
            is_output = false;
            writeln!(got, "{line}").unwrap();
        } else {
            assert!(is_output, "{name}: `{line}` comes from nothing");
        }
    }
    if std::env::var_os("INSTA_UPDATE").is_some_and(|how| how == "always") {
        fs::write(&path, &got).unwrap();
        return;
    }
    for (line, (got, wanted)) in got.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(got, wanted, "tests/cli/{name}.txt:{}", line + 1);
    }
    assert_eq!(got, wanted, "tests/cli/{name}.txt");
}
