//! The commands of the products' own documentation, host, token and id replaced, typed at a shell
//! with the real `curl` at the real server, with all four profiles on at once.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::{
    http::served::Served,
    mcp::process::{Home, eventually},
};

/// `keywright serve`, and whose it is.
struct Server {
    home: Home,
    served: Served,
}

impl Server {
    fn start(home: Home, profiles: &[&str]) -> Self {
        let flags: Vec<_> = profiles
            .iter()
            .flat_map(|name| ["--profile", name])
            .collect();
        let served = Served::at(&home, &flags);
        Self { home, served }
    }

    /// Types `command` for this server, where `documented` is another: the status, and the body.
    fn curl(&self, command: &str, documented: &str) -> (u16, Value) {
        let host = format!("http://{}", self.served.address);
        assert!(command.contains(documented), "{command}");
        let typed = command.replace(documented, &host);
        let typed = format!("{typed} -s -w '\\n%{{http_code}}'");
        let output = Command::new("sh").arg("-c").arg(&typed).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{typed}: {errors}");
        let said = String::from_utf8(output.stdout).unwrap();
        let (body, status) = said.rsplit_once('\n').unwrap();
        let body = match body {
            "" => Value::Null,
            body => serde_json::from_str(body).unwrap(),
        };
        (status.parse().unwrap(), body)
    }
}

const ALL: [&str; 4] = ["spote", "spedy", "spherescout", "quave"];

/// The keys of an object, in the order in which they came.
fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value}"))
}

/// A time with seconds and a `Z`.
fn is_time(value: &Value) -> bool {
    let time = text(value);
    time.len() == 20 && time.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(time).is_ok()
}

#[test]
fn spotes_commands_get_the_answers_that_spote_documents() {
    let home = Home::new();
    let token = home.token("read:tokens write:tokens delete:tokens");
    let server = Server::start(home, &ALL);
    let curl = |command: &str| server.curl(command, "https://your-spote-app.com");

    let (created, made) = curl(&format!(
        r#"curl -X POST https://your-spote-app.com/api/settings/token \
  -H "Authorization: Bearer {token}" \
  -H "Content-Type: application/json" \
  -d '{{"label": "Claude Desktop"}}'"#
    ));
    let (listed, list) = curl(&format!(
        r#"curl https://your-spote-app.com/api/settings/token \
  -H "Authorization: Bearer {token}""#
    ));
    let id = text(&made["_id"]);
    let (deleted, nothing) = curl(&format!(
        r#"curl -X DELETE https://your-spote-app.com/api/settings/token/{id} \
  -H "Authorization: Bearer {token}""#
    ));
    let (refused, why) = curl(&format!(
        r#"curl https://your-spote-app.com/api/settings/token \
  -H "Authorization: Bearer {}""#,
        text(&made["token"])
    ));

    assert_eq!((created, listed, deleted), (201, 200, 204));
    assert_eq!(
        keys(&made),
        ["_id", "label", "created_at", "last_used_at", "token"]
    );
    assert_eq!(made["label"], "Claude Desktop");
    assert!(is_time(&made["created_at"]) && made["last_used_at"].is_null());
    assert!(text(&made["token"]).starts_with("spote_"));
    let [own, other] = list.as_array().unwrap().as_slice() else {
        panic!("{list}");
    };
    assert_eq!(keys(other), ["_id", "label", "created_at", "last_used_at"]);
    assert_eq!(
        (&other["_id"], &other["last_used_at"]),
        (&made["_id"], &Value::Null)
    );
    assert!(is_time(&own["last_used_at"]));
    assert_eq!(nothing, Value::Null);
    assert_eq!(
        (refused, why.to_string()),
        (401, r#"{"message":"Unauthorized"}"#.to_owned())
    );
}

#[test]
fn spedys_requests_get_the_answers_that_spedy_documents() {
    let home = Home::new();
    let token = home.token("read:tokens write:tokens delete:tokens");
    let server = Server::start(home, &ALL);
    // Its one command is for another path of its API; its requests are told as method, path, body.
    let curl = |method: &str, rest: &str| {
        let command = format!(
            r#"curl -H "Authorization: Bearer {token}" \
https://acme-corp.spedy.app/api/v1/me/tokens{rest} -X {method}"#
        );
        server.curl(&command, "https://acme-corp.spedy.app")
    };

    let body = r#" -H "Content-Type: application/json" -d '{"name": "CI Pipeline"}'"#;
    let (created, made) = curl("POST", body);
    let (listed, list) = curl("GET", "");
    let one = format!("/{}", text(&made["id"]));
    let (read, record) = curl("GET", &one);
    let (revoked, nothing) = curl("DELETE", &one);
    let (again, why) = curl("GET", &one);

    assert_eq!(
        (created, listed, read, revoked, again),
        (201, 200, 200, 204, 404)
    );
    assert_eq!(keys(&made), ["id", "name", "token", "createdAt"]);
    assert!(text(&made["token"]).starts_with("spedy_pat_"));
    assert_eq!(keys(&list), ["tokens"]);
    assert_eq!(
        keys(&list["tokens"][0]),
        ["id", "name", "lastUsedAt", "createdAt"]
    );
    assert_eq!(record, list["tokens"][0]);
    assert!(is_time(&record["createdAt"]) && record["lastUsedAt"].is_null());
    assert_eq!(nothing, Value::Null);
    assert_eq!(keys(&why), ["statusCode", "message", "error"]);
}

#[test]
fn spherescouts_keys_are_managed_as_spherescout_documents() {
    let home = Home::new();
    let token = home.token_of(
        "read:tokens write:tokens delete:tokens",
        &["--expires", "never"],
    );
    let server = Server::start(home, &ALL);
    let curl = |scheme: &str, rest: &str| {
        let command = format!(
            r#"curl -H "Authorization: {scheme} {token}" https://host/api/user/api-keys{rest}"#
        );
        server.curl(&command, "https://host")
    };

    let (created, made) = curl("Bearer", " -X POST");
    let until = r#" -H "Content-Type: application/json" -d '{"expiry": "2099-01-01T00:00:00Z"}'"#;
    let (ending, ends) = curl("Token", until);
    let (listed, list) = curl("Token", "");
    let one = format!("/{} -X DELETE", text(&made["api_key"]["id"]));
    let (revoked, nothing) = curl("Bearer", &one);

    assert_eq!((created, ending, listed, revoked), (201, 201, 200, 204));
    assert_eq!(keys(&made), ["token", "api_key"]);
    assert_eq!(
        keys(&made["api_key"]),
        ["id", "token_key", "created", "expiry"]
    );
    assert!(made["api_key"]["expiry"].is_null() && is_time(&made["api_key"]["created"]));
    assert_eq!(ends["api_key"]["expiry"], "2099-01-01T00:00:00Z");
    assert_eq!(list.as_array().unwrap().len(), 3);
    assert_eq!(keys(&list[0]), ["id", "token_key", "created", "expiry"]);
    assert!(text(&made["token"]).starts_with(text(&made["api_key"]["token_key"])));
    assert_eq!(nothing, Value::Null);
}

#[test]
fn quaves_commands_get_the_answers_that_quave_documents() {
    let home = Home::new();
    let token = home.token("read:secrets");
    home.json(&["cli-token", "set"]);
    let env = home.production();
    home.json(&["cli-token", "set", "--env", "production"]);
    let server = Server::start(home, &ALL);
    let curl = |path: &str| {
        let command = format!(
            "curl -X GET \\\n-H 'Authorization: {token}' \\\n'https://api.quave.cloud{path}'"
        );
        server.curl(&command, "https://api.quave.cloud")
    };

    let id = text(&env["id"]);
    let (user_status, user) = curl("/api/public/v1/user/token");
    let (env_status, by_id) = curl(&format!("/api/public/v1/app-env/token?appEnvId={id}"));
    let (_, by_name) = curl("/api/public/v1/app-env/token?envName=production");
    let (neither, _) = curl("/api/public/v1/app-env/token");

    assert_eq!((user_status, env_status, neither), (200, 200, 400));
    assert_eq!(
        keys(&user),
        ["token", "username", "email", "cliTokenGeneratedAt"]
    );
    let named = [
        "token",
        "appEnvId",
        "cliEnvName",
        "name",
        "cliTokenGeneratedAt",
    ];
    assert_eq!(keys(&by_id), named);
    assert_eq!(
        (&by_id["appEnvId"], &by_id["name"]),
        (&env["id"], &"Production".into())
    );
    assert_eq!(by_id, by_name);
    let made = text(&user["cliTokenGeneratedAt"]);
    assert_eq!((made.len(), made.ends_with('Z')), (24, true));
}

#[test]
fn a_value_of_a_profile_is_good_for_an_agent_until_it_is_deleted() {
    let home = Home::new();
    let token = home.token("read:tokens write:tokens delete:tokens");
    let server = Server::start(home, &ALL);
    let curl = |rest: &str| {
        let command = format!(
            r#"curl -H "Authorization: Bearer {token}" https://host/api/v1/me/tokens{rest}"#
        );
        server.curl(&command, "https://host")
    };
    let (_, made) = curl(r#" -H "Content-Type: application/json" -d '{"name": "agent"}'"#);
    let mut agent = server.home.with_token(text(&made["token"]), &[]);

    let who = agent.done("whoami", json!({}));
    curl(&format!("/{} -X DELETE", text(&made["id"])));

    assert_eq!(who["current_token"]["label"], "agent");
    assert_eq!(agent.code("whoami", json!({})), "unauthenticated");
    agent.close();
}

#[test]
fn a_request_in_flight_when_its_token_is_deleted_changes_nothing() {
    let home = Home::new();
    let token = home.token("read:tokens write:tokens delete:tokens");
    let server = Server::start(home, &["spote"]);
    let path = "https://host/api/settings/token";
    let with = |value: &str| format!(r#"-H "Authorization: Bearer {value}""#);
    let label = r#"-H "Content-Type: application/json" -d '{"label": "x"}'"#;
    let (_, made) = server.curl(
        &format!("curl {path} {} {label}", with(&token)),
        "https://host",
    );
    let (value, id) = (text(&made["token"]), text(&made["_id"]));
    let body = r#"{"label": "late"}"#;
    let mut wire = server.served.wire();
    wire.write(&format!(
        "POST /api/settings/token HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {value}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
        body.len(),
        &body[..8]
    ));

    let gone = format!("curl {path}/{id} {} -X DELETE", with(&token));
    let (deleted, _) = server.curl(&gone, "https://host");
    wire.write(&body[8..]);
    let (refused, why) = wire.answer();

    assert_eq!((deleted, refused), (204, 401));
    assert_eq!(why, r#"{"message":"Unauthorized"}"#);
    let list = server
        .home
        .json(&["token", "list", "--state", "all"])
        .to_string();
    assert!(!list.contains("late"));
}

#[test]
fn the_server_says_what_it_plays_and_never_a_value() {
    let home = Home::that_logs(Some("trace"));
    let token = home.token("read:tokens write:tokens delete:tokens");
    let server = Server::start(home, &ALL);
    let command = format!(
        r#"curl -X POST https://host/api/settings/token -H "Authorization: Bearer {token}" \
-H "Content-Type: application/json" -d '{{"label": "x"}}'"#
    );
    let (_, made) = server.curl(&command, "https://host");
    let value = text(&made["token"]).to_owned();
    // Somebody takes the value for the id.
    let command = format!(
        r#"curl -X DELETE https://host/api/settings/token/{value} -H "Authorization: Bearer {token}""#
    );
    let (absent, _) = server.curl(&command, "https://host");

    let log = eventually(|| {
        let files = server.home.said("err").into_iter();
        let log: String = files
            .map(|(_, said)| String::from_utf8(said).unwrap())
            .collect();
        let is_told = log.contains("path=\"/api/settings/token/{id}\"");
        is_told.then_some(log)
    });

    assert_eq!(absent, 404);
    for privileged in ["spote", "spedy", "spherescout"] {
        let line = log
            .lines()
            .find(|line| line.contains(&format!("profile=\"{privileged}\"")));
        let line = line.unwrap_or_else(|| panic!("{log}"));
        assert!(
            line.contains("WARN") && line.contains("without `read:secrets`"),
            "{line}"
        );
    }
    assert!(!log.contains(&value[10..]) && !log.contains(&token[11..]));
    let audit = server.home.json(&["audit", "list"]).to_string();
    assert!(audit.contains("through the profile `spote`") && !audit.contains(&value[10..]));
    server.home.is_sound();
    let folder = fs::read_dir(server.home.store().parent().unwrap()).unwrap();
    for file in folder.map(|file| file.unwrap().path()) {
        let kept = fs::read(&file).unwrap();
        let is_there = kept
            .windows(value.len() - 10)
            .any(|part| part == &value.as_bytes()[10..]);
        assert!(!is_there, "{}", file.display());
    }
}

#[test]
fn a_mistake_in_a_profile_is_told_at_start() {
    let home = Home::new();
    let path = home.folder().join("acme.toml");
    fs::write(&path, "name = \"acme\"\nstatus = 7\n").unwrap();
    let path = path.display().to_string();

    let output = home.shell(&["serve", "--listen", "127.0.0.1:0", "--profile", &path]);

    let said = String::from_utf8(output.stderr).unwrap();
    let begins = format!("error: {path}:2:1: unknown key `status`; a profile knows `name`, ");
    assert!(said.starts_with(&begins), "{said}");
    assert_eq!(output.status.code(), Some(2));
    assert!(!home.store().exists());
}
