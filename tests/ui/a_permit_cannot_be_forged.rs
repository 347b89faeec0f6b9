//! Only a decision makes a permit.

use keywright::{
    authz::{Action, Permit, Principal},
    domain::token::Whose,
};

fn forge(principal: &Principal) -> Permit<'_> {
    Permit {
        principal,
        whose: Whose::System,
        action: Action::CheckStore,
    }
}

fn main() {}
