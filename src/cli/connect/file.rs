//! A client's file on the disk: read, replaced as a whole, and given back as it was. A link to it
//! stays, and what it leads to is replaced.

use std::{
    fs,
    io::{self, ErrorKind, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};

use crate::{
    cli::replace_file::{Draft, Folder},
    domain::text::quoted,
};

/// What a backup's name ends with.
const BACKUP: &str = ".keywright-backup";

/// A client's file, as it was when it was looked at.
#[derive(Debug)]
pub(crate) struct ClientFile {
    /// Where the client looks for it.
    pub(crate) path: PathBuf,
    /// Where it is, behind a link.
    real: PathBuf,
    /// What stands in it, if it is there.
    pub(crate) text: Option<String>,
    /// Who may do what with it.
    pub(crate) mode: u32,
}

impl ClientFile {
    /// Looks at what stands at `path`.
    pub(crate) fn look(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let mut file = Self {
            path: path.to_owned(),
            real: path.to_owned(),
            text: None,
            mode: 0o600,
        };
        match path.symlink_metadata() {
            Err(error) if is_absent(&error) => return Ok(file),
            Err(error) => return Err(error).context(format!("`{shown}`")),
            Ok(there) if there.is_symlink() => {
                // Dotfile managers keep what stands there in a folder of their own.
                file.real = fs::canonicalize(path).map_err(|error| {
                    anyhow::anyhow!("`{shown}` is a link that leads nowhere ({error}); mend it")
                })?;
            }
            Ok(_) => {}
        }
        let found = fs::metadata(&file.real).with_context(|| format!("`{shown}`"))?;
        ensure!(found.is_file(), "`{shown}` is not a file; move it away");
        let me = nix::unistd::geteuid().as_raw();
        ensure!(
            found.uid() == me,
            "`{shown}` belongs to user {}, not to user {me} who runs this; run keywright as its \
             owner",
            found.uid()
        );
        file.mode = found.mode() & 0o777;
        let bytes = fs::read(&file.real).with_context(|| format!("`{shown}`"))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            anyhow::anyhow!("`{shown}` is no UTF-8 text (byte {at}); mend it first")
        })?;
        file.text = Some(text);
        Ok(file)
    }

    /// Makes room for what is to take its place. It must be as it was when it was looked at.
    pub(super) fn draft(&self) -> anyhow::Result<Draft> {
        let draft = Draft::of(&self.real)?;
        let there = draft.there().map(|there| there.text.as_slice());
        if there != self.text.as_deref().map(str::as_bytes) {
            bail!(
                "`{}` was changed in the meantime, and is left as it is; try again",
                self.path.display()
            );
        }
        Ok(draft)
    }

    /// Where what stood there before the first change is kept.
    pub(crate) fn backup(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(BACKUP);
        PathBuf::from(name)
    }

    /// Keeps what stands there, unless something is kept already: that is older, and nearer to what
    /// was there before us. Answers whether it was kept now.
    pub(super) fn back_up(&self) -> anyhow::Result<bool> {
        let Some(text) = &self.text else {
            return Ok(false);
        };
        let path = self.backup();
        let keep = || -> io::Result<bool> {
            let (folder, name) = Folder::of(&path)?;
            let mut file = match folder.make(&name) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
                made => made?,
            };
            let written = file.write_all(text.as_bytes());
            let kept = written.and_then(|()| file.sync_all().and_then(|()| folder.sync()));
            if kept.is_err() {
                folder.remove(&name, &file);
            }
            kept.map(|()| true)
        };
        keep().with_context(|| format!("the backup `{}`", path.display()))
    }

    /// Takes the backup away, if it says what `text` says.
    pub(super) fn forget_backup(&self, text: &str) {
        let path = self.backup();
        let is_file = path.symlink_metadata().is_ok_and(|there| there.is_file());
        if is_file && fs::read(&path).is_ok_and(|kept| kept == text.as_bytes()) {
            drop(fs::remove_file(&path));
        }
    }
}

/// Removes a file of ours, if it is there.
pub(super) fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if !is_absent(&error) => {
            let named = quoted(path);
            Err(error).context(format!("remove it yourself: rm {named}"))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
