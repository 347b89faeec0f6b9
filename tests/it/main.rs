//! One binary for every test that looks at the house from outside.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod adversary;
mod architecture;
mod authority;
mod cli;
mod compile_fail;
mod coverage;
mod crash;
mod disk;
mod docs;
mod faults;
mod freshness;
mod http;
mod leaks;
mod mcp;
mod packaging;
mod processes;
mod schema;
mod soak;
mod store;
mod supply_chain;
mod support;
mod token_file;
mod vectors;
