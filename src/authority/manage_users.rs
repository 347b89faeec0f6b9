//! People and accounts, as the store's own: looked after at the machine's shell.

use super::{Authority, Error, Thing, decide, manage_app_envs::taken};
use crate::{
    authz::{Action, Request},
    domain::{
        account::{Account, Membership, Role, Slug},
        audit::Target,
        id::{AccountId, UserId},
        label::Label,
        token::Whose,
        user::{Email, User, Username},
    },
};

/// A person to add, as a member of the account of who asks.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// What they are called in commands.
    pub username: Username,
    /// Where they can be written to.
    pub email: Option<Email>,
    /// The operating system's number for them on this machine.
    pub os_uid: Option<u32>,
    /// What they are to be in the account.
    pub role: Role,
}

/// An account to add.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Its name in commands.
    pub slug: Slug,
    /// Its name for people.
    pub name: Label,
}

impl Authority {
    /// Everyone, and what they are in accounts.
    pub async fn list_users(
        &self,
        request: &Request,
    ) -> Result<Vec<(User, Vec<Membership>)>, Error> {
        self.read(request, |view, who| {
            let permit = decide(who, Action::ListUsers, Whose::System, Thing::User)?;
            Ok(view.users(&permit)?)
        })
        .await
    }

    /// Adds a person, and makes them something in the account of who asks.
    pub async fn create_user(&self, request: &Request, new: NewUser) -> Result<User, Error> {
        let id = UserId::fresh();
        self.write(request, move |tx, who| {
            let permit = decide(who, Action::CreateUser, Whose::System, Thing::User)?;
            let account = who.account().ok_or(Error::NotFound(Thing::Account))?;
            let user = User {
                id,
                username: new.username.clone(),
                email: new.email.clone(),
                os_uid: new.os_uid,
                created_at: who.at(),
                deactivated_at: None,
            };
            tx.insert_user(&user, &permit.entry(Target::User(id)))
                .map_err(|error| taken(error, "user name, or the operating system's user,"))?;
            let whose = Whose::Account(account);
            let permit = decide(who, Action::SetMembership, whose, Thing::Account)?;
            let member = Membership {
                account,
                user: id,
                role: new.role,
            };
            tx.put_membership(&member, &permit.entry(Target::Membership(id)))?;
            Ok(user)
        })
        .await
    }

    /// Switches a person on or off. From the commit on, none of the tokens of one who is off is
    /// good.
    pub async fn set_user_active(
        &self,
        request: &Request,
        name: Username,
        active: bool,
    ) -> Result<User, Error> {
        self.write(request, move |tx, who| {
            let found = tx.user_named(&name)?;
            let whose = found.map(|_| Whose::System);
            let permit = decide(who, Action::UpdateUser, whose, Thing::User)?;
            let not_there = Error::NotFound(Thing::User);
            let Some(id) = found else {
                return Err(not_there.into());
            };
            let mut user = tx.user(&permit, id)?.ok_or(not_there)?;
            user.deactivated_at = if active {
                None
            } else {
                user.deactivated_at.or(Some(who.at()))
            };
            let entry = permit.entry(Target::User(id)).because(if active {
                "activated"
            } else {
                "deactivated"
            });
            tx.update_user(&user, &entry)?;
            Ok(user)
        })
        .await
    }

    /// Every account; for a token the one that it is in.
    pub async fn list_accounts(&self, request: &Request) -> Result<Vec<Account>, Error> {
        self.read(request, |view, who| {
            let whose = if who.is_person() {
                Some(Whose::System)
            } else {
                who.account().map(Whose::Account)
            };
            let permit = decide(who, Action::ListAccounts, whose, Thing::Account)?;
            Ok(view.accounts(&permit)?)
        })
        .await
    }

    /// Adds an account. Nobody is in it yet.
    pub async fn create_account(
        &self,
        request: &Request,
        new: NewAccount,
    ) -> Result<Account, Error> {
        let id = AccountId::fresh();
        self.write(request, move |tx, who| {
            let permit = decide(who, Action::CreateAccount, Whose::System, Thing::Account)?;
            let account = Account {
                id,
                slug: new.slug.clone(),
                name: new.name.clone(),
                created_at: who.at(),
            };
            tx.insert_account(&account, &permit.entry(Target::Account(id)))
                .map_err(|error| taken(error, "name of the account"))?;
            // Its own chain begins with it, so that one that is taken away whole is missed.
            let permit = decide(
                who,
                Action::CreateAccount,
                Whose::Account(id),
                Thing::Account,
            )?;
            tx.note(&permit.entry(Target::Account(id)).because("begins here"));
            Ok(account)
        })
        .await
    }
}
