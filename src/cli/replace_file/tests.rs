//! What is replaced, and what is left alone.

use std::{
    fs,
    os::unix::fs::{chown, symlink},
    sync::Barrier,
    thread,
    time::Duration,
};

use nix::sys::stat::Mode;
use tempfile::TempDir;

use super::*;

/// A folder with the file `it` in it, and its path.
fn folder(text: &str, mode: u32) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    (folder, path)
}

fn names(folder: &TempDir) -> Vec<OsString> {
    let files = fs::read_dir(folder.path()).unwrap();
    files.map(|file| file.unwrap().file_name()).collect()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o777
}

fn why(path: &Path) -> String {
    Draft::of(path).map(drop).unwrap_err().to_string()
}

#[test]
fn a_file_is_replaced_as_a_whole_and_keeps_its_mode() {
    let (folder, path) = folder("old", 0o640);
    let before = fs::metadata(&path).unwrap().ino();

    let draft = Draft::of(&path).unwrap();
    assert_eq!(draft.there().unwrap().text.as_slice(), b"old");
    draft.publish(b"new", Access::AsBefore).unwrap();

    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!((mode(&path), names(&folder).len()), (0o640, 1));
    assert_ne!(fs::metadata(&path).unwrap().ino(), before);
}

#[test]
fn a_private_file_is_private_whatever_stood_there() {
    let (_folder, path) = folder("old", 0o644);
    Draft::of(&path)
        .unwrap()
        .publish(b"new", Access::Private)
        .unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_file_that_is_not_there_is_made_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it");

    let draft = Draft::of(&path).unwrap();
    assert!(draft.there().is_none() && !path.exists());
    draft.publish(b"new", Access::AsBefore).unwrap();

    assert_eq!(
        (fs::read(&path).unwrap(), mode(&path)),
        (b"new".into(), 0o600)
    );
}

#[test]
fn a_draft_that_is_dropped_leaves_what_stood_there_and_nothing_else() {
    let (folder, path) = folder("old", 0o600);
    let draft = Draft::of(&path).unwrap();
    assert_eq!(names(&folder).len(), 2);
    let beside = fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().path());
    assert!(beside.into_iter().all(|path| mode(&path) == 0o600));

    drop(draft);

    assert_eq!(
        (fs::read(&path).unwrap(), names(&folder)),
        (b"old".into(), vec!["it".into()])
    );
}

const LEFT: &str = ".keywright-0123456789abcdef";

#[test]
fn a_draft_of_a_process_that_was_killed_is_cleared_away_by_the_next() {
    let (folder, path) = folder("old", 0o600);
    fs::write(folder.path().join(LEFT), "a value").unwrap();
    let empty = File::create(folder.path().join(".keywright-00000000000000ff")).unwrap();
    let long_ago = empty.metadata().unwrap().modified().unwrap() - Duration::from_hours(1);
    empty.set_modified(long_ago).unwrap();

    drop(Draft::of(&path).unwrap());

    assert_eq!(names(&folder), ["it"]);
}

#[test]
fn what_may_be_alive_or_is_no_draft_is_left_alone() {
    let (folder, path) = folder("old", 0o600);
    let at = |name: &str| folder.path().join(name);
    for name in [
        ".keywright-0123456789abcde",
        ".keywright-0123456789abcdef0",
        ".keywright-0123456789ABCDEF",
        "keywright-0123456789abcdef",
        "it.keywright-0123456789abcdef",
    ] {
        fs::write(at(name), "mine").unwrap();
    }
    symlink("it", at(LEFT)).unwrap();
    fs::create_dir(at(".keywright-00000000000000d1")).unwrap();
    nix::unistd::mkfifo(&at(".keywright-00000000000000f1"), Mode::S_IRWXU).unwrap();
    // Its maker is about to lock it.
    File::create(at(".keywright-00000000000000ff")).unwrap();
    let before = names(&folder).len();

    drop(Draft::of(&path).unwrap());

    assert_eq!(names(&folder).len(), before);
}

#[test]
fn a_draft_lives_until_it_is_published_whatever_others_do() {
    let (folder, path) = folder("old", 0o600);
    let mut first = Draft::of(&path).unwrap();
    first.file.write_all(b"a value").unwrap();

    drop(Draft::of(&folder.path().join("other")).unwrap());

    first.publish(b"", Access::Private).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"a value");
}

#[test]
fn a_file_that_somebody_else_locked_or_took_away_is_no_draft() {
    let (folder, path) = folder("old", 0o600);
    let held = Folder::of(&path).unwrap().0;
    let make = || held.make(OsStr::new(LEFT)).unwrap();
    let taken = |file: &File| temporary::is_taken(&held, OsStr::new(LEFT), file);

    let file = make();
    let theirs = File::open(folder.path().join(LEFT)).unwrap();
    theirs.lock().unwrap();
    assert!(!taken(&file));
    drop(theirs);
    assert!(taken(&file));
    fs::remove_file(folder.path().join(LEFT)).unwrap();
    assert!(!taken(&file));
    let _other = make();
    assert!(!taken(&file));
}

#[test]
fn many_drafts_at_once_are_all_published_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let all = Barrier::new(8);
    let write = |thread: usize| {
        let path = folder.path().join(thread.to_string());
        all.wait();
        for turn in 0..50 {
            let killed = format!(".keywright-{thread:08x}{turn:08x}");
            fs::write(folder.path().join(killed), "a value").unwrap();
            let draft = Draft::of(&path).unwrap();
            draft.publish(b"new", Access::Private).unwrap();
        }
    };

    thread::scope(|scope| {
        for thread in 0..8 {
            let write = &write;
            scope.spawn(move || write(thread));
        }
    });

    drop(Draft::of(&folder.path().join("0")).unwrap());
    assert_eq!(names(&folder).len(), 8);
}

#[test]
fn a_draft_that_was_taken_away_leaves_what_stood_there() {
    let (folder, path) = folder("old", 0o600);
    let draft = Draft::of(&path).unwrap();
    fs::remove_file(folder.path().join(&draft.temporary)).unwrap();

    let why = draft.publish(b"new", Access::AsBefore).unwrap_err();

    assert!(why.to_string().ends_with("in the meantime; try again"));
    assert_eq!(fs::read(&path).unwrap(), b"old");
}

#[test]
fn what_was_changed_in_the_meantime_is_left_as_it_is() {
    let (folder, path) = folder("old", 0o600);
    let draft = Draft::of(&path).unwrap();
    fs::write(&path, "newer").unwrap();

    let why = draft
        .publish(b"new", Access::AsBefore)
        .unwrap_err()
        .to_string();

    assert!(why.ends_with("was changed in the meantime, and is left as it is; try again"));
    assert_eq!(
        (fs::read(&path).unwrap(), names(&folder).len()),
        (b"newer".into(), 1)
    );
}

#[test]
fn what_came_to_stand_there_in_the_meantime_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it");
    let draft = Draft::of(&path).unwrap();
    symlink("/dev/null", &path).unwrap();

    assert!(draft.publish(b"new", Access::AsBefore).is_err());

    assert!(path.is_symlink());
    assert_eq!(names(&folder).len(), 1);
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn what_comes_to_stand_there_in_the_last_moment_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it");
    let draft = Draft::of(&path).unwrap();
    fs::write(&path, "theirs").unwrap();

    let why = draft.take_place().unwrap_err().to_string();

    assert!(why.ends_with("was changed in the meantime, and is left as it is; try again"));
    assert_eq!(fs::read(&path).unwrap(), b"theirs");
    fs::remove_file(&path).unwrap();
    draft.take_place().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn what_is_no_file_of_ones_own_is_left_alone() {
    let (folder, path) = folder("old", 0o600);
    let at = |name: &str| folder.path().join(name);
    symlink("it", at("link")).unwrap();
    symlink("nothing", at("dangling")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    nix::unistd::mkfifo(&at("pipe"), Mode::S_IRUSR).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    let before = names(&folder).len();

    assert!(why(&at("link")).contains("is a symbolic link, and is not followed"));
    assert!(why(&at("dangling")).contains("is a symbolic link, and is not followed"));
    for name in ["folder", "pipe", "socket"] {
        assert!(
            why(&at(name)).contains("is not a file; name another"),
            "{name}"
        );
    }
    assert!(why(&at("none/it")).contains("make it first: mkdir -p"));
    assert!(why(Path::new("..")).contains("is not the name of a file"));
    fs::hard_link(&path, at("other")).unwrap();
    assert!(why(&path).contains("has 2 names"));
    assert_eq!(names(&folder).len(), before + 1);
    assert_eq!(fs::read(&path).unwrap(), b"old");
}

#[test]
fn a_folder_that_others_may_write_to_is_refused_unless_it_is_sticky() {
    let (folder, path) = folder("old", 0o600);
    let open = |mode| fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();

    for mode in [0o777, 0o702] {
        open(mode);
        assert!(why(&path).contains("close it: chmod go-w "), "{mode:o}");
    }

    open(0o1777);
    Draft::of(&path)
        .unwrap()
        .publish(b"new", Access::AsBefore)
        .unwrap();
}

#[test]
fn a_file_keeps_its_group() {
    let (_folder, path) = folder("old", 0o640);
    // Any of one's own; the administrator may give it to any at all.
    let group = match nix::unistd::getgroups().unwrap().last() {
        _ if geteuid().is_root() => 4711,
        Some(group) => group.as_raw(),
        None => nix::unistd::getegid().as_raw(),
    };
    chown(&path, None, Some(group)).unwrap();

    Draft::of(&path)
        .unwrap()
        .publish(b"new", Access::AsBefore)
        .unwrap();

    let now = fs::metadata(&path).unwrap();
    assert_eq!((now.gid(), now.mode() & 0o777), (group, 0o640));
}
