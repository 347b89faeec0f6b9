//! `token-file:PATH`: a file that holds one token of ours and nothing else, for a program that reads
//! it anew when the token was rotated. It is replaced as a whole, and never if it holds more.

use std::{io, path::PathBuf};

use zeroize::Zeroizing;

use super::{Destination, shown};
use crate::{
    authority::Sink,
    cli::replace_file::{Access, Draft},
    domain::{
        credential::{self, PlainToken},
        text::quoted,
    },
};

/// A file that holds one token of ours and nothing else, or is not there yet.
pub(in crate::cli) struct TokenFile {
    path: PathBuf,
    draft: Option<Draft>,
}

impl TokenFile {
    pub(in crate::cli) fn at(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { path, draft: None }
    }
}

impl Sink for TokenFile {
    fn prepare(&mut self) -> io::Result<()> {
        let draft = Draft::of(&self.path)?;
        if let Some(there) = draft.there()
            && !holds_one_value(&there.text)
        {
            let path = quoted(&self.path);
            return Err(io::Error::other(format!(
                "`{}` holds something other than one token, and is left as it is; name another \
                 file, or move this one away: mv {path} {path}.old",
                self.path.display()
            )));
        }
        self.draft = Some(draft);
        Ok(())
    }

    fn publish(&mut self, value: &PlainToken) -> io::Result<()> {
        if !credential::is_value(value.expose()) {
            return Err(io::Error::other(
                "this value was made elsewhere, and a token file holds one of ours; take it with \
                 `--to file:PATH`",
            ));
        }
        let Some(draft) = self.draft.take() else {
            return Err(io::Error::other("the file was not made"));
        };
        let mut line = Zeroizing::new(String::with_capacity(value.expose().len() + 1));
        line.push_str(value.expose());
        line.push('\n');
        draft.publish(line.as_bytes(), Access::Private)
    }

    fn withdraw(&mut self) {
        self.draft = None;
    }

    fn name(&self) -> String {
        "token-file".to_owned()
    }
}

impl Destination for TokenFile {
    fn change(&self) -> String {
        let path = shown(&self.path.display().to_string());
        let there = self.draft.as_ref().and_then(Draft::there);
        match there {
            Some(_) => {
                format!("{path} would change:\n-<the value that stands there>\n+<the value>")
            }
            None => format!("{path} would be made, for you alone:\n+<the value>"),
        }
    }
}

/// Whether there is one value of ours in `text`, and at most the end of its line.
fn holds_one_value(text: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(text) else {
        return false;
    };
    let line = text.strip_suffix('\n').unwrap_or(text);
    credential::is_value(line.strip_suffix('\r').unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    };

    use tempfile::TempDir;

    use super::*;
    use crate::domain::{credential::Brand, token::Kind};

    fn fresh(brand: &str) -> PlainToken {
        let brand: Brand = brand.parse().unwrap();
        PlainToken::generate(&brand, Kind::Pat)
    }

    fn place() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        (folder, path)
    }

    fn is_alone(folder: &TempDir) -> bool {
        fs::read_dir(folder.path()).unwrap().count() == 1
    }

    #[test]
    fn a_token_takes_the_place_of_the_one_before() {
        let (folder, path) = place();
        let (old, new) = (fresh("acme"), fresh("kw"));
        for end in ["", "\n", "\r\n"] {
            fs::write(&path, format!("{}{end}", old.expose())).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
            let mut file = TokenFile::at(&path);

            file.prepare().unwrap();
            assert!(fs::read_to_string(&path).unwrap().contains(old.expose()));
            file.publish(&new).unwrap();

            let line = format!("{}\n", new.expose());
            assert_eq!(fs::read_to_string(&path).unwrap(), line);
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
            assert!(is_alone(&folder));
        }
    }

    #[test]
    fn a_token_file_that_is_not_there_is_made_for_its_owner_alone() {
        let (folder, path) = place();
        let mut file = TokenFile::at(&path);

        file.prepare().unwrap();
        assert!(!path.exists());
        file.publish(&fresh("kw")).unwrap();

        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert!(is_alone(&folder));
    }

    #[test]
    fn what_stood_there_stays_when_there_is_no_value() {
        let (folder, path) = place();
        fs::write(&path, fresh("kw").expose()).unwrap();
        let before = fs::read(&path).unwrap();
        let mut file = TokenFile::at(&path);
        file.prepare().unwrap();

        file.withdraw();

        assert_eq!(fs::read(&path).unwrap(), before);
        assert!(is_alone(&folder));
    }

    #[test]
    fn a_file_that_holds_anything_else_is_left_as_it_is() {
        let (folder, path) = place();
        let value = fresh("kw");
        let value = value.expose();
        let texts = [
            String::new(),
            "\n".to_owned(),
            format!("{value}\n\n"),
            format!(" {value}"),
            format!("TOKEN={value}\n"),
            format!("{value}\n{value}\n"),
            format!("{}\n", &value[..value.len() - 1]),
            "my notes\n".to_owned(),
        ];
        for text in texts {
            fs::write(&path, &text).unwrap();

            let why = TokenFile::at(&path).prepare().unwrap_err().to_string();

            assert!(why.contains("something other than one token"), "{why}");
            assert!(!why.contains(value), "{why}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert!(is_alone(&folder));
        }
    }

    #[test]
    fn a_value_that_was_made_elsewhere_is_refused() {
        let (_folder, path) = place();
        let mut file = TokenFile::at(&path);
        file.prepare().unwrap();

        assert!(file.publish(&PlainToken::imported("hunter2")).is_err());

        file.withdraw();
        assert!(!path.exists());
    }
}
