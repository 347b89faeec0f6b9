//! `reveal_user_token` and `reveal_app_env_token`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Call, Hints};
use crate::{
    authority::{Error, For, Thing},
    authz::Request,
    domain::app_env::AppEnvRef,
    mcp::Server,
    wire::{
        cli_token::{RevealedAppEnvToken, RevealedCliToken, RevealedUserToken},
        parse,
    },
};

/// Arguments of `reveal_user_token`: none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RevealUserToken {}

impl Call for RevealUserToken {
    const NAME: &'static str = "reveal_user_token";
    const TITLE: &'static str = "Reveal user's CLI token";
    const DESCRIPTION: &'static str = "Shows the CLI token of the user that this session acts for, \
        in the clear. It enters your context: ask the person first, and do not repeat it. The \
        reveal is written down. Needs `read:secrets`.";
    const HINTS: Hints = Hints::Reveals;
    type Answer = RevealedUserToken;

    async fn call(self, server: &Server, request: &Request) -> Result<RevealedUserToken, Error> {
        let revealed = server.authority.reveal_cli_token(request, For::Me).await?;
        match revealed.into() {
            RevealedCliToken::User(user) => Ok(user),
            // A token of an app environment has no user to show one of.
            RevealedCliToken::AppEnv(_) => Err(Error::NotFound(Thing::CliToken)),
        }
    }
}

/// Arguments of `reveal_app_env_token`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RevealAppEnvToken {
    /// UUID of the app environment. It wins where both are given.
    #[serde(default)]
    #[schemars(with = "String")]
    app_env_id: Option<String>,
    /// Its name in commands, such as `production`.
    #[serde(default)]
    #[schemars(with = "String")]
    env_name: Option<String>,
}

impl Call for RevealAppEnvToken {
    const NAME: &'static str = "reveal_app_env_token";
    const TITLE: &'static str = "Reveal app environment's CLI token";
    const DESCRIPTION: &'static str = "Shows the CLI token of an app environment, in the clear; \
        name it by `app_env_id` or `env_name`. It enters your context: ask the person first, and \
        do not repeat it. The reveal is written down. Needs `read:secrets`, and that the person is \
        an admin of the account.";
    const HINTS: Hints = Hints::Reveals;
    type Answer = RevealedAppEnvToken;

    async fn call(self, server: &Server, request: &Request) -> Result<RevealedAppEnvToken, Error> {
        let env = match (&self.app_env_id, &self.env_name) {
            (Some(id), _) => AppEnvRef::Id(parse::value("app_env_id", id)?),
            (None, Some(name)) => AppEnvRef::Name(parse::value("env_name", name)?),
            (None, None) => {
                return Err(Error::invalid(
                    "app_env_id",
                    "either it or `env_name` is needed; `list_app_envs` tells both",
                ));
            }
        };
        let revealed = server
            .authority
            .reveal_cli_token(request, For::AppEnv(env))
            .await?;
        match revealed.into() {
            RevealedCliToken::AppEnv(env) => Ok(env),
            RevealedCliToken::User(_) => Err(Error::NotFound(Thing::CliToken)),
        }
    }
}
