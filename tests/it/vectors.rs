//! Inputs that are wrong in exactly one way: each is refused with its own words, and the same input
//! with that one thing put right is accepted.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use keywright::{
    domain::{claim::ClaimCode, clock, credential, expires::Expires, label::Label, scope::Scope},
    http::Profile,
};

#[test]
fn a_wrong_label_is_refused() {
    run("labels", |text| Label::parse(text).map(drop));
}

#[test]
fn a_wrong_scope_is_refused() {
    run("scopes", |text| text.parse::<Scope>().map(drop));
}

#[test]
fn a_wrong_expiry_is_refused() {
    let now = clock::from_millis(1_800_000_000_000);
    run("expires", |text| {
        text.parse::<Expires>()?.resolve(now).map(drop)
    });
}

#[test]
fn a_wrong_token_is_refused_without_a_look_up() {
    run("tokens", |text| {
        let is_wrong = credential::is_malformed(text);
        (!is_wrong).then_some(()).ok_or("malformed")
    });
}

#[test]
fn a_wrong_claim_code_is_refused() {
    run("claim_codes", |text| text.parse::<ClaimCode>().map(drop));
}

/// Each changes one thing in `profile.toml`, in which nothing is wrong.
#[test]
fn a_wrong_profile_is_refused_where_it_is_wrong() {
    let whole = fs::read_to_string(vectors().join("profile.toml")).unwrap();
    let text = fs::read_to_string(vectors().join("profiles.json")).unwrap();
    let changes: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    Profile::read("acme.toml", &whole).unwrap();
    for change in &changes {
        let of = |key: &str| change[key].as_str().unwrap();
        let name = of("name");
        assert_eq!(whole.matches(of("right")).count(), 1, "{name}");

        let wrong = whole.replace(of("right"), of("wrong"));
        let error = Profile::read("acme.toml", &wrong).err();

        let error = error.map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(of("error")), "{name}");
    }
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// Runs every line of a file in `tests/vectors`.
fn run<E: ToString>(file: &str, read: impl Fn(&str) -> Result<(), E>) {
    let text = fs::read_to_string(vectors().join(format!("{file}.json"))).unwrap();
    let vectors: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let mut names = BTreeSet::new();
    for vector in &vectors {
        let of = |key: &str| vector[key].as_str().unwrap();
        let name = of("name");
        assert!(names.insert(name), "`{name}` stands twice");

        let error = read(of("wrong")).err().map(|error| error.to_string());
        let right = read(of("right")).err().map(|error| error.to_string());

        assert_eq!(error.as_deref(), Some(of("error")), "{file}: {name}");
        assert_eq!(right, None, "{file}: {name}, put right");
    }
}
