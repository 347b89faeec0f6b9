//! The statements about accounts, people, what they are there, and app environments.

use rusqlite::{Row, RowIndex, params};

use super::{
    File,
    rows::{id, maybe_time, maybe_word, time, word},
};
use crate::{
    authz::{Entry, Permit},
    domain::{
        account::{Account, Membership, Role, Slug},
        app_env::{AppEnv, AppEnvRef},
        id::{AccountId, AppEnvId, UserId},
        label::Label,
        token::{Owner, Standing, Unknown, Whose},
        user::{User, Username},
    },
    store::{Error, ReadAccounts, WriteAccounts},
};

const USER: &str = "select id, username, email, os_uid, created_at, deactivated_at from users";
const ACCOUNT: &str = "select id, slug, name, created_at from accounts";
const APP_ENV: &str = "select id, account_id, name, cli_env_name, created_at from app_envs";

impl ReadAccounts for File {
    fn is_founded(&mut self) -> Result<bool, Error> {
        let founded = self.one("select exists (select 1 from accounts)", [], |row| {
            row.get(0)
        })?;
        Ok(founded.unwrap_or(false))
    }

    fn instance(&mut self) -> Result<String, Error> {
        let sql = "select value from meta where key = 'instance_id'";
        self.one(sql, [], |row| row.get(0))?
            .ok_or_else(|| Error::Corrupt("the store has no `instance_id`".into()))
    }

    fn place(
        &mut self,
        account: &Slug,
        uid: u32,
    ) -> Result<(Option<AccountId>, Option<Standing>), Error> {
        let sql = "select a.id as account_id, u.id as user_id, u.deactivated_at, m.role
            from accounts a left join users u on u.os_uid = ?2
            left join memberships m on m.account_id = a.id and m.user_id = u.id
            where a.slug = ?1";
        let found = self.one(sql, params![account.as_str(), uid], |row| {
            let account = id(row, "account_id")?;
            let user: Option<UserId> = super::rows::maybe_id(row, "user_id")?;
            let standing = match user {
                Some(user) => Some(standing(row, user, account)?),
                None => None,
            };
            Ok((account, standing))
        })?;
        Ok(found.map_or((None, None), |(account, standing)| {
            (Some(account), standing)
        }))
    }

    fn standing(&mut self, user: UserId, account: AccountId) -> Result<Option<Standing>, Error> {
        let sql = "select u.deactivated_at, m.role from users u
            left join memberships m on m.user_id = u.id and m.account_id = ?2 where u.id = ?1";
        let params = params![user.to_bytes(), account.to_bytes()];
        self.one(sql, params, |row| standing(row, user, account))
    }

    fn user_named(&mut self, name: &Username) -> Result<Option<UserId>, Error> {
        let sql = "select id from users where username = ?1";
        self.one(sql, [name.as_str()], |row| id(row, "id"))
    }

    fn app_env_whose(
        &mut self,
        named: &AppEnvRef,
        account: AccountId,
    ) -> Result<Option<(AppEnvId, Whose)>, Error> {
        let account = account.as_uuid();
        let read = |row: &Row<'_>| id(row, "id");
        let found = match named {
            AppEnvRef::Id(env) => {
                let sql = "select id from app_envs where account_id = ?1 and id = ?2";
                let params = params![account.as_bytes(), env.to_bytes()];
                self.one(sql, params, read)?
            }
            AppEnvRef::Name(name) => {
                let sql = "select id from app_envs where account_id = ?1 and cli_env_name = ?2";
                self.one(sql, params![account.as_bytes(), name.as_str()], read)?
            }
        };
        Ok(found.map(|env| (env, Whose::Owner(account.into(), Owner::AppEnv(env)))))
    }

    fn app_env(&mut self, permit: &Permit<'_>, id: AppEnvId) -> Result<Option<AppEnv>, Error> {
        let account = permit
            .account()
            .map(AccountId::to_bytes)
            .unwrap_or_default();
        let sql = format!("{APP_ENV} where id = ?1 and account_id = ?2");
        let params = params![id.to_bytes(), account];
        self.one(&sql, params, app_env)
    }

    fn app_envs(
        &mut self,
        permit: &Permit<'_>,
        before: Option<AppEnvId>,
        rows: u32,
    ) -> Result<Vec<AppEnv>, Error> {
        let sql = format!(
            "{APP_ENV} where account_id = ?1 and (?2 is null or id < ?2) order by id desc limit ?3"
        );
        let account = permit
            .account()
            .map(AccountId::to_bytes)
            .unwrap_or_default();
        let before = before.map(AppEnvId::to_bytes);
        let params = params![account, before, rows];
        self.all(&sql, params, app_env)
    }

    fn user(&mut self, permit: &Permit<'_>, id: UserId) -> Result<Option<User>, Error> {
        let sql = format!(
            "{USER} where id = ?1 and (?2 is null or exists
                (select 1 from memberships where account_id = ?2 and user_id = ?1))"
        );
        let account = permit.account().map(AccountId::to_bytes);
        self.one(&sql, params![id.to_bytes(), account], user)
    }

    fn account(&mut self, permit: &Permit<'_>) -> Result<Option<Account>, Error> {
        let sql = format!("{ACCOUNT} where id = ?1");
        let id = permit.account().map(AccountId::to_bytes);
        self.one(&sql, [id], account)
    }

    fn users(&mut self, _: &Permit<'_>) -> Result<Vec<(User, Vec<Membership>)>, Error> {
        let users = self.all(&format!("{USER} order by id"), [], user)?;
        let sql = "select account_id, user_id, role from memberships order by account_id, user_id";
        let members = self.all(sql, [], membership)?;
        let of = |user: &User| {
            let theirs = members.iter().filter(|member| member.user == user.id);
            theirs.cloned().collect()
        };
        Ok(users
            .into_iter()
            .map(|user| (of(&user), user))
            .map(|(m, u)| (u, m))
            .collect())
    }

    fn members(
        &mut self,
        permit: &Permit<'_>,
        after: Option<UserId>,
        rows: u32,
    ) -> Result<Vec<(User, Membership)>, Error> {
        let sql = "select id, username, email, os_uid, created_at, deactivated_at, account_id,
                user_id, role from memberships join users on id = user_id
            where account_id = ?1 and (?2 is null or user_id > ?2) order by user_id limit ?3";
        let account = permit
            .account()
            .map(AccountId::to_bytes)
            .unwrap_or_default();
        let params = params![account, after.map(UserId::to_bytes), rows];
        self.all(sql, params, |row| Ok((user(row)?, membership(row)?)))
    }

    fn has_admin_beside(&mut self, permit: &Permit<'_>, leaving: UserId) -> Result<bool, Error> {
        let sql = "select exists (select 1 from memberships join users on id = user_id
            where account_id = ?1 and user_id <> ?2 and role = ?3 and deactivated_at is null)";
        let account = permit
            .account()
            .map(AccountId::to_bytes)
            .unwrap_or_default();
        let params = params![account, leaving.to_bytes(), Role::Admin.as_str()];
        let found = self.one(sql, params, |row| row.get(0))?;
        Ok(found.unwrap_or(false))
    }

    fn accounts(&mut self, permit: &Permit<'_>) -> Result<Vec<Account>, Error> {
        let sql = format!("{ACCOUNT} where ?1 is null or id = ?1 order by id");
        self.all(&sql, [permit.account().map(AccountId::to_bytes)], account)
    }
}

impl WriteAccounts for File {
    fn insert_account(&mut self, account: &Account, entry: &Entry<'_>) -> Result<(), Error> {
        let sql = "insert into accounts (id, slug, name, created_at) values (?1, ?2, ?3, ?4)";
        self.change(
            sql,
            params![
                account.id.to_bytes(),
                account.slug.as_str(),
                account.name.as_str(),
                account.created_at.timestamp_millis(),
            ],
        )?;
        self.tell(entry);
        Ok(())
    }

    fn insert_user(&mut self, user: &User, entry: &Entry<'_>) -> Result<(), Error> {
        let sql = "insert into users (id, username, email, os_uid, created_at)
            values (?1, ?2, ?3, ?4, ?5)";
        self.change(
            sql,
            params![
                user.id.to_bytes(),
                user.username.as_str(),
                user.email.as_ref().map(crate::domain::user::Email::as_str),
                user.os_uid,
                user.created_at.timestamp_millis(),
            ],
        )?;
        self.tell(entry);
        Ok(())
    }

    fn update_user(&mut self, user: &User, entry: &Entry<'_>) -> Result<(), Error> {
        let sql = "update users set deactivated_at = ?2 where id = ?1";
        let deactivated_at = user.deactivated_at.map(|at| at.timestamp_millis());
        self.change(sql, params![user.id.to_bytes(), deactivated_at])?;
        self.tell(entry);
        Ok(())
    }

    fn put_membership(&mut self, member: &Membership, entry: &Entry<'_>) -> Result<(), Error> {
        let sql = "insert into memberships (account_id, user_id, role) values (?1, ?2, ?3)
            on conflict (account_id, user_id) do update set role = excluded.role";
        self.change(
            sql,
            params![
                member.account.to_bytes(),
                member.user.to_bytes(),
                member.role.as_str(),
            ],
        )?;
        self.tell(entry);
        Ok(())
    }

    fn remove_membership(
        &mut self,
        user: UserId,
        account: AccountId,
        entry: &Entry<'_>,
    ) -> Result<(), Error> {
        let sql = "delete from memberships where account_id = ?1 and user_id = ?2";
        let params = params![account.to_bytes(), user.to_bytes()];
        self.change(sql, params)?;
        self.tell(entry);
        Ok(())
    }

    fn insert_app_env(&mut self, env: &AppEnv, entry: &Entry<'_>) -> Result<(), Error> {
        let sql = "insert into app_envs (id, account_id, name, cli_env_name, created_at)
            values (?1, ?2, ?3, ?4, ?5)";
        self.change(
            sql,
            params![
                env.id.to_bytes(),
                env.account.to_bytes(),
                env.name.as_str(),
                env.cli_env_name.as_ref().map(Slug::as_str),
                env.created_at.timestamp_millis(),
            ],
        )?;
        self.tell(entry);
        Ok(())
    }

    fn remove_app_env(&mut self, id: AppEnvId, entry: &Entry<'_>) -> Result<(), Error> {
        let sql = "delete from app_envs where id = ?1";
        self.change(sql, [id.to_bytes()])?;
        self.tell(entry);
        Ok(())
    }
}

fn standing(row: &Row<'_>, user: UserId, account: AccountId) -> rusqlite::Result<Standing> {
    Ok(Standing {
        user,
        account,
        active: maybe_time(row, "deactivated_at")?.is_none(),
        role: role(row, "role")?,
    })
}

/// The role in a row that may have none.
pub(super) fn role(row: &Row<'_>, at: impl RowIndex) -> rusqlite::Result<Option<Role>> {
    maybe_word(row, at, str::parse)
}

fn membership(row: &Row<'_>) -> rusqlite::Result<Membership> {
    Ok(Membership {
        account: id(row, "account_id")?,
        user: id(row, "user_id")?,
        role: role(row, "role")?.ok_or_else(|| super::rows::wrong(Unknown))?,
    })
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: id(row, "id")?,
        username: word(row, "username", str::parse)?,
        email: maybe_word(row, "email", str::parse)?,
        os_uid: row.get("os_uid")?,
        created_at: time(row, "created_at")?,
        deactivated_at: maybe_time(row, "deactivated_at")?,
    })
}

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: id(row, "id")?,
        slug: word(row, "slug", str::parse)?,
        name: Label::from_kept(row.get_ref("name")?.as_str()?),
        created_at: time(row, "created_at")?,
    })
}

fn app_env(row: &Row<'_>) -> rusqlite::Result<AppEnv> {
    Ok(AppEnv {
        id: id(row, "id")?,
        account: id(row, "account_id")?,
        name: Label::from_kept(row.get_ref("name")?.as_str()?),
        cli_env_name: maybe_word(row, "cli_env_name", str::parse)?,
        created_at: time(row, "created_at")?,
    })
}
