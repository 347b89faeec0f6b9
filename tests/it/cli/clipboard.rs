//! A value in a clipboard, kept by small programs in a file: it is there, and is cleared again.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::shell::Shell;

/// Long enough for the slowest machine.
const PATIENCE: Duration = Duration::from_secs(20);

const COPY: &str = "cat > \"$HOME/new\"; test -s \"$HOME/new\" && cp \"$HOME/new\" \"$HOME/seen\"; \
    mv \"$HOME/new\" \"$HOME/clip\"";
const PASTE: &str = "cut -d' ' -f1,6 /proc/$PPID/stat > \"$HOME/session\"; cat \"$HOME/clip\"";
const CLEAR: &str = ": > \"$HOME/clip\"";

/// The programs of a platform, how they are told apart, and what is set there.
const PLATFORMS: [(&str, &[&str]); 3] = [
    (
        "WAYLAND_DISPLAY=wayland-7 DISPLAY=:7",
        &["wl-copy", "wl-paste"],
    ),
    ("DISPLAY=:7", &["xclip"]),
    ("DISPLAY=:7", &["xsel"]),
];

fn house(programs: &[&str]) -> Shell {
    let shell = Shell::new();
    for name in programs {
        let script = format!(
            "echo \"{name} $*\" >> \"$HOME/calls\"\n\
            case \"{name} $*\" in\n\
            *-out|*--output|wl-paste*) {PASTE} ;;\n\
            *--clear) {CLEAR} ;;\n\
            *) {COPY} ;;\n\
            esac"
        );
        shell.program(name, &script);
    }
    shell
}

/// Waits until nothing is in the clipboard.
fn is_cleared(shell: &Shell) -> bool {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        if shell.home().join("clip").exists() && shell.read("clip").is_empty() {
            return true;
        }
        thread::sleep(Duration::from_millis(2));
    }
    false
}

#[test]
fn a_value_goes_to_the_clipboard_and_is_cleared_from_it() {
    if cfg!(target_os = "macos") {
        super::refusals::skipped("macOS has programs of its own, which are always there");
        return;
    }
    for (set, programs) in PLATFORMS {
        let shell = house(programs);

        let done = shell.run(&format!(
            "PATH=[home]/bin {set} [keywright] token create x --to clipboard --clear-after 0"
        ));

        assert_eq!((done.status, done.out.as_str()), (0, ""), "{done:?}");
        assert!(
            done.err.contains("The clipboard is cleared in 0 seconds"),
            "{done:?}"
        );
        assert!(shell.read("seen").starts_with("kw_pat_"));
        assert_eq!(shell.read("seen").lines().count(), 1);
        assert!(is_cleared(&shell), "{programs:?}");
        let calls = shell.read("calls");
        assert!(
            calls.contains(programs[0]) && !calls.contains("kw_pat_"),
            "{calls}"
        );
        let audit = shell.ok("keywright audit list --action claim_token");
        assert!(audit.contains("to clipboard"), "{audit}");
    }
}

#[test]
fn whoever_clears_the_clipboard_outlives_the_terminal() {
    if !cfg!(target_os = "linux") {
        super::refusals::skipped("there is no file here that tells of sessions");
        return;
    }
    let shell = house(&["xclip"]);

    let typed = "PATH=[home]/bin DISPLAY=:7 [keywright] token create x --to clipboard \
        --clear-after 1";
    let (screen, status) = shell.on_terminal(80, typed, "");

    assert_eq!(status, 0, "{screen}");
    assert!(!screen.contains("kw_pat_"), "{screen}");
    assert!(is_cleared(&shell));
    let session = shell.read("session");
    let (process, session) = session.trim().split_once(' ').unwrap();
    assert_eq!(process, session, "it is in a session of its own");
}

#[test]
fn what_somebody_else_copied_stays() {
    let shell = house(&["xclip"]);
    let clear = "PATH=[home]/bin DISPLAY=:7 [keywright] clear-clipboard 0";
    let hash = "61ae0ab8e93e5ffa6d3cf3f1acd3ed9eb4cf2a6eeea2d2e2ad3aa5bb4e8c1f4d";
    shell.ok("printf mine > clip");

    let told = shell.ok(&format!("printf {hash} | {clear}"));
    let nonsense = shell.run(&format!("printf mine | {clear}"));

    assert_eq!(told, "ready\n");
    assert_eq!(shell.read("clip"), "mine");
    assert_eq!((nonsense.status, nonsense.out.as_str()), (2, ""));
}

#[test]
fn what_is_missing_is_told_and_nothing_is_made() {
    if cfg!(target_os = "macos") {
        super::refusals::skipped("macOS has programs of its own, which are always there");
        return;
    }
    let shell = house(&["xclip"]);
    for (set, why) in [
        (
            "",
            "neither `WAYLAND_DISPLAY` nor `DISPLAY` names a display",
        ),
        ("DISPLAY=:7", "install `xclip` or `xsel`"),
        ("WAYLAND_DISPLAY=wayland-7", "install `wl-copy`"),
        // A folder that is named from here is anybody's.
        ("DISPLAY=:7 PATH=bin", "install `xclip` or `xsel`"),
    ] {
        let typed = format!("PATH=; export PATH; {set} [keywright] token create x --to clipboard");

        let why_not = shell.refused(&typed);

        assert!(why_not.contains(why), "{set}: {why_not}");
    }
    assert!(!shell.home().join("calls").exists());
    assert!(!shell.home().join("keywright/store.db").exists());
}

#[test]
fn a_claim_waits_on_when_the_clipboard_takes_nothing() {
    if cfg!(target_os = "macos") {
        super::refusals::skipped("macOS has programs of its own, which are always there");
        return;
    }
    let shell = Shell::new();
    shell.program(
        "xclip",
        "cat > /dev/null; echo \"Error: Can't open display: :7\" >&2; exit 1",
    );

    let why = shell.refused("PATH=[home]/bin DISPLAY=:7 [keywright] token create x --to clipboard");

    assert!(
        why.contains("`xclip` failed, and says: Error: Can't open display: :7"),
        "{why}"
    );
    assert!(shell.ok("keywright token list").contains("unclaimed"));
    assert!(shell.ok("keywright claim").contains("operator"));
}
