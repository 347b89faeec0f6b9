//! Tokens of a run: they end with it, whatever ends it.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdout},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rusqlite::Connection;

use super::shell::Shell;

/// A run whose command says `ready` and what came to it, until its standard input ends.
struct Run {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Run {
    fn start(shell: &Shell, label: &str) -> Self {
        // What is in the background is waited for, so that a signal is seen at once.
        let command = "for s in TERM INT HUP QUIT USR1 USR2; do trap \"echo $s\" $s; done; \
            exec 3<&0; cat <&3 > /dev/null & \
            echo ready; until wait; do :; done; echo over; exit 7";
        let typed = format!("exec keywright run --token {label}=T -- sh -c '{command}'");
        let mut child = shell.start(&typed);
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut run = Self { child, out };
        assert_eq!(run.line(), "ready");
        run
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn send(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(pid, signal).unwrap();
    }

    /// Lets the command end; its code, and what was said.
    fn end(mut self) -> (i32, String) {
        drop(self.child.stdin.take());
        let done = self.child.wait_with_output().unwrap();
        (
            done.status.code().unwrap(),
            String::from_utf8(done.stderr).unwrap(),
        )
    }

    /// Ends us in a way that nobody can catch, and lets the command go on.
    fn is_killed(&mut self) {
        self.send(Signal::SIGKILL);
        self.child.wait().unwrap();
    }
}

fn state(shell: &Shell, label: &str) -> String {
    let list = format!("keywright token list --state all --query {label} --json");
    let list: serde_json::Value = serde_json::from_str(&shell.ok(&list)).unwrap();
    list["tokens"][0]["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_token_lives_as_long_as_its_run() {
    let shell = Shell::new();
    let run = Run::start(&shell, "nightly");
    assert_eq!(state(&shell, "nightly"), "active");

    let (code, said) = run.end();

    assert_eq!((code, said.as_str()), (7, ""));
    assert_eq!(state(&shell, "nightly"), "revoked");
}

/// The signals that are ignored here, and so by whatever is started here, a bit each.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap())
}

#[test]
fn signals_reach_the_command_and_the_token_ends_with_it() {
    let shell = Shell::new();
    let mut run = Run::start(&shell, "nightly");
    let all = [
        (Signal::SIGTERM, "TERM"),
        (Signal::SIGINT, "INT"),
        (Signal::SIGHUP, "HUP"),
        (Signal::SIGQUIT, "QUIT"),
        (Signal::SIGUSR1, "USR1"),
        (Signal::SIGUSR2, "USR2"),
        (Signal::SIGTERM, "TERM"),
    ];
    // Whoever started the tests in the background may want some of them ignored, and is obeyed.
    let ignored = ignored();
    for (signal, name) in all {
        if ignored >> (signal as i32 - 1) & 1 == 1 {
            continue;
        }
        run.send(signal);

        assert_eq!(run.line(), name);
        assert_eq!(state(&shell, "nightly"), "active");
    }

    let (code, said) = run.end();

    assert_eq!((code, said.as_str()), (7, ""));
    assert_eq!(state(&shell, "nightly"), "revoked");
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_that_whoever_started_us_wants_ignored_is_ignored() {
    let shell = Shell::new();
    let typed = "trap '' HUP; exec keywright run --token nightly=T -- \
                 sh -c 'echo ready; cat > /dev/null; exit 7'";
    let mut child = shell.start(typed);
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut run = Run { child, out };
    assert_eq!(run.line(), "ready");

    run.send(Signal::SIGHUP);

    let (code, said) = run.end();
    assert_eq!((code, said.as_str()), (7, ""));
}

#[test]
fn the_token_of_a_run_that_was_killed_ends_with_the_next_start() {
    for next in ["run --token next=T -- true", "mcp --local < /dev/null"] {
        let shell = Shell::new();
        let going = Run::start(&shell, "going");
        let mut killed = Run::start(&shell, "killed");
        killed.is_killed();
        assert_eq!(state(&shell, "killed"), "active");

        shell.ok(&format!("keywright {next}"));

        assert_eq!(state(&shell, "killed"), "revoked", "{next}");
        assert_eq!(state(&shell, "going"), "active", "{next}");
        assert_eq!(going.end().0, 7);
        assert_eq!(shell.ok("ls keywright/runs"), "");
    }
}

#[test]
fn many_starts_at_once_end_what_was_left_behind_and_nothing_else() {
    let shell = Shell::new();
    let going = Run::start(&shell, "going");
    for _ in 0..3 {
        Run::start(&shell, "killed").is_killed();
    }

    let starts: Vec<_> = (0..6).map(|_| Run::start(&shell, "start")).collect();

    assert_eq!(state(&shell, "killed"), "revoked");
    assert!(!shell.ok("keywright token list").contains("killed"));
    let active = "keywright token list --query start --json | grep -c '\"active\"'";
    assert_eq!(shell.ok(active).trim(), "6");
    for run in starts {
        assert_eq!(run.end(), (7, String::new()));
    }
    assert_eq!(state(&shell, "going"), "active");
    going.end();
}

/// It waits as long as a store may be busy.
#[test]
fn slow_a_token_that_cannot_be_ended_is_told_and_ends_with_the_next_start() {
    let shell = Shell::new();
    let run = Run::start(&shell, "nightly");
    let file = Connection::open(shell.store()).unwrap();
    file.execute_batch("begin immediate").unwrap();

    let (code, said) = run.end();
    file.execute_batch("rollback").unwrap();

    assert_eq!(code, 7, "{said}");
    assert!(said.contains("of this run could not be ended: "), "{said}");
    let typed = said.split("end it: ").nth(1).unwrap().trim();
    assert!(typed.contains(" token revoke "), "{said}");
    assert_eq!(state(&shell, "nightly"), "active");
    shell.ok("keywright run --token next=T -- true");
    assert_eq!(state(&shell, "nightly"), "revoked");
    shell.ok(typed);
}

#[test]
fn the_value_is_in_the_environment_of_the_command_and_nowhere_in_ours() {
    if !cfg!(target_os = "linux") {
        // Elsewhere there is no file that tells.
        return;
    }
    let shell = Shell::new();
    let look = |what: &str| {
        let seen = format!("tr \"\\0\" \"\\n\" < /proc/$PPID/{what}");
        shell.ok(&format!(
            "keywright run --token x=X -- sh -c '{seen}; echo $X'"
        ))
    };
    for what in ["environ", "cmdline"] {
        let seen = look(what);

        let found = seen.lines().filter(|line| line.contains("kw_pat_"));
        assert_eq!(found.count(), 1, "{seen}");
    }
}
