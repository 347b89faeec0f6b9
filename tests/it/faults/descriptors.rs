//! There are no more descriptors.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use crate::{
    cli::refusals::skipped,
    http::served::Served,
    mcp::process::{Home, eventually},
};

/// How long a process was at work, in hundredths of a second.
fn work(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<_> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn a_server_without_descriptors_waits_for_some_and_does_not_spin() {
    if !cfg!(target_os = "linux") || Command::new("prlimit").arg("--version").output().is_err() {
        skipped("there is no `prlimit` here to take descriptors away");
        return;
    }
    let home = Home::new();
    let value = home.token("");
    let served = Served::at(&home, &[]);
    let limit = |number: u32| {
        let pid = format!("--pid={}", served.number());
        let to = format!("--nofile={number}:");
        assert!(
            Command::new("prlimit")
                .args([pid, to])
                .status()
                .unwrap()
                .success()
        );
    };
    let held = std::fs::read_dir(format!("/proc/{}/fd", served.number()))
        .unwrap()
        .count();

    limit(u32::try_from(held).unwrap() + 5);
    let mut wires: Vec<_> = (0..20).map(|_| served.wire()).collect();
    assert_eq!(wires[0].ask("GET", "/v1/verify", &value, "").0, 200);
    let (before, since) = (work(served.number()), Instant::now());
    let mut answered = 0;
    while since.elapsed() < Duration::from_secs(1) {
        assert_eq!(wires[0].ask("GET", "/healthz", "", "").0, 200);
        answered += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    let worked = work(served.number()) - before;
    wires.drain(..19);
    let last = wires.last_mut().unwrap();
    let status = eventually(|| Some(last.ask("GET", "/v1/verify", &value, "").0));

    assert_eq!(status, 200);
    assert!(worked < 50, "{worked} hundredths for {answered} answers");
}
