//! Whether the store can be read, and the key opens what is sealed.

use super::{Authority, Error, Thing, decide};
use crate::{
    authz::{Action, Request},
    domain::token::Whose,
};

/// What was found.
#[derive(Debug)]
pub struct Checked {
    /// What the engine finds wrong with what it keeps.
    pub damage: Vec<String>,
    /// What is wrong with the vault's key.
    pub key: Option<String>,
}

impl Authority {
    /// Reads all of the store, and looks at the vault's key.
    pub async fn check_store(&self, request: &Request) -> Result<Checked, Error> {
        let house = self.clone();
        self.read(request, move |view, who| {
            let permit = decide(who, Action::CheckStore, Whose::System, Thing::Something)?;
            let vault = &house.inner.vault;
            let needed = view.sealing_keys(&permit)?;
            let key = match (vault.key_id(), needed.as_slice()) {
                (Err(why), _) => Some(why.to_string()),
                (Ok(_), []) => None,
                (Ok(None), _) => Some(format!(
                    "the vault key `{}` is missing, and there are values sealed with it; put the \
                     file back, or name it with `--key-file`",
                    vault.path().display()
                )),
                (Ok(Some(held)), needed) if needed.iter().all(|id| *id == held) => None,
                (Ok(Some(held)), needed) => Some(format!(
                    "there are values sealed with the vault key {}, and `{}` holds {held}; put the \
                     right file back",
                    needed.join(", "),
                    vault.path().display()
                )),
            };
            Ok(Checked {
                damage: view.damage(&permit)?,
                key,
            })
        })
        .await
    }
}
