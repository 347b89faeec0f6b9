//! Completions, in the shells themselves where they are there.

use std::path::Path;

use super::shell::Shell;

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

/// What `shell` would offer behind `typed`, a word to a line.
fn offered_by_bash(shell: &Shell, typed: &str) -> Vec<String> {
    let words: Vec<_> = typed.split(' ').collect();
    let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
    let asked = format!(
        "keywright completions bash > completions && bash --norc -c '
            source ./completions
            function=$(complete -p keywright | sed -E \"s/.*-F ([^ ]+) .*/\\1/\")
            COMP_WORDS=({typed}) COMP_CWORD={}
            [[ \"{last}\" ]] || COMP_WORDS+=(\"\")
            $function keywright \"{last}\" {before}
            printf \"%s\\n\" \"${{COMPREPLY[@]}}\"'",
        words.len() - 1
    );
    shell.ok(&asked).lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_and_values() {
    let shell = Shell::new();

    assert_eq!(offered_by_bash(&shell, "keywright tok"), ["token"]);
    assert_eq!(offered_by_bash(&shell, "keywright token cr"), ["create"]);
    let flags = offered_by_bash(&shell, "keywright token list --sta");
    assert_eq!(flags, ["--state"]);
    let states = offered_by_bash(&shell, "keywright token list --state re");
    assert_eq!(states, ["revoked"]);
    assert_eq!(offered_by_bash(&shell, "keywright nothing-like-it"), [""]);
}

#[test]
fn every_shell_gets_every_command() {
    let shell = Shell::new();
    for name in SHELLS {
        let text = shell.ok(&format!("keywright completions {name}"));
        for command in ["token", "rotate", "claim", "audit", "scopes"] {
            assert!(text.contains(command), "{name}: {command}");
        }
    }
}

#[test]
fn each_shell_that_is_there_reads_its_completions() {
    let shell = Shell::new();
    // Nothing of elvish and PowerShell is in the usual places of a machine.
    for (name, reads) in [
        ("bash", "bash -n completions"),
        ("zsh", "zsh -n completions"),
        ("fish", "fish --no-execute completions"),
    ] {
        if !Path::new("/usr/bin").join(name).exists() {
            continue;
        }
        let read = format!("keywright completions {name} > completions && {reads}");

        assert_eq!(shell.run(&read).err, "", "{name}");
        shell.ok(&read);
    }
}

#[test]
fn fish_completes_where_it_is_there() {
    let shell = Shell::new();
    if !Path::new("/usr/bin/fish").exists() {
        return;
    }
    let offered = shell.ok("keywright completions fish > completions && \
         fish --no-config -c 'source completions; complete -C \"keywright tok\"'");

    assert!(offered.starts_with("token\t"), "{offered}");
}

#[test]
fn no_store_is_needed_and_none_is_made() {
    let shell = Shell::new();

    shell.ok("keywright completions bash");
    shell.ok("keywright man");

    assert!(!shell.store().exists());
}

#[test]
fn an_unknown_shell_is_misuse() {
    let done = Shell::new().run("keywright completions cmd.exe");

    assert_eq!(done.status, 2);
    assert!(done.err.contains("bash, elvish, fish"), "{}", done.err);
}
