//! `keywright env`, `user`, `account` and `member`: what an account consists of.

use super::{
    args,
    error::Failure,
    output::{self, Output, Table},
    serve::{House, parsed},
    token::{show_lines, written},
    words,
};
use crate::{
    authority::{NewAccount, NewAppEnv, NewUser},
    domain::{account::Slug, user::Username},
    wire::account::{Account, Accounts, AppEnv, AppEnvs, Membership, User, UserInAccounts, Users},
};

/// `keywright env`.
pub(super) async fn env(house: &House, out: Output, asked: args::Env) -> Result<(), Failure> {
    let request = house.operator();
    match asked {
        args::Env::Create { name, cli_env_name } => {
            let new = NewAppEnv {
                name: words::label("name", &name)?,
                cli_env_name: words::maybe("--cli-env-name", cli_env_name.as_deref())?,
            };
            let env = house
                .authority()
                .await?
                .create_app_env(&request, new)
                .await?;
            show_lines(out, &AppEnv::from(&env), |view| {
                vec![
                    ("id", view.id.clone()),
                    ("name", view.name.clone()),
                    (
                        "cli_env_name",
                        output::or_dash(view.cli_env_name.as_deref()),
                    ),
                ]
            })
        }
        args::Env::List(page) => {
            let (limit, cursor) = words::page(&page)?;
            let page = house
                .authority()
                .await?
                .list_app_envs(&request, limit, cursor)
                .await?;
            written(out.show(&AppEnvs::from(&page), |view| {
                let mut table = Table::new(["ID", "NAME", "CLI ENV NAME", "CREATED"]);
                for env in &view.app_envs {
                    table.row([
                        env.id.clone(),
                        env.name.clone(),
                        output::or_dash(env.cli_env_name.as_deref()),
                        env.created_at.clone(),
                    ]);
                }
                output::page(
                    &table,
                    "No app environments. Make one with `keywright env create NAME`.",
                    view.next_cursor.as_deref(),
                )
            }))
        }
        args::Env::Delete { env } => {
            let id = house
                .authority()
                .await?
                .delete_app_env(&request, words::app_env(&env)?)
                .await?;
            let view = serde_json::json!({ "id": id.to_string() });
            written(out.show(&view, |_| {
                format!("{id} is gone, and its CLI token is refused from now on.\n")
            }))
        }
    }
}

/// `keywright user`.
pub(super) async fn user(house: &House, out: Output, asked: args::User) -> Result<(), Failure> {
    let request = house.operator();
    match asked {
        args::User::Add {
            username,
            email,
            os_uid,
            role,
        } => {
            let new = NewUser {
                username: parsed("username", &username)?,
                email: words::maybe("--email", email.as_deref())?,
                os_uid,
                role: parsed("--role", &role)?,
            };
            let user = house.authority().await?.create_user(&request, new).await?;
            show_user(out, &User::from(&user))
        }
        args::User::List => {
            let users = house.authority().await?.list_users(&request).await?;
            let accounts = house.authority().await?.list_accounts(&request).await?;
            let views: Vec<_> = users
                .iter()
                .map(|(user, memberships)| UserInAccounts {
                    user: user.into(),
                    memberships: memberships.iter().map(Into::into).collect(),
                })
                .collect();
            written(out.show(&Users { users: views }, |view| {
                let mut table = Table::new(["ID", "USERNAME", "EMAIL", "STATE", "IN ACCOUNTS"]);
                let role = |member: &Membership| {
                    let account = accounts.iter().find(|a| a.id.to_string() == member.account);
                    let slug = account.map_or("-", |account| account.slug.as_str());
                    format!("{slug} ({})", member.role)
                };
                for view in &view.users {
                    let roles: Vec<_> = view.memberships.iter().map(role).collect();
                    table.row([
                        view.user.id.clone(),
                        view.user.username.clone(),
                        output::or_dash(view.user.email.as_deref()),
                        state(&view.user).to_owned(),
                        output::or_dash(Some(roles.join(", ").as_str()).filter(|s| !s.is_empty())),
                    ]);
                }
                output::table(&table, "No users.")
            }))
        }
        args::User::Deactivate { username } => {
            let name = parsed("username", &username)?;
            let user = house
                .authority()
                .await?
                .set_user_active(&request, name, false)
                .await?;
            show_user(out, &User::from(&user))
        }
        args::User::Activate { username } => {
            let name = parsed("username", &username)?;
            let user = house
                .authority()
                .await?
                .set_user_active(&request, name, true)
                .await?;
            show_user(out, &User::from(&user))
        }
    }
}

/// `keywright account`.
pub(super) async fn account(
    house: &House,
    out: Output,
    asked: args::Account,
) -> Result<(), Failure> {
    let request = house.operator();
    match asked {
        args::Account::Add { slug, name } => {
            let slug: Slug = parsed("slug", &slug)?;
            let new = NewAccount {
                name: words::label("--name", name.as_deref().unwrap_or(slug.as_str()))?,
                slug,
            };
            let account = house
                .authority()
                .await?
                .create_account(&request, new)
                .await?;
            show_lines(out, &Account::from(&account), |view| {
                vec![
                    ("id", view.id.clone()),
                    ("slug", view.slug.clone()),
                    ("name", view.name.clone()),
                ]
            })
        }
        args::Account::List => {
            let accounts = house.authority().await?.list_accounts(&request).await?;
            let views: Vec<Account> = accounts.iter().map(Into::into).collect();
            written(out.show(&Accounts { accounts: views }, |view| {
                let mut table = Table::new(["ID", "SLUG", "NAME", "CREATED"]);
                for view in &view.accounts {
                    table.row([
                        view.id.clone(),
                        view.slug.clone(),
                        view.name.clone(),
                        view.created_at.clone(),
                    ]);
                }
                output::table(&table, "No accounts.")
            }))
        }
    }
}

/// `keywright member`.
pub(super) async fn member(house: &House, out: Output, asked: args::Member) -> Result<(), Failure> {
    let request = house.operator();
    match asked {
        args::Member::Set { username, role } => {
            let name: Username = parsed("username", &username)?;
            let role = parsed("role", &role)?;
            let (_, member) = house
                .authority()
                .await?
                .set_membership(&request, name.into(), role)
                .await?;
            written(out.show(&Membership::from(&member), |view| {
                format!(
                    "{username} has the role {} in {}.\n",
                    view.role, house.account
                )
            }))
        }
        args::Member::Remove { username } => {
            let name: Username = parsed("username", &username)?;
            house
                .authority()
                .await?
                .remove_membership(&request, name.into())
                .await?;
            let view =
                serde_json::json!({ "account": house.account.as_str(), "username": username });
            written(out.show(&view, |_| {
                format!(
                    "{username} is no longer in {}; their tokens in it are refused from now on.\n",
                    house.account
                )
            }))
        }
    }
}

fn show_user(out: Output, view: &User) -> Result<(), Failure> {
    show_lines(out, view, |view| {
        vec![
            ("id", view.id.clone()),
            ("username", view.username.clone()),
            ("email", output::or_dash(view.email.as_deref())),
            ("state", state(view).to_owned()),
        ]
    })
}

fn state(user: &User) -> &'static str {
    if user.active { "active" } else { "deactivated" }
}
