//! The words on the wire: the JSON that every front speaks. The only types that serialize; two of
//! them hold a value, and each is the answer to one kind of verb. Decides nothing. What comes
//! in is read by `parse`, a value at a time.

pub mod account;
pub mod audit;
pub mod challenge;
pub mod cli_token;
pub mod introspection;
pub(crate) mod parse;
pub mod problem;
pub mod time;
pub mod token;
pub mod whoami;
