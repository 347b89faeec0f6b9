//! The hot paths, one by one, inside this process: `cargo bench --bench hot`, and
//! `cargo bench --bench hot -- verify` for those of that name. Each is compared with the last run.
//!
//! The stores of 1,000 and 1,000,000 tokens are made once and kept under `target/tmp`; `cargo clean`
//! takes them away. "Cold" is a store that was opened just now, whose connections have read nothing,
//! and whose file the kernel was asked to drop from its cache (`posix_fadvise`): its pages come from
//! the disk again, as far as whatever is below the kernel has no cache of its own.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    missing_docs,
    reason = "a program for people to watch"
)]

mod support;

use std::{
    cell::LazyCell,
    fs::{self, File},
    hint::black_box,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, FileExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use keywright::{
    authority::{Authority, Deliver, Delivered, For, ListTokens, NewToken, Of, Revoke},
    authz::{self, Action, Credential, Found, Request},
    domain::{
        audit::Front,
        clock::Clock,
        credential::{self, Brand, HashedToken, PlainToken},
        id::TokenId,
        label::Label,
        page::Limit,
        scope::Scopes,
        token::{Kind, Presented, Whose},
    },
    mcp::{Conversation, Server},
    store::{Durability, Error, Length, Options, Refused, Sqlite, Store},
    vault::Vault,
    wire::token::ClaimCommand,
};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use serde_json::{Value, json};
use tokio::{
    io::{
        AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf,
        WriteHalf,
    },
    runtime::Runtime,
};

const SIZES: [u32; 2] = [1_000, 1_000_000];

/// So many callers write at once, where there are many.
const MANY: usize = 64;

criterion_group! {
    name = hot;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = decide, values, verify, pages, writes, call
}
criterion_main!(hot);

fn decide(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let house = House::of(SIZES[0], &runtime);
    let presented = runtime.block_on(house.presented());
    let (asks, at) = (house.asks(), Clock::System.now());
    let found = Found::Token(presented);
    let who = authz::recognize(&asks, found, at).unwrap();
    let whose = who.whose();
    let powers = || who.token().unwrap().powers.clone();

    c.bench_function("decide", |b| {
        b.iter(|| {
            let action = Action::CreateToken {
                powers: powers(),
                inline: authz::Inline::No,
                for_env: false,
            };
            authz::decide(black_box(&who), action, whose).is_ok()
        });
    });
    runtime.block_on(house.authority.close()).unwrap();
}

fn values(c: &mut Criterion) {
    let plain = PlainToken::generate(&Brand::default(), Kind::Pat);
    let text = plain.expose();

    c.bench_function("parse and checksum", |b| {
        b.iter(|| credential::is_malformed(black_box(text)));
    });
    c.bench_function("hash", |b| b.iter(|| HashedToken::of(black_box(text))));
}

fn verify(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = c.benchmark_group("verify");
    for tokens in SIZES {
        // Made when it is measured first; a closure is called once a sample.
        let house = LazyCell::new(|| House::of(tokens, &runtime));
        group.bench_function(BenchmarkId::new("warm", tokens), |b| {
            let house = &*house;
            b.iter(|| {
                let asks = house.asks();
                let verified = house.authority.verify_token(&asks, Scopes::default());
                runtime.block_on(verified).unwrap()
            });
        });
        // Closed, so that no other connection keeps what was read, or loses its locks.
        drop(house);
        let closed = LazyCell::new(|| {
            let House { path, value, .. } = House::of(tokens, &runtime);
            (path, value)
        });
        group.bench_function(BenchmarkId::new("cold", tokens), |b| {
            let (path, value) = &*closed;
            let once = || {
                let house = House::cold(path, Arc::clone(value));
                let asks = house.asks();
                let begun = Instant::now();
                let verified = house.authority.verify_token(&asks, Scopes::default());
                runtime.block_on(verified).unwrap();
                begun.elapsed()
            };
            b.iter_custom(|times| (0..times).map(|_| once()).sum());
        });
    }
}

fn pages(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = c.benchmark_group("list 50");
    for tokens in SIZES {
        let house = LazyCell::new(|| House::of(tokens, &runtime));
        for (of, name) in [(Of::Owner(For::Me), "own"), (Of::Account, "account")] {
            group.bench_function(BenchmarkId::new(name, tokens), |b| {
                let (house, asks) = (&*house, operator());
                b.iter(|| {
                    let listed = house.authority.list_tokens(&asks, page(of.clone()));
                    runtime.block_on(listed).unwrap()
                });
            });
        }
    }
}

fn writes(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let house = House::of(SIZES[0], &runtime);
    let (authority, asks) = (Arc::new(house.authority), operator());
    let mut group = c.benchmark_group("write");

    // What the disk asks for one page, in the folder of the store: at the end of a file that
    // grows, as a log does at first, and over what is there, as it does ever after.
    let page = [7; 4096];
    let folder = house.path.parent().unwrap();
    let mut growing = File::create(folder.join("growing")).unwrap();
    group.bench_function("of the disk, appending 4 KiB", |b| {
        b.iter(|| {
            growing.write_all(&page).unwrap();
            growing.sync_data().unwrap();
        });
    });
    let there = File::create(folder.join("there")).unwrap();
    there.write_all_at(&vec![1; 4 << 20], 0).unwrap();
    there.sync_all().unwrap();
    let mut places = (0..1024).map(|place| place * 4096).cycle();
    group.bench_function("of the disk, over 4 KiB", |b| {
        b.iter(|| {
            there.write_all_at(&page, places.next().unwrap()).unwrap();
            there.sync_data().unwrap();
        });
    });
    for name in ["growing", "there"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    for (name, deliver) in [("claim", Deliver::Claim), ("inline", Deliver::Inline)] {
        group.bench_function(BenchmarkId::new("create", name), |b| {
            b.iter(|| {
                let new = new_token("read:notes", deliver.clone());
                runtime
                    .block_on(authority.create_token(&asks, new))
                    .unwrap()
            });
        });
    }
    group.bench_function("revoke", |b| {
        b.iter_custom(|times| {
            let ids = runtime.block_on(create(&authority, times.try_into().unwrap()));
            let begun = Instant::now();
            for id in ids {
                let revoked = authority.revoke_token(&asks, Revoke::typed(id));
                runtime.block_on(revoked).unwrap();
            }
            begun.elapsed()
        });
    });
    group.bench_function("audit append", |b| {
        b.iter_custom(|times| runtime.block_on(append(&house.path, times)));
    });
    group.throughput(Throughput::Elements(MANY as u64));
    group.bench_function(BenchmarkId::new("create at once", MANY), |b| {
        b.iter(|| runtime.block_on(create(&authority, MANY)));
    });
    group.finish();
    runtime.block_on(authority.close()).unwrap();
}

fn call(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let house = House::of(SIZES[0], &runtime);
    let mut client = runtime.block_on(async { Client::of(&house) });
    let mut group = c.benchmark_group("call over a duplex");
    for (tool, arguments) in [
        ("whoami", json!({})),
        ("list_tokens", json!({ "limit": 50 })),
    ] {
        let line = Client::line(tool, &arguments);
        group.bench_function(tool, |b| b.iter(|| runtime.block_on(client.ask(&line))));
    }
    group.finish();
    drop(client);
    runtime.block_on(house.authority.close()).unwrap();
}

/// An open store, and a value that is good there.
struct House {
    path: PathBuf,
    authority: Authority,
    value: Arc<PlainToken>,
}

impl House {
    /// The store of so many tokens, made in an earlier run or now.
    fn of(tokens: u32, runtime: &Runtime) -> Self {
        let path = kept(tokens, runtime);
        let authority = open(&path);
        let new = new_token("read:tokens write:tokens", Deliver::Inline);
        let made = runtime.block_on(authority.create_token(&operator(), new));
        let Delivered::Value(value) = made.unwrap().delivered else {
            unreachable!("asked for inline")
        };
        Self {
            path,
            authority,
            value,
        }
    }

    /// The store at `path`, which nobody has read for long.
    fn cold(path: &Path, value: Arc<PlainToken>) -> Self {
        let file = File::open(path).unwrap();
        posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED).unwrap();
        Self {
            path: path.to_owned(),
            authority: open(path),
            value,
        }
    }

    /// Asks with the value.
    fn asks(&self) -> Request {
        Request::new(Credential::bearer(self.value.expose(), None), Front::Http)
    }

    /// What a second store, opened beside, knows of the value.
    async fn presented(&self) -> Arc<Presented> {
        let (store, hash) = (store(&self.path), self.value.hashed());
        let at = Clock::System.now();
        let found =
            store.read::<_, Error>(Length::Short, move |view| Ok(view.presented(&hash, at)?));
        found.await.unwrap().unwrap()
    }
}

/// A client in this process.
struct Client {
    input: WriteHalf<DuplexStream>,
    output: Lines<BufReader<ReadHalf<DuplexStream>>>,
}

impl Client {
    fn of(house: &House) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let claim = ClaimCommand::new("keywright", None, None);
        let asks = house.asks().credential;
        let server = Server::new(house.authority.clone(), asks.into(), claim);
        tokio::spawn(async move {
            let session = rmcp::serve_server(Conversation::with(server), theirs).await;
            drop(session.unwrap().waiting().await);
        });
        let (output, input) = tokio::io::split(ours);
        let output = BufReader::new(output).lines();
        Self { input, output }
    }

    /// A call in a session without state: the first line is already a request.
    fn line(tool: &str, arguments: &Value) -> String {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        format!("{call}\n")
    }

    async fn ask(&mut self, line: &str) -> String {
        self.input.write_all(line.as_bytes()).await.unwrap();
        let answer = self.output.next_line().await.unwrap().unwrap();
        assert!(answer.contains("\"isError\":false"), "{answer}");
        answer
    }
}

/// Where the store of so many tokens is, made in an earlier run or now.
fn kept(tokens: u32, runtime: &Runtime) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hot-{tokens}"));
    let path = folder.join("store.db");
    if !folder.exists() {
        eprintln!("making a store of {tokens} tokens");
        let making = folder.with_extension("new");
        drop(fs::remove_dir_all(&making));
        fs::DirBuilder::new().mode(0o700).create(&making).unwrap();
        runtime.block_on(support::seed(&making.join("store.db"), tokens));
        File::open(making.join("store.db"))
            .unwrap()
            .sync_all()
            .unwrap();
        fs::rename(making, &folder).unwrap();
    }
    path
}

fn store(path: &Path) -> Store {
    let options = Options {
        create: false,
        durability: Durability::Full,
    };
    Store::Sqlite(Sqlite::open(path, options).unwrap())
}

fn open(path: &Path) -> Authority {
    let vault = Vault::at(path.with_file_name("vault.key"));
    Authority::new(store(path), vault, Clock::System, Brand::default())
}

fn operator() -> Request {
    let uid = nix::unistd::geteuid().as_raw();
    let account = "default".parse().unwrap();
    Request::new(Credential::Operator { uid, account }, Front::Cli)
}

fn new_token(scopes: &str, deliver: Deliver) -> NewToken {
    NewToken {
        owner: For::Me,
        label: Label::parse("bench").unwrap(),
        scopes: Scopes::parse(scopes.split_whitespace()).unwrap(),
        expires: None,
        deliver,
        idempotency_key: None,
    }
}

fn page(of: Of) -> ListTokens {
    ListTokens {
        of,
        query: None,
        state: None,
        unused_for: None,
        expiring_within: None,
        limit: Limit::default(),
        cursor: None,
    }
}

/// So many tokens, all asked for at once.
async fn create(authority: &Arc<Authority>, many: usize) -> Vec<TokenId> {
    let mut verbs = tokio::task::JoinSet::new();
    for _ in 0..many {
        let authority = Arc::clone(authority);
        verbs.spawn(async move {
            let new = new_token("read:notes", Deliver::Inline);
            authority
                .create_token(&operator(), new)
                .await
                .unwrap()
                .token
                .id
        });
        if verbs.len() % MANY == 0 {
            tokio::task::yield_now().await;
        }
    }
    verbs.join_all().await
}

/// How long so many records take in one transaction, its commit apart.
async fn append(path: &Path, times: u64) -> Duration {
    let store = store(path);
    let appended = store.write::<_, Error>(move |tx| {
        let asks = Request::new(Credential::Keywright, Front::Cli);
        let keywright = authz::recognize(&asks, Found::Nothing, Clock::System.now());
        let keywright = keywright.expect("it is known");
        let denied = authz::decide(&keywright, Action::CreateAccount, None::<Whose>).unwrap_err();
        let record = denied.into_parts().1;
        let begun = Instant::now();
        for _ in 0..times {
            tx.append(&record)?;
        }
        Ok::<_, Refused<Error>>(begun.elapsed())
    });
    appended.await.unwrap()
}
