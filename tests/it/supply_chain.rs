//! What the program is built from: licences that `deny.toml` lists, crates.io alone, and one version of
//! each crate where that can be had. `scripts/supply-chain` asks cargo-deny the same, and more.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use serde_json::Value;
use toml_edit::{Document, Item, Table};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn toml(name: &str) -> Document<String> {
    Document::parse(fs::read_to_string(root().join(name)).unwrap()).unwrap()
}

/// What cargo knows of the packages that this machine's platform needs, which are here.
fn packages() -> Vec<Value> {
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let told = String::from_utf8(rustc.stdout).unwrap();
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", host.unwrap()])
        .current_dir(root())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// The texts of a list in `deny.toml`.
fn listed(table: &Item, key: &str) -> BTreeSet<String> {
    let list = table[key].as_array().unwrap();
    list.iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

/// Whether an expression of SPDX, such as `(MIT OR Apache-2.0) AND Unicode-3.0`, holds where these
/// licences may be chosen.
fn may_be_had(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = expression.replace(" / ", " OR ").replace('/', " OR ");
    if let Some((inner, rest)) = expression
        .strip_prefix('(')
        .and_then(|text| text.split_once(") AND "))
    {
        return may_be_had(inner, allowed) && may_be_had(rest, allowed);
    }
    expression.split(" OR ").any(|choice| {
        choice
            .split(" AND ")
            .all(|licence| allowed.contains(licence))
    })
}

#[test]
fn expressions_of_licences_are_read() {
    let allowed = ["MIT", "ISC"].map(str::to_owned).into();
    for (expression, is) in [
        ("MIT", true),
        ("MIT/GPL-3.0", true),
        ("GPL-3.0 OR MIT AND ISC", true),
        ("(MIT OR GPL-3.0) AND ISC", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR ISC) AND GPL-3.0", false),
        ("GPL-3.0", false),
    ] {
        assert_eq!(may_be_had(expression, &allowed), is, "{expression}");
    }
}

#[test]
fn every_licence_is_one_that_is_allowed() {
    let allowed = listed(&toml("deny.toml")["licenses"], "allow");

    let wrong: Vec<_> = packages()
        .iter()
        .filter(|package| {
            let licence = package["license"].as_str();
            !licence.is_some_and(|licence| may_be_had(licence, &allowed))
        })
        .map(|package| format!("{}: {}", package["name"], package["license"]))
        .collect();

    assert_eq!(wrong, [""; 0], "see [licenses] in deny.toml");
}

#[test]
fn everything_comes_from_crates_io() {
    for package in packages() {
        let source = &package["source"];
        let is_ours = package["name"] == "keywright" && source.is_null();
        assert!(is_ours || *source == CRATES_IO, "{package}");
    }
}

/// Two versions of a crate are twice the code and twice the watching.
#[test]
fn what_is_there_twice_is_listed_with_a_reason_and_nothing_else_is() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        let of = |key: &str| package[key].as_str().unwrap().to_owned();
        versions
            .entry(of("name"))
            .or_default()
            .insert(of("version"));
    }
    let deny = toml("deny.toml");
    let skipped = deny["bans"]["skip"].as_array().unwrap();
    let skipped = skipped.iter().map(|skip| {
        let skip = skip.as_inline_table().unwrap();
        let reason = skip.get("reason").and_then(|reason| reason.as_str());
        assert!(reason.is_some_and(|reason| reason.len() > 3), "{skip}");
        skip.get("crate").unwrap().as_str().unwrap().to_owned()
    });
    let skipped: BTreeSet<String> = skipped.collect();

    // Each but one, by the part of its version that breaks.
    let mut twice = BTreeSet::new();
    for (name, versions) in versions.iter().filter(|(_, all)| all.len() > 1) {
        let short = |version: &str| {
            let parts: Vec<_> = version.split('.').collect();
            if parts[0] == "0" {
                parts[..2].join(".")
            } else {
                parts[0].to_owned()
            }
        };
        let named: BTreeSet<_> = versions
            .iter()
            .map(|version| format!("{name}@{}", short(version)))
            .collect();
        let left: Vec<_> = named.difference(&skipped).collect();
        assert_eq!(left.len(), 1, "{named:?}: list all but one in deny.toml");
        twice.extend(named.into_iter().filter(|name| skipped.contains(name)));
    }
    assert_eq!(
        skipped, twice,
        "what is not there twice any more is not skipped"
    );
}

/// Else what is fuzzed were not what is released.
#[test]
fn fuzzing_is_done_with_the_versions_of_the_program() {
    let locked = |name: &str| {
        let lock = toml(name);
        let all = lock["package"].as_array_of_tables().unwrap().iter();
        let of = |package: &Table, key: &str| package[key].as_str().unwrap().to_owned();
        all.map(|package| (of(package, "name"), of(package, "version")))
            .collect::<BTreeSet<_>>()
    };
    let ours = locked("Cargo.lock");
    let names: BTreeSet<_> = ours.iter().map(|(name, _)| name).collect();

    let fuzzed = locked("fuzz/Cargo.lock");

    let common = fuzzed.iter().filter(|(name, _)| names.contains(name));
    let other: Vec<_> = common.filter(|package| !ours.contains(package)).collect();
    assert!(
        other.is_empty(),
        "{other:?} are not in Cargo.lock: cp Cargo.lock fuzz/ && cargo metadata --manifest-path \
         fuzz/Cargo.toml > /dev/null"
    );
}
