//! Who there is in a store: people, agents of theirs, app environments and their CLI tokens.

use chrono::Duration;
use keywright::{
    authority::{Deliver, For, Minted, NewAccount, NewAppEnv, NewToken, NewUser, SetCliToken},
    authz::{Credential, Request},
    domain::{account::Role, app_env::AppEnv, expires::Expires, id::TokenId, token::Token},
};

use super::{
    answers::value,
    app::TestApp,
    asks::{label, scopes, token},
    requests::{EVERYTHING, bearer, operator, operator_in, request},
};

/// Somebody with a token.
#[derive(Clone)]
pub(crate) struct Agent {
    pub(crate) id: TokenId,
    pub(crate) value: String,
}

impl Agent {
    /// A request of its own.
    pub(crate) fn asks(&self) -> Request {
        bearer(&self.value)
    }

    /// A request of a session that was narrowed.
    pub(crate) fn narrowed(&self, to: &str) -> Request {
        request(Credential::bearer(&self.value, Some(scopes(to))))
    }
}

impl TestApp {
    /// An agent of ann's without an end.
    pub(crate) async fn agent<const N: usize>(&self, scopes: [&str; N]) -> Agent {
        self.agent_of("ann", scopes).await
    }

    /// An agent of somebody in `default`, without an end.
    pub(crate) async fn agent_of<const N: usize>(&self, name: &str, scopes: [&str; N]) -> Agent {
        self.agent_for(&operator(), name, &scopes.join(" "), Expires::Never)
            .await
    }

    /// An agent of ann's without an end that holds these.
    pub(crate) async fn agent_holding(&self, held: &str) -> Agent {
        self.agent_for(&operator(), "ann", held, Expires::Never)
            .await
    }

    /// An agent of ann's that ends after `life`.
    pub(crate) async fn agent_until<const N: usize>(
        &self,
        life: Duration,
        scopes: [&str; N],
    ) -> Agent {
        let life = Expires::After(life);
        self.agent_for(&operator(), "ann", &scopes.join(" "), life)
            .await
    }

    async fn agent_for(&self, by: &Request, of: &str, held: &str, expires: Expires) -> Agent {
        let new = NewToken {
            owner: For::User(of.parse().unwrap()),
            scopes: scopes(held),
            expires: Some(expires),
            deliver: Deliver::Inline,
            ..token("agent")
        };
        agent(&self.authority.create_token(by, new).await.unwrap())
    }

    /// An account of its own with one admin in it, and an agent of theirs that may do everything.
    pub(crate) async fn stranger(&self) -> Agent {
        let new = NewAccount {
            slug: "acme".parse().unwrap(),
            name: label("Acme"),
        };
        self.authority
            .create_account(&operator(), new)
            .await
            .unwrap();
        let there = operator_in("acme");
        let eve = new_user("eve", Role::Admin);
        self.authority.create_user(&there, eve).await.unwrap();
        self.agent_for(&there, "eve", EVERYTHING, Expires::Never)
            .await
    }

    /// Adds a person to `default`.
    pub(crate) async fn user(&self, name: &str, role: Role) {
        let user = new_user(name, role);
        self.authority.create_user(&operator(), user).await.unwrap();
    }

    /// Makes a person of `default` something else there.
    pub(crate) async fn set_role(&self, name: &str, role: Role) {
        let name = name.parse().unwrap();
        self.authority
            .set_membership(&operator(), name, role)
            .await
            .unwrap();
    }

    pub(crate) async fn set_active(&self, name: &str, active: bool) {
        let name = name.parse().unwrap();
        self.authority
            .set_user_active(&operator(), name, active)
            .await
            .unwrap();
    }

    /// An app environment of `default`, with this name for people and for a CLI.
    pub(crate) async fn app_env(&self, name: &str) -> AppEnv {
        let new = NewAppEnv {
            name: label(name),
            cli_env_name: Some(name.parse().unwrap()),
        };
        self.authority
            .create_app_env(&operator(), new)
            .await
            .unwrap()
    }

    /// Gives a fresh CLI token.
    pub(crate) async fn set_cli_token(&self, of: For, held: &str) -> Token {
        let set = SetCliToken {
            of,
            scopes: scopes(held),
            imported: None,
        };
        let set = self.authority.set_cli_token(&operator(), set).await;
        set.unwrap().0
    }
}

fn new_user(name: &str, role: Role) -> NewUser {
    NewUser {
        username: name.parse().unwrap(),
        email: None,
        os_uid: None,
        role,
    }
}

/// Whoever an inline answer was for.
pub(crate) fn agent(minted: &Minted) -> Agent {
    Agent {
        id: minted.token.id,
        value: value(minted),
    }
}
