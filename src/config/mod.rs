//! What is set from outside: flags first, then the environment, then what is usual. Knows no room.

pub mod env;

use std::path::PathBuf;

/// The person's folder.
pub fn home() -> Option<PathBuf> {
    env::read(&env::HOME).map(PathBuf::from)
}

/// The folder for a person's settings, where a program follows the XDG Base Directory
/// Specification.
pub fn settings() -> Option<PathBuf> {
    xdg(&env::XDG_CONFIG_HOME, ".config")
}

/// The folder in which applications with windows keep what is a person's.
pub fn applications() -> Option<PathBuf> {
    if cfg!(target_os = "macos") {
        Some(home()?.join("Library/Application Support"))
    } else {
        settings()
    }
}

/// What the store's file is called, unless another is named.
pub const USUAL_NAME: &str = "store.db";

/// The store, unless another is named: `keywright/store.db` in the platform's folder for a
/// person's data. `None` where nobody knows which that is.
pub fn usual_store() -> Option<PathBuf> {
    let data = if cfg!(target_os = "macos") {
        applications()?
    } else {
        xdg(&env::XDG_DATA_HOME, ".local/share")?
    };
    Some(data.join("keywright").join(USUAL_NAME))
}

/// The folder that `variable` names, or `usual` in the person's own. The specification has a path
/// that is not absolute ignored.
fn xdg(variable: &env::Variable, usual: &str) -> Option<PathBuf> {
    let named = env::read(variable).map(PathBuf::from);
    named
        .filter(|folder| folder.is_absolute())
        .or_else(|| Some(home()?.join(usual)))
}
