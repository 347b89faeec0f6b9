//! Whether git keeps a file, or would: what it keeps is handed to everyone who clones it.
//!
//! Git itself is asked. What it does not answer counts as a yes.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use crate::{
    cli::program,
    domain::text::{escaped, quoted},
};

/// What a hook has set, which would point git at another repository.
const STRAY: [&str; 5] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
];

/// What else can be done.
const OR_ELSE: &str = "name another file, or say `--even-if-tracked`";

/// Refuses a file that git tracks or would track.
pub(super) fn check(path: &Path) -> io::Result<()> {
    let (Some(name), folder) = (path.file_name(), folder(path)?) else {
        return Ok(());
    };
    let shown = path.display();
    let Some(program) = program::find("git") else {
        return match kept_by_something(&folder) {
            None => Ok(()),
            Some(at) => Err(io::Error::other(format!(
                "`{shown}` is in the git repository `{}`, and there is no git here to tell whether \
                 it is ignored; install git, {OR_ELSE}",
                at.display()
            ))),
        };
    };
    let git = Git { program, path };
    let Some(top) = git.work_tree(&folder)? else {
        return Ok(());
    };
    git.refuse_tracked(&folder, name)?;
    git.refuse_not_ignored(&folder, name)?;
    // Such a repository may lie in another, which tracks what lay there before.
    let mut above = top.parent().map(Path::to_owned);
    while let Some(folder_above) = above {
        let Some(top) = git.work_tree(&folder_above)? else {
            return Ok(());
        };
        let below = folder.strip_prefix(&folder_above).unwrap_or(&folder);
        git.refuse_tracked(&folder_above, below.join(name).as_os_str())?;
        above = top.parent().map(Path::to_owned);
    }
    Ok(())
}

/// Git, asked about one file.
struct Git<'a> {
    program: PathBuf,
    path: &'a Path,
}

impl Git<'_> {
    fn ask(&self, folder: &Path, arguments: &[&str], name: &OsStr) -> io::Result<Output> {
        let mut command = Command::new(&self.program);
        command
            // The repository may be set to run programs of its own: to look for changes, and to
            // fetch what it lacks.
            .args(["-c", "core.fsmonitor=false", "-C"])
            .arg(folder)
            .args(arguments)
            .arg(name)
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_ALLOW_PROTOCOL", "")
            .stdin(Stdio::null());
        for name in STRAY {
            command.env_remove(name);
        }
        command.output()
    }

    /// The folder with everything that the closest repository keeps; none where there is no
    /// repository, or in one's own folder, where nothing is kept.
    fn work_tree(&self, folder: &Path) -> io::Result<Option<PathBuf>> {
        let answer = self.ask(
            folder,
            &[
                "rev-parse",
                "--is-inside-git-dir",
                "--is-bare-repository",
                "--is-inside-work-tree",
            ],
            OsStr::new("--show-cdup"),
        )?;
        if !answer.status.success() {
            return match kept_by_something(folder) {
                None => Ok(None),
                Some(_) => Err(self.unanswered(&answer)),
            };
        }
        let said = String::from_utf8_lossy(&answer.stdout);
        let said: Vec<_> = said.lines().collect();
        match *said {
            [_, _, "true", up] => Ok(Some(fs::canonicalize(folder.join(up))?)),
            ["true", ..] | [_, "true", ..] => Ok(None),
            // What it keeps is said to lie somewhere else.
            _ => Err(self.unanswered(&answer)),
        }
    }

    fn refuse_tracked(&self, folder: &Path, name: &OsStr) -> io::Result<()> {
        // A name is no pattern. One that differs in its case alone is the same to many disks.
        let mut literal = OsString::from(":(literal,icase)");
        literal.push(name);
        let tracked = self.ask(folder, &["ls-files", "--error-unmatch", "--"], &literal)?;
        match tracked.status.code() {
            Some(0) => {
                let shown = self.path.display();
                Err(io::Error::other(format!(
                    "git tracks `{shown}`, and hands what is in it to everyone; take it out first: \
                     git rm --cached {}; or {OR_ELSE}",
                    quoted(self.path)
                )))
            }
            Some(1) => Ok(()),
            Some(_) | None => Err(self.unanswered(&tracked)),
        }
    }

    fn refuse_not_ignored(&self, folder: &Path, name: &OsStr) -> io::Result<()> {
        // `check-ignore` knows no pattern but at the front.
        let name = Path::new(".").join(name);
        let ignored = self.ask(folder, &["check-ignore", "--quiet", "--"], name.as_os_str())?;
        match ignored.status.code() {
            Some(0) => Ok(()),
            Some(1) => Err(io::Error::other(format!(
                "git does not ignore `{}`, and would track it; have it ignored first: echo {} >> \
                 {}; or {OR_ELSE}",
                self.path.display(),
                quoted(name.file_name().unwrap_or_default()),
                quoted(self.path.with_file_name(".gitignore"))
            ))),
            Some(_) | None => Err(self.unanswered(&ignored)),
        }
    }

    fn unanswered(&self, answer: &Output) -> io::Error {
        let said = String::from_utf8_lossy(&answer.stderr);
        let said = said.lines().next().unwrap_or("nothing");
        io::Error::other(format!(
            "git does not tell whether it tracks `{}`, and says: {}; {OR_ELSE}",
            self.path.display(),
            escaped(said)
        ))
    }
}

/// The folder of `path`, by a name with no link in it.
fn folder(path: &Path) -> io::Result<PathBuf> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    fs::canonicalize(folder.unwrap_or(Path::new(".")))
}

/// The closest folder above that says it is a repository.
fn kept_by_something(folder: &Path) -> Option<&Path> {
    folder
        .ancestors()
        .find(|folder| folder.join(".git").symlink_metadata().is_ok())
}
