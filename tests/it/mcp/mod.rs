//! MCP: what the tools are, what they answer, and how the wire behaves.

mod answers;
pub(crate) mod client;
mod confirm;
pub(crate) mod process;
mod progress;
pub(crate) mod shown;
mod tools;
mod wire;
