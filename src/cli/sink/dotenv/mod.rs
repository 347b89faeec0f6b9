//! `dotenv:PATH#KEY`: one key of a file that people write by hand. The rest of it stays byte for
//! byte, and a file that others may read, that git keeps, or that is not understood is refused.

pub(in crate::cli) mod edit;
mod git;

use std::{io, path::PathBuf};

use zeroize::Zeroizing;

use super::{Destination, Options, is_plain, shown};
use crate::{
    authority::Sink,
    cli::{
        error::Failure,
        replace_file::{Access, Draft, There},
        words,
    },
    domain::{credential::PlainToken, text::quoted},
};
use edit::Place;

/// A key in a file.
pub(super) struct Dotenv {
    path: PathBuf,
    key: String,
    even_if_tracked: bool,
    ready: Option<(Draft, Place)>,
}

impl Dotenv {
    /// The file and the key that `text` names.
    pub(super) fn named(text: &str, options: Options) -> Result<Self, Failure> {
        let named = text.rsplit_once('#').filter(|(path, _)| !path.is_empty());
        let Some((path, key)) = named else {
            return Err(Failure::Misuse(
                "`--to dotenv:PATH#KEY` names a file and a key in it, such as \
                 `dotenv:.env#NOTES_TOKEN`"
                    .to_owned(),
            ));
        };
        Ok(Self {
            path: path.into(),
            key: words::variable("the key of `--to dotenv:PATH#KEY`", key)?,
            even_if_tracked: options.even_if_tracked,
            ready: None,
        })
    }

    fn look(&self) -> io::Result<(Draft, Place)> {
        // What it is comes first, and then who keeps it.
        let draft = Draft::of(&self.path)?;
        let shown = self.path.display();
        if let Some(there) = draft.there()
            && there.mode() & 0o077 != 0
        {
            return Err(io::Error::other(format!(
                "others may read or write `{shown}` (mode {:04o}); close it: chmod 600 {}",
                there.mode(),
                quoted(&self.path)
            )));
        }
        if !self.even_if_tracked {
            git::check(&self.path)?;
        }
        let place = edit::place(text(draft.there()), &self.key)
            .map_err(|why| io::Error::other(format!("`{shown}` {why}; it is left as it is")))?;
        Ok((draft, place))
    }
}

impl Sink for Dotenv {
    fn prepare(&mut self) -> io::Result<()> {
        self.ready = Some(self.look()?);
        Ok(())
    }

    fn publish(&mut self, value: &PlainToken) -> io::Result<()> {
        let Some((draft, place)) = self.ready.take() else {
            return Err(io::Error::other("the file was not looked at"));
        };
        let value = written(value.expose())?;
        let new = edit::with(text(draft.there()), &place, &value);
        draft.publish(&new, Access::AsBefore)
    }

    fn withdraw(&mut self) {
        self.ready = None;
    }

    fn name(&self) -> String {
        format!("dotenv, as {}", self.key)
    }
}

impl Destination for Dotenv {
    fn change(&self) -> String {
        let path = shown(&self.path.display().to_string());
        let Some((draft, place)) = &self.ready else {
            return path;
        };
        let export = if place.exported { "export " } else { "" };
        let is = if draft.there().is_some() {
            "would change"
        } else {
            "would be made, for you alone"
        };
        let line = format!("{export}{}=<the value", self.key);
        let old = if place.replaces {
            format!("-{line} that stands there>\n")
        } else {
            String::new()
        };
        format!("{path} {is}:\n{old}+{line}>")
    }
}

fn text(there: Option<&There>) -> &[u8] {
    there.map_or(&[], |there| &there.text)
}

/// `value` as every program that reads such files reads it back. One of ours needs no quotes; one
/// that was made elsewhere may.
fn written(value: &str) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(value.len() + 2));
    if is_plain(value) {
        text.push_str(value);
    } else if value.contains(['\'', '\\']) || value.contains(char::is_control) {
        return Err(io::Error::other(
            "this value, made elsewhere, has a quote, a backslash or the end of a line in it, which \
             programs read back in different ways; take it with `--to file:PATH`",
        ));
    } else {
        text.push('\'');
        text.push_str(value);
        text.push('\'');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_so_that_it_is_read_back() {
        let wrote = |value: &str| written(value).map(|text| text.to_string());
        assert_eq!(wrote("kw_pat_4kT9").unwrap(), "kw_pat_4kT9");
        assert_eq!(wrote("a $b #c \"d\"").unwrap(), "'a $b #c \"d\"'");
        for value in ["it's", "a\\", "a\nb"] {
            assert!(wrote(value).is_err(), "{value}");
        }
    }
}
