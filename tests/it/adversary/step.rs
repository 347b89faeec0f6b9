//! [`Step`]: one thing that somebody tries, made of small numbers, so that a story that goes wrong
//! can be told short.

use std::ops::Range;

use keywright::domain::scope::Scopes;
use proptest::prelude::*;

use crate::support::scopes;

/// What is tried.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Verb {
    Create,
    Rotate,
    Update,
    /// A person at the shell claims.
    Claim,
    /// A token claims.
    PickUp,
    Reveal,
    Revoke,
    Person,
    Wait,
}

/// How a value is to come.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    Claim,
    Inline,
    Profile { is_privileged: bool },
}

/// One try. What a number means is the verb's to say; one that is too large begins again.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) verb: Verb,
    pub(super) by: usize,
    pub(super) on: usize,
    pub(super) narrowed: Option<u16>,
    pub(super) scopes: u16,
    pub(super) life: Option<u8>,
    pub(super) how: How,
    pub(super) key: Option<u8>,
    pub(super) flag: bool,
    /// Whether another process is asked.
    pub(super) elsewhere: bool,
}

/// The places of ann's agents among those who hold something.
const BY_ANN: Range<usize> = 2..5;

const SCOPES: [&str; 9] = [
    "read:notes",
    "write:tokens",
    "read:secrets",
    "read:tokens",
    "write:envs",
    "manage:account",
    "write:notes",
    "delete:tokens",
    "read:envs",
];

/// The scopes of a number, a bit each.
pub(super) fn scopes_of(mask: u16) -> Scopes {
    let named = SCOPES.iter().enumerate();
    let named = named.filter(|(bit, _)| mask >> bit & 1 == 1);
    let named: Vec<_> = named.map(|(_, scope)| *scope).collect();
    scopes(&named.join(" "))
}

/// Few scopes as a rule: who asks for much is refused, and nothing comes of it.
fn mask() -> impl Strategy<Value = u16> {
    prop_oneof![
        Just(0u16),
        Just(1),
        Just(0b11),
        Just(0b111),
        Just(0b1111),
        0u16..512
    ]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let verb = prop_oneof![
        4 => Just(Verb::Create),
        3 => Just(Verb::Rotate),
        3 => Just(Verb::Update),
        3 => Just(Verb::Claim),
        3 => Just(Verb::PickUp),
        1 => Just(Verb::Reveal),
        2 => Just(Verb::Revoke),
        1 => Just(Verb::Person),
        1 => Just(Verb::Wait),
    ];
    let how = prop_oneof![
        3 => Just(How::Claim),
        2 => Just(How::Inline),
        1 => any::<bool>().prop_map(|is_privileged| How::Profile { is_privileged }),
    ];
    // Ann's agents, of which one may do everything and two end sooner, are tried more than others.
    let by = prop_oneof![1 => BY_ANN, 1 => 0usize..64];
    let who = (verb, by, 0usize..64, prop::option::weighted(0.2, mask()));
    let what = (
        mask(),
        prop::option::weighted(0.3, 0u8..4),
        how,
        prop::option::weighted(0.4, 0u8..3),
        any::<bool>(),
        any::<bool>(),
    );
    (who, what).prop_map(|(who, what)| {
        let (verb, by, on, narrowed) = who;
        let (scopes, life, how, key, flag, elsewhere) = what;
        Step {
            verb,
            by,
            on,
            narrowed,
            scopes,
            life,
            how,
            key,
            flag,
            elsewhere,
        }
    })
}
