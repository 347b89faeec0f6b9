//! Refusals that a transcript cannot show: what is on the disk afterwards, and other people's files.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, chown},
    path::Path,
};

use rusqlite::Connection;

use super::shell::Shell;

/// Every command that would change something, refused; `ID` is a token's.
const REFUSED: &[&str] = &[
    "token create '' --to stdout",
    "token create again",
    "token create again --to file:there",
    "token create again --user nobody-here --to stdout",
    "token create again --to token-file:there",
    "token create again --to dotenv:there#1",
    "token create again --to dotenv:open#KEY",
    "token rotate ID --to dotenv:there/none#KEY",
    "token update ID --scopes read:more",
    "token update ID --expires 999d",
    "token rotate ID",
    "token rotate ID --to file:there",
    "token rotate ID --overlap soon --to stdout",
    "token revoke 019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001",
    "env create Other --cli-env-name prod",
    "env delete none",
    "cli-token set --env none",
    "cli-token set --stdin < /dev/null",
    "cli-token rotate --env none",
    "cli-token show --env none --to file:here",
    "user add ann",
    "user deactivate nobody-here",
    "account add default",
    "member set nobody-here admin",
    "member remove nobody-here",
    "claim 0000-0000-0000 --to file:here",
    "run --token x=X --token y=X -- true",
    "run --cli-token env:none=X --token y=Y -- true",
];

#[test]
fn a_refused_command_changes_nothing() {
    let shell = Shell::new();
    shell.ok("keywright user add ann");
    shell.ok("keywright token create nightly --scopes read:notes --expires 30d --to stdout");
    shell.ok("keywright env create Production --cli-env-name prod");
    shell.ok(
        "keywright cli-token set --env prod && touch there && echo A=1 > open && chmod 644 open",
    );
    let id = shell.ok("keywright token list --json | grep '\"id\"' | cut -d '\"' -f 4");
    let before = rows(&shell);

    for command in REFUSED {
        let done = shell.run(&format!("keywright {}", command.replace("ID", id.trim())));

        assert!(matches!(done.status, 1 | 2), "{command}: {done:?}");
        assert_eq!(done.out, "", "{command}");
        assert_eq!(rows(&shell), before, "{command}");
        assert_eq!(
            names(shell.home()),
            ["keywright", "open", "there"],
            "{command}"
        );
    }
    assert_eq!(fs::read(shell.home().join("there")).unwrap(), b"");
    shell.ok("keywright store check");
}

#[test]
fn a_newer_store_is_refused_and_left_alone() {
    let shell = Shell::new();
    shell.ok("keywright token create nightly --to stdout");
    shell.attack("pragma user_version = 99");
    let before = fs::read(shell.store()).unwrap();

    for command in [
        "token list",
        "token create again --to stdout",
        "store check",
        "claim",
    ] {
        let why = shell.refused(&format!("keywright {command}"));
        assert!(why.contains("schema 99 is newer"), "{why}");
        assert!(why.contains("use a newer keywright"), "{why}");
    }
    assert_eq!(fs::read(shell.store()).unwrap(), before);
}

#[test]
fn a_store_that_was_edited_behind_our_back_is_found() {
    let shell = Shell::new();
    shell.ok("keywright token create nightly --to stdout");
    shell.attack("update tokens set scopes = 'read:secrets'");

    for command in ["audit verify", "store check"] {
        let done = shell.run(&format!("keywright {command}"));
        assert_eq!(done.status, 1);
        assert!(done.out.contains("FAULT"), "{}", done.out);
    }
}

#[test]
fn a_trail_is_held_against_what_was_kept_of_it() {
    let shell = Shell::new();
    shell.ok("keywright token create nightly --to stdout");
    shell.ok("keywright audit export > kept.jsonl");
    shell.ok("keywright token create weekly --to stdout");
    let verify = "keywright audit verify --against";

    let told = shell.ok(&format!("{verify} kept.jsonl"));

    let kept = fs::read_to_string(shell.home().join("kept.jsonl")).unwrap();
    let count = kept.lines().count();
    let wanted = format!("{count} entries are there as they were kept elsewhere.");
    assert!(told.contains(&wanted), "{told}");
    // However an editor left it.
    let edited = format!("\u{feff}{}\r\n\n", kept.replace('\n', "\r\n"));
    fs::write(shell.home().join("edited.jsonl"), edited).unwrap();
    let told = shell.ok(&format!("cat edited.jsonl | {verify} /dev/stdin"));
    assert!(told.contains(&wanted), "{told}");
}

#[test]
fn a_trail_that_is_not_the_one_that_was_kept_is_told() {
    let (shell, other) = (Shell::new(), Shell::new());
    shell.ok("keywright token create nightly --to stdout");
    other.ok("keywright token create nightly --to stdout");
    other.ok(&format!(
        "keywright audit export > {}/other.jsonl",
        shell.home().display()
    ));

    let done = shell.run("keywright audit verify --against other.jsonl");

    assert_eq!(done.status, 1);
    assert!(
        done.out.contains("is not there as it was kept elsewhere"),
        "{}",
        done.out
    );
    assert!(
        done.err.contains("the file is of another store"),
        "{}",
        done.err
    );
}

#[test]
fn what_is_no_export_holds_nothing_against_a_trail() {
    let shell = Shell::new();
    shell.ok("keywright token create nightly --to stdout");
    for (file, wanted) in [
        ("none", "`none`: No such file"),
        (".", "`.`: Is a directory"),
        ("/dev/null", "there is no entry in it"),
        ("/dev/zero", "line 1: it is no entry"),
        ("keywright/store.db", "line 1: it is no entry"),
    ] {
        let done = shell.run(&format!("keywright audit verify --against {file}"));
        assert_eq!((done.status, done.out.as_str()), (2, ""), "{file}");
        assert!(done.err.contains(wanted), "{file}: {}", done.err);
        assert!(
            done.err.contains("keywright audit export"),
            "{file}: {}",
            done.err
        );
    }
}

#[test]
fn an_export_that_nobody_takes_is_none() {
    let shell = Shell::new();
    shell.ok("keywright token create nightly --to stdout");

    for to in ["> /dev/full", "| { exec 0<&-; sleep 1; }"] {
        let done = shell.run(&format!(
            "{{ keywright audit export; echo $? > status; }} {to}"
        ));

        let status = fs::read_to_string(shell.home().join("status")).unwrap();
        assert_eq!(status, "1\n", "{to}");
        assert!(done.err.contains("export it again"), "{to}: {}", done.err);
        assert!(!done.err.contains("entries."), "{to}: {}", done.err);
    }
}

#[test]
fn a_store_of_another_user_is_refused() {
    if !nix::unistd::geteuid().is_root() {
        skipped("only the administrator can give files away");
        return;
    }
    let shell = Shell::new();
    shell.ok("keywright cli-token set");
    let others = [
        ("keywright/vault.key", "cli-token show --to stdout"),
        ("keywright/store.db", "token list"),
        ("keywright", "token list"),
    ];
    for (path, command) in others {
        chown(shell.home().join(path), Some(4711), None).unwrap();

        let why = shell.refused(&format!("keywright {command}"));

        assert!(why.contains("belongs to"), "{why}");
        chown(shell.home().join(path), Some(0), None).unwrap();
    }
    shell.ok("keywright cli-token show --to stdout");
}

#[test]
fn a_file_or_folder_of_somebody_else_takes_no_value() {
    if !nix::unistd::geteuid().is_root() {
        skipped("only the administrator can give files away");
        return;
    }
    let shell = Shell::new();
    shell.ok("keywright token create x --to token-file:theirs.token");
    shell.ok("mkdir theirs group; chmod 770 group; umask 077; echo A=1 > theirs.env");
    for name in ["theirs", "theirs.env", "theirs.token"] {
        chown(shell.home().join(name), Some(4711), None).unwrap();
    }
    chown(shell.home().join("group"), None, Some(4711)).unwrap();
    let before = shell.read("theirs.token");

    for (to, why) in [
        (
            "token-file:theirs.token",
            "`theirs.token` belongs to user 4711",
        ),
        ("dotenv:theirs.env#A", "`theirs.env` belongs to user 4711"),
        (
            "dotenv:theirs/.env#A",
            "the folder `theirs` belongs to user 4711",
        ),
        (
            "file:theirs/x.token",
            "the folder `theirs` belongs to user 4711",
        ),
        (
            "file:group/x.token",
            "others may write to the folder `group`",
        ),
    ] {
        let why_not = shell.refused(&format!("keywright token create x --to '{to}'"));

        assert!(why_not.contains(why), "{why_not}");
    }
    assert_eq!(shell.read("theirs.token"), before);
    assert_eq!(shell.read("theirs.env"), "A=1\n");
    assert_eq!(shell.ok("ls -A theirs group"), "group:\n\ntheirs:\n");
}

#[test]
fn a_folder_that_may_not_be_written_is_refused() {
    if nix::unistd::geteuid().is_root() {
        skipped("the administrator may write everywhere");
        return;
    }
    let shell = Shell::new();
    shell.ok("mkdir closed && chmod 500 closed");

    let why = shell.refused("keywright --store closed/keywright/store.db user add ann");

    assert!(why.contains("may not open or make"), "{why}");
    assert!(why.contains("give the store another path"), "{why}");
}

#[test]
fn what_a_value_was_written_to_is_for_its_owner_alone_whatever_the_umask() {
    let shell = Shell::new();
    shell.ok(
        "umask 000; keywright token create nightly --to file:open.token; keywright cli-token set",
    );

    for file in ["open.token", "keywright/store.db", "keywright/vault.key"] {
        let mode = fs::metadata(shell.home().join(file)).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600, "{file}");
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

/// Everything that is kept but the audit trail, which tells of refusals, too.
fn rows(shell: &Shell) -> Vec<String> {
    let file = Connection::open(shell.store()).unwrap();
    let tables = [
        "accounts",
        "users",
        "memberships",
        "app_envs",
        "tokens",
        "token_values",
        "claims",
    ];
    let mut rows = Vec::new();
    for table in tables {
        let mut statement = file.prepare(&format!("select * from {table}")).unwrap();
        let columns = statement.column_count();
        let found = statement.query_map([], |row| {
            let cells = (0..columns).map(|column| format!("{:?}", row.get_ref(column).unwrap()));
            Ok(format!("{table}: {}", cells.collect::<Vec<_>>().join(", ")))
        });
        rows.extend(found.unwrap().map(Result::unwrap));
    }
    rows
}

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
