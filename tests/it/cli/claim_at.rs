//! A value reaches a person on another machine: `claim --at` against the server that is shipped.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Child,
    sync::Arc,
    thread,
};

use tokio_rustls::rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use super::shell::Shell;

/// A server on one machine, whose operator types there; and another machine, of a person who has a
/// token in the file `mine`.
struct Machines {
    there: Shell,
    here: Shell,
    server: Child,
    at: String,
}

impl Machines {
    fn new() -> Self {
        Self::serving("")
    }

    /// The same, where the server is told something more.
    fn serving(more: &str) -> Self {
        let (there, here) = (Shell::new(), Shell::new());
        let scopes = "read:tokens read:secrets read:notes";
        let mine = there.ok(&format!(
            "keywright token create mine --scopes '{scopes}' --to stdout"
        ));
        hold(&here, "mine", &mine);
        let mut server = there.start(&format!("exec keywright serve --listen 127.0.0.1:0 {more}"));
        let mut said = BufReader::new(server.stderr.take().unwrap()).lines();
        let first = said.next().unwrap().unwrap();
        let at = first.strip_prefix("serving ").unwrap().to_owned();
        // What it says later is read too, so that it never waits to say it.
        thread::spawn(move || said.for_each(drop));
        Self {
            there,
            here,
            server,
            at,
        }
    }

    /// Something that waits on the other machine: its code.
    fn waiting(&self, label: &str) -> String {
        let made = self.there.ok(&format!(
            "keywright token create {label} --scopes read:notes --claim --json"
        ));
        let made: serde_json::Value = serde_json::from_str(&made).unwrap();
        made["claim"]["code"].as_str().unwrap().to_owned()
    }

    /// What is typed here to claim there.
    fn claim(&self, rest: &str) -> String {
        format!("keywright claim --at {} --token-file mine {rest}", self.at)
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

/// A file that is its owner's alone.
fn hold(shell: &Shell, name: &str, text: &str) {
    let path = shell.home().join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_value_that_waits_elsewhere_goes_into_a_file_here() {
    let machines = Machines::new();
    let code = machines.waiting("nightly");

    let done = machines
        .here
        .run(&machines.claim(&format!("{code} --to dotenv:.env#NOTES")));

    assert_eq!((done.status, &*done.out), (0, ""), "{done:?}");
    assert!(done.err.contains("nightly") && done.err.contains("is active until"));
    let value = machines.here.read(".env");
    assert!(value.starts_with("NOTES=kw_pat_"), "{value}");
    let listed = machines.there.ok("keywright token list --query nightly");
    assert!(listed.contains("active"), "{listed}");
    assert!(!machines.here.store().exists());
}

#[test]
fn who_asks_a_public_server_is_told_to_claim_there() {
    let machines = Machines::serving("--public-url https://tokens.example.com");
    let agent = machines
        .there
        .ok("keywright token create agent --scopes write:tokens --to stdout");
    let body = r#"{"label":"nightly"}"#;
    let at = machines.at.strip_prefix("http://").unwrap();

    let mut server = TcpStream::connect(at).unwrap();
    let head = format!(
        "POST /v1/tokens HTTP/1.1\r\nHost: tokens.example.com\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nAuthorization: Bearer {}\r\n\r\n",
        body.len(),
        agent.trim()
    );
    server.write_all((head + body).as_bytes()).unwrap();
    let mut answer = String::new();
    server.read_to_string(&mut answer).unwrap();

    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let view: serde_json::Value = serde_json::from_str(body).unwrap();
    let code = view["claim"]["code"].as_str().unwrap();
    let command = format!("keywright claim {code} --at https://tokens.example.com");
    assert_eq!(view["claim"]["command"], command);
}

#[test]
fn the_value_and_its_record_go_to_a_pipe_as_json() {
    let machines = Machines::new();
    let code = machines.waiting("nightly");

    let out = machines
        .here
        .ok(&machines.claim(&format!("{code} --to stdout --json")));

    let view: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(view["label"], "nightly");
    assert_eq!(view["state"], "active");
    assert!(view["token"].as_str().unwrap().starts_with("kw_pat_"));
}

#[test]
fn nothing_is_logged_of_the_token_the_code_or_the_value() {
    let machines = Machines::new();
    let code = machines.waiting("nightly");
    let claim = machines.claim(&format!("{code} --to file:value"));

    let done = machines.here.run(&format!("KEYWRIGHT_LOG=trace {claim}"));

    assert_eq!(done.status, 0, "{done:?}");
    for secret in [machines.here.read("mine"), machines.here.read("value")] {
        let digits = secret.trim().rsplit('_').next().unwrap();
        assert!(!done.err.contains(&digits[4..16]), "{done:?}");
    }
    assert!(!done.err.contains(&code), "{done:?}");
}

#[test]
fn a_second_claim_is_told_of_the_first_and_leaves_the_sink_alone() {
    let machines = Machines::new();
    let code = machines.waiting("nightly");
    let claim = |to: &str| machines.claim(&format!("{code} --to file:{to}"));
    machines.here.ok(&claim("one"));

    let said = machines.here.refused(&claim("two"));

    assert!(said.contains("this claim was used before, at "), "{said}");
    assert!(!machines.here.home().join("two").exists());
}

#[test]
fn a_sink_that_takes_nothing_leaves_the_claim_alone() {
    let machines = Machines::new();
    let code = machines.waiting("nightly");
    let claim = machines.claim(&format!("{code} --to file:there"));
    hold(&machines.here, "there", "mine");

    let said = machines.here.refused(&claim);

    assert!(said.contains("could not be handed over"), "{said}");
    assert!(machines.there.ok("keywright claim").contains("nightly"));
}

#[test]
fn what_waits_elsewhere_is_listed_and_chosen() {
    let machines = Machines::new();
    machines.waiting("nightly");

    let listed = machines.here.ok(&machines.claim(""));
    let (screen, status) = machines.here.on_terminal(200, &machines.claim(""), "1\n");

    assert!(
        listed.contains("nightly") && listed.contains("operator"),
        "{listed}"
    );
    assert_eq!(status, 0, "{screen}");
    assert_eq!(screen.matches("kw_pat_").count(), 1, "{screen}");
    assert_eq!(
        machines.here.ok(&machines.claim("")),
        "Nothing waits to be picked up.\n"
    );
}

#[test]
fn a_token_that_is_typed_is_not_shown() {
    let machines = Machines::new();
    let code = machines.waiting("nightly");
    let mine = machines.here.read("mine");
    let claim = format!(
        "keywright claim {code} --at {} --to file:value",
        machines.at
    );

    let (screen, status) =
        machines
            .here
            .on_terminal_after("Your token for http://127.0.0.1:", 200, &claim, &mine);

    assert_eq!(status, 0, "{screen}");
    assert!(!screen.contains("kw_pat_"), "{screen}");
    assert!(machines.here.read("value").starts_with("kw_pat_"));
}

#[test]
fn a_question_that_is_broken_off_asks_nobody() {
    let machines = Machines::new();
    let code = machines.waiting("nightly");
    let claim = format!("keywright claim {code} --at {}", machines.at);

    let (screen, status) =
        machines
            .here
            .on_terminal_after("Your token for http://127.0.0.1:", 200, &claim, "kw\u{3}");

    assert_eq!(status, 1, "{screen}");
    assert!(machines.there.ok("keywright claim").contains("nightly"));
}

#[test]
fn a_refusal_from_elsewhere_is_told_as_one_from_here() {
    let machines = Machines::new();
    let code = machines.waiting("nightly");
    let weak = machines
        .there
        .ok("keywright token create weak --scopes read:tokens --to stdout");
    hold(&machines.here, "weak", &weak);
    hold(&machines.here, "noise", "noise");
    let claim = |file: &str, code: &str| {
        format!(
            "keywright claim {code} --at {} --token-file {file} --to stdout",
            machines.at
        )
    };

    for (typed, said) in [
        (
            claim("weak", &code),
            "error: this needs the scope `read:secrets`\n",
        ),
        (
            claim("noise", &code),
            "error: no valid token was presented\n",
        ),
        (
            claim("mine", "0000-0000-0000"),
            "error: there is no such claim here\n",
        ),
    ] {
        let told = machines.here.refused(&typed);
        assert!(
            told.starts_with(said) && told.lines().count() == 2,
            "{told}"
        );
    }
    let json = machines
        .here
        .refused(&format!("{} --json", claim("weak", &code)));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["code"], "insufficient_scope");
}

#[test]
fn a_server_is_asked_with_a_token_from_a_file_or_a_terminal_alone() {
    let shell = Shell::new();

    let done = shell.run("KEYWRIGHT_TOKEN=x keywright claim --at http://127.0.0.1:1");

    assert_eq!(done.status, 2);
    assert!(done.err.contains("`--token-file FILE`"), "{done:?}");
}

#[test]
fn no_token_is_sent_in_the_open() {
    let shell = Shell::new();
    hold(&shell, "mine", "x");

    for at in ["http://example.com", "http://10.1.2.3:8484"] {
        let typed = format!("keywright claim --at {at} --token-file mine");
        let done = shell.run(&typed);
        assert_eq!(done.status, 2, "{done:?}");
        assert!(done.err.contains("must begin with `https://`"), "{done:?}");
    }
}

#[test]
fn a_server_that_is_not_there_is_told_of() {
    let shell = Shell::new();
    hold(&shell, "mine", "x");
    let at = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };

    let said = shell.refused(&format!(
        "keywright claim --at http://{at} --token-file mine"
    ));

    assert!(said.contains("cannot be reached"), "{said}");
}

/// A certificate for `localhost`, by an authority that nobody trusts unless told to. Both are made
/// for these tests, and good for a hundred years.
fn tls() -> ServerConfig {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls");
    let certificate = CertificateDer::from_pem_file(folder.join("localhost.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("localhost.key")).unwrap();
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}

#[test]
fn a_server_elsewhere_shows_a_certificate_that_the_platform_trusts() {
    let trusted = "SSL_CERT_FILE=[ca]";
    for (trusts, host, said) in [
        (trusted, "localhost", "error: no"),
        ("", "localhost", "cannot be reached"),
        (trusted, "127.0.0.1", "cannot be reached"),
    ] {
        let shell = Shell::new();
        hold(&shell, "mine", "x");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let connection = ServerConnection::new(Arc::new(tls())).unwrap();
            let mut caller = StreamOwned::new(connection, stream);
            let mut head = [0; 4096];
            // Whoever does not trust us says nothing.
            let read = caller.read(&mut head).unwrap_or(0);
            if read > 0 {
                let answer = "HTTP/1.1 409 No\r\nContent-Length: 34\r\n\r\n\
                    {\"code\":\"conflict\",\"message\":\"no\"}";
                caller.write_all(answer.as_bytes()).unwrap();
            }
            read > 0
        });

        let ca = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/ca.pem");
        let told = shell.refused(&format!(
            "{} keywright claim 7K3M-Q9TX-2BWF --at https://{host}:{port} --token-file mine --to \
             stdout",
            trusts.replace("[ca]", ca)
        ));

        assert!(told.contains(said), "{host}: {told}");
        assert_eq!(server.join().unwrap(), said == "error: no");
    }
}

/// A server of somebody else's, which answers once: where it is, and what it was asked.
fn strange(answer: &'static str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("http://{}", listener.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (mut caller, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        let read = caller.read(&mut head).unwrap();
        caller.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&head[..read]).into_owned()
    });
    (at, asked)
}

#[test]
fn a_strange_answer_is_not_believed() {
    for (answer, said) in [
        (
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            "a token is not sent on to elsewhere",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            "which is no answer of Keywright's",
        ),
        (
            "HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\noops",
            "which is no answer of Keywright's",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n{",
            "its answer broke off",
        ),
        ("", "claim it once more"),
        (
            "HTTP/1.1 409 No\r\nContent-Length: 44\r\n\r\n\
             {\"code\":\"conflict\",\"message\":\"no\\u001b[31m\"}",
            "error: no\\u{1b}[31m",
        ),
    ] {
        let shell = Shell::new();
        hold(&shell, "mine", "x");
        let (at, asked) = strange(answer);

        let told = shell.refused(&format!(
            "keywright claim 7K3M-Q9TX-2BWF --at {at} --token-file mine --to file:value"
        ));

        assert!(told.contains(said), "{answer}: {told}");
        let asked = asked.join().unwrap();
        assert!(asked.starts_with("POST /v1/claims HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains("authorization: Bearer x\r\n"), "{asked}");
        assert!(!shell.home().join("value").exists());
    }
}

#[test]
fn a_value_that_would_steer_a_terminal_is_none() {
    for value in ["", "a b", r"a\nKEY=b", r"\u001b]52;c;eA==\u0007", "é"] {
        let shell = Shell::new();
        hold(&shell, "mine", "x");
        let record = r#""id":"x","kind":"pat","label":"x","scopes":[],"state":"active","owner":"x",
            "created_at":"x","created_by":"x""#;
        let body = format!(r#"{{{record},"token":"{value}"}}"#);
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let (at, asked) = strange(answer.leak());

        let told = shell.refused(&format!(
            "keywright claim 7K3M-Q9TX-2BWF --at {at} --token-file mine --to file:value"
        ));

        assert!(told.contains("no answer of Keywright's"), "{told}");
        asked.join().unwrap();
        assert!(!shell.home().join("value").exists());
    }
}

#[test]
fn what_a_server_elsewhere_says_of_a_token_is_shown_as_data() {
    let record = serde_json::json!({
        "id": "a\u{1b}[2J", "kind": "pat", "label": "nightly", "prefix": null, "scopes": [],
        "state": "active", "owner": "ann", "created_at": "", "created_by": "", "parent": null,
        "last_used_at": null, "expires_at": "2027\u{1b}[2J", "generated_at": null, "token": "x1",
    });
    let body = record.to_string();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let shell = Shell::new();
    hold(&shell, "mine", "x");
    let (at, asked) = strange((head + &body).leak());

    let done = shell.run(&format!(
        "keywright claim 7K3M-Q9TX-2BWF --at {at} --token-file mine --to stdout"
    ));

    assert_eq!((done.status, &*done.out), (0, "x1\n"), "{done:?}");
    assert!(!done.err.contains('\u{1b}'), "{done:?}");
    assert!(done.err.contains("until 2027\\u{1b}[2J"), "{done:?}");
    asked.join().unwrap();
}
