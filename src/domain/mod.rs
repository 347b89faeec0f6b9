//! The nouns: values that cannot be wrong once they are made. No IO, no JSON, no SQL, and no clock
//! but the one that is handed in.

pub mod account;
pub mod actor;
pub mod app_env;
pub mod audit;
pub mod claim;
pub mod cli_token;
pub mod clock;
pub mod credential;
pub mod expires;
pub mod id;
pub mod idempotency;
pub mod label;
pub mod page;
pub mod scope;
pub mod shape;
pub mod sighting;
pub mod text;
pub mod token;
pub mod user;
