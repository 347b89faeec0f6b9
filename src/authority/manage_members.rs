//! The people of an account, and what they are in it: looked after by its admins, and at the
//! machine's shell.
//!
//! An account's admin adds people whom nobody knew before. Names are one space for the whole store,
//! so that a name may be taken; who has it, and since when, is told to nobody elsewhere. That one
//! person is in two accounts is settled at the machine's shell.

use super::{Authority, Conflict, Error, Thing, decide, missing, place};
use crate::{
    authz::{Action, Permit, Principal, Request},
    crypto::digest::Fields,
    domain::{
        account::{Membership, Role},
        audit::Target,
        id::{AccountId, UserId},
        page::{Cursor, Limit, Page},
        token::Whose,
        user::{Email, User, UserRef, Username},
    },
    store::{Reads, Refused},
};

/// A person to make a member of the account of who asks.
#[derive(Clone, Debug)]
pub struct NewMember {
    /// What they are called.
    pub username: Username,
    /// Where they can be written to, if nobody of that name was there before.
    pub email: Option<Email>,
    /// What they are to be.
    pub role: Role,
}

impl Authority {
    /// A page of the people of the account of who asks, in the order in which they were added to the
    /// store, and what they are in that account.
    pub async fn list_members(
        &self,
        request: &Request,
        limit: Limit,
        cursor: Option<Cursor>,
    ) -> Result<Page<(User, Membership)>, Error> {
        self.read(request, move |view, who| {
            let whose = who.account().map(Whose::Account);
            let permit = decide(who, Action::ListUsers, whose, Thing::Account)?;
            let list = Fields::new("members").text(&format!("{whose:?}"));
            let after = place(cursor.as_ref(), &list)?;
            let after = after.map(|place| UserId::from(uuid::Uuid::from_u128(place)));
            let rows = view.members(&permit, after, limit.and_one())?;
            let rows = rows.into_iter().map(|member| told(who, member)).collect();
            Ok(Page::cut(rows, limit, &list, |(user, _)| {
                user.id.as_uuid().as_u128()
            }))
        })
        .await
    }

    /// One of the people of the account of who asks, and what they are in it.
    pub async fn get_member(
        &self,
        request: &Request,
        named: UserRef,
    ) -> Result<(User, Membership), Error> {
        self.read(request, move |view, who| {
            let whose = who.account().map(Whose::Account);
            let permit = decide(who, Action::GetUser, whose, Thing::Account)?;
            let user = found(view, &permit, &named)?;
            member(view, &permit, user)
        })
        .await
    }

    /// Makes a person a member of the account of who asks: somebody new, or, where a person at the
    /// shell asks, whoever has that name.
    pub async fn add_member(
        &self,
        request: &Request,
        new: NewMember,
    ) -> Result<(User, Membership), Error> {
        let fresh = UserId::fresh();
        self.write(request, move |tx, who| {
            let whose = who.account().map(Whose::Account);
            let permit = decide(who, Action::SetMembership, whose, Thing::Account)?;
            let account = permit.account().ok_or(Error::NotFound(Thing::Account))?;
            let user = if let Some(user) = tx.user_named(&new.username)? {
                if role(tx, user, account)?.is_some() {
                    return Err(Conflict::Member.into());
                }
                if !who.is_person() {
                    return Err(Conflict::KnownElsewhere.into());
                }
                user
            } else {
                let permit = decide(who, Action::CreateUser, whose, Thing::Account)?;
                let user = User {
                    id: fresh,
                    username: new.username.clone(),
                    email: new.email.clone(),
                    os_uid: None,
                    created_at: who.at(),
                    deactivated_at: None,
                };
                tx.insert_user(&user, &permit.entry(Target::User(fresh)))?;
                fresh
            };
            let is = Membership {
                account,
                user,
                role: new.role,
            };
            let entry = permit
                .entry(Target::Membership(user))
                .because(new.role.as_str());
            tx.put_membership(&is, &entry)?;
            member(tx, &permit, user)
        })
        .await
    }

    /// Says what a person is in the account of who asks. A person at the shell may say it of anyone
    /// there is; a token of those who are members.
    pub async fn set_membership(
        &self,
        request: &Request,
        named: UserRef,
        role: Role,
    ) -> Result<(User, Membership), Error> {
        self.write(request, move |tx, who| {
            let whose = who.account().map(Whose::Account);
            let permit = decide(who, Action::SetMembership, whose, Thing::Account)?;
            let account = permit.account().ok_or(Error::NotFound(Thing::Account))?;
            let user = found(tx, &permit, &named)?;
            if role != Role::Admin {
                keeps_an_admin(tx, &permit, user)?;
            }
            let is = Membership {
                account,
                user,
                role,
            };
            let entry = permit
                .entry(Target::Membership(user))
                .because(role.as_str());
            tx.put_membership(&is, &entry)?;
            member(tx, &permit, user)
        })
        .await
    }

    /// Takes a person out of the account of who asks. Their tokens in it are good no more.
    pub async fn remove_membership(&self, request: &Request, named: UserRef) -> Result<(), Error> {
        self.write(request, move |tx, who| {
            let whose = who.account().map(Whose::Account);
            let permit = decide(who, Action::RemoveMembership, whose, Thing::Account)?;
            let account = permit.account().ok_or(Error::NotFound(Thing::Account))?;
            let user = found(tx, &permit, &named)?;
            if role(tx, user, account)?.is_none() {
                return Err(missing(&permit, Thing::Member));
            }
            keeps_an_admin(tx, &permit, user)?;
            tx.remove_membership(user, account, &permit.entry(Target::Membership(user)))?;
            Ok(())
        })
        .await
    }
}

/// What a person is in the account, if they are in it.
fn role(
    view: &mut (impl Reads + ?Sized),
    user: UserId,
    account: AccountId,
) -> Result<Option<Role>, Refused<Error>> {
    let standing = view.standing(user, account)?;
    Ok(standing.and_then(|standing| standing.role))
}

/// Who is meant. For a token, whoever is not in its account is not there.
fn found(
    view: &mut (impl Reads + ?Sized),
    permit: &Permit<'_>,
    named: &UserRef,
) -> Result<UserId, Refused<Error>> {
    let not_there = || missing(permit, Thing::User);
    let account = permit.account().ok_or(Error::NotFound(Thing::Account))?;
    let user = match named {
        UserRef::Id(id) => Some(*id),
        UserRef::Name(name) => view.user_named(name)?,
    };
    let user = user.ok_or_else(not_there)?;
    let standing = view.standing(user, account)?.ok_or_else(not_there)?;
    if standing.role.is_none() && !permit.principal().is_person() {
        return Err(not_there());
    }
    Ok(user)
}

/// Whoever is not an active admin may go; of those who are, one stays. A person at the shell can
/// always make another.
fn keeps_an_admin(
    view: &mut (impl Reads + ?Sized),
    permit: &Permit<'_>,
    leaving: UserId,
) -> Result<(), Refused<Error>> {
    let is_kept = permit.principal().is_person() || view.has_admin_beside(permit, leaving)?;
    if is_kept {
        Ok(())
    } else {
        Err(Conflict::LastAdmin.into())
    }
}

/// A member of the account that `permit` is for, as who asks may know them.
fn member(
    view: &mut (impl Reads + ?Sized),
    permit: &Permit<'_>,
    id: UserId,
) -> Result<(User, Membership), Refused<Error>> {
    let not_there = Error::NotFound(Thing::User);
    let account = permit.account().ok_or(Error::NotFound(Thing::Account))?;
    let role = role(view, id, account)?;
    match (view.user(permit, id)?, role) {
        (Some(user), Some(role)) => {
            let is = Membership {
                account,
                user: id,
                role,
            };
            Ok(told(permit.principal(), (user, is)))
        }
        (None, _) | (_, None) => Err(not_there.into()),
    }
}

/// A person's address is told to them and at the shell alone: they may have given it elsewhere, and
/// whoever knows a name can make its bearer a member.
fn told(who: &Principal, (mut user, is): (User, Membership)) -> (User, Membership) {
    if !who.is_person() && who.user() != Some(user.id) {
        user.email = None;
    }
    (user, is)
}
