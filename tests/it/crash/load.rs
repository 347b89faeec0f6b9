//! A load on one store from several processes at once, and the [`Ledger`] of what they answered.

use std::{
    collections::HashMap,
    process::{Command, Stdio},
    thread,
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use super::ledger::{Ledger, Life, State};
use crate::{
    disk::{Disk, Journal},
    mcp::process::{Home, Session},
};

/// Whoever may do all of it.
const ALL: [&str; 2] = [
    "--scopes",
    "read:tokens write:tokens delete:tokens read:secrets",
];

/// What one answer left behind, and how the answer is found in the journal.
struct Step {
    process: u32,
    answer: Answer,
    token: usize,
    state: State,
}

#[derive(Eq, Hash, PartialEq)]
enum Answer {
    /// The one to the question with this number.
    To(u64),
    /// This line.
    Line(String),
}

/// One process under load, and what it has done so far.
struct Worker<'a> {
    home: &'a Home,
    disk: &'a Disk,
    session: Session,
    chance: StdRng,
    ids: Vec<String>,
    states: Vec<State>,
    steps: Vec<Step>,
}

/// So many processes at once take so many steps each, each with tokens of its own.
pub(super) fn run(home: &Home, disk: &Disk, seed: u64, processes: u64, steps: usize) -> Vec<Steps> {
    thread::scope(|scope| {
        let workers: Vec<_> = (0..processes)
            .map(|number| {
                scope.spawn(move || {
                    let mut worker = Worker::start(home, disk, seed + number);
                    for _ in 0..steps {
                        worker.step();
                    }
                    worker.session.close();
                    Steps(worker.steps)
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|done| done.join().unwrap())
            .collect()
    })
}

/// What one process did.
pub(super) struct Steps(Vec<Step>);

/// The ledger of all that, by the moments of `journal`.
pub(super) fn ledger(done: Vec<Steps>, journal: &Journal) -> Ledger {
    let mut moments = HashMap::new();
    for (process, line, at) in journal.answers() {
        let id = serde_json::from_str::<Value>(&line)
            .ok()
            .and_then(|answer| answer["id"].as_u64());
        let answer = id.map_or(Answer::Line(line), Answer::To);
        moments.entry((process, answer)).or_insert(at);
    }
    let mut ledger = Ledger::default();
    for Steps(steps) in done {
        let first = ledger.0.len();
        for step in steps {
            let at = moments[&(step.process, step.answer)];
            let place = first + step.token;
            if place == ledger.0.len() {
                ledger.0.push(Life::default());
            }
            ledger.0[place].0.push((at, step.state));
        }
    }
    ledger
}

/// A session on this disk that is written down.
pub(super) fn session(home: &Home, disk: &Disk) -> Session {
    let mut command = home.command(&[&["mcp", "--local"][..], &ALL].concat());
    disk.with_journal(&mut command);
    Session::open(command, &home.process())
}

impl<'a> Worker<'a> {
    fn start(home: &'a Home, disk: &'a Disk, seed: u64) -> Self {
        Self {
            home,
            disk,
            session: session(home, disk),
            chance: StdRng::seed_from_u64(seed),
            ids: Vec::new(),
            states: Vec::new(),
            steps: Vec::new(),
        }
    }

    fn step(&mut self) {
        let open = |state: &State| *state != State::Ended;
        let open: Vec<_> = (0..self.states.len())
            .filter(|token| open(&self.states[*token]))
            .collect();
        if open.is_empty() || self.chance.random_ratio(2, 5) {
            let inline = self.chance.random();
            return self.create(if inline { "inline" } else { "claim" });
        }
        let token = open[self.chance.random_range(0..open.len())];
        if let State::Waits(code) = &self.states[token] {
            let code = code.clone();
            self.claim(token, &code);
        } else if self.chance.random() {
            let arguments = json!({ "id": self.ids[token], "overlap": "0s", "deliver": "inline" });
            let rotated = self.session.done("rotate_token", arguments);
            self.told(token, State::Good(text(&rotated["token"])));
        } else {
            let id = json!({ "id": self.ids[token] });
            self.session.done("delete_token", id);
            self.told(token, State::Ended);
        }
    }

    fn create(&mut self, deliver: &str) {
        let arguments = json!({ "label": "load", "deliver": deliver });
        let made = self.session.done("create_token", arguments);
        let state = match deliver {
            "inline" => State::Good(text(&made["token"])),
            _ => State::Waits(text(&made["claim"]["code"])),
        };
        self.ids.push(text(&made["id"]));
        self.states.push(state.clone());
        self.told(self.ids.len() - 1, state);
    }

    /// By a process of its own.
    fn claim(&mut self, token: usize, code: &str) {
        let mut command: Command = self.home.command(&["claim", code, "--to", "stdout"]);
        self.disk.with_journal(&mut command);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let process = child.id();
        let output = child.wait_with_output().unwrap();
        let value = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        self.states[token] = State::Good(value.clone());
        self.steps.push(Step {
            process,
            answer: Answer::Line(value.clone()),
            token,
            state: State::Good(value),
        });
    }

    fn told(&mut self, token: usize, state: State) {
        self.states[token] = state.clone();
        self.steps.push(Step {
            process: self.session.number(),
            answer: Answer::To(self.session.asked()),
            token,
            state,
        });
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
