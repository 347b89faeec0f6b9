//! A store is for one user alone, on disk too.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink},
    path::{Path, PathBuf},
};

use keywright::store::{Durability, Error, Options, Sqlite};
use tempfile::TempDir;

const QUICK: Options = Options {
    create: true,
    durability: Durability::Off,
};

fn path(folder: &TempDir) -> PathBuf {
    folder.path().join("it's mine").join("store.db")
}

/// A store that was made and closed.
fn made() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    Sqlite::open(&path(&folder), QUICK).unwrap().close();
    folder
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn why(path: &Path) -> String {
    match Sqlite::open(path, QUICK) {
        Err(Error::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// Does to a shell what the refusal says, after its last colon.
fn mend(why: &str) {
    let (_, command) = why.rsplit_once(": ").unwrap();
    let mended = std::process::Command::new("sh")
        .args(["-c", command])
        .status()
        .unwrap();
    assert!(mended.success(), "{command}");
}

#[test]
fn everything_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&path(&folder), Options::default()).unwrap();

    let own = path(&folder).parent().unwrap().to_owned();
    let mut names = Vec::new();
    for file in fs::read_dir(&own).unwrap() {
        let file = file.unwrap();
        assert_eq!(mode(&file.path()), 0o600, "{file:?}");
        names.push(file.file_name().into_string().unwrap());
    }
    names.sort();

    assert_eq!(mode(&own), 0o700);
    assert_eq!(
        names,
        ["store.db", "store.db-shm", "store.db-wal", "store.db.lock"]
    );
    drop(store);
}

#[test]
fn missing_folders_above_are_made_as_closed() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b/c/store.db");

    Sqlite::open(&deep, QUICK).unwrap();

    for above in ["a", "a/b", "a/b/c"] {
        assert_eq!(mode(&folder.path().join(above)), 0o700);
    }
}

#[test]
fn a_file_that_is_open_to_others_is_refused_and_the_advice_mends_it() {
    for name in ["store.db", "store.db.lock"] {
        for wide in [0o644, 0o640, 0o606] {
            let folder = made();
            let file = path(&folder).with_file_name(name);
            set_mode(&file, wide);

            let why = why(&path(&folder));
            assert_eq!(
                why,
                format!(
                    "`{shown}` is open to others (mode {wide:04o}); close it: chmod 600 '{}'",
                    file.display().to_string().replace('\'', r"'\''"),
                    shown = file.display()
                )
            );
            mend(&why);

            Sqlite::open(&path(&folder), QUICK).unwrap();
        }
    }
}

#[test]
fn a_log_that_is_open_to_others_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&path(&folder), QUICK).unwrap();
    set_mode(&path(&folder).with_file_name("store.db-wal"), 0o644);

    assert!(why(&path(&folder)).contains("store.db-wal` is open to others"));
    drop(store);
}

#[test]
fn a_folder_that_is_open_to_others_is_refused_and_the_advice_mends_it() {
    let folder = made();
    set_mode(path(&folder).parent().unwrap(), 0o755);

    let why = why(&path(&folder));
    assert!(why.contains("is open to others (mode 0755); give the store a folder of its own"));
    mend(&why);

    Sqlite::open(&path(&folder), QUICK).unwrap();
}

#[test]
fn a_shared_folder_is_refused_without_advice_to_close_it() {
    let folder = tempfile::tempdir().unwrap();
    set_mode(folder.path(), 0o1777);

    let why = why(&folder.path().join("store.db"));

    assert!(why.contains("is shared (mode 1777); give the store a folder of its own"));
    assert!(!why.contains("chmod"));
}

#[test]
fn a_link_is_refused() {
    let folder = made();
    let own = path(&folder).parent().unwrap().to_owned();
    let (to_file, to_folder) = (own.join("link.db"), folder.path().join("link"));
    symlink(path(&folder), &to_file).unwrap();
    symlink(&own, &to_folder).unwrap();

    assert!(why(&to_file).contains("is a symbolic link"));
    assert!(why(&to_folder.join("store.db")).contains("is a symbolic link"));
    assert!(why(&to_folder.join(".").join("store.db")).contains("is a symbolic link"));
}

#[test]
fn a_link_to_nothing_is_not_followed() {
    let folder = made();
    let (link, elsewhere) = (
        path(&folder).with_file_name("link.db"),
        folder.path().join("elsewhere"),
    );
    symlink(&elsewhere, &link).unwrap();

    assert!(why(&link).contains("is a symbolic link"));
    assert!(!elsewhere.exists());
}

#[test]
fn a_lock_or_a_log_that_is_a_link_is_refused() {
    for name in ["store.db.lock", "store.db-wal", "store.db-shm"] {
        let folder = made();
        let link = path(&folder).with_file_name(name);
        drop(fs::remove_file(&link));
        symlink(folder.path().join("elsewhere"), &link).unwrap();

        assert!(why(&path(&folder)).contains("is a symbolic link"));
        assert!(!folder.path().join("elsewhere").exists());
    }
}

#[test]
fn what_belongs_to_another_is_refused() {
    // Only the administrator can give things away.
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let folder = made();
    chown(path(&folder), Some(4711), None).unwrap();
    let why_file = why(&path(&folder));
    mend(&why_file);
    Sqlite::open(&path(&folder), QUICK).unwrap().close();
    chown(path(&folder).parent().unwrap(), Some(4711), None).unwrap();

    assert!(why_file.contains("belongs to user 4711, not to user 0 who runs this"));
    assert!(why(&path(&folder)).contains("belongs to user 4711, not to user 0 who runs this"));
}

#[test]
fn a_folder_in_the_place_of_a_file_is_refused() {
    let folder = made();
    let odd = path(&folder).with_file_name("odd.db");
    fs::create_dir(&odd).unwrap();

    assert!(why(&odd).ends_with("is not a file; give the store another path"));
}

#[test]
fn a_file_in_the_place_of_a_folder_is_refused() {
    let folder = made();

    let why = why(&path(&folder).join("store.db"));

    assert!(why.contains("is not a folder"), "{why}");
}

#[test]
fn a_file_with_a_second_name_is_refused_until_it_has_one() {
    for name in ["store.db", "store.db.lock"] {
        let folder = made();
        let file = path(&folder).with_file_name(name);
        let second = folder.path().join("second");
        fs::hard_link(&file, &second).unwrap();

        let why = why(&path(&folder));
        assert!(
            why.starts_with(&format!(
                "`{}` has 2 names (hard links), which would part the store from its log",
                file.display()
            )),
            "{why}"
        );
        fs::remove_file(second).unwrap();

        Sqlite::open(&path(&folder), QUICK).unwrap();
    }
}

#[test]
fn a_log_with_a_second_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&path(&folder), QUICK).unwrap();
    let log = path(&folder).with_file_name("store.db-wal");
    fs::hard_link(log, folder.path().join("second")).unwrap();

    assert!(why(&path(&folder)).contains("store.db-wal` has 2 names"));
    drop(store);
}

#[test]
fn the_copy_of_a_file_with_a_second_name_is_a_store() {
    let folder = made();
    fs::hard_link(path(&folder), folder.path().join("second")).unwrap();

    mend(&why(&path(&folder)));

    Sqlite::open(&path(&folder).with_extension("db.copy"), QUICK).unwrap();
}
