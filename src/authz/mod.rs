//! Who may do what. The one place where a permission is decided; pure, without a clock or a store.
//!
//! [`recognize`] turns a [`Credential`] into a [`Principal`], [`decide`] turns a principal into a
//! [`Permit`]; both may answer with a [`Denial`]. A permit is needed to read anyone's rows, to
//! open a sealed value, and to make the [`Entry`] without which the store changes nothing.
//!
//! [`covers`] is the one rule of narrowing: nothing that a principal makes, renews, switches on or
//! is shown carries more than it has.

mod action;
mod decision;
mod permit;
mod principal;
#[cfg(test)]
mod tests;

pub use action::{Action, Change, Inline, NotAnAction};
pub use decision::{covers, decide, effective, outlook};
pub use permit::{Denial, Entry, Permit, Record, Why};
pub use principal::{
    Credential, Found, Missed, Principal, Request, Seen, recognize, recognize_opener,
};
