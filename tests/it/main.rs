//! One binary for every test that looks at the house from outside.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod architecture;
mod authority;
mod docs;
mod schema;
mod store;
mod support;
mod vectors;
