//! What an attacker tries, by attack, through the doors that there are: each is refused, or found,
//! and `docs/threat-model.md` names the test. What is proved line by line beside the verb or the
//! front that it is about is not proved here once more.

mod headers;
mod memory;
mod minting;
mod rows;
mod shown;
mod step;
mod stolen;
mod timing;
mod world;
