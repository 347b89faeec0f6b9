//! docs/profiles.md tells a stranger how to write a profile, and is true.

use std::{fs, path::Path};

use keywright::http::{Profile, Profiles};

use crate::support::TestApp;

const BEGIN: &str =
    "<!-- Generated from the code: KEYWRIGHT_UPDATE_DOCS=1 cargo test --test it documented -->\n\n";
const END: &str = "\n<!-- Generated up to here. -->\n";

fn path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/profiles.md")
}

fn page() -> String {
    fs::read_to_string(path()).unwrap()
}

/// The first block of TOML.
fn example(page: &str) -> &str {
    let (_, example) = page.split_once("```toml\n").unwrap();
    example.split_once("```\n").unwrap().0
}

#[test]
fn the_page_names_what_the_code_knows() {
    let page = page();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (told, after) = rest.split_once(END).unwrap();
    if std::env::var_os("KEYWRIGHT_UPDATE_DOCS").is_some() {
        let anew = format!("{before}{BEGIN}{}{END}{after}", Profiles::reference());
        fs::write(path(), anew).unwrap();
        return;
    }
    assert_eq!(told, Profiles::reference());
}

#[test]
fn the_page_names_every_key() {
    let page = page();
    let file = "[errors]\nanswer = { message = \"{message}\" }\n[[route]]\n";
    let head = "name = \"x\"\nschemes = [\"Bearer\"]\ntimes = \"seconds\"\n";
    for wrong in [
        "odd = 1".to_owned(),
        format!("{head}{file}odd = 1"),
        format!("{head}[tokens]\nodd = 1"),
        format!("{head}[errors]\nodd = 1"),
    ] {
        let error = Profile::read("x.toml", &wrong).unwrap_err().to_string();
        let (_, keys) = error.split_once(" knows ").unwrap();
        for key in keys.split('`').skip(1).step_by(2) {
            assert!(page.contains(&format!("`{key}`")), "`{key}` is not told");
        }
    }
}

#[tokio::test]
async fn the_example_is_played_as_the_page_says() {
    let page = page();
    let app = TestApp::new().await;
    let agent = app.usual().await;
    let ann = app.playing(example(&page)).with(&agent.value);

    let made = ann.raw("POST", "/api/keys", r#"{"title":"nightly"}"#).await;
    let listed = ann.get("/api/keys").await;
    let one = format!("/api/keys/{}", made.text_at("/key/id"));
    let ended = ann.ask("DELETE", &one).await;

    assert_eq!(made.told().0, 201);
    assert!(made.text_at("/secret").starts_with("acme_"));
    assert_eq!(listed.json()["object"], "list");
    assert_eq!(listed.json()["keys"][0]["title"], "nightly");
    assert_eq!(ended.told(), (204, ""));
}
