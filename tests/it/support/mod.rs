//! [`TestApp`]: an authority of its own for every test, through public doors alone.

mod answers;
mod app;
mod asks;
mod counted;
mod people;
mod requests;
mod sinks;
mod trail;
mod verbs;

pub(crate) use answers::{code, mistyped, value, why};
pub(crate) use app::{TestApp, swap_keys};
pub(crate) use asks::{
    by_code, carrying, env_named, label, list, revoke, rotate, scopes, token, update,
};
pub(crate) use counted::counted;
pub(crate) use people::{Agent, agent};
pub(crate) use requests::{
    EVERYTHING, bearer, keywright, local, local_with, operator, operator_in,
};
pub(crate) use sinks::TestSink;
