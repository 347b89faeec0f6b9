//! Keywright, the token authority for AI agents: the modules, in reading order from the ground up.
//!
//! A module may use those above it in this list, and never one below it. Begin with
//! `authority/create_token.rs`, then `authz/decision.rs` and the permission table beside it.

pub mod config;
pub mod crypto;
pub mod telemetry;

pub mod domain;

pub mod authz;

pub mod store;
pub mod vault;

pub mod authority;

pub mod wire;

pub mod mcp;

pub mod http;

pub mod cli;
