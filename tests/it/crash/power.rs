//! The power goes at a moment, between any two writes: what was not synced is gone, or there in
//! part. The store is found again as it was acknowledged.

use super::{ledger::Ledger, load, rounds, tell};
use crate::{
    disk::{Disk, Journal, Kind, Left, Model},
    mcp::process::Home,
};

/// Looks at the store as it is after a cut in front of every `stride`th record, with each of these
/// parts of what was on its way.
async fn cuts(
    begin: &Model,
    journal: &Journal,
    ledger: &Ledger,
    stride: usize,
    left: impl Fn(usize) -> Vec<Left>,
) -> (usize, Vec<String>) {
    let mut disk = begin.clone();
    let (mut made, mut missing) = (0, Vec::new());
    for (moment, record) in journal.records.iter().enumerate() {
        if moment % stride == 0 && record.kind != Kind::Answered {
            for left in left(moment) {
                let folder = tempfile::tempdir().unwrap();
                disk.cut(left, folder.path());
                let store = folder.path().join("keywright");
                let found = ledger.missing(&store, moment).await;
                let about = |what| format!("cut {moment}, {left:?}: {what}");
                missing.extend(found.into_iter().map(about));
                made += 1;
            }
        }
        disk.play(record);
    }
    (made, missing)
}

/// Only memory for what is made anew anyway may be written behind our back.
fn all_writes_are_seen(journal: &Journal) {
    let mapped = journal.records.iter().filter(|r| r.kind == Kind::Mapped);
    for record in mapped {
        assert!(
            record.path.ends_with("store.db-shm"),
            "{}",
            record.path.display()
        );
    }
}

fn home() -> Home {
    let home = Home::new();
    home.token("");
    home
}

#[tokio::test]
async fn nothing_that_was_acknowledged_is_lost_with_the_power() {
    let stride = if rounds() > 1 { 1 } else { 5 };
    for round in 0..rounds() as u64 {
        let home = home();
        let Some(disk) = Disk::under(&home) else {
            return;
        };
        let begin = Model::of(home.folder());
        let seed = round * 100 + 1;
        let mut done = load::run(&home, &disk, seed, 3, 15);
        // On what was brought into the file when the last of those had closed it.
        done.extend(load::run(&home, &disk, seed + 50, 2, 5));
        let journal = disk.journal();
        let ledger = load::ledger(done, &journal);

        all_writes_are_seen(&journal);
        // By turns, so that a quick run meets all three.
        let left = |moment: usize| match moment % 4 {
            0 => vec![Left::Nothing],
            1 | 2 => vec![Left::Some(moment as u64)],
            _ => vec![Left::Nothing, Left::All],
        };
        let (made, missing) = cuts(&begin, &journal, &ledger, stride, left).await;

        let records = journal.records.len();
        tell(&format!("seed {seed}: {made} cuts of {records} records"));
        assert!(made > 100);
        assert_eq!(missing, <[String; 0]>::default());
    }
}

#[tokio::test]
async fn a_disk_that_forgets_what_it_was_told_to_keep_is_found_out() {
    let home = home();
    let Some(disk) = Disk::under(&home) else {
        return;
    };
    let begin = Model::of(home.folder());
    let done = load::run(&home, &disk, 2, 1, 6);
    let mut journal = disk.journal();
    let ledger = load::ledger(done, &journal);

    for record in &mut journal.records {
        if record.kind == Kind::Synced {
            record.kind = Kind::Mapped;
        }
    }
    let (_, missing) = cuts(&begin, &journal, &ledger, 9, |_| vec![Left::Nothing]).await;

    assert!(
        missing.iter().any(|what| what.contains("not good")),
        "{missing:?}"
    );
}
