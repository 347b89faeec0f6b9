//! What we keep of a connection, beside the store: the token's file, and what has to be known to
//! end it and to give the client's file back as it was. No value is in the record.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::{clients::Start, edit::Edit, file};
use crate::{
    cli::{
        beside::Beside,
        replace_file::{Access, Draft},
        serve::House,
    },
    config,
    domain::text::quoted,
};

/// What is known of a connection.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Record {
    /// The client's token.
    pub(crate) token: Option<String>,
    /// Tokens of its that have yet to be ended: a command was cut short.
    #[serde(default)]
    pub(crate) ending: Vec<String>,
    /// Whether the client's file was made for our entry.
    #[serde(default)]
    pub(super) made: bool,
    /// What was changed in it.
    pub(super) edit: Option<Edit>,
}

/// Where we keep what we know of one client's connection.
#[derive(Debug)]
pub(crate) struct Shelf {
    folder: Beside,
    /// What our files begin with.
    name: String,
}

impl Shelf {
    /// The place beside the store of `house`.
    pub(crate) fn of(house: &House, name: &'static str) -> Self {
        let store = house.store();
        let file = store.file_name().unwrap_or_default().to_string_lossy();
        Self {
            folder: Beside::of(store, "clients"),
            // Several stores may lie in one folder.
            name: if file == config::USUAL_NAME {
                name.to_owned()
            } else {
                format!("{name}.{file}")
            },
        }
    }

    /// The file with the client's token.
    pub(crate) fn token_file(&self) -> PathBuf {
        self.folder.path().join(format!("{}.token", self.name))
    }

    /// Whether a server that is started so presents the token in that file: it is of our making.
    pub(crate) fn is_named_by(&self, start: &Start) -> bool {
        start.token_file() == Some(&self.token_file())
    }

    fn record_file(&self) -> PathBuf {
        self.folder.path().join(format!("{}.json", self.name))
    }

    /// What is known, if anything is.
    pub(crate) fn read(&self) -> anyhow::Result<Option<Record>> {
        let path = self.record_file();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if file::is_absent(&error) => return Ok(None),
            Err(error) => return Err(error).context(format!("`{}`", path.display())),
        };
        let record = serde_json::from_slice(&text).with_context(|| {
            let named = quoted(&path);
            format!(
                "`{0}` is damaged; put it aside: mv {named} {named}.old",
                path.display()
            )
        })?;
        Ok(Some(record))
    }

    /// Keeps `record`.
    pub(super) fn write(&self, record: &Record) -> anyhow::Result<()> {
        let text = serde_json::to_vec_pretty(record)?;
        Ok(Draft::of(&self.record_file())?.publish(&text, Access::Private)?)
    }

    /// Forgets the connection, the token's file first.
    pub(super) fn forget(&self) -> anyhow::Result<()> {
        file::remove(&self.token_file())?;
        file::remove(&self.record_file())
    }

    /// Makes the folder, for its owner alone, and keeps others from changing what is in it until
    /// what is answered is dropped.
    pub(super) fn lock(&self) -> anyhow::Result<File> {
        self.folder.make()?;
        self.folder.lock()
    }

    /// Whether anything is there.
    pub(super) fn is_there(&self) -> bool {
        let is_there = |path: &Path| path.symlink_metadata().is_ok();
        is_there(&self.token_file()) || is_there(&self.record_file())
    }
}
