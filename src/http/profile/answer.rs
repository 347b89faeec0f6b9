//! What templates are filled from: the views of the wire, with ids, times and scopes as the profile
//! writes them.

use zeroize::Zeroizing;

use super::{
    file::Profile,
    template::{Fields, Filling},
};
use crate::wire::{
    cli_token::{RevealedAppEnvToken, RevealedUserToken},
    token::Token,
};

/// A token's record, with its value where it was made just now.
pub(super) struct Record {
    view: Token,
    token: Option<Zeroizing<String>>,
}

impl Record {
    /// `view`, as `profile` writes it.
    pub(super) fn new(profile: &Profile, view: Token, token: Option<Zeroizing<String>>) -> Self {
        let time = |at: String| profile.times.written(&at);
        let id = profile
            .id
            .as_ref()
            .map_or(view.id.clone(), |form| form.written(&view.id));
        let scopes = view
            .scopes
            .into_iter()
            .map(|scope| profile.scope_name(scope));
        let view = Token {
            id,
            scopes: scopes.collect(),
            created_at: time(view.created_at),
            last_used_at: view.last_used_at.map(time),
            expires_at: view.expires_at.map(time),
            generated_at: view.generated_at.map(time),
            ..view
        };
        Self { view, token }
    }
}

impl Fields for Record {
    fn filling(&self, field: &str) -> Filling<'_> {
        let view = &self.view;
        match field {
            "token" => self
                .token
                .as_deref()
                .map_or(Filling::Null, |token| Filling::Text(token)),
            "id" => Filling::Text(&view.id),
            "kind" => Filling::Text(&view.kind),
            "label" => Filling::Text(&view.label),
            "prefix" => (&view.prefix).into(),
            "scopes" => Filling::Texts(&view.scopes),
            "state" => Filling::Text(&view.state),
            "created_at" => Filling::Text(&view.created_at),
            "last_used_at" => (&view.last_used_at).into(),
            "expires_at" => (&view.expires_at).into(),
            "generated_at" => (&view.generated_at).into(),
            _ => Filling::Null,
        }
    }
}

/// A CLI token, in the clear.
pub(super) struct Revealed {
    token: Zeroizing<String>,
    generated_at: String,
    of: Of,
}

/// Whose it is.
enum Of {
    User {
        username: String,
        email: Option<String>,
    },
    AppEnv {
        id: String,
        cli_env_name: Option<String>,
        name: String,
    },
}

impl Revealed {
    /// A user's.
    pub(super) fn user(profile: &Profile, view: RevealedUserToken) -> Self {
        Self {
            token: view.token,
            generated_at: profile.times.written(&view.generated_at),
            of: Of::User {
                username: view.username,
                email: view.email,
            },
        }
    }

    /// An app environment's.
    pub(super) fn app_env(profile: &Profile, view: RevealedAppEnvToken) -> Self {
        Self {
            token: view.token,
            generated_at: profile.times.written(&view.generated_at),
            of: Of::AppEnv {
                id: view.app_env_id,
                cli_env_name: view.cli_env_name,
                name: view.name,
            },
        }
    }
}

impl Fields for Revealed {
    fn filling(&self, field: &str) -> Filling<'_> {
        match (field, &self.of) {
            ("token", _) => Filling::Text(&self.token),
            ("generated_at", _) => Filling::Text(&self.generated_at),
            ("username", Of::User { username, .. }) => Filling::Text(username),
            ("email", Of::User { email, .. }) => email.into(),
            ("app_env_id", Of::AppEnv { id, .. }) => Filling::Text(id),
            ("cli_env_name", Of::AppEnv { cli_env_name, .. }) => cli_env_name.into(),
            ("name", Of::AppEnv { name, .. }) => Filling::Text(name),
            _ => Filling::Null,
        }
    }
}

/// What an answer is filled from that tells of nothing.
pub(super) struct Nothing;

impl Fields for Nothing {
    fn filling(&self, _: &str) -> Filling<'_> {
        Filling::Null
    }
}
