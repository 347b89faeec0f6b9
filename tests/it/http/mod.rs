//! The HTTP front, from outside: whole answers, with what stands in their heads.

mod app_env_tokens;
mod app_envs;
mod claims;
mod client;
mod connections;
mod coverage;
mod hostile;
mod in_flight;
mod leaks;
mod out_of_reach;
mod profiles;
pub(crate) mod served;
mod tokens;
mod users;
mod verify;
