//! Puts the first account and its first person into a new store.

use super::{Authority, Error, Thing, decide};
use crate::{
    authz::{Action, Request},
    domain::{
        account::{Account, Membership, Role, Slug},
        audit::Target,
        id::{AccountId, UserId},
        label::Label,
        token::Whose,
        user::{User, Username},
    },
};

/// The operating system's user, who is the admin of the first account.
#[derive(Clone, Debug)]
pub struct FirstUser {
    /// What the operating system calls them.
    pub username: Username,
    /// Its number for them.
    pub uid: u32,
}

impl Authority {
    /// Founds the store, unless that was done. Several processes may try at once.
    pub async fn found_store(&self, request: &Request, first: FirstUser) -> Result<(), Error> {
        let founded = self.read(request, |view, _| Ok(view.is_founded()?)).await?;
        if founded {
            return Ok(());
        }
        let (account, user) = (AccountId::fresh(), UserId::fresh());
        self.write(request, move |tx, who| {
            if tx.is_founded()? {
                return Ok(());
            }
            let permit = decide(who, Action::FoundStore, Whose::System, Thing::Something)?;
            let new = Account {
                id: account,
                slug: Slug::default(),
                name: Label::parse("Default").map_err(|why| Error::invalid("name", why))?,
                created_at: who.at(),
            };
            tx.insert_account(&new, &permit.entry(Target::Account(account)))?;
            let new = User {
                id: user,
                username: first.username.clone(),
                email: None,
                os_uid: Some(first.uid),
                created_at: who.at(),
                deactivated_at: None,
            };
            tx.insert_user(&new, &permit.entry(Target::User(user)))?;
            let whose = Whose::Account(account);
            let permit = decide(who, Action::FoundStore, whose, Thing::Something)?;
            let member = Membership {
                account,
                user,
                role: Role::Admin,
            };
            tx.put_membership(&member, &permit.entry(Target::Membership(user)))?;
            Ok(())
        })
        .await
    }
}
