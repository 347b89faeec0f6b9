//! Other people's programs, found on the path.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::config::env;

/// The program of that name, if it is installed. A folder that is named from here is not searched:
/// what lies there is anybody's.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let path = env::read(&env::PATH)?;
    let is_program = |path: &Path| {
        let found = path.metadata();
        found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    path.split(':')
        .map(Path::new)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| is_program(path))
}
