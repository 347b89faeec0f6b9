//! Several real processes on one store, and what is left when one of them is gone.

use std::{collections::HashSet, fs, process::Command, thread};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::mcp::process::{Home, Session, ended_by, eventually};

/// The id of the token that a session was given.
fn own_id(session: &mut Session) -> String {
    let who = session.done("whoami", json!({}));
    who["current_token"]["id"].as_str().unwrap().to_owned()
}

/// Every token there is, by a fresh process: its id, and its state.
fn all_tokens(home: &Home) -> Vec<(String, String)> {
    let mut tokens = Vec::new();
    let mut cursor = String::new();
    loop {
        let list = [
            "token",
            "list",
            "--everyone",
            "--state",
            "all",
            "--limit",
            "200",
        ];
        let more = ["--cursor", &cursor];
        let page = home.json(&[&list[..], if cursor.is_empty() { &[] } else { &more }].concat());
        let field = |token: &Value, name| token[name].as_str().unwrap().to_owned();
        let rows = page["tokens"].as_array().unwrap().iter();
        tokens.extend(rows.map(|token| (field(token, "id"), field(token, "state"))));
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return tokens,
        }
    }
}

#[test]
fn what_one_process_deletes_the_other_refuses_at_its_next_call() {
    let home = Home::new();
    let mut agent = home.with_token(&home.token("read:tokens"), &[]);
    let id = own_id(&mut agent);
    let mut person = home.local(&[]);

    person.done("delete_token", json!({ "id": id }));

    assert_eq!(agent.code("list_tokens", json!({})), "unauthenticated");
    assert_eq!(agent.code("whoami", json!({})), "unauthenticated");
    assert!(agent.result("tools/list", json!({}))["tools"].is_array());
    agent.close();
    person.close();
}

#[test]
fn what_one_process_disables_and_enables_the_other_follows() {
    let home = Home::new();
    let mut agent = home.with_token(&home.token(""), &[]);
    let id = own_id(&mut agent);

    home.json(&["token", "update", &id, "--disable"]);
    assert_eq!(agent.code("whoami", json!({})), "unauthenticated");

    home.json(&["token", "update", &id, "--enable"]);
    agent.done("whoami", json!({}));
}

#[test]
fn eight_processes_that_create_at_once_all_succeed() {
    const EACH: usize = 8;
    let home = Home::new();

    let made: HashSet<String> = thread::scope(|scope| {
        let processes: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut session = home.local(&[]);
                    for number in 0..EACH {
                        let arguments = json!({ "label": format!("token {number}") });
                        let call = json!({ "name": "create_token", "arguments": arguments });
                        session.ask("tools/call", call);
                    }
                    let answers: Vec<_> = (0..EACH).map(|_| session.answer()).collect();
                    session.close();
                    answers
                })
            })
            .collect();
        let answers = processes.into_iter().flat_map(|made| made.join().unwrap());
        answers.map(|answer| id(&answer)).collect()
    });

    assert_eq!(made.len(), 8 * EACH);
    let kept: HashSet<_> = all_tokens(&home).into_iter().map(|(id, _)| id).collect();
    assert_eq!(kept, made);
    home.is_sound();
}

#[test]
fn what_was_acknowledged_outlives_a_kill() {
    let home = Home::new();
    let mut created = Vec::new();
    let mut deleted = HashSet::new();

    for round in 0..10 {
        let mut session = home.local(&[]);
        let mut doomed = Vec::new();
        for number in 0..40 {
            // Every other call ends a token of the round before.
            match created.get(created.len().wrapping_sub(number)) {
                Some(id) if number % 2 == 1 && !deleted.contains(id) => {
                    doomed.push(String::clone(id));
                    call(&mut session, "delete_token", json!({ "id": id }));
                }
                Some(_) | None => call(&mut session, "create_token", json!({ "label": "x" })),
            }
        }
        let mut answers: Vec<_> = (0..=round).map(|_| session.answer()).collect();
        session.signal(Signal::SIGKILL);
        assert!(ended_by(session.end(), Signal::SIGKILL));
        answers.extend(std::iter::from_fn(|| session.late_answer()));

        for id in answers.iter().map(id) {
            if doomed.contains(&id) {
                deleted.insert(id);
            } else {
                created.push(id);
            }
        }
    }

    let kept = all_tokens(&home);
    let lost = created
        .iter()
        .filter(|id| !kept.iter().any(|(kept, _)| kept == *id));
    assert_eq!(lost.count(), 0);
    let ended = kept.iter().filter(|(_, state)| state == "revoked");
    let ended: HashSet<_> = ended.map(|(id, _)| id.clone()).collect();
    assert!(deleted.is_subset(&ended), "a deletion was undone");
    assert!(created.len() >= 10 && !deleted.is_empty());
    home.is_sound();
}

fn call(session: &mut Session, tool: &str, arguments: Value) {
    let mut params = json!({ "name": tool });
    params["arguments"] = arguments;
    session.ask("tools/call", params);
}

/// The id in an answer that is none of a refusal.
fn id(answer: &Value) -> String {
    let id = answer["result"]["structuredContent"]["id"].as_str();
    id.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[test]
fn a_value_is_good_after_a_restart_and_a_deletion_holds() {
    let home = Home::new();
    let (good, ended) = (home.token("read:tokens"), home.token(""));
    let mut session = home.with_token(&ended, &[]);
    let id = own_id(&mut session);
    session.close();
    home.json(&["token", "revoke", &id]);

    for _ in 0..2 {
        let mut session = home.with_token(&good, &[]);
        session.done("list_tokens", json!({}));
        session.close();
        let mut session = home.with_token(&ended, &[]);
        assert_eq!(session.code("whoami", json!({})), "unauthenticated");
        session.close();
    }
}

#[test]
fn a_first_use_is_seen_by_its_process_at_once_and_by_others_soon() {
    let home = Home::new();
    let mut agent = home.with_token(&home.token("read:tokens"), &[]);
    let mut person = home.local(&[]);

    let own = agent.done("whoami", json!({}));
    let id = own["current_token"]["id"].clone();

    assert!(own["current_token"]["last_used_at"].is_string(), "{own}");
    let seen = eventually(|| {
        let token = person.done("get_token", json!({ "id": id }));
        token["last_used_at"].as_str().map(str::to_owned)
    });
    assert!(*seen >= *own["current_token"]["last_used_at"].as_str().unwrap());
}

#[test]
fn the_last_use_is_written_down_before_a_clean_end() {
    let home = Home::new();
    let mut agent = home.with_token(&home.token(""), &[]);
    let id = own_id(&mut agent);
    let used = agent.done("whoami", json!({}))["current_token"]["last_used_at"].take();

    agent.close();

    let token = home.json(&["token", "show", &id]);
    assert_eq!(token["last_used_at"], used);
}

#[test]
fn a_signal_ends_a_session_cleanly_and_nothing_is_lost() {
    let home = Home::new();
    let mut session = home.local(&[]);
    let made = session.done("create_token", json!({ "label": "x" }));

    session.signal(Signal::SIGTERM);

    assert_eq!(session.end().code(), Some(0), "{}", session.log());
    assert_eq!(session.log(), "");
    assert_eq!(all_tokens(&home)[0].0, made["id"].as_str().unwrap());
}

#[test]
fn a_person_who_is_switched_off_is_refused_at_the_next_call() {
    let home = Home::new();
    home.json(&["user", "add", "bob"]);
    let mut bob = home.with_token(&home.token_of("", &["--user", "bob"]), &[]);
    bob.done("whoami", json!({}));

    home.json(&["user", "deactivate", "bob"]);
    assert_eq!(bob.code("whoami", json!({})), "unauthenticated");

    home.json(&["user", "activate", "bob"]);
    bob.done("whoami", json!({}));
}

#[test]
fn a_role_that_is_taken_away_is_missed_at_the_next_call() {
    let home = Home::new();
    home.json(&["user", "add", "bob", "--role", "admin"]);
    home.production();
    home.json(&["cli-token", "set", "--env", "production"]);
    let mut bob = home.with_token(&home.token_of("read:secrets", &["--user", "bob"]), &[]);
    let reveal = json!({ "env_name": "production" });
    bob.done("reveal_app_env_token", reveal.clone());

    home.json(&["member", "set", "bob", "member"]);

    assert_eq!(bob.code("reveal_app_env_token", reveal), "forbidden");
}

#[test]
fn a_local_session_with_a_token_is_misuse() {
    let home = Home::new();
    let token = home.token("");

    let mut command = home.command(&["mcp", "--local"]);
    let output = command.env("KEYWRIGHT_TOKEN", &token).output().unwrap();

    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert_eq!(output.stdout, b"");
    assert!(!errors.contains(&token[..20]));
    insta::assert_snapshot!(errors, @r#"error: `--local` serves the local user, and `KEYWRIGHT_TOKEN` names a token: give one of the two"#);
}

#[test]
fn a_session_of_nobody_lists_its_tools_and_refuses_every_call() {
    let home = Home::new();
    for token in [None, Some(""), Some("hunter2"), Some("kw_pat_short")] {
        let mut session = home.session(token, &[]);

        let tools = session.result("tools/list", json!({}))["tools"].take();
        for tool in tools.as_array().unwrap() {
            let tool = tool["name"].as_str().unwrap();
            assert_eq!(session.code(tool, json!({})), "unauthenticated", "{tool}");
        }

        assert_eq!(tools.as_array().unwrap().len(), 11);
        session.close();
    }
}

#[test]
fn a_session_that_was_narrowed_holds_no_more() {
    let home = Home::new();
    let token = home.token("read:tokens write:tokens notes:read");
    let mut session = home.with_token(&token, &["--scopes", "read:tokens delete:tokens"]);

    let who = session.done("whoami", json!({}));

    assert_eq!(who["scopes"], json!(["read:tokens"]));
    let create = json!({ "label": "x" });
    assert_eq!(session.code("create_token", create), "insufficient_scope");
}

#[test]
fn a_local_session_gives_on_the_service_scopes_that_it_was_granted() {
    let home = Home::new();
    let create = |scope: &str| json!({ "label": "x", "scopes": [scope] });
    let mut granted = home.local(&["--grant", "notes:read"]);
    let mut usual = home.local(&[]);

    granted.done("create_token", create("notes:read"));
    usual.done("create_token", create("notes:write"));

    assert_eq!(
        granted.code("create_token", create("notes:write")),
        "scope_escalation"
    );
    for session in [&mut granted, &mut usual] {
        assert_eq!(
            session.code("create_token", create("read:secrets")),
            "scope_escalation"
        );
    }
}

#[test]
fn what_is_granted_is_no_scope_of_ours() {
    let home = Home::new();

    let output = home.shell(&["mcp", "--local", "--grant", "notes:read read:secrets"]);

    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), &*output.stdout), (Some(2), &b""[..]));
    assert!(
        errors.contains("`read:secrets`") && errors.contains("`--scopes`"),
        "{errors}"
    );
}

#[test]
fn without_the_vault_key_everything_else_goes_on() {
    let home = Home::new();
    home.json(&["cli-token", "set"]);
    let mut running = home.local(&["--scopes", "read:secrets"]);
    running.done("reveal_user_token", json!({}));
    let key = home.store().with_file_name("vault.key");
    let kept = fs::read(&key).unwrap();

    fs::remove_file(&key).unwrap();
    let mut session = home.local(&["--scopes", "read:secrets read:tokens write:tokens"]);
    let text = session.refused("reveal_user_token", json!({}));
    session.done("create_token", json!({ "label": "x" }));
    session.done("list_tokens", json!({}));

    let name = key.display().to_string();
    insta::assert_snapshot!(text.replace(&name, "[the key]"), @r#"unavailable: the vault key `[the key]` is missing, and there are values sealed with it; put the file back, or name it with `--key-file`. You can: go on without it; tokens that are not revealed work as before. Only the person can: put the right vault key back."#);
    assert!(
        !key.exists(),
        "a new key was made beside what an old one sealed"
    );
    fs::write(&key, kept).unwrap();
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    session.done("reveal_user_token", json!({}));
}

/// Puts a copy in the place of the store's folder, while processes have the old one open.
fn replace(home: &Home) {
    let folder = home.store().parent().unwrap().to_owned();
    let away = folder.with_extension("away");
    fs::rename(&folder, &away).unwrap();
    let copy = Command::new("cp")
        .arg("-Rp")
        .args([&away, &folder])
        .status();
    assert!(copy.unwrap().success());
}

#[test]
fn a_store_that_was_put_in_the_place_of_ours_is_not_taken_for_it() {
    let home = Home::new();
    let token = home.token("read:tokens write:tokens");
    let mut running = home.with_token(&token, &[]);
    let id = own_id(&mut running);

    replace(&home);
    home.json(&["token", "revoke", &id]);

    for tool in ["whoami", "list_tokens", "create_token"] {
        let arguments = if tool == "create_token" {
            json!({ "label": "x" })
        } else {
            json!({})
        };
        assert_eq!(running.code(tool, arguments), "unavailable", "{tool}");
    }
    let text = running.refused("whoami", json!({}));
    assert!(text.contains("restart this server"), "{text}");
    assert!(
        running
            .log()
            .contains("another file was put in the store's place"),
        "{}",
        running.log()
    );
    let mut restarted = home.with_token(&token, &[]);
    assert_eq!(restarted.code("whoami", json!({})), "unauthenticated");
    restarted.close();
    home.is_sound();
}

#[test]
fn a_restart_on_a_store_that_was_put_in_the_place_of_ours_works() {
    let home = Home::new();
    let mut running = home.local(&[]);
    let made = running.done("create_token", json!({ "label": "x" }));
    replace(&home);
    assert_eq!(running.code("list_tokens", json!({})), "unavailable");
    running.signal(Signal::SIGTERM);
    running.end();

    let mut restarted = home.local(&[]);

    let token = restarted.done("get_token", json!({ "id": made["id"] }));
    assert_eq!(token["label"], "x");
    restarted.close();
    home.is_sound();
}

#[test]
fn a_store_that_is_away_is_unavailable_until_it_is_back() {
    let home = Home::new();
    let mut running = home.local(&[]);
    running.done("create_token", json!({ "label": "x" }));
    let folder = home.store().parent().unwrap().to_owned();
    let away = folder.with_extension("away");

    fs::rename(&folder, &away).unwrap();
    assert_eq!(running.code("list_tokens", json!({})), "unavailable");
    fs::rename(&away, &folder).unwrap();

    let listed = running.done("list_tokens", json!({}));
    assert_eq!(listed["tokens"][0]["label"], "x");
    running.close();
}
