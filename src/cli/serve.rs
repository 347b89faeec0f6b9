//! Builds the house from what is set: the only place that opens a store and a vault.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use tokio::sync::OnceCell;

use super::{args::Place, error::Failure, program};
use crate::{
    authority::{Authority, Error, FirstUser},
    authz::{Credential, Request},
    config::{self, env},
    domain::{
        account::Slug, audit::Front, clock::Clock, credential::Brand, text::quoted, user::Username,
    },
    store::{Durability, Options, Sqlite, Store},
    vault::Vault,
    wire::token::ClaimCommand,
};

/// The house. Its store is opened when it is needed first: words that make no sense are refused
/// before anything is made.
pub(super) struct House {
    opened: OnceCell<Authority>,
    pub(super) account: Slug,
    brand: Brand,
    missing: Missing,
    store: PathBuf,
    is_usual: bool,
    key_file: Option<PathBuf>,
}

/// Whether a store that is not there is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Missing {
    /// It is, with its first account and user.
    IsMade,
    /// It is, and left empty.
    StaysEmpty,
    /// It is refused.
    IsRefused,
}

impl House {
    /// The house that stands, or will stand, at its place.
    pub(super) fn at(place: &Place, missing: Missing) -> Result<Self, Failure> {
        let (store, is_usual) = store_path(place)?;
        let brand = match env::read(&env::BRAND) {
            Some(text) => parsed::<Brand>(env::BRAND.name, &text)?,
            None => Brand::default(),
        };
        let key_file = place
            .key_file
            .clone()
            .or_else(|| env::read(&env::KEY_FILE).map(PathBuf::from))
            .map(|path| std::path::absolute(&path).unwrap_or(path));
        Ok(Self {
            opened: OnceCell::new(),
            account: parsed("--account", &place.account)?,
            brand,
            missing,
            store,
            is_usual,
            key_file,
        })
    }

    /// The authority over the store, which is founded if it is new.
    pub(super) async fn authority(&self) -> Result<&Authority, Failure> {
        self.opened.get_or_try_init(|| self.open()).await
    }

    async fn open(&self) -> Result<Authority, Failure> {
        if self.missing == Missing::IsRefused && is_absent(&self.store) {
            return Err(Failure::Failed(anyhow::anyhow!(
                "there is no store at `{}`; name yours with `--store FILE`, or make one: keywright \
                 token create LABEL",
                self.store.display()
            )));
        }
        let options = Options {
            create: self.missing != Missing::IsRefused,
            durability: Durability::Full,
        };
        let opened = Store::Sqlite(Sqlite::open(&self.store, options)?);
        let key = self.key_file.clone();
        let key = key.unwrap_or_else(|| self.store.with_file_name("vault.key"));
        let brand = self.brand.clone();
        let authority = Authority::new(opened, Vault::at(key), Clock::System, brand);
        if self.missing != Missing::StaysEmpty {
            found(&authority).await?;
        }
        Ok(authority)
    }

    /// What a command at the shell asks with.
    pub(super) fn operator(&self) -> Request {
        let credential = Credential::Operator {
            uid: uid(),
            account: self.account.clone(),
        };
        Request::new(credential, Front::Cli)
    }

    /// The store's file.
    pub(super) fn store(&self) -> &Path {
        &self.store
    }

    /// What a person types to do something else with this store.
    pub(super) fn command(&self, words: &[&str]) -> String {
        let store = self.store.display().to_string();
        let store = (!self.is_usual).then_some(["--store", &store]);
        let words = store.iter().flatten().chain(words);
        let words: Vec<_> = words.map(quoted).collect();
        format!("keywright {}", words.join(" "))
    }

    /// How a person is told to pick a value up from this store with this program.
    pub(super) fn claim_command(&self) -> ClaimCommand {
        let program = program::ours().unwrap_or_else(|_| "keywright".into());
        let store = (!self.is_usual).then(|| self.store.display().to_string());
        let key = self.key_file.as_ref().map(|key| key.display().to_string());
        ClaimCommand::new(
            &program.display().to_string(),
            store.as_deref(),
            key.as_deref(),
        )
    }

    /// Whether there is a store, or whatever stands in its place.
    pub(super) fn is_there(&self) -> bool {
        !is_absent(&self.store)
    }

    /// What this program is told, whoever starts it, so that it finds this store and its key.
    pub(super) fn flags(&self) -> Vec<(&'static str, &Path)> {
        // Whoever starts it may not know of this variable.
        let is_usual = self.is_usual && !env::is_set(&env::XDG_DATA_HOME);
        let store = (!is_usual).then_some(("--store", self.store.as_path()));
        let key = self.key_file.as_deref().map(|key| ("--key-file", key));
        store.into_iter().chain(key).collect()
    }

    /// Writes down what waits, and closes the store, if it was opened.
    pub(super) async fn close(&self) {
        let Some(authority) = self.opened.get() else {
            return;
        };
        if let Err(error) = authority.close().await {
            tracing::warn!(%error, "what was used and refused lately could not be written down");
        }
    }
}

/// Founds the store for the operating system's user, unless that was done.
async fn found(authority: &Authority) -> Result<(), Failure> {
    let name = nix::unistd::User::from_uid(nix::unistd::geteuid())
        .ok()
        .flatten()
        .map(|user| user.name);
    let named: Option<Username> = name.and_then(|name| name.parse().ok());
    let username = match named {
        Some(name) => name,
        // A container's user need not have a name.
        None => parsed("user name", &format!("user-{}", uid()))?,
    };
    let first = FirstUser {
        username,
        uid: uid(),
    };
    Ok(authority
        .found_store(&Request::housekeeping(), first)
        .await?)
}

/// Whether nothing stands at `path`, not even a link to nothing.
fn is_absent(path: &Path) -> bool {
    path.symlink_metadata()
        .is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Where the store is, and whether that is the usual place.
pub(super) fn store_path(place: &Place) -> Result<(PathBuf, bool), Failure> {
    let usual = config::usual_store();
    let named = place
        .store
        .clone()
        .or_else(|| env::read(&env::STORE).map(PathBuf::from));
    match named.or_else(|| usual.clone()) {
        Some(path) if path.to_str().is_some_and(|path| path.contains("://")) => {
            Err(Failure::Misuse(
                "this version keeps its store in a file; name one with `--store FILE`".to_owned(),
            ))
        }
        Some(path) => {
            let path = std::path::absolute(&path).unwrap_or(path);
            let is_usual = Some(&path) == usual.as_ref();
            Ok((path, is_usual))
        }
        None => Err(Failure::Misuse(
            "nothing tells where the store is; name it with `--store FILE`".to_owned(),
        )),
    }
}

/// The operating system's number for whoever runs this.
pub(super) fn uid() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// A value that was typed.
pub(super) fn parsed<T>(name: &'static str, text: &str) -> Result<T, Failure>
where
    T: std::str::FromStr,
    T::Err: ToString,
{
    let read: Result<T, T::Err> = text.parse();
    read.map_err(|why| Failure::Refused(Error::invalid(name, why.to_string())))
}
