//! Processes are killed at any moment, one or all of them, while several write: what they answered
//! is there when they are back.
//!
//! `CRASH_SEED` repeats the chances of a run, though not its timing.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use super::{rounds, set, tell};
use crate::{
    http::served::{Served, head},
    mcp::process::{Home, PATIENCE, Session},
};

const ALL: &str = "read:tokens write:tokens delete:tokens read:secrets";

/// So many sessions and servers at once.
const SESSIONS: usize = 3;
const SERVERS: usize = 2;

/// How many are killed in a round.
const KILLS: usize = 25;

/// What has to be true of a token.
#[derive(Debug, Default)]
struct Token {
    id: String,
    /// The value that is good, if that is known.
    good: Option<String>,
    /// Those that never will be again.
    dead: Vec<String>,
}

/// All processes on one store.
struct Field<'a> {
    home: &'a Home,
    /// Of a person, who picks values up.
    value: String,
    servers: Vec<Mutex<Served>>,
    /// The sessions that may be killed now.
    sessions: Vec<Mutex<Option<u32>>>,
    is_over: AtomicBool,
    done: AtomicUsize,
    wrong: Mutex<Vec<String>>,
}

/// Who asks one session, and remembers what it answered.
struct Agent<'a> {
    field: &'a Field<'a>,
    place: usize,
    session: Session,
    chance: StdRng,
    tokens: Vec<Token>,
}

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Field<'a> {
    fn on(home: &'a Home) -> Self {
        let serve = |_| Mutex::new(Served::at(home, &["--rate-per-address", "0"]));
        Self {
            value: home.token(ALL),
            servers: (0..SERVERS).map(serve).collect(),
            sessions: (0..SESSIONS).map(|_| Mutex::default()).collect(),
            home,
            is_over: AtomicBool::new(false),
            done: AtomicUsize::new(0),
            wrong: Mutex::default(),
        }
    }

    /// Kills one of them, or all.
    fn strike(&self, chance: &mut StdRng) {
        let number = SESSIONS + SERVERS;
        let victim = chance.random_range(0..number + number / 4);
        for place in 0..number {
            if victim < number && victim != place {
                continue;
            }
            match place.checked_sub(SESSIONS) {
                None => {
                    if let Some(process) = *held(&self.sessions[place]) {
                        let process = Pid::from_raw(process.cast_signed());
                        kill(process, Signal::SIGKILL).unwrap_or_default();
                    }
                }
                Some(place) => held(&self.servers[place]).signal(Signal::SIGKILL),
            }
        }
        // Those that were killed, and perhaps do not know it yet.
        for (place, server) in self.servers.iter().enumerate() {
            if victim >= number || victim == place + SESSIONS {
                *held(server) = Served::at(self.home, &["--rate-per-address", "0"]);
            }
        }
    }

    fn wrong(&self, what: String) {
        held(&self.wrong).push(what);
    }

    /// What a server answers, if it lives long enough.
    fn ask(
        &self,
        server: usize,
        method: &str,
        path: &str,
        value: &str,
        body: &str,
    ) -> io::Result<(u16, String)> {
        let address = held(&self.servers[server]).address;
        answer(
            address,
            &format!("{}{body}", head(method, path, value, body.len())),
        )
    }

    /// Whether a server takes `value`, whichever lives.
    fn is_good(&self, value: &str) -> bool {
        let since = Instant::now();
        for server in (0..SERVERS).cycle() {
            match self.ask(server, "GET", "/v1/verify", value, "") {
                Ok((200, _)) => return true,
                Ok((401, _)) => return false,
                Ok((status, body)) => assert_eq!(status, 503, "{body}"),
                Err(_) => {}
            }
            assert!(since.elapsed() < PATIENCE, "no server answers");
        }
        false
    }

    /// What is not as it was answered.
    fn look_at(&self, token: &Token) {
        if let Some(value) = &token.good
            && !self.is_good(value)
        {
            self.wrong(format!("{}: a value is not good", token.id));
        }
        for value in &token.dead {
            if self.is_good(value) {
                self.wrong(format!("{}: a value is good again", token.id));
            }
        }
    }
}

/// One question on a connection of its own.
fn answer(address: SocketAddr, request: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let request = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    stream.write_all(request.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.get(9..12).and_then(|status| status.parse().ok());
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    // A half of an answer is none.
    match (
        status,
        length.and_then(|length| length.parse::<usize>().ok()),
    ) {
        (Some(status), Some(length)) if body.len() == length => Ok((status, body.to_owned())),
        (Some(status), None) if body.is_empty() => Ok((status, String::new())),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

impl<'a> Agent<'a> {
    fn start(field: &'a Field<'a>, place: usize, seed: u64) -> Self {
        let session = field.home.local(&["--scopes", ALL]);
        *held(&field.sessions[place]) = Some(session.number());
        Self {
            field,
            place,
            session,
            chance: StdRng::seed_from_u64(seed + place as u64),
            tokens: Vec::new(),
        }
    }

    fn run(mut self) -> Vec<Token> {
        while !self.field.is_over.load(Ordering::Relaxed) {
            self.step();
        }
        *held(&self.field.sessions[self.place]) = None;
        self.tokens
    }

    fn step(&mut self) {
        let open = |token: &Token| token.good.is_some();
        let open: Vec<_> = (0..self.tokens.len())
            .filter(|at| open(&self.tokens[*at]))
            .collect();
        let chosen = (!open.is_empty() && self.chance.random_ratio(1, 2))
            .then(|| open[self.chance.random_range(0..open.len())]);
        match chosen {
            None if self.chance.random_ratio(1, 3) => self.claim(),
            None => self.create(),
            Some(at) if self.chance.random() => self.rotate(at),
            Some(at) => self.delete(at),
        }
    }

    /// What the session answers. If it was killed, another takes its place.
    fn call(&mut self, tool: &str, arguments: Value) -> Option<Value> {
        let mut params = json!({ "name": tool });
        params["arguments"] = arguments;
        self.session.ask("tools/call", params);
        if let Some(mut answer) = self.session.late_answer() {
            self.field.done.fetch_add(1, Ordering::Relaxed);
            let result = &mut answer["result"];
            if result["isError"] == false {
                return Some(result["structuredContent"].take());
            }
            self.field.wrong(format!("{tool}: {answer}"));
            return None;
        }
        *held(&self.field.sessions[self.place]) = None;
        self.session.end();
        self.session = self.field.home.local(&["--scopes", ALL]);
        *held(&self.field.sessions[self.place]) = Some(self.session.number());
        for token in self.tokens.iter().rev().take(4) {
            self.field.look_at(token);
        }
        None
    }

    fn create(&mut self) {
        let arguments = json!({ "label": "load", "deliver": "inline" });
        if let Some(made) = self.call("create_token", arguments) {
            self.tokens.push(Token {
                id: text(&made["id"]),
                good: Some(text(&made["token"])),
                dead: Vec::new(),
            });
        }
    }

    fn rotate(&mut self, at: usize) {
        let Some(old) = self.tokens[at].good.take() else {
            return;
        };
        let id = self.tokens[at].id.clone();
        let arguments = json!({ "id": id, "overlap": "0s", "deliver": "inline" });
        if let Some(rotated) = self.call("rotate_token", arguments) {
            let token = &mut self.tokens[at];
            token.dead.push(old);
            token.good = Some(text(&rotated["token"]));
        }
    }

    fn delete(&mut self, at: usize) {
        let Some(old) = self.tokens[at].good.take() else {
            return;
        };
        let id = json!({ "id": self.tokens[at].id });
        // Once more, if there was no answer: then it is known.
        if self.call("delete_token", id.clone()).is_some()
            || self.call("delete_token", id).is_some()
        {
            self.tokens[at].dead.push(old);
        }
    }

    /// Opens a claim, and has it picked up by several at once.
    fn claim(&mut self) {
        let arguments = json!({ "label": "load", "deliver": "claim" });
        let Some(made) = self.call("create_token", arguments) else {
            return;
        };
        let (field, id) = (self.field, text(&made["id"]));
        let body = json!({ "code": made["claim"]["code"] }).to_string();
        let pick_up = |server| field.ask(server, "POST", "/v1/claims", &field.value, &body);
        let mut answers: Vec<_> = thread::scope(|scope| {
            let asked: Vec<_> = (0..SERVERS)
                .map(|at| scope.spawn(move || pick_up(at)))
                .collect();
            asked
                .into_iter()
                .map(|asked| asked.join().unwrap())
                .collect()
        });
        answers.push(pick_up(0));
        let paid: Vec<_> = answers
            .iter()
            .flatten()
            .filter(|(status, _)| *status == 200)
            .collect();
        field
            .done
            .fetch_add(answers.iter().flatten().count(), Ordering::Relaxed);
        if paid.len() > 1 {
            field.wrong(format!("{id}: a claim was paid {} times", paid.len()));
        }
        let value = |(_, body): &&(u16, String)| {
            let body: Value = serde_json::from_str(body).unwrap();
            text(&body["token"])
        };
        let good = paid.first().map(value);
        if good.is_none() && answers.iter().all(Result::is_ok) {
            field.wrong(format!("{id}: a claim was not paid: {answers:?}"));
        }
        let dead = Vec::new();
        self.tokens.push(Token { id, good, dead });
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Has `kills` strikes fall on a store under load, and tells what is wrong afterwards.
fn run(home: &Home, kills: usize, seed: u64) -> (Vec<Token>, Vec<String>) {
    let mut chance = StdRng::seed_from_u64(seed);
    let field = Field::on(home);
    let tokens: Vec<Token> = thread::scope(|scope| {
        let agents: Vec<_> = (0..SESSIONS)
            .map(|place| {
                let field = &field;
                scope.spawn(move || Agent::start(field, place, seed).run())
            })
            .collect();
        for _ in 0..kills {
            thread::sleep(Duration::from_millis(chance.random_range(5..120)));
            field.strike(&mut chance);
        }
        field.is_over.store(true, Ordering::Relaxed);
        agents
            .into_iter()
            .flat_map(|agent| agent.join().unwrap())
            .collect()
    });
    for token in &tokens {
        field.look_at(token);
    }
    let done = field.done.load(Ordering::Relaxed);
    let made = tokens.len();
    tell(&format!(
        "seed {seed}: {kills} kills, {done} answers, {made} tokens"
    ));
    let wrong = held(&field.wrong).drain(..).collect();
    (tokens, wrong)
}

#[test]
fn what_was_answered_outlives_processes_that_are_killed_at_any_moment() {
    let home = Home::new();
    let seed = set("CRASH_SEED").unwrap_or_else(rand::random);

    let (tokens, wrong) = run(&home, rounds() * KILLS, seed);

    assert_eq!(wrong, <[String; 0]>::default(), "seed {seed}");
    assert!(tokens.len() > 10);
    home.is_sound();
}

#[test]
fn a_store_that_forgot_what_was_answered_is_found_out() {
    let home = Home::new();
    let value = home.token("");
    let listed = home.json(&["token", "list"]);
    let before = home.folder().join("before");
    fs::copy(home.store(), &before).unwrap();
    let id = text(&listed["tokens"][0]["id"]);
    home.json(&["token", "revoke", &id]);
    let later = home.token("");
    fs::copy(&before, home.store()).unwrap();

    let field = Field::on(&home);
    field.look_at(&Token {
        id,
        good: Some(later),
        dead: vec![value],
    });

    let wrong = held(&field.wrong);
    assert!(wrong[0].contains("is not good") && wrong[1].contains("good again"));
}
