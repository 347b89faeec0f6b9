//! CLI tokens: the one kind of value that can be shown again. What holds one has no `Debug`.

use schemars::JsonSchema;
use serde::Serialize;
use zeroize::Zeroizing;

use super::time;
use crate::authority::{Revealed, RevealedOwner};

/// A user's CLI token, in the clear.
#[derive(JsonSchema, Serialize)]
pub struct RevealedUserToken {
    /// Its value.
    #[schemars(with = "String")]
    pub token: Zeroizing<String>,
    /// Whose it is.
    pub username: String,
    /// Where they can be written to.
    pub email: Option<String>,
    /// When this value was made.
    pub generated_at: String,
}

/// An app environment's CLI token, in the clear.
#[derive(JsonSchema, Serialize)]
pub struct RevealedAppEnvToken {
    /// Its value.
    #[schemars(with = "String")]
    pub token: Zeroizing<String>,
    /// UUID of the app environment.
    pub app_env_id: String,
    /// Its name in commands.
    pub cli_env_name: Option<String>,
    /// Its name for people.
    pub name: String,
    /// When this value was made.
    pub generated_at: String,
}

/// A CLI token of either kind.
#[derive(Serialize)]
#[serde(untagged)]
pub enum RevealedCliToken {
    /// A user's.
    User(RevealedUserToken),
    /// An app environment's.
    AppEnv(RevealedAppEnvToken),
}

impl From<Revealed> for RevealedCliToken {
    fn from(revealed: Revealed) -> Self {
        let token = Zeroizing::new(revealed.value.expose().to_owned());
        let generated_at = time::rfc3339(revealed.generated_at);
        match revealed.owner {
            RevealedOwner::User(user) => Self::User(RevealedUserToken {
                token,
                username: user.username.as_str().to_owned(),
                email: user.email.map(|email| email.as_str().to_owned()),
                generated_at,
            }),
            RevealedOwner::AppEnv(env) => Self::AppEnv(RevealedAppEnvToken {
                token,
                app_env_id: env.id.to_string(),
                cli_env_name: env.cli_env_name.map(|name| name.as_str().to_owned()),
                name: env.name.as_str().to_owned(),
                generated_at,
            }),
        }
    }
}

impl RevealedCliToken {
    /// The value.
    pub fn token(&self) -> &str {
        match self {
            Self::User(revealed) => &revealed.token,
            Self::AppEnv(revealed) => &revealed.token,
        }
    }
}
