//! What is to become of a client's file: worked out and held against what stands there, before
//! anything is changed.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde_json::Value;

use super::{
    clients::{Client, Place, Start},
    document::{self, Odd},
    edit::{self, Edit},
    file::ClientFile,
    record::{Record, Shelf},
};
use crate::{
    cli::{
        error::Failure,
        mcp,
        output::{self, Output},
        program,
        serve::House,
        token::written,
    },
    config::env,
    domain::text::quoted,
};

/// All that is needed to connect one client.
pub(super) struct Desk {
    pub(super) client: &'static Client,
    pub(super) shelf: Shelf,
    place: Place,
    start: Start,
}

/// What becomes of the file.
pub(super) enum Change {
    /// Our entry stands there as it should.
    None,
    /// Another text takes its place.
    Text {
        after: String,
        /// How it is undone, if that can be kept.
        edit: Option<Edit>,
        /// Whether nothing was there.
        made: bool,
    },
}

/// What becomes of the file when our entry goes.
#[derive(Default)]
pub(super) struct Taken {
    /// What is to stand there, if that is something else.
    pub(super) after: Option<String>,
    /// Whether the file goes, too.
    pub(super) remove: bool,
    /// What was left alone, and why.
    pub(super) left: Option<String>,
}

/// The entry, for pipes.
#[derive(Serialize)]
struct Printed {
    client: &'static str,
    file: String,
    key: &'static str,
    entry: Value,
    token_file: String,
}

/// The change, for pipes.
#[derive(Serialize)]
struct Shown {
    client: &'static str,
    file: String,
    change: Option<String>,
}

impl Desk {
    pub(super) fn of(house: &House, client: &'static Client) -> Result<Self, Failure> {
        let place = client.place().ok_or_else(|| {
            Failure::Misuse(format!(
                "nothing tells where {} keeps its file; set `{}`",
                client.label,
                env::HOME.name
            ))
        })?;
        let shelf = Shelf::of(house, client.name);
        let mut args = vec!["mcp".to_owned()];
        for (flag, path) in house.flags() {
            args.extend([flag.to_owned(), text(path)?]);
        }
        let token_file = text(&shelf.token_file())?;
        let start = Start {
            command: text(&program::ours().context("where this program is")?)?,
            args,
            env: vec![(env::TOKEN_FILE.name.to_owned(), token_file)],
        };
        Ok(Self {
            client,
            shelf,
            place,
            start,
        })
    }

    /// The client's file, if the client is installed.
    pub(super) fn file(&self) -> anyhow::Result<ClientFile> {
        let file = ClientFile::look(&self.place.file)?;
        if file.text.is_none() && !self.place.folder.is_dir() {
            bail!(
                "{} does not seem to be installed: there is no folder `{}`; start it once, or place \
                 the entry yourself: keywright connect {} --print",
                self.client.label,
                self.place.folder.display(),
                self.client.name
            );
        }
        Ok(file)
    }

    /// What becomes of `file`.
    pub(super) fn change(&self, file: &ClientFile) -> anyhow::Result<Change> {
        let Client { format, key, .. } = *self.client;
        let odd = |odd: Odd| self.odd(file, &odd);
        let before = file.text.as_deref().unwrap_or_default();
        let there = self.client.start_in(file).map_err(odd)?;
        if there.as_ref() == Some(&self.start) {
            return Ok(Change::None);
        }
        let record = self.shelf.read()?;
        let base = undone(self.client, before, record.as_ref()).unwrap_or_else(|| before.into());
        let after = format
            .with(&base, key, &self.client.entry(&self.start))
            .map_err(odd)?;
        let was_made = record.is_some_and(|record| record.made) && base.is_empty();
        Ok(Change::Text {
            edit: Some(Edit::between(&base, &after)).filter(|edit| !edit.holds_value()),
            made: file.text.is_none() || was_made,
            after,
        })
    }

    /// Prints the entry, and where it goes.
    pub(super) fn print(&self, out: Output) -> Result<(), Failure> {
        let Client { format, key, .. } = *self.client;
        let entry = self.client.entry(&self.start);
        let alone = format.alone(key, &entry).map_err(anyhow::Error::new)?;
        let view = Printed {
            client: self.client.name,
            file: self.place.file.display().to_string(),
            key,
            entry,
            token_file: self.shelf.token_file().display().to_string(),
        };
        if !out.json {
            let folder = self.shelf.token_file();
            let folder = folder.parent().unwrap_or(Path::new("."));
            let words = std::iter::once(&self.start.command).chain(&self.start.args[1..]);
            let words: Vec<_> = words.map(quoted).collect();
            output::tell(&format!(
                "This goes into {}\nNothing was changed and no token was made. Make it one:\n  \
                 (umask 077 && mkdir -p {})\n  {} token create {} --scopes '{}' --to {}",
                view.file,
                quoted(folder),
                words.join(" "),
                quoted(self.client.label),
                mcp::usual_scopes(),
                quoted(format!("token-file:{}", view.token_file)),
            ));
        }
        written(out.show(&view, |_| alone))
    }

    /// Shows the change, and makes none.
    pub(super) fn show(
        &self,
        out: Output,
        file: &ClientFile,
        change: &Change,
    ) -> Result<(), Failure> {
        let path = file.path.display().to_string();
        let change = match change {
            Change::None => None,
            Change::Text { after, .. } => Some(edit::shown(&path, file.text.as_deref(), after)),
        };
        let view = Shown {
            client: self.client.name,
            file: path,
            change,
        };
        written(out.show(&view, |view| match &view.change {
            Some(change) => change.clone(),
            None => format!(
                "{} stays as it is; the token would be replaced.\n",
                view.file
            ),
        }))
    }

    fn odd(&self, file: &ClientFile, odd: &Odd) -> anyhow::Error {
        let path = file.path.display();
        let name = self.client.name;
        match odd {
            Odd::Broken { .. } => anyhow::anyhow!(
                "`{path}` cannot be read, and is left as it is: {odd}; mend it there, and try again"
            ),
            Odd::Unusual(_) => anyhow::anyhow!(
                "`{path}` is left as it is: {odd}; place the entry yourself: keywright connect \
                 {name} --print"
            ),
        }
    }
}

/// What `file` is without our entry.
pub(super) fn taken_out(
    client: &Client,
    file: &ClientFile,
    shelf: &Shelf,
    record: Option<&Record>,
) -> anyhow::Result<Taken> {
    let (Some(before), path) = (&file.text, file.path.display()) else {
        return Ok(Taken::default());
    };
    let Client { format, key, .. } = *client;
    let odd = |odd: Odd| {
        anyhow::anyhow!(
            "`{path}` is left as it is, and so is the token: {odd}; take `{key}.{}` out of it \
             yourself, and try again",
            document::NAME
        )
    };
    let read = format.read(before).map_err(odd)?;
    let Some(entry) = document::found(&read, key) else {
        return Ok(Taken::default());
    };
    let start = client.start(entry);
    if !start.is_some_and(|start| shelf.is_named_by(&start)) {
        let left = format!(
            "`{key}.{}` in {path} is not of this store's making, and was left alone.",
            document::NAME
        );
        return Ok(Taken {
            left: Some(left),
            ..Taken::default()
        });
    }
    let after = match undone(client, before, record) {
        Some(after) => after,
        None => format.without(before, key).map_err(odd)?,
    };
    let is_made = record.is_some_and(|record| record.made);
    Ok(Taken {
        remove: is_made && after.is_empty(),
        after: Some(after),
        left: None,
    })
}

/// The text as it was before we changed it, if nothing but our entry differs from it.
fn undone(client: &Client, text: &str, record: Option<&Record>) -> Option<String> {
    let after = record?.edit.as_ref()?.undone(text)?;
    let same = client.format.held_against(text, &after, client.key);
    same.is_ok().then_some(after)
}

/// A path as a client's file can hold it.
fn text(path: &Path) -> Result<String, Failure> {
    match path.to_str() {
        // Several clients put variables in the place of such names.
        Some(text) if !text.contains('$') && !text.contains(char::is_control) => {
            Ok(text.to_owned())
        }
        Some(_) | None => Err(Failure::Misuse(format!(
            "`{}` has characters in it that a client would not read as they are; choose another \
             place, such as with `--store FILE`",
            path.display()
        ))),
    }
}
