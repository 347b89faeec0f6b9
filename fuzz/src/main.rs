//! Inputs that nobody thought of, for everything in Keywright that reads: one program, and the name
//! of a target in its environment. `fuzz/run` builds it and runs it.
//!
//! A target says what must be true of whatever is read. A panic, of the program's own or of a
//! target's, is a finding.

#![no_main]

mod audit;
mod client_file;
mod cursor;
mod dotenv;
mod house;
mod http;
mod label;
mod mcp;
mod profile;
mod scope;
mod token;
mod typed;

use std::{env, sync::LazyLock};

/// Takes one input.
type Target = fn(&[u8]);

/// Each has a folder of its name in `fuzz/corpus`.
const TARGETS: &[(&str, Target)] = &[
    ("audit", audit::look),
    ("client_file", client_file::look),
    ("cursor", cursor::look),
    ("dotenv", dotenv::look),
    ("http", http::look),
    ("label", label::look),
    ("mcp", mcp::look),
    ("profile", profile::look),
    ("scope", scope::look),
    ("token", token::look),
    ("typed", typed::look),
];

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let named = env::var("KEYWRIGHT_FUZZ_TARGET").unwrap_or_default();
    let target = TARGETS.iter().find(|(name, _)| *name == named);
    let names: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
    target
        .unwrap_or_else(|| panic!("KEYWRIGHT_FUZZ_TARGET is to be one of {names:?}"))
        .1
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| TARGET(data));
