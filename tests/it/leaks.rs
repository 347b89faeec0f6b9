//! A value leaves in the answer that is for it, and is nowhere else: in no line of a log at its
//! most talkative, no error, no page of the store, no file beside it.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use keywright::{
    authority::{For, SetCliToken},
    authz::{Credential, Request},
    domain::{
        audit::Front,
        claim::ClaimCode,
        cli_token::SecretValue,
        credential::{Brand, HashedToken, PlainToken},
        scope::Scopes,
        token::Kind,
    },
};
use serde_json::{Value, json};

use crate::{
    mcp::{
        process::{Home, Session},
        shown::is_code,
    },
    support::{TestApp, bearer, carrying, local_with, mistyped, operator},
};

/// So much of a value in a row gives it away. What may be seen of one is shorter.
const TOO_MUCH: usize = 12;

/// Values, by every piece of them that is too much.
#[derive(Default)]
struct Secrets {
    pieces: HashMap<Vec<u8>, &'static str>,
}

impl Secrets {
    /// A value of ours: the 49 digits behind brand and kind.
    fn token(&mut self, name: &'static str, value: &str) -> String {
        let digits = value.rsplit('_').next().unwrap();
        assert_eq!(digits.len(), 49);
        self.any(name, digits);
        value.to_owned()
    }

    /// A claim code, in the ways in which it is written.
    fn code(&mut self, name: &'static str, code: &str) -> String {
        assert!(is_code(code), "{code}");
        self.any(name, code);
        self.any(name, &code.replace('-', ""));
        code.to_owned()
    }

    /// Anything.
    fn any(&mut self, name: &'static str, value: &str) {
        for piece in value.as_bytes().windows(TOO_MUCH) {
            self.pieces.insert(piece.to_owned(), name);
        }
    }

    /// Those that are in `bytes`.
    fn found_in(&self, bytes: &[u8]) -> HashSet<&'static str> {
        // Most windows hold a byte that no value has.
        let of_a_value = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        let runs = bytes.split(|byte| !of_a_value(byte));
        let windows = runs.flat_map(|run| run.windows(TOO_MUCH));
        windows
            .filter_map(|window| self.pieces.get(window).copied())
            .collect()
    }
}

/// Every file below `folder`, but for those in `allowed`.
fn files(folder: &Path, allowed: &[PathBuf]) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| !allowed.contains(path))
        .flat_map(|path| {
            if path.is_dir() {
                files(&path, allowed)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// What is where it should not be: `file: value`.
fn leaks(home: &Home, secrets: &Secrets, allowed: &[PathBuf]) -> String {
    let mut found = String::new();
    for path in files(home.folder(), allowed) {
        // A file that has gone again holds nothing.
        for name in secrets.found_in(&fs::read(&path).unwrap_or_default()) {
            writeln!(found, "{}: {name}", path.display()).unwrap();
        }
    }
    found
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// An id that is nothing's.
const ID: &str = "0198c1c0-0000-7000-8000-000000000000";

/// Everything that a session may be given in the wrong place.
fn paste(session: &mut Session, stray: &str) {
    for (tool, arguments) in [
        ("get_token", json!({ "id": stray })),
        ("delete_token", json!({ "id": stray })),
        ("create_token", json!({ "label": stray.repeat(5) })),
        (
            "create_token",
            json!({ "label": format!("{stray}\u{200b}") }),
        ),
        ("create_token", json!({ "label": [stray] })),
        ("create_token", json!({ "label": "x", stray: true })),
        ("create_token", json!({ "label": "x", "value": stray })),
        ("create_token", json!({ "label": "x", "scopes": [stray] })),
        ("create_token", json!({ "label": "x", "scopes": stray })),
        ("create_token", json!({ "label": "x", "expires": stray })),
        ("create_token", json!({ "label": "x", "deliver": stray })),
        (
            "create_token",
            json!({ "label": "x", "idempotency_key": format!("{stray} ") }),
        ),
        (
            "create_token",
            json!({ "label": "x", "idempotency_key": stray }),
        ),
        (
            "create_token",
            json!({ "label": "x", "idempotency_key": format!("nightly-{stray}") }),
        ),
        (
            "create_token",
            json!({ "label": format!("for {stray}, mine") }),
        ),
        ("update_token", json!({ "id": ID, "label": stray })),
        (
            "rotate_token",
            json!({ "id": ID, "idempotency_key": stray }),
        ),
        ("update_token", json!({ "id": ID, "scopes": [stray] })),
        ("rotate_token", json!({ "id": ID, "overlap": stray })),
        ("create_token", json!({ "label": stray })),
        ("list_tokens", json!({ "query": stray })),
        ("list_tokens", json!({ "cursor": stray })),
        ("list_tokens", json!({ "state": stray })),
        ("list_tokens", json!({ "unused_for": stray })),
        ("list_app_envs", json!({ "cursor": stray })),
        ("reveal_app_env_token", json!({ "env_name": stray })),
        ("reveal_app_env_token", json!({ "app_env_id": stray })),
        ("reveal_user_token", json!({ "token": stray })),
        ("whoami", json!({ "token": stray })),
        ("list_audit_records", json!({ "token_id": stray })),
        ("list_audit_records", json!({ "since": stray })),
        ("list_audit_records", json!({ "action": stray })),
    ] {
        session.refused(tool, arguments);
    }
    for (method, params) in [
        ("tools/call", json!({ "name": stray, "arguments": {} })),
        (
            "tools/call",
            json!({ "name": "whoami", "arguments": stray }),
        ),
        ("tools/call", json!({ "name": [stray] })),
        ("tools/list", json!({ "cursor": stray })),
        (stray, json!({})),
        ("resources/read", json!({ "uri": stray })),
    ] {
        session.ask(method, params);
        assert!(session.answer()["error"].is_object());
    }
    session.say(&json!({ "jsonrpc": "2.0", "method": stray, "params": {} }));
    session.say(&json!({ "jsonrpc": stray, "id": 1, "method": "ping" }));
    session.answer();
    session.say(&Value::String(stray.into()));
    session.answer();
}

const EVERYTHING: &str = "read:tokens write:tokens delete:tokens read:secrets read:envs read:audit";

const IMPORTED: &str = "imported-6f1d2c3b4a5968778695a4b3c2d1e0f9-by-hand";

/// People make, import and show values at the shell. The one that is made is for an agent.
fn people_begin(home: &Home, secrets: &mut Secrets) -> String {
    let agent = home.token(EVERYTHING);
    home.forget_output();
    secrets.token("the agent's", &agent);
    secrets.any("the imported one", IMPORTED);
    home.production();
    let set = ["cli-token", "set", "--env", "production", "--stdin"];
    let set = home.shell_with(&set, IMPORTED.as_bytes());
    assert!(set.status.success());
    home.json(&["cli-token", "set"]);
    let shown = home.shell(&["cli-token", "show", "--to", "stdout"]);
    home.forget_output();
    let shown = String::from_utf8(shown.stdout).unwrap();
    secrets.token("the user's", shown.trim());
    agent
}

/// A person picks values up, into a file and into a pipe, and comes once too often.
fn a_person_claims(home: &Home, secrets: &mut Secrets, file: &Path, codes: [&str; 2]) {
    let to = format!("file:{}", file.display());
    assert!(
        home.shell(&["claim", codes[0], "--to", &to])
            .status
            .success()
    );
    let claimed = fs::read_to_string(file).unwrap();
    secrets.token("the claimed one", claimed.trim());
    let piped = home.shell(&["claim", codes[1], "--to", "stdout"]);
    home.forget_output();
    let piped = String::from_utf8(piped.stdout).unwrap();
    secrets.token("the piped one", piped.trim());
    let again = home.shell(&["claim", codes[0], "--to", "stdout"]);
    assert!(!again.status.success());
    home.json(&["claim"]);
}

/// Puts a program into the folder `bin` that keeps what it is told, and prints it when asked.
fn keeper(home: &Home, name: &str, asked: &str) -> PathBuf {
    let bin = home.folder().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let kept = home.folder().join(format!("{name}.kept"));
    let script = format!(
        "#!/bin/sh\nPATH=/usr/bin:/bin\ncase \"$*\" in {asked}) cat {kept} ;; *) cat > {kept} ;; esac\n",
        kept = kept.display()
    );
    fs::write(bin.join(name), script).unwrap();
    fs::set_permissions(bin.join(name), Permissions::from_mode(0o755)).unwrap();
    kept
}

/// People put values where programs find them. The files in which values are from here on.
fn values_go_to_programs(home: &Home, secrets: &mut Secrets) -> Vec<PathBuf> {
    let file = |name: &str| home.folder().join(name);
    let (token, dotenv, given) = (file("token"), file("dotenv"), file("given"));
    let [secret, clip] = [
        keeper(
            home,
            "secret-tool",
            "\"lookup service keywright account notes\"",
        ),
        keeper(home, "xclip", "*-out"),
    ];
    let create = |label: &str, to: String| {
        let mut command = home.command(&["token", "create", label, "--to", &to]);
        command.env("PATH", file("bin")).env("DISPLAY", ":7");
        // The clipboard would be cleared after this test.
        command.args(["--clear-after", "0"]);
        let bus = "unix:path=/nowhere";
        let done = command
            .env("DBUS_SESSION_BUS_ADDRESS", bus)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{said}");
        assert!(
            !said.contains("kw_pat_") && done.stdout.is_empty(),
            "{said}"
        );
    };
    create("in a token file", format!("token-file:{}", token.display()));
    create(
        "in a line",
        format!("dotenv:{}#NOTES_TOKEN", dotenv.display()),
    );
    create("in a keychain", "keychain:notes".to_owned());
    create("in a clipboard", "clipboard".to_owned());
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let line = |path: &Path| read(path).trim().to_owned();
    secrets.token("the one before", &line(&token));
    secrets.token("the one in a line", &line(&dotenv));
    secrets.token("the one in a keychain", &line(&secret));
    let id = home.json(&["token", "list", "--query", "in a token file"])["tokens"][0]["id"].take();
    let to = format!("token-file:{}", token.display());
    assert!(
        home.shell(&["token", "rotate", text(&id), "--to", &to])
            .status
            .success()
    );
    secrets.token("the one in a token file", &line(&token));
    let keep = format!("echo $RUN_TOKEN > {}", given.display());
    let run = [
        "run",
        "--token",
        "job=RUN_TOKEN",
        "--",
        "/bin/sh",
        "-c",
        &keep,
    ];
    assert!(home.shell(&run).status.success());
    secrets.token("the one of a run", &line(&given));
    vec![token, dotenv, given, secret, clip]
}

/// Values that are none of this store's are presented, and pasted where they do not belong.
fn values_go_astray(home: &Home, secrets: &mut Secrets) -> String {
    let stray = PlainToken::generate(&Brand::default(), Kind::Pat);
    let stray = secrets.token("the stray one", stray.expose());
    let broken = mistyped(&stray);
    let other = "correct-horse-battery-staple-42";
    secrets.any("the other one", other);
    for presented in [&stray, &broken, other] {
        let mut nobody = home.with_token(presented, &[]);
        nobody.refused("whoami", json!({}));
        nobody.refused("get_token", json!({ "id": stray }));
        nobody.refused("create_token", json!({ "label": "x", &stray: true }));
        nobody.close();
    }
    let mut session = home.local(&["--scopes", EVERYTHING]);
    paste(&mut session, &stray);
    session.close();
    let named = |begin: &str| format!("{begin}{stray}");
    for arguments in [
        &["claim", &stray, "--to", "stdout"][..],
        &["token", "create", "x", "--to", &named("dotenv:x#")],
        &[
            "token",
            "create",
            "x",
            "--to",
            &named("dotenv:/nowhere/"),
            "--dry-run",
        ],
        &["token", "create", "x", "--to", &named("keychain:")],
        &["token", "create", "x", "--to", &named("file:/nowhere/")],
        &[
            "token",
            "create",
            "x",
            "--to",
            &named("token-file:/nowhere/"),
        ],
        &["run", "--token", &stray, "--", "true"],
        &["run", "--token", &named("x="), "--", "true"],
        &["run", "--token", "x=X", "--", &stray],
        &["run", "--cli-token", &named("env:"), "--", "true"],
        &["token", "show", &stray],
        &["token", "revoke", &stray],
        &["token", "create", &stray, "--to", "stdout"],
        &["token", "create", &stray, "--claim"],
        &["token", "update", ID, "--label", &stray],
        &["token", "list", "--query", &stray],
        &["token", "create", "x", "--user", &stray, "--claim"],
        &["token", "create", "x", "--to", &stray],
        &["user", "add", &stray],
        &["user", "add", "bob", "--email", &stray],
        &["user", "deactivate", &stray],
        &["env", "create", &stray],
        &["env", "create", "x", "--cli-env-name", &stray],
        &["env", "delete", &stray],
        &["account", "add", &stray],
        &["account", "add", "acme", "--name", &stray],
        &["audit", "list", "--action", &stray],
        &["mcp", "--local", "--grant", &stray],
        &["token", "create", "x", "--scopes", &stray],
        &["token", "create", "x", "--expires", &stray],
        &["token", "list", "--cursor", &stray],
        &["cli-token", "show", "--env", &stray],
        &["member", "set", &stray, "admin"],
        &["token", "list", "--user", &stray],
        &["audit", "list", "--token", &stray],
        &["token", "list", "--account", &stray],
        &[&stray],
        &["mcp", &stray],
        &["token", "list", "--limit", &stray],
        &["user", "add", "bob", "--role", &stray],
    ] {
        assert!(!home.shell(arguments).status.success(), "{arguments:?}");
    }
    stray
}

#[test]
fn no_value_is_anywhere_but_in_the_answer_that_is_for_it() {
    let home = Home::that_logs(Some("trace"));
    let mut secrets = Secrets::default();
    let agent = people_begin(&home, &mut secrets);
    let mut session = home.with_token(&agent, &[]);
    let mut create = |label: &str, deliver: &str| {
        let arguments = json!({ "label": label, "deliver": deliver });
        session.done("create_token", arguments)
    };

    let inline = secrets.token("the inline one", text(&create("x", "inline")["token"]));
    let claimed = create("claimed", "claim");
    let code = secrets.code("the code", text(&claimed["claim"]["code"]));
    let second = create("piped", "claim")["claim"].take();
    let second = secrets.code("the second code", text(&second["code"]));
    let waiting = create("waiting", "claim")["claim"].take();
    secrets.code("the code that waits", text(&waiting["code"]));
    let file = home.folder().join("claimed");
    a_person_claims(&home, &mut secrets, &file, [&code, &second]);
    let rotate = json!({ "id": claimed["id"], "deliver": "inline", "overlap": "1h" });
    let rotated = session.done("rotate_token", rotate);
    let rotated = secrets.token("the rotated one", text(&rotated["token"]));
    session.done("list_tokens", json!({ "state": "all" }));
    session.done("list_audit_records", json!({ "limit": 200 }));
    session.done("whoami", json!({}));
    session.done("reveal_user_token", json!({}));
    let revealed = session.done("reveal_app_env_token", json!({ "env_name": "production" }));
    assert_eq!(revealed["token"], IMPORTED);
    home.with_token(&inline, &[]).done("whoami", json!({}));
    let programs = values_go_to_programs(&home, &mut secrets);
    let stray = values_go_astray(&home, &mut secrets);
    // An answer repeats the id of its request, and nothing else does.
    let mut echo = home.local(&[]);
    for method in ["tools/call", "tools/list", "resources/read", "ping", "none"] {
        let params = json!({ "name": "none", "cursor": "none", "uri": "none" });
        echo.say(&json!({ "jsonrpc": "2.0", "id": stray, "method": method, "params": params }));
        assert_eq!(echo.answer()["id"], stray);
    }

    // While processes run, and after they have ended.
    let mut allowed = vec![
        file,
        session.answers().to_owned(),
        echo.answers().to_owned(),
    ];
    allowed.extend(programs);
    assert_eq!(leaks(&home, &secrets, &allowed), "");
    let answers = fs::read_to_string(session.answers()).unwrap();
    session.close();
    echo.close();
    assert_eq!(leaks(&home, &secrets, &allowed), "");

    // What is shown once was in one answer.
    for value in [&inline, &rotated, &code, &second] {
        let lines = answers.lines().filter(|line| line.contains(value));
        assert_eq!(lines.count(), 1);
    }
    let claimed = fs::read_to_string(&allowed[0]).unwrap();
    assert!(!answers.contains(&agent) && !answers.contains(claimed.trim()));
    // The log was one at all.
    assert!(home.said("err").iter().any(|(_, bytes)| !bytes.is_empty()));
}

#[test]
fn a_search_finds_what_is_there() {
    let mut secrets = Secrets::default();
    let value = PlainToken::generate(&Brand::default(), Kind::Pat);
    let value = secrets.token("it", value.expose());

    let prefix = format!("prefix: {}", &value[..11]);
    let part = format!("\0\u{1}{}\0", &value[30..42]);

    assert!(secrets.found_in(prefix.as_bytes()).is_empty());
    assert!(secrets.found_in(part.as_bytes()).contains("it"));
    assert!(secrets.found_in(value.as_bytes()).contains("it"));
}

#[tokio::test]
async fn nothing_that_holds_a_value_shows_it() {
    let mut secrets = Secrets::default();
    let plain = PlainToken::generate(&Brand::default(), Kind::Cli);
    let value = secrets.token("the value", plain.expose());
    let code = ClaimCode::generate();
    secrets.code("the code", &code.expose());
    let app = TestApp::new().await;
    let who = local_with("write:tokens read:secrets");
    let waits = app.create(&who, carrying("")).await.unwrap();
    secrets.code("its code", &crate::support::code(&waits));
    let inline = keywright::authority::NewToken {
        deliver: keywright::authority::Deliver::Inline,
        ..carrying("")
    };
    let minted = app.create(&who, inline).await.unwrap();
    secrets.token("its value", &crate::support::value(&minted));
    app.set_cli_token(For::Me, "").await;
    let revealed = app
        .authority
        .reveal_cli_token(&operator(), For::Me)
        .await
        .unwrap();
    secrets.token("the CLI token", revealed.value.expose());
    let set = SetCliToken {
        of: For::Me,
        scopes: Scopes::default(),
        imported: Some(PlainToken::imported(&value)),
    };
    let request = Request::new(Credential::bearer(&value, None), Front::Mcp);

    let shown = format!(
        "{plain:?} {code:?} {:?} {:?} {waits:?} {minted:?} {revealed:?} {set:?} {request:?} {:#?}",
        SecretValue::new(&value),
        HashedToken::of(&value),
        bearer(&value),
    );

    assert_eq!(
        secrets.found_in(shown.as_bytes()),
        HashSet::new(),
        "{shown}"
    );
}
