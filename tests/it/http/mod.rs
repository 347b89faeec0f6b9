//! The HTTP front, from outside: whole answers, with what stands in their heads.

mod client;
mod tokens;
