//! The floors of the house: `src/lib.rs` lists them from the ground up, and no import looks up.
//! Beside them, the rooms that alone may touch the environment, the clock, standard output, a
//! value in the clear, and JSON.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Where a value in the clear is handled. Each line is a place to review; a new one needs a reason.
const EXPOSES: &[(&str, &str)] = &[
    ("src/authority/deliver.rs", "seals a CLI token's value"),
    (
        "src/cli/session_token.rs",
        "hashes the token of the session",
    ),
    (
        "src/cli/run/mod.rs",
        "gives values to a child's environment",
    ),
    (
        "src/cli/sink/clipboard.rs",
        "gives a value to a program's standard input",
    ),
    (
        "src/cli/sink/dotenv/mod.rs",
        "puts a value in a line of a file",
    ),
    (
        "src/cli/sink/keychain.rs",
        "gives a value to a program's standard input",
    ),
    ("src/cli/sink/file.rs", "writes a value to a new file"),
    (
        "src/cli/sink/terminal.rs",
        "hands a value to the person who claims",
    ),
    ("src/cli/sink/token_file.rs", "puts a value in its file"),
    ("src/crypto/keyring.rs", "reads back a master key"),
    ("src/domain/claim.rs", "hashes a code and shows it"),
    ("src/domain/cli_token.rs", "the one value shown again"),
    ("src/domain/credential.rs", "hashes a value"),
    ("src/domain/sighting.rs", "hides values in texts to test on"),
    ("src/vault.rs", "seals and opens with the master key"),
    ("src/wire/cli_token.rs", "the answer to a reveal"),
    ("src/wire/token.rs", "the answer that makes a token"),
];

/// A source file, and what is used in it.
struct Source {
    name: String,
    uses: Vec<Use>,
}

/// One path as it is written, groups unfolded.
#[derive(Debug, PartialEq, Eq)]
struct Use {
    line: usize,
    /// Absolute, and beginning with `crate`, where it was written from here.
    path: Vec<String>,
}

impl Use {
    fn has(&self, part: &[&str]) -> bool {
        self.path.windows(part.len()).any(|window| window == part)
    }
}

#[test]
fn no_import_looks_up() {
    let floors = floors(&fs::read_to_string(root().join("src/lib.rs")).unwrap());
    assert!(floors.len() > 5, "{floors:?}");

    let found: Vec<_> = sources()
        .iter()
        .flat_map(|source| looks_up(&floors, source))
        .collect();

    assert!(
        found.is_empty(),
        "A module uses those above it in src/lib.rs, never one below. Move what is wanted down, or \
         hand it in from above:\n{}",
        found.join("\n")
    );
}

#[test]
fn every_module_has_its_floor() {
    let floors = floors(&fs::read_to_string(root().join("src/lib.rs")).unwrap());
    let listed: BTreeSet<_> = floors.into_iter().collect();
    let there: BTreeSet<_> = sources()
        .iter()
        .map(|source| module(&source.name)[0].clone())
        .filter(|name| name != "lib" && name != "main")
        .collect();

    assert_eq!(there, listed);
}

#[test]
fn one_file_reads_the_environment() {
    let readers = ["var", "var_os", "vars", "vars_os", "set_var", "remove_var"];
    only(&["src/config/env.rs"], |used| {
        readers.iter().any(|reader| used.has(&["env", reader]))
    });
}

#[test]
fn one_file_reads_the_clock() {
    let clocks = |used: &Use| {
        used.has(&["Utc", "now"]) || used.has(&["Local", "now"]) || used.has(&["SystemTime"])
    };
    only(&["src/domain/clock.rs"], clocks);
}

#[test]
fn two_files_write_to_standard_output() {
    // The protocol takes the descriptor itself, so that nobody else can write to it.
    let allowed = [
        "src/cli/output.rs",
        "src/cli/sink/terminal.rs",
        "src/mcp/stdio/descriptors.rs",
    ];
    only(&allowed, |used| {
        used.has(&["io", "stdout"]) || used.has(&["print!"]) || used.has(&["println!"])
    });
}

#[test]
fn a_value_is_exposed_where_it_was_reviewed() {
    let allowed: Vec<_> = EXPOSES.iter().map(|(file, _)| *file).collect();
    only(&allowed, |used| {
        used.has(&["expose"]) || used.has(&["expose_secret"])
    });
}

#[test]
fn the_list_of_exposing_files_is_not_longer_than_it_must_be() {
    let exposing: BTreeSet<_> = sources()
        .into_iter()
        .filter(|source| {
            source
                .uses
                .iter()
                .any(|u| u.has(&["expose"]) || u.has(&["expose_secret"]))
        })
        .map(|source| source.name)
        .collect();
    for (file, what) in EXPOSES {
        assert!(exposing.contains(*file), "{file} ({what}) exposes nothing");
    }
}

/// The one way past `read:secrets`: nobody but what plays a profile asks for it.
#[test]
fn one_room_delivers_through_a_profile() {
    let allowed = [
        "src/authority/deliver.rs",
        "src/authority/mod.rs",
        "src/http/profile/player.rs",
    ];
    only(&allowed, |used| {
        used.has(&["Deliver", "Profile"]) || used.has(&["ThroughProfile"])
    });
}

#[test]
fn json_is_spoken_by_the_fronts_alone() {
    let rooms = ["src/wire/", "src/mcp/", "src/http/", "src/cli/"];
    let json = |used: &Use| {
        let names = ["serde", "serde_json", "schemars"];
        names.contains(&used.path[0].as_str())
            || used.has(&["Serialize"])
            || used.has(&["Deserialize"])
    };
    let found = those(
        |source| !rooms.iter().any(|room| source.starts_with(room)),
        json,
    );
    assert_eq!(
        found, [""; 0],
        "domain types are not serializable; those of src/wire are"
    );
}

/// Fronts translate: what they ask, they ask of the authority.
#[test]
fn mcp_and_http_know_neither_the_store_nor_the_vault_nor_the_decision() {
    let rooms = ["src/mcp/", "src/http/"];
    let asked = |name: &str| rooms.iter().any(|room| name.starts_with(room));
    let below = |used: &Use| {
        used.has(&["crate", "store"])
            || used.has(&["crate", "vault"])
            || used.has(&["authz", "decide"])
    };
    assert_eq!(those(asked, below), Vec::<String>::new());
}

#[test]
fn nothing_is_unsafe() {
    only(&[], |used| used.has(&["unsafe"]));
}

#[test]
fn the_detector_detects() {
    let lib = "//! A house.\n\npub mod config;\npub mod crypto;\n\npub mod domain;\n\npub mod authority;\n\npub mod cli;\n";
    let floors = floors(lib);
    assert_eq!(floors, ["config", "crypto", "domain", "authority", "cli"]);
    let looks = |name: &str, text: &str| looks_up(&floors, &source(name, text)).len();

    // Plain, grouped, nested, renamed, and in code.
    assert_eq!(looks("src/domain/a.rs", "use crate::authority::Error;"), 1);
    assert_eq!(
        looks("src/domain/a.rs", "use crate::{crypto::x, cli::{a, b::*}};"),
        2
    );
    assert_eq!(
        looks(
            "src/domain/a.rs",
            "use crate::{\n  crypto,\n  {authority as a},\n};"
        ),
        1
    );
    assert_eq!(
        looks("src/domain/a.rs", "fn f() -> crate::cli::X { todo() }"),
        1
    );
    assert_eq!(
        looks(
            "src/domain/a.rs",
            "#[doc = \"x\"] const A: u8 = 'c' as u8 + crate :: cli :: X;"
        ),
        1
    );
    assert_eq!(looks("src/crypto/a.rs", "use crate::domain::Label;"), 1);
    // By `super`, out of the module, from a file and from a module in it.
    assert_eq!(looks("src/domain/a.rs", "use super::super::cli::x;"), 1);
    assert_eq!(
        looks("src/domain/mod.rs", "use super::{crypto::x, authority::y};"),
        1
    );
    assert_eq!(
        looks(
            "src/domain/a.rs",
            "mod tests { use super::super::super::authority::E; }"
        ),
        1
    );
    assert_eq!(looks("src/domain/mod.rs", "use super::*;"), 1);
    assert_eq!(looks("src/domain/a.rs", "use crate::*;"), 1);
    assert_eq!(looks("src/domain/a.rs", "use crate::{self as house};"), 1);
    assert_eq!(looks("src/domain/a.rs", "use crate as house;"), 1);
    // A sibling that comes later on the same floor.
    assert_eq!(looks("src/config/a.rs", "use crate::crypto::x;"), 1);

    // What is allowed, and what only looks like it.
    assert_eq!(
        looks("src/cli/a.rs", "use crate::{authority::{self, X}, domain};"),
        0
    );
    assert_eq!(looks("src/crypto/a.rs", "use crate::config::x;"), 0);
    assert_eq!(
        looks("src/domain/a.rs", "use super::{cli::x, authority};"),
        0
    );
    assert_eq!(
        looks("src/domain/a.rs", "mod tests { use super::super::cli; }"),
        0
    );
    assert_eq!(
        looks(
            "src/domain/a.rs",
            "//! crate::cli\n/// [`crate::cli`]\nfn f() {}"
        ),
        0
    );
    assert_eq!(
        looks(
            "src/domain/a.rs",
            "/* /* */ crate::cli */ const A: &str = \"crate::cli\\\"\";"
        ),
        0
    );
    assert_eq!(
        looks(
            "src/domain/a.rs",
            "const A: &str = r#\"\" crate::cli\"#; pub(crate) fn f<'a>() {}"
        ),
        0
    );
}

#[test]
fn the_other_detectors_detect() {
    let text = "use std::{env::{self, var}, time::SystemTime};\n\
        fn f() { env::var_os(X); chrono::Utc::now(); a.expose(); io::stdout(); unsafe {} println!(); }\n\
        #[derive(Debug, serde::Serialize)] struct A;";
    let source = source("src/domain/a.rs", text);
    for part in [
        ["env", "var"].as_slice(),
        &["env", "var_os"],
        &["SystemTime"],
        &["Utc", "now"],
        &["expose"],
        &["io", "stdout"],
        &["println!"],
        &["unsafe"],
        &["serde", "Serialize"],
    ] {
        assert!(source.uses.iter().any(|used| used.has(part)), "{part:?}");
    }
}

/// Nobody but `allowed` does what `is_it` finds.
fn only(allowed: &[&str], is_it: impl Fn(&Use) -> bool) {
    let found = those(|name| !allowed.contains(&name), is_it);
    assert!(
        found.is_empty(),
        "only {allowed:?} may, and not:\n{}",
        found.join("\n")
    );
}

fn those(is_asked: impl Fn(&str) -> bool, is_it: impl Fn(&Use) -> bool) -> Vec<String> {
    let asked = sources()
        .into_iter()
        .filter(|source| is_asked(&source.name));
    asked
        .flat_map(|source| {
            let found = source.uses.iter().filter(|used| is_it(used));
            found
                .map(|used| format!("{}:{}: {}", source.name, used.line, used.path.join("::")))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The uses in `source` of a module above its own.
fn looks_up(floors: &[String], source: &Source) -> Vec<String> {
    let place = |name: &str| floors.iter().position(|floor| floor == name);
    let own = &module(&source.name)[0];
    let Some(height) = place(own) else {
        // The binary, and the list itself.
        return Vec::new();
    };
    let here = source.uses.iter().filter(|used| used.path[0] == "crate");
    here.filter_map(|used| {
        let why = match used.path.get(1) {
            Some(name) => match place(name) {
                Some(above) if above > height => format!("`{name}` is above `{own}`"),
                Some(_) => return None,
                // A macro at the root is in nobody's way.
                None if name != "*" => return None,
                None => "all of the house".to_owned(),
            },
            None => "the house itself".to_owned(),
        };
        Some(format!("{}:{}: {why}", source.name, used.line))
    })
    .collect()
}

/// The modules in the order in which `lib` lists them. A later one on the same floor may use an
/// earlier one, so that the blank lines are for the reader.
fn floors(lib: &str) -> Vec<String> {
    lib.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect()
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|end| end == "rs") => files.push(path),
                false => {}
            }
        }
    }
    files.sort();
    let name = |file: &PathBuf| {
        file.strip_prefix(root())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    files
        .iter()
        .map(|file| source(&name(file), &fs::read_to_string(file).unwrap()))
        .collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn source(name: &str, text: &str) -> Source {
    let uses = Reader {
        words: words(text),
        at: 0,
        module: module(name),
        braces: Vec::new(),
        uses: Vec::new(),
    };
    Source {
        name: name.to_owned(),
        uses: uses.read(),
    }
}

/// Where in the tree of modules a file stands: `src/a/b.rs` and `src/a/b/mod.rs` are `a::b`.
fn module(name: &str) -> Vec<String> {
    let path = name
        .strip_prefix("src/")
        .unwrap()
        .strip_suffix(".rs")
        .unwrap();
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/').map(str::to_owned).collect()
}

/// A name, or a mark of one character (`::` is one), and its line.
type Word = (usize, String);

/// What is left of `text` without comments and texts in quotes.
fn words(text: &str) -> Vec<Word> {
    let all: Vec<char> = text.chars().collect();
    let (mut at, mut line, mut words) = (0, 1, Vec::new());
    let peek = |at: usize| all.get(at).copied().unwrap_or('\0');
    while at < all.len() {
        let begun = at;
        match (peek(at), peek(at + 1)) {
            ('/', '/') => at += all[at..].iter().take_while(|c| **c != '\n').count(),
            ('/', '*') => {
                let mut depth = 0;
                loop {
                    match (peek(at), peek(at + 1)) {
                        ('/', '*') => (depth, at) = (depth + 1, at + 2),
                        ('*', '/') => (depth, at) = (depth - 1, at + 2),
                        _ => at += 1,
                    }
                    if depth == 0 || at >= all.len() {
                        break;
                    }
                }
            }
            ('r', '"' | '#') if raw_end(&all, at + 1).is_some() => {
                at = raw_end(&all, at + 1).unwrap();
            }
            ('"', _) => {
                at += 1;
                while at < all.len() && peek(at) != '"' {
                    at += if peek(at) == '\\' { 2 } else { 1 };
                }
                at += 1;
            }
            ('\'', '\\') => {
                at += 3;
                at += all[at.min(all.len())..]
                    .iter()
                    .take_while(|c| **c != '\'')
                    .count()
                    + 1;
            }
            ('\'', _) if peek(at + 2) == '\'' => at += 3,
            (':', ':') => {
                words.push((line, "::".to_owned()));
                at += 2;
            }
            (c, _) if c.is_alphanumeric() || c == '_' => {
                let is_name = |c: &&char| c.is_alphanumeric() || **c == '_';
                at += all[at..].iter().take_while(is_name).count();
                words.push((line, all[begun..at].iter().collect()));
            }
            (c, _) => {
                if !c.is_whitespace() {
                    words.push((line, c.to_string()));
                }
                at += 1;
            }
        }
        line += all[begun..at.min(all.len())]
            .iter()
            .filter(|c| **c == '\n')
            .count();
    }
    words
}

/// Where the raw text whose marks begin at `at` ends, if it is one.
fn raw_end(all: &[char], at: usize) -> Option<usize> {
    let marks = all[at..].iter().take_while(|c| **c == '#').count();
    if all.get(at + marks) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"')
        .chain(std::iter::repeat_n('#', marks))
        .collect();
    let rest = &all[at + marks + 1..];
    let length = rest.windows(end.len()).position(|window| window == end)?;
    Some(at + marks + 1 + length + end.len())
}

/// Reads the paths in a file, each from the root of the house where it begins here.
struct Reader {
    words: Vec<Word>,
    at: usize,
    /// In which module the reader is.
    module: Vec<String>,
    /// Of each open brace, whether it is a module's.
    braces: Vec<bool>,
    uses: Vec<Use>,
}

impl Reader {
    fn read(mut self) -> Vec<Use> {
        while self.at < self.words.len() {
            match self.word(0) {
                "mod" if self.word(2) == "{" => {
                    let name = self.word(1).to_owned();
                    self.module.push(name);
                    self.braces.push(true);
                    self.at += 3;
                }
                "{" => {
                    self.braces.push(false);
                    self.at += 1;
                }
                "}" => {
                    if self.braces.pop() == Some(true) {
                        self.module.pop();
                    }
                    self.at += 1;
                }
                // `pub(crate)`, and `pub(super)`.
                "(" if matches!(self.word(1), "crate" | "super") && self.word(2) == ")" => {
                    self.at += 3;
                }
                word if is_name(word) => self.path(&[]),
                _ => self.at += 1,
            }
        }
        self.uses
    }

    fn word(&self, ahead: usize) -> &str {
        self.words.get(self.at + ahead).map_or("", |(_, word)| word)
    }

    /// Reads one path or one tree of them, which goes on from `before`.
    fn path(&mut self, before: &[String]) {
        let line = self.words[self.at].0;
        let mut path = before.to_vec();
        loop {
            match self.word(0) {
                "{" => {
                    self.at += 1;
                    while !matches!(self.word(0), "}" | "") {
                        match self.word(0) {
                            "," => self.at += 1,
                            _ => self.path(&path),
                        }
                    }
                    self.at += 1;
                    return;
                }
                word => {
                    let word = word.to_owned();
                    self.step(&mut path, word);
                    self.at += 1;
                }
            }
            // `::<` is the beginning of types, which are paths of their own.
            if self.word(0) != "::" || self.word(1) == "<" {
                break;
            }
            self.at += 1;
        }
        if self.word(0) == "as" && !before.is_empty() {
            self.at += 2;
        }
        // A macro is told from a name, and both from `!=`.
        if self.word(0) == "!"
            && self.word(1) != "="
            && let Some(name) = path.last_mut()
        {
            name.push('!');
        }
        self.uses.push(Use { line, path });
    }

    fn step(&self, path: &mut Vec<String>, word: String) {
        let here = || std::iter::once("crate".to_owned()).chain(self.module.iter().cloned());
        match word.as_str() {
            "self" if path.is_empty() => path.extend(here()),
            "self" => {}
            "super" => {
                if path.is_empty() {
                    path.extend(here());
                }
                path.pop();
            }
            _ => path.push(word),
        }
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}
