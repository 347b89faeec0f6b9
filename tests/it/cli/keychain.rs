//! A value in a keychain, behind a small program that keeps it in a file; and once in a real one.

use super::shell::Shell;

/// Keeps one secret, as `secret-tool` does.
const KEEPS: &str = "echo \"$*\" >> \"$HOME/calls\"\n\
    case \"$*\" in\n\
    store*) cat > \"$HOME/kept\" ;;\n\
    'lookup service keywright account notes') cat \"$HOME/kept\" ;;\n\
    *) exit 1 ;;\n\
    esac";

/// Where the program is, and a bus.
const SET: &str = "PATH=[home]/bin DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere";

fn house(script: &str) -> Shell {
    let shell = Shell::new();
    shell.program("secret-tool", script);
    shell
}

/// macOS has a program of its own, which keeps what it is given for the person at the screen.
fn is_elsewhere() -> bool {
    if cfg!(target_os = "macos") {
        super::refusals::skipped("macOS has a keychain of its own");
    }
    cfg!(target_os = "macos")
}

#[test]
fn a_value_goes_to_the_keychain_and_is_in_no_argument() {
    if is_elsewhere() {
        return;
    }
    let shell = house(KEEPS);

    let done = shell.run(&format!(
        "{SET} [keywright] token create x --to keychain:notes"
    ));

    assert_eq!((done.status, done.out.as_str()), (0, ""), "{done:?}");
    let kept = shell.read("kept");
    assert!(
        kept.starts_with("kw_pat_") && !kept.contains('\n'),
        "{kept}"
    );
    let calls = shell.read("calls");
    assert!(calls.contains("store --label Keywright: notes service keywright account notes"));
    assert!(!calls.contains("kw_pat_"), "{calls}");
    let audit = shell.ok("keywright audit list --action claim_token");
    assert!(audit.contains("to keychain, as notes"), "{audit}");
}

#[test]
fn a_keychain_that_cannot_be_reached_is_told_and_nothing_is_made() {
    if is_elsewhere() {
        return;
    }
    let why = "The name org.freedesktop.secrets was not provided by any .service files";
    let shell = house(&format!("echo 'secret-tool: {why}' >&2; exit 1"));
    let create = "token create x --to keychain:notes";
    for (typed, why) in [
        (format!("{SET} [keywright] {create}"), why),
        (
            format!("PATH=[home]/bin [keywright] {create}"),
            "there is no session bus here",
        ),
        (
            format!("XDG_RUNTIME_DIR=[home] PATH=[home]/bin [keywright] {create}"),
            "there is no session bus here",
        ),
        (
            format!("PATH= [keywright] {create}"),
            "there is no `secret-tool` here",
        ),
    ] {
        let why_not = shell.refused(&typed);

        assert!(why_not.contains(why), "{typed}: {why_not}");
    }
    assert!(!shell.home().join("keywright/store.db").exists());
}

#[test]
fn a_claim_waits_on_when_the_keychain_keeps_nothing() {
    if is_elsewhere() {
        return;
    }
    for (script, why) in [
        // It is locked.
        (
            "case $1 in store) echo 'Object does not exist' >&2; exit 1 ;; *) exit 1 ;; esac",
            "says: Object does not exist; unlock the keychain",
        ),
        // It repeats what it was told.
        (
            "case $1 in store) cat >&2; exit 1 ;; *) exit 1 ;; esac",
            "[redacted]; unlock the keychain",
        ),
        // It takes what it is given, and holds something else.
        (
            "case \"$*\" in store*) cat > /dev/null ;; *notes) echo old ;; *) exit 1 ;; esac",
            "does not hold the value that it was given",
        ),
    ] {
        let shell = house(script);

        let said = shell.refused(&format!(
            "{SET} [keywright] token create x --to keychain:notes"
        ));

        assert!(said.contains(why), "{said}");
        assert!(shell.ok("keywright token list").contains("unclaimed"));
        assert!(shell.ok("keywright claim").contains("operator"));
    }
}

#[test]
fn a_signal_while_the_keychain_works_loses_no_value() {
    if is_elsewhere() {
        return;
    }
    for signal in ["INT", "TERM", "HUP"] {
        let create = format!("{SET} [keywright] token create x --to keychain:notes");
        let kept = format!("case $1 in store) kill -{signal} $PPID ;; esac\n{KEEPS}");
        let shell = house(&kept);
        let done = shell.run(&create);
        assert_eq!(done.status, 0, "{done:?}");
        assert!(shell.read("kept").starts_with("kw_pat_"));
        assert!(shell.ok("keywright token list").contains("active"));

        let given_up =
            format!("case $1 in store) kill -{signal} $PPID; exit 1 ;; *) exit 1 ;; esac");
        let shell = house(&given_up);
        shell.refused(&create);
        assert!(shell.ok("keywright token list").contains("unclaimed"));
    }
}

#[test]
fn a_name_that_is_none_is_misuse() {
    let shell = Shell::new();
    let long = "x".repeat(101);
    for name in ["", "-x", "a b", "a\\nb", "é", &long] {
        let done = shell.run(&format!("keywright token create x --to 'keychain:{name}'"));
        assert_eq!(done.status, 2, "{name}: {done:?}");
    }
}

/// Needs `dbus-run-session`, `secret-tool` and GNOME Keyring, which `scripts/check` installs.
#[test]
#[cfg(target_os = "linux")]
fn slow_a_real_keychain_keeps_a_value_and_replaces_it() {
    let shell = Shell::new();
    let steps = "printf password | gnome-keyring-daemon --unlock --components=secrets > /dev/null \
        && keywright token create first --to keychain:notes \
        && keywright token create second --to keychain:notes \
        && secret-tool lookup service keywright account notes > kept \
        && secret-tool search --all service keywright 2>&1 | grep -c '^label' > count";
    let typed = format!(
        "mkdir -m 700 run && XDG_RUNTIME_DIR=[home]/run dbus-run-session -- sh -c '{steps}'"
    );

    shell.ok(&typed);

    let prefix = "keywright token list --query second --json | grep prefix";
    let prefix = shell.ok(prefix);
    let prefix = prefix.split('"').nth(3).unwrap();
    let kept = shell.read("kept");
    assert!(kept.starts_with(prefix), "{prefix}");
    assert_eq!(shell.read("count").trim(), "1");
}
