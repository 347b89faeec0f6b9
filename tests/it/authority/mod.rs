//! The verbs, from outside: one test a sentence, and the audit trail beside it.

mod app_env_tokens;
mod app_envs_and_users;
mod audit;
mod check_store;
mod claim_token;
mod cli_tokens;
mod consent;
mod create_token;
mod introspect_token;
mod keep_house;
mod keep_watch;
mod list_tokens;
mod members;
mod owners;
mod revoke_token;
mod rotate_token;
mod sweep;
mod update_token;
mod verify_token;
mod whoami;
