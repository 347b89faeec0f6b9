//! On a terminal: tables that fit, values for eyes, and a claim that asks.

use unicode_width::UnicodeWidthStr as _;

use super::shell::Shell;

/// What would turn a terminal red, hide what follows, and write from right to left.
const NASTY: &str =
    "update tokens set label = 'a' || char(27) || '[31m' || char(8206) || char(8238) || 'z'";

fn house() -> Shell {
    let shell = Shell::new();
    shell.ok(
        "keywright token create 'A rather long label, as people give them' \
        --scopes 'read:notes write:notes read:calendars write:calendars' --claim",
    );
    shell.ok("keywright token create 夜夜夜夜夜夜夜夜夜夜夜夜夜夜夜夜夜夜夜夜 --to stdout");
    shell.ok("keywright env create 'A rather long name of an environment' --cli-env-name long");
    shell.ok("keywright user add ann --email a.rather.long.name@mail.example.com");
    shell
}

#[test]
fn a_table_fits_its_terminal_unless_it_would_be_narrower_than_it_can_be() {
    let shell = house();
    let tables = [
        "token list",
        "claim",
        "env list",
        "user list",
        "account list",
        "audit list",
    ];
    for columns in [80, 120, 200] {
        for table in tables {
            let (screen, status) = shell.on_terminal(columns, &format!("keywright {table}"), "\n");
            assert_eq!(status, 0, "{screen}");
            for line in screen.lines() {
                // The narrowest that a table of seven columns behind an id can be is 96.
                let room = usize::from(columns).max(narrowest(&screen));
                assert!(
                    line.width() <= room,
                    "{table} on {columns}: {line:?}\n{screen}"
                );
            }
        }
    }
}

#[test]
fn a_narrow_terminal_still_shows_whole_ids() {
    let shell = house();

    let (screen, _) = shell.on_terminal(40, "keywright token list", "");

    let named = shell.named(&screen);
    assert!(
        named.contains("[id 1]") && named.contains("[id 2]"),
        "{screen}"
    );
    assert!(screen.contains('…'), "{screen}");
}

#[test]
fn a_pipe_has_no_edge() {
    let shell = house();
    assert!(!shell.ok("keywright token list").contains('…'));
}

#[test]
fn what_comes_from_a_row_cannot_steer_a_terminal() {
    let shell = house();
    shell.attack(NASTY);

    for command in [
        "token list",
        "token list --json",
        "claim",
        "claim --json",
        "audit verify",
    ] {
        let (screen, _) = shell.on_terminal(200, &format!("keywright {command}"), "\n");
        let piped = shell.run(&format!("keywright {command}")).out;
        for text in [screen, piped] {
            let unseen = text
                .chars()
                .find(|c| matches!(c, '\u{1b}' | '\u{200e}' | '\u{202e}'));
            assert_eq!(unseen, None, "{command}: {text}");
        }
    }
}

#[test]
fn colours_are_for_terminals_and_can_be_turned_off() {
    let shell = house();
    let logging = "KEYWRIGHT_LOG=trace keywright token list";

    let (screen, _) = shell.on_terminal(200, logging, "");
    let (plain, _) = shell.on_terminal(200, &format!("NO_COLOR=1 {logging}"), "");
    let piped = shell.run(logging).err;

    // Nothing may be logged in so short a run; if it is, it is coloured for eyes alone.
    assert!(!plain.contains('\u{1b}'), "{plain}");
    assert!(!piped.contains('\u{1b}'), "{piped}");
    assert!(screen.contains("ID"), "{screen}");
}

#[test]
fn a_claim_without_a_code_asks_and_shows_the_value_once() {
    let shell = house();

    let (screen, status) = shell.on_terminal(200, "keywright claim", "1\n");

    assert_eq!(status, 0, "{screen}");
    assert!(
        screen.contains("A rather long label") && screen.contains("operator"),
        "{screen}"
    );
    assert!(
        screen.contains("Pick up which number? (Enter for none)"),
        "{screen}"
    );
    assert_eq!(screen.matches("kw_pat_").count(), 1, "{screen}");
    assert!(screen.contains("is not shown again."), "{screen}");
    let (after, _) = shell.on_terminal(200, "keywright claim", "");
    assert_eq!(after, "Nothing waits to be picked up.\n");
}

#[test]
fn a_claim_that_is_not_chosen_waits_on() {
    let shell = house();

    for (typed, wanted) in [
        ("\n", 0),
        ("7\n", 2),
        ("0\n", 2),
        ("all\n", 2),
        ("-1\n", 2),
        ("\u{4}", 0),
    ] {
        let (screen, status) = shell.on_terminal(200, "keywright claim", typed);
        assert_eq!(status, wanted, "{typed:?}: {screen}");
        assert!(!screen.contains("kw_pat_"), "{screen}");
    }
    assert!(shell.ok("keywright claim").contains("A rather long label"));
}

#[test]
fn a_value_made_at_a_terminal_is_shown_there() {
    let shell = Shell::new();

    let (screen, status) = shell.on_terminal(80, "keywright token create nightly", "");

    assert_eq!(status, 0, "{screen}");
    assert_eq!(screen.matches("kw_pat_").count(), 1, "{screen}");
    assert!(shell.ok("keywright token list").contains("active"));
}

/// How wide the table on `screen` is at least: its first column whole, the others at their
/// narrowest or as wide as they are.
fn narrowest(screen: &str) -> usize {
    let heading = screen.trim_start().lines().next().unwrap_or_default();
    let columns = heading
        .split("  ")
        .filter(|cell| !cell.trim().is_empty())
        .count();
    36 + columns.saturating_sub(1) * 10
}
