//! MCP: what the tools are, what they answer, and how the wire behaves.

mod answers;
pub(crate) mod client;
mod completion;
mod confirm;
mod http;
pub(crate) mod process;
mod progress;
mod prompts;
mod questions;
mod resources;
pub(crate) mod shown;
mod subscriptions;
mod tools;
mod wire;
