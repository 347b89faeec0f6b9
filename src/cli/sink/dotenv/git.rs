//! Whether git keeps a file, or would: what it keeps is handed to everyone who clones it.
//!
//! Git itself is asked. What it does not answer counts as a yes.

use std::{
    ffi::OsString,
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

/// Refuses a file that git tracks or would track.
pub(super) fn check(path: &Path) -> io::Result<()> {
    let (Some(name), folder) = (path.file_name(), folder(path)?) else {
        return Ok(());
    };
    let shown = path.display();
    let or_else = "name another file, or say `--even-if-tracked`";
    let Some(git) = program::find("git") else {
        return match kept_by_something(&folder) {
            None => Ok(()),
            Some(at) => Err(io::Error::other(format!(
                "`{shown}` is in the git repository `{}`, and there is no git here to tell whether \
                 it is ignored; install git, {or_else}",
                at.display()
            ))),
        };
    };
    let ask = |arguments: &[&str]| {
        let mut command = Command::new(&git);
        command
            // The repository may be set to run a program of its own.
            .args(["-c", "core.fsmonitor=false", "-C"])
            .arg(&folder)
            .args(arguments)
            .stdin(Stdio::null());
        for name in STRAY {
            command.env_remove(name);
        }
        command
    };
    let inside = ask(&["rev-parse", "--is-inside-work-tree"]).output()?;
    if !inside.status.success() {
        return match kept_by_something(&folder) {
            None => Ok(()),
            Some(_) => Err(unanswered(path, &inside)),
        };
    }
    if inside.stdout.trim_ascii() != b"true" {
        // In the repository's own folder, where nothing is kept.
        return Ok(());
    }
    // A name is no pattern: `ls-files` is told so, and `check-ignore` knows none but at the front.
    let mut literal = OsString::from(":(literal)");
    literal.push(name);
    let tracked = ask(&["ls-files", "--error-unmatch", "--"])
        .arg(literal)
        .output()?;
    match tracked.status.code() {
        Some(0) => {
            return Err(io::Error::other(format!(
                "git tracks `{shown}`, and hands what is in it to everyone; take it out first: git \
                 rm --cached {}; or {or_else}",
                quoted(path)
            )));
        }
        Some(1) => {}
        Some(_) | None => return Err(unanswered(path, &tracked)),
    }
    let ignored = ask(&["check-ignore", "--quiet", "--"])
        .arg(Path::new(".").join(name))
        .output()?;
    match ignored.status.code() {
        Some(0) => Ok(()),
        Some(1) => Err(io::Error::other(format!(
            "git does not ignore `{shown}`, and would track it; have it ignored first: echo {} >> \
             {}; or {or_else}",
            quoted(name),
            quoted(path.with_file_name(".gitignore"))
        ))),
        Some(_) | None => Err(unanswered(path, &ignored)),
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

fn unanswered(path: &Path, answer: &Output) -> io::Error {
    let said = String::from_utf8_lossy(&answer.stderr);
    let said = said.lines().next().unwrap_or("nothing");
    io::Error::other(format!(
        "git does not tell whether it tracks `{}`, and says: {}; name another file, or say \
         `--even-if-tracked`",
        path.display(),
        escaped(said)
    ))
}
