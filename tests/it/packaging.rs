//! What is packed: a release's archive, an MCP bundle, and what the MCP registry is told. The parts
//! that need somebody else's tools are in `tests/clients`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const TARGET: &str = "x86_64-unknown-linux-gnu";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn json(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(root().join(name)).unwrap()).unwrap()
}

/// Runs one of the scripts in `packaging`.
fn script(name: &str, arguments: &[&str]) -> Output {
    Command::new(root().join("packaging").join(name))
        .args(arguments)
        .env("SOURCE_DATE_EPOCH", "0")
        .output()
        .unwrap()
}

/// What a script printed that must do what it says.
fn done(name: &str, arguments: &[&str]) -> String {
    let output = script(name, arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {arguments:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a script said that must refuse.
fn refused(name: &str, arguments: &[&str]) -> String {
    let output = script(name, arguments);
    assert!(!output.status.success(), "{name} {arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The program without what only a debugger reads, which would take most of the time.
fn program(folder: &TempDir) -> PathBuf {
    let program = folder.path().join("keywright");
    let strip = Command::new("strip")
        .args(["-o", program.to_str().unwrap()])
        .arg(env!("CARGO_BIN_EXE_keywright"))
        .status();
    assert!(strip.unwrap().success());
    program
}

/// Packs a release of `program`; where it is.
fn released(program: &Path) -> TempDir {
    let out = tempfile::tempdir().unwrap();
    let (program, folder) = (program.to_str().unwrap(), out.path().to_str().unwrap());
    done(
        "release",
        &["--target", TARGET, "--binary", program, "--out", folder],
    );
    out
}

/// The names of what lies in `folder`.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn slow_a_release_holds_what_its_installer_looks_for_and_is_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    let program = program(&folder);

    let (release, again) = (released(&program), released(&program));

    let sums = |release: &TempDir| fs::read_to_string(release.path().join("SHA256SUMS")).unwrap();
    assert_eq!(sums(&release), sums(&again));
    let check = Command::new("sha256sum")
        .args(["--check", "--quiet", "SHA256SUMS"])
        .current_dir(release.path())
        .status();
    assert!(check.unwrap().success());
    let name = format!("keywright-{VERSION}-{TARGET}");
    let wanted = [
        "SHA256SUMS",
        &format!("{name}.cdx.json"),
        &format!("{name}.mcpb"),
        &format!("{name}.tar.gz"),
    ];
    assert_eq!(names(release.path()), wanted.map(str::to_owned).into());
    holds_everything(&release.path().join(binstall("pkg-url")));
}

fn holds_everything(archive: &Path) {
    let listed = Command::new("tar")
        .arg("-tf")
        .arg(archive)
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let listed: BTreeSet<_> = listed.lines().collect();
    let program = binstall("bin-dir");
    let folder = program.strip_suffix("/keywright").unwrap();
    for file in [
        "keywright",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "NOTICES.txt",
        "README.md",
        "CHANGELOG.md",
        "completions/keywright.bash",
        "completions/_keywright",
        "completions/keywright.fish",
        "man/man1/keywright.1",
        "man/man1/keywright-token-create.1",
    ] {
        let path = format!("{folder}/{file}");
        assert!(listed.contains(path.as_str()), "{path}: {listed:?}");
    }
}

/// Their licences ask for it.
#[test]
fn slow_the_notices_of_everything_in_a_release_go_along() {
    let made_of: Value = serde_json::from_str(&done("sbom", &["--target", TARGET])).unwrap();
    let notices = done("sbom", &["--target", TARGET, "--notices"]);

    let components = made_of["components"].as_array().unwrap();
    assert!(components.len() > 100);
    for component in components {
        let [name, version] = ["name", "version"].map(|key| component[key].as_str().unwrap());
        let is_told = match name {
            "sqlite" => notices.contains("SQLite, which is in the public domain"),
            _ => notices.lines().any(|line| {
                line.starts_with(&format!("{name} {version}: "))
                    || line.starts_with(&format!("{name}: "))
            }),
        };
        assert!(is_told, "{name} {version}");
    }
    // It is built into a crate that does not hold its text.
    assert!(notices.contains("Daan Leijen"));
}

#[test]
fn a_release_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");

    let told = refused(
        "release",
        &[
            "--target",
            TARGET,
            "--binary",
            "/bin/true",
            "--out",
            out.to_str().unwrap(),
        ],
    );

    assert!(
        told.contains(&format!("is not keywright {VERSION}")),
        "{told}"
    );
    assert!(!out.exists());
}

#[test]
fn every_script_says_what_it_does() {
    for name in [
        "release",
        "mcpb/build",
        "server-json",
        "container/build",
        "container/check",
        "scanners/check",
    ] {
        let help = done(name, &["--help"]);
        assert!(
            help.contains(&format!("packaging/{name}")),
            "{name}: {help}"
        );
    }
}

#[test]
fn a_bundle_is_made_of_a_program() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("x.mcpb");

    let told = refused(
        "mcpb/build",
        &[
            root().join("Cargo.toml").to_str().unwrap(),
            bundle.to_str().unwrap(),
        ],
    );

    assert!(
        told.contains("this is no program for Linux or macOS"),
        "{told}"
    );
    assert!(!bundle.exists());
}

#[test]
fn an_image_is_made_of_a_static_program() {
    let told = refused(
        "container/build",
        &[env!("CARGO_BIN_EXE_keywright"), "keywright:test"],
    );

    assert!(told.contains("the program is not static"), "{told}");
}

#[test]
fn the_image_is_known_to_the_registry_by_the_same_name() {
    let image = fs::read_to_string(root().join("packaging/container/Dockerfile")).unwrap();

    let name = json("server.json")["name"].as_str().unwrap().to_owned();
    let label = format!("io.modelcontextprotocol.server.name=\"{name}\"");
    assert!(image.contains(&label), "{image}");
}

#[test]
fn the_readme_names_the_server_as_the_registry_wants_it_of_a_crate() {
    let name = json("server.json")["name"].as_str().unwrap().to_owned();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();

    assert!(readme.contains(&format!("`mcp-name: {name}`")));
}

#[test]
fn the_rules_for_scanners_find_every_value_and_no_noise() {
    let told = done("scanners/check", &[env!("CARGO_BIN_EXE_keywright")]);

    for tried in ["gitleaks.toml", "trufflehog.yaml", "keywright scan"] {
        let is_good = |line: &str| line.starts_with("ok - ") && line.contains(tried);
        assert!(told.lines().any(is_good), "{tried}: {told}");
    }
}

#[test]
fn no_setting_of_the_bundle_can_break_its_arguments() {
    let manifest = json("packaging/mcpb/manifest.json");
    let settings = manifest["user_config"].as_object().unwrap();
    let config = &manifest["server"]["mcp_config"];

    // A client leaves `${user_config.x}` as it is where there is neither a value nor a default, and
    // may do so where an argument is nothing else and the value is empty.
    for (name, setting) in settings {
        assert!(setting["default"].is_string(), "{name}");
        let variable = format!("${{user_config.{name}}}");
        assert!(config.to_string().contains(&variable), "{name}");
        let arguments = config["args"].as_array().unwrap();
        assert!(!arguments.contains(&Value::from(variable)), "{name}");
    }
}

#[test]
fn the_bundle_asks_for_no_more_than_a_local_session_has() {
    let manifest = json("packaging/mcpb/manifest.json");
    let scopes = &manifest["user_config"]["scopes"]["default"];
    let help = keywright::cli::help();
    let (_, help) = help
        .iter()
        .find(|(name, _)| name == "keywright mcp")
        .unwrap();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");

    let usual = format!("[default with --local: {}]", scopes.as_str().unwrap());
    assert!(help.contains(&usual), "{help}");
}

#[test]
fn the_registry_is_told_this_version() {
    let server = json("server.json");

    assert_eq!(server["version"], VERSION);
    let packages = server["packages"].as_array().unwrap();
    assert!(!packages.is_empty());
    for package in packages {
        assert_eq!(package["version"], VERSION, "{package}");
        assert_eq!(package["identifier"], env!("CARGO_PKG_NAME"));
    }
    // What the registry takes: a name of two parts, and a sentence that is not long.
    let name = server["name"].as_str().unwrap();
    assert_eq!(name.split('/').count(), 2, "{name}");
    let description = server["description"].as_str().unwrap();
    assert!((1..=100).contains(&description.len()), "{description}");
}

#[test]
fn the_registry_is_told_of_a_bundle_by_its_sum() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("keywright.mcpb");
    fs::write(&bundle, "abc").unwrap();
    let bundle = bundle.to_str().unwrap();

    let printed = done("server-json", &["--at", "https://example.com/v1/", bundle]);

    let printed: Value = serde_json::from_str(&printed).unwrap();
    let package = printed["packages"].as_array().unwrap().last().unwrap();
    assert_eq!(
        package["identifier"],
        "https://example.com/v1/keywright.mcpb"
    );
    assert_eq!(
        package["fileSha256"],
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    let told = refused("server-json", &["--at", "http://example.com", bundle]);
    assert!(told.contains("https only"), "{told}");
    let told = refused(
        "server-json",
        &["--at", "https://example.com", "Cargo.toml"],
    );
    assert!(told.contains("is no bundle"), "{told}");
}

/// A template of `cargo binstall`, filled in for this release; of an address, the file's name.
fn binstall(name: &str) -> String {
    let cargo = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = cargo.split_once("[package.metadata.binstall]").unwrap().1;
    let line = section.lines().find(|line| line.starts_with(name)).unwrap();
    let template = line.split('"').nth(1).unwrap();
    let template = match name {
        "pkg-url" => template.rsplit('/').next().unwrap(),
        _ => template,
    };
    let filled = template
        .replace("{ name }", env!("CARGO_PKG_NAME"))
        .replace("{ version }", VERSION)
        .replace("{ target }", TARGET)
        .replace("{ bin }", "keywright")
        .replace("{ binary-ext }", "");
    assert!(!filled.contains('{'), "{filled}");
    filled
}

/// Asks systemd about the unit, with the program where this test has it; nothing, where there is no
/// systemd to ask.
fn systemd_analyze(arguments: &[&str]) -> Option<Output> {
    let unit = fs::read_to_string(root().join("packaging/systemd/keywright.service")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keywright.service");
    let unit = unit
        .replace("/usr/bin/keywright", env!("CARGO_BIN_EXE_keywright"))
        .replace("Documentation=", "# ");
    fs::write(&path, unit).unwrap();
    let output = Command::new("systemd-analyze")
        .args(arguments)
        .arg(&path)
        .output();
    output.ok()
}

#[test]
fn slow_systemd_finds_no_mistake_in_the_unit() {
    let Some(verified) = systemd_analyze(&["verify", "--man=no"]) else {
        return;
    };

    let told = String::from_utf8_lossy(&verified.stderr);
    let about_ours: Vec<_> = told
        .lines()
        .filter(|line| line.contains("keywright.service"))
        .collect();
    assert!(about_ours.is_empty(), "{about_ours:?}");
}

#[test]
fn slow_the_unit_may_do_next_to_nothing() {
    let Some(exposure) = systemd_analyze(&["security", "--offline=true", "--threshold=15"]) else {
        return;
    };

    let told = String::from_utf8_lossy(&exposure.stdout);
    assert!(exposure.status.success(), "{told}");
}

#[test]
fn the_unit_starts_the_server_as_it_is_started() {
    let unit = fs::read_to_string(root().join("packaging/systemd/keywright.service")).unwrap();
    let help = Command::new(env!("CARGO_BIN_EXE_keywright"))
        .args(["serve", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();

    let starts: Vec<_> = unit
        .lines()
        .filter_map(|line| line.split_once("ExecStart=/usr/bin/keywright "))
        .collect();

    assert_eq!(starts.len(), 2);
    for (_, arguments) in starts {
        assert!(arguments.starts_with("serve "));
        for flag in arguments.split(' ').filter(|word| word.starts_with("--")) {
            assert!(help.contains(flag), "{flag}");
        }
    }
}
