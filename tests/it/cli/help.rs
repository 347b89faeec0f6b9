//! The picture `help`: every command's help, as it is shown.

use std::fmt::Write as _;

#[test]
fn every_command_says_what_it_does() {
    let mut picture = String::new();
    for (command, help) in keywright::cli::help() {
        writeln!(picture, "$ {command} --help\n{}\n", help.trim_end()).unwrap();
    }
    insta::assert_snapshot!("help", picture.trim_end());
}

#[test]
fn every_command_teaches_by_example() {
    for (command, help) in keywright::cli::help() {
        let is_group = help.contains("\nCommands:\n");
        assert!(
            is_group || help.contains("\nExample"),
            "`{command} --help` shows no example"
        );
    }
}

#[test]
fn every_example_can_be_typed() {
    let shell = super::shell::Shell::new();
    for (command, help) in keywright::cli::help() {
        let examples = help
            .lines()
            .skip_while(|line| !line.starts_with("Example"))
            .skip(1);
        for example in examples {
            // What stands behind a wide gap is a remark, and what stands before is the example.
            let typed = example.trim().split("   ").next().unwrap();
            let typed = typed
                .split(" | ")
                .find(|part| part.contains("keywright "))
                .unwrap();
            let typed = typed.replace(" ID", " 019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001");

            // What stands behind `--` is told to another program.
            let (ours, theirs) = typed.split_once(" -- ").unwrap_or((&typed, ""));

            let done = shell.run(&format!("{ours} --help -- {theirs}"));

            assert_eq!(
                (done.status, done.err.as_str()),
                (0, ""),
                "{command}: {typed}"
            );
        }
    }
}
