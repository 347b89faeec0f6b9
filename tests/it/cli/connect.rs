//! `connect` and `disconnect` on the files of every client, as they are on a disk.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use super::shell::{Done, Shell};
use crate::{mcp::process::Session, support::counted};

/// A client: where its file is, under what its servers stand, a file as somebody wrote it by hand,
/// and one that is broken in line 2.
struct Client {
    name: &'static str,
    file: &'static str,
    key: &'static str,
    written: &'static str,
    broken: &'static str,
}

const STRICT: &str =
    "{\n    \"mcpServers\": {\n        \"notes\": { \"command\": \"n\" }\n    }\n}";
const LENIENT: &str = "{\r\n\t// mine\r\n\t\"mcpServers\": {\r\n\t\t\"notes\": {\"url\": \"x\"}, // notes\r\n\t},\r\n}";
const BROKEN: &str = "{\n  \"mcpServers\": {]\n}";

const CLIENTS: [Client; 10] = [
    Client {
        name: "claude-desktop",
        file: ".config/Claude/claude_desktop_config.json",
        key: "mcpServers",
        written: STRICT,
        broken: "{\n  // no comments here\n}",
    },
    Client {
        name: "claude-code",
        file: ".claude.json",
        key: "mcpServers",
        written: r#"{"numStartups":3,"projects":{"/p":{"mcpServers":{}}},"mcpServers":{},"z":1.50}"#,
        broken: BROKEN,
    },
    Client {
        name: "cursor",
        file: ".cursor/mcp.json",
        key: "mcpServers",
        written: LENIENT,
        broken: BROKEN,
    },
    Client {
        name: "vscode",
        file: ".config/Code/User/mcp.json",
        key: "servers",
        written: "{\n\t// mine\n\t\"inputs\": [],\n\t\"servers\": {}\n}\n",
        broken: BROKEN,
    },
    Client {
        name: "codex",
        file: ".codex/config.toml",
        key: "mcp_servers",
        written: "model = \"x\" # mine\n\n[mcp_servers.notes]\ncommand = 'n'\n# end",
        broken: "a = 1\nb = ]\n",
    },
    Client {
        name: "gemini",
        file: ".gemini/settings.json",
        key: "mcpServers",
        written: LENIENT,
        broken: BROKEN,
    },
    Client {
        name: "windsurf",
        file: ".codeium/windsurf/mcp_config.json",
        key: "mcpServers",
        written: STRICT,
        broken: BROKEN,
    },
    Client {
        name: "zed",
        file: ".config/zed/settings.json",
        key: "context_servers",
        written: "// Zed settings\n{\n  \"theme\": \"One\", // mine\n  \"vim_mode\": true,\n}\n",
        broken: BROKEN,
    },
    Client {
        name: "goose",
        file: ".config/goose/config.yaml",
        key: "extensions",
        written: "GOOSE_MODEL: x\nextensions:\n  # mine\n  developer:\n    enabled: true\nz: |+\n  t\n\n",
        broken: "a: 1\na: 2\n",
    },
    Client {
        name: "lm-studio",
        file: ".lmstudio/mcp.json",
        key: "mcpServers",
        written: "\u{feff}{ \"mcpServers\": { \"notes\": { \"command\": \"n\" } } }",
        broken: BROKEN,
    },
];

impl Client {
    fn path(&self, shell: &Shell) -> PathBuf {
        shell.home().join(self.file)
    }

    /// The client is installed, and has this file.
    fn has(&self, shell: &Shell, text: Option<&str>) -> PathBuf {
        let path = self.path(shell);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::create_dir_all(shell.home().join(".claude")).unwrap();
        if let Some(text) = text {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        }
        path
    }

    fn connect(&self, shell: &Shell, more: &str) -> Value {
        let typed = format!("keywright connect {} --json {more}", self.name);
        serde_json::from_str(&shell.ok(&typed)).unwrap()
    }

    fn disconnect(&self, shell: &Shell) -> Value {
        let typed = format!("keywright disconnect {} --json", self.name);
        serde_json::from_str(&shell.ok(&typed)).unwrap()
    }

    fn token_file(&self, shell: &Shell) -> PathBuf {
        beside(&shell.store(), &format!("clients/{}.token", self.name))
    }

    fn row(&self, shell: &Shell) -> Value {
        let list = shell.ok("keywright connect --list --json");
        let list: Value = serde_json::from_str(&list).unwrap();
        let mut rows = list["clients"].as_array().unwrap().iter();
        rows.find(|row| row["client"] == self.name).unwrap().clone()
    }
}

fn client(name: &str) -> &'static Client {
    CLIENTS.iter().find(|client| client.name == name).unwrap()
}

fn beside(store: &Path, name: &str) -> PathBuf {
    store.with_file_name(name)
}

fn backup(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}.keywright-backup", path.display()))
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

/// Every token's label and state.
fn tokens(shell: &Shell) -> Vec<(String, String)> {
    let list = shell.ok("keywright token list --state all --json");
    let list: Value = serde_json::from_str(&list).unwrap();
    let tokens = list["tokens"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    tokens
        .map(|token| (text(&token["label"]), text(&token["state"])))
        .collect()
}

/// Nothing was made: no store, no token, no file.
fn nothing_was_made(shell: &Shell) {
    assert!(!shell.store().exists());
    assert!(!beside(&shell.store(), "clients").exists());
}

#[test]
fn every_client_is_connected_and_given_back_its_very_bytes() {
    for client in &CLIENTS {
        let shell = Shell::new();
        let path = client.has(&shell, Some(client.written));

        let view = client.connect(&shell, "");

        let after = fs::read_to_string(&path).unwrap();
        assert_ne!(after, client.written);
        assert_eq!(
            (mode(&path), mode(&client.token_file(&shell))),
            (0o640, 0o600)
        );
        assert_eq!(mode(&beside(&shell.store(), "clients")), 0o700);
        assert_eq!(fs::read_to_string(backup(&path)).unwrap(), client.written);
        assert_eq!(mode(&backup(&path)), 0o600);
        let value = fs::read_to_string(client.token_file(&shell)).unwrap();
        assert!(!after.contains(value.trim()) && !view.to_string().contains(value.trim()));
        assert_eq!(client.row(&shell)["token"]["id"], view["token"]["id"]);

        let gone = client.disconnect(&shell);

        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            client.written,
            "{}",
            client.name
        );
        assert_eq!((mode(&path), &gone["removed"]), (0o640, &json!(true)));
        assert!(!backup(&path).exists() && !client.token_file(&shell).exists());
        assert_eq!(client.row(&shell)["connected"], false);
        assert_eq!(tokens(&shell)[0].1, "revoked");
    }
}

#[test]
fn a_file_that_is_not_there_is_made_and_goes_again() {
    for client in &CLIENTS {
        let shell = Shell::new();
        let path = client.has(&shell, None);

        client.connect(&shell, "");
        assert_eq!(
            (mode(&path), client.row(&shell)["connected"].clone()),
            (0o600, json!(true))
        );
        client.disconnect(&shell);

        assert!(!path.exists() && !backup(&path).exists(), "{}", client.name);
    }
}

#[test]
fn a_broken_file_is_refused_and_stays_as_it_is() {
    for client in &CLIENTS {
        let shell = Shell::new();
        let path = client.has(&shell, Some(client.broken));

        let why = shell.refused(&format!("keywright connect {}", client.name));

        assert!(why.contains("left as it is: line 2, column "), "{why}");
        assert_eq!(fs::read_to_string(&path).unwrap(), client.broken);
        assert!(!backup(&path).exists());
        nothing_was_made(&shell);
        assert!(
            client.row(&shell)["fault"]
                .as_str()
                .unwrap()
                .contains("line 2")
        );
    }
}

#[test]
fn a_client_that_is_not_installed_is_refused_and_its_entry_can_be_printed() {
    for client in &CLIENTS {
        let shell = Shell::new();
        let (connect, name) = (format!("keywright connect {}", client.name), client.name);

        let why = shell.refused(&connect);
        assert!(why.contains(&format!("connect {name} --print")), "{why}");
        assert_eq!(client.row(&shell)["installed"], false);
        let printed = shell.ok(&format!("{connect} --print"));

        assert!(printed.contains(client.token_file(&shell).to_str().unwrap()));
        assert!(!client.path(&shell).exists());
        nothing_was_made(&shell);
    }
}

#[test]
fn a_dry_run_shows_the_change_and_makes_none() {
    for client in &CLIENTS {
        let shell = Shell::new();
        let path = client.has(&shell, Some(client.written));

        let shown = shell.ok(&format!("keywright connect {} --dry-run", client.name));

        assert!(
            shown.starts_with(&format!("--- {}\n+++ ", path.display())),
            "{shown}"
        );
        assert!(
            shown.contains("\n+") && shown.contains("keywright"),
            "{shown}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), client.written);
        nothing_was_made(&shell);
    }
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_replaced() {
    for client in &CLIENTS {
        let shell = Shell::new();
        let path = client.has(&shell, None);
        let real = shell.home().join("dotfiles");
        fs::write(&real, client.written).unwrap();
        symlink(&real, &path).unwrap();

        client.connect(&shell, "");
        assert!(path.is_symlink());
        assert_ne!(fs::read_to_string(&real).unwrap(), client.written);
        client.disconnect(&shell);

        assert!(path.is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), client.written);
    }
}

#[test]
fn a_link_that_leads_nowhere_or_to_a_folder_is_refused() {
    let shell = Shell::new();
    let path = client("cursor").has(&shell, None);
    for leads_to in ["nowhere", "/"] {
        symlink(leads_to, &path).unwrap();

        let why = shell.refused("keywright connect cursor");

        assert!(
            why.contains("leads nowhere") || why.contains("is not a file"),
            "{why}"
        );
        nothing_was_made(&shell);
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn connecting_again_gives_another_token_and_ends_the_one_before() {
    for client in &CLIENTS {
        let shell = Shell::new();
        let path = client.has(&shell, Some(client.written));
        client.connect(&shell, "");
        let before = fs::read_to_string(&path).unwrap();
        let value = fs::read_to_string(client.token_file(&shell)).unwrap();

        let again = client.connect(&shell, "--expires 7d");

        assert_eq!(fs::read_to_string(&path).unwrap(), before);
        assert_ne!(
            fs::read_to_string(client.token_file(&shell)).unwrap(),
            value
        );
        assert_eq!(client.row(&shell)["token"], again["token"]);
        let states: Vec<_> = tokens(&shell).into_iter().map(|(_, state)| state).collect();
        assert_eq!(states, ["active", "revoked"]);
        client.disconnect(&shell);
        assert_eq!(fs::read_to_string(&path).unwrap(), client.written);
    }
}

#[test]
fn the_written_entry_starts_a_server_that_knows_its_token() {
    for name in ["claude-code", "cursor", "vscode", "codex", "zed", "goose"] {
        let (shell, client) = (Shell::new(), client(name));
        let path = client.has(&shell, Some(client.written));
        let view = client.connect(&shell, "--grant read:notes --expires 1h");
        let start = shell.ok(&format!("keywright connect {name} --print --json"));
        let start: Value = serde_json::from_str(&start).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(client.key) && text.contains("KEYWRIGHT_TOKEN_FILE"));
        let (entry, goose) = (&start["entry"], name == "goose");

        let mut command = Command::new(
            entry[if goose { "cmd" } else { "command" }]
                .as_str()
                .unwrap(),
        );
        let args = entry["args"].as_array().unwrap().iter();
        counted(command.env_clear()).args(args.map(|arg| arg.as_str().unwrap()));
        let env = entry[if goose { "envs" } else { "env" }]
            .as_object()
            .unwrap();
        command.envs(
            env.iter()
                .map(|(name, value)| (name, value.as_str().unwrap())),
        );
        let mut session = Session::open(command, &shell.home().join("session"));
        let me = session.done("whoami", json!({}));

        assert_eq!(me["current_token"]["id"], view["token"]["id"]);
        assert_eq!(me["current_token"]["label"], view["token"]["label"]);
        let scopes = [
            "delete:tokens",
            "read:envs",
            "read:notes",
            "read:tokens",
            "write:tokens",
        ];
        assert_eq!(me["scopes"], json!(scopes));
        session.close();
    }
}

#[test]
fn an_entry_that_was_edited_by_hand_goes_and_everything_else_stays() {
    let (shell, client) = (Shell::new(), client("cursor"));
    let path = client.has(&shell, Some(client.written));
    client.connect(&shell, "");
    let text = fs::read_to_string(&path).unwrap();
    let edited = text.replace("\"stdio\"", "\"stdio\", \"disabled\": false");
    fs::write(&path, edited.replace("// mine", "// mine, and mine")).unwrap();

    client.disconnect(&shell);

    let wanted = client.written.replace("// mine", "// mine, and mine");
    assert_eq!(fs::read_to_string(&path).unwrap(), wanted);
}

#[test]
fn an_entry_of_somebody_elses_making_is_left_alone_and_told_of() {
    let (shell, client) = (Shell::new(), client("cursor"));
    let text = r#"{"mcpServers": {"keywright": {"command": "k", "args": ["mcp", "--local"]}}}"#;
    let path = client.has(&shell, Some(text));

    let view = client.disconnect(&shell);
    assert!(
        view["left"].as_str().unwrap().contains("was left alone"),
        "{view}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), text);

    // Asked for, ours takes its place, and gives it back.
    client.connect(&shell, "");
    assert_ne!(fs::read_to_string(&path).unwrap(), text);
    client.disconnect(&shell);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_value_that_stood_in_the_file_is_neither_shown_nor_written_down() {
    let (shell, client) = (Shell::new(), client("cursor"));
    let value = shell.ok("keywright token create old --to stdout");
    let value = value.trim_end();
    let text = format!(
        r#"{{"mcpServers": {{"keywright": {{"command": "k", "env": {{"T": "{value}"}}}}, "a": 1}}}}"#
    );
    let path = client.has(&shell, Some(&text));

    let shown = shell.ok("keywright connect cursor --dry-run");
    client.connect(&shell, "");
    let record = fs::read_to_string(beside(&shell.store(), "clients/cursor.json")).unwrap();
    client.disconnect(&shell);

    assert!(!shown.contains(value) && shown.contains("[redacted]"));
    assert!(!record.contains(value));
    let left = fs::read_to_string(&path).unwrap();
    assert_eq!(left, r#"{"mcpServers": {"a": 1}}"#);
}

#[test]
fn disconnecting_twice_is_no_error_and_makes_nothing() {
    let shell = Shell::new();
    for client in &CLIENTS {
        let done = shell.run(&format!("keywright disconnect {}", client.name));
        assert_eq!((done.status, done.err.as_str()), (0, ""), "{done:?}");
        assert!(done.out.ends_with(" is not connected.\n"), "{done:?}");
    }
    nothing_was_made(&shell);
}

#[test]
fn an_older_backup_is_kept() {
    let (shell, client) = (Shell::new(), client("cursor"));
    let path = client.has(&shell, Some(client.written));
    fs::write(backup(&path), "older").unwrap();

    client.connect(&shell, "");
    client.disconnect(&shell);

    assert_eq!(fs::read_to_string(backup(&path)).unwrap(), "older");
}

#[test]
fn nothing_is_kept_in_a_folder_that_others_may_write_to() {
    let (shell, client) = (Shell::new(), client("cursor"));
    let path = client.has(&shell, None);
    let real = shell.home().join("dotfile.json");
    fs::write(&real, client.written).unwrap();
    symlink(&real, &path).unwrap();
    let open = |mode| {
        let folder = path.parent().unwrap();
        fs::set_permissions(folder, Permissions::from_mode(mode)).unwrap();
    };

    open(0o777);
    let why = shell.refused("keywright connect cursor");

    assert!(why.contains("close it: chmod go-w "), "{why}");
    assert!(!backup(&path).exists() && tokens(&shell).is_empty());
    assert_eq!(fs::read_to_string(&real).unwrap(), client.written);

    open(0o700);
    client.connect(&shell, "");
    let kept = fs::read_to_string(backup(&path)).unwrap();
    assert_eq!(
        (kept.as_str(), mode(&backup(&path))),
        (client.written, 0o600)
    );
}

#[test]
fn what_was_cut_short_is_mended_by_connecting_again() {
    let (shell, client) = (Shell::new(), client("cursor"));
    client.has(&shell, Some(client.written));
    client.connect(&shell, "");
    // As if the command before had ended before it ended its own token, and lost the new one's file.
    let lost = shell.ok("keywright token create Cursor --claim --json");
    let lost: Value = serde_json::from_str(&lost).unwrap();
    let record = beside(&shell.store(), "clients/cursor.json");
    let mut kept: Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    kept["ending"] = json!([lost["id"]]);
    fs::write(&record, kept.to_string()).unwrap();
    fs::remove_file(client.token_file(&shell)).unwrap();

    client.connect(&shell, "");

    let states: Vec<_> = tokens(&shell).into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["active", "revoked", "revoked"]);
}

#[test]
fn a_token_is_ended_even_if_nobody_wrote_it_down() {
    let (shell, client) = (Shell::new(), client("zed"));
    client.has(&shell, Some(client.written));
    client.connect(&shell, "");
    fs::remove_file(beside(&shell.store(), "clients/zed.json")).unwrap();

    let view = client.disconnect(&shell);

    assert_eq!(
        (&view["removed"], &view["ended"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(tokens(&shell)[0].1, "revoked");
}

/// What comes of a command that waits for another one, which changes the client's file meanwhile.
#[cfg(target_os = "linux")]
fn waits(shell: &Shell, typed: &str, path: &Path, changed: &str) -> std::process::Output {
    let clients = beside(&shell.store(), "clients");
    let held = fs::File::open(&clients).unwrap();
    held.lock().unwrap();
    let child = shell.start(&format!("exec {typed}"));
    let open = format!("/proc/{}/fd", child.id());
    crate::mcp::process::eventually(|| {
        let files = fs::read_dir(&open).unwrap();
        let mut leads = files.filter_map(|file| fs::read_link(file.unwrap().path()).ok());
        leads.find(|file| *file == clients)
    });
    fs::write(path, changed).unwrap();
    drop(held);
    child.wait_with_output().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn what_changes_while_another_command_is_waited_for_is_kept() {
    let (shell, client) = (Shell::new(), client("cursor"));
    let path = client.has(&shell, Some("{}"));
    client.connect(&shell, "");
    client.disconnect(&shell);

    let done = waits(&shell, "keywright connect cursor", &path, r#"{"a": 1}"#);

    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(r#""a": 1"#) && text.contains("keywright"));
    assert!(done.status.success(), "{done:?}");
    let changed = text.replace(r#""a": 1"#, r#""a": 2"#);

    let done = waits(&shell, "keywright disconnect cursor", &path, &changed);

    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(r#""a": 2"#) && !text.contains("keywright"));
    assert!(done.status.success(), "{done:?}");
}

#[test]
fn what_cannot_be_done_whole_is_not_begun() {
    let (shell, client) = (Shell::new(), client("cursor"));
    let path = client.has(&shell, Some(client.written));
    shell.ok("keywright store path");
    let clients = beside(&shell.store(), "clients");
    let refused = |why: &str| {
        let said = shell.refused("keywright connect cursor");
        assert!(said.contains(why), "{said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), client.written);
        assert!(tokens(&shell).is_empty());
        assert!(!backup(&path).exists());
    };

    fs::create_dir(&clients).unwrap();
    fs::set_permissions(&clients, Permissions::from_mode(0o755)).unwrap();
    refused("close it: chmod 700 ");
    fs::set_permissions(&clients, Permissions::from_mode(0o700)).unwrap();
    fs::write(client.token_file(&shell), "something else\n").unwrap();
    refused("holds something other than one token");
    fs::remove_file(client.token_file(&shell)).unwrap();
    fs::write(clients.join("cursor.json"), "{").unwrap();
    refused("is damaged; put it aside: mv ");
    fs::remove_file(clients.join("cursor.json")).unwrap();
    let folder = path.parent().unwrap();
    fs::set_permissions(folder, Permissions::from_mode(0o777)).unwrap();
    refused("close it: chmod go-w ");
    fs::set_permissions(folder, Permissions::from_mode(0o700)).unwrap();

    client.connect(&shell, "");
}

#[test]
fn what_fails_midway_is_taken_back() {
    let (shell, client) = (Shell::new(), client("cursor"));
    let long = format!("{{\"a\": \"{}\"}}", "x".repeat(3 << 20));
    let path = client.has(&shell, Some(&long));
    fs::write(backup(&path), "older").unwrap();

    // No room for a file as long as this, in this process alone.
    let why = shell.refused("trap '' XFSZ; ulimit -f 4096; keywright connect cursor");

    assert!(why.contains("File too large"), "{why}");
    assert!(fs::read_to_string(&path).unwrap() == long);
    assert_eq!(
        tokens(&shell),
        [("Cursor".to_owned(), "revoked".to_owned())]
    );
    let clients = fs::read_dir(beside(&shell.store(), "clients")).unwrap();
    assert_eq!(clients.count(), 0);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 2);

    client.connect(&shell, "");
    client.disconnect(&shell);
    assert!(fs::read_to_string(&path).unwrap() == long);
}

/// Every file below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn the_value_is_in_its_file_and_nowhere_else() {
    let (shell, client) = (Shell::new(), client("cursor"));
    client.has(&shell, Some(client.written));
    let mut said = String::new();
    let mut values = Vec::new();
    for command in [
        "connect cursor",
        "connect cursor",
        "connect --list",
        "doctor",
    ] {
        let done = shell.run(&format!("KEYWRIGHT_LOG=trace keywright {command}"));
        assert_eq!(done.status, 0, "{done:?}");
        said += &(done.out + &done.err);
        values.push(fs::read_to_string(client.token_file(&shell)).unwrap());
    }

    for value in values {
        // Behind brand, kind and the four digits that may be seen.
        let hidden = &value.trim()[11..];
        assert!(!said.contains(hidden));
        for file in files(shell.home()) {
            let bytes = fs::read(&file).unwrap();
            let is_there = bytes
                .windows(hidden.len())
                .any(|piece| piece == hidden.as_bytes());
            assert!(
                !is_there || file == client.token_file(&shell),
                "{}",
                file.display()
            );
        }
    }
    shell.ok("keywright disconnect cursor");
    assert!(!client.token_file(&shell).exists());
}

#[test]
fn two_stores_in_one_folder_do_not_share_a_token() {
    let (shell, zed) = (Shell::new(), client("zed"));
    zed.has(&shell, Some(zed.written));
    zed.connect(&shell, "");

    zed.connect(&shell, "--store keywright/notes.db");

    let files = fs::read_dir(beside(&shell.store(), "clients")).unwrap();
    assert_eq!(files.count(), 4);
    assert_eq!(zed.row(&shell)["connected"], false);
    assert_eq!(tokens(&shell)[0].1, "active");
    // What stood there before comes back, and it is still good.
    shell.ok("keywright disconnect zed --store keywright/notes.db");
    assert_eq!(zed.row(&shell)["connected"], true);
}

#[test]
fn words_that_make_no_sense_are_misuse_and_change_nothing() {
    let (shell, client) = (Shell::new(), client("cursor"));
    let path = client.has(&shell, Some(client.written));
    for words in [
        "",
        "nobody",
        "cursor --list",
        "cursor --print --dry-run",
        "cursor --scopes NO",
        "cursor --grant read:tokens",
        "cursor --expires soon",
        "cursor --store 'a$b/store.db'",
    ] {
        let Done { status, out, err } = shell.run(&format!("keywright connect {words}"));
        assert_eq!((status, out.as_str()), (2, ""), "{words}: {err}");
        assert_eq!(fs::read_to_string(&path).unwrap(), client.written);
    }
    nothing_was_made(&shell);
}

#[test]
fn clients_are_looked_for_where_they_say_that_they_are() {
    for (variable, name, file) in [
        ("XDG_CONFIG_HOME", "zed", "own/zed/settings.json"),
        ("CODEX_HOME", "codex", "own/config.toml"),
        ("CLAUDE_CONFIG_DIR", "claude-code", "own/.claude.json"),
        ("GEMINI_CLI_HOME", "gemini", "own/.gemini/settings.json"),
    ] {
        let shell = Shell::new();
        let path = shell.home().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();

        shell.ok(&format!("{variable}=$PWD/own keywright connect {name}"));

        assert!(path.is_file(), "{variable}");
    }
}
