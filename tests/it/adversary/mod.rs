//! What an attacker tries, by attack, through the doors that there are: each is refused, or found,
//! and `docs/threat-model.md` names the test.

mod minting;
mod rows;
mod step;
mod world;
