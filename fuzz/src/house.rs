//! A store of this run's own with somebody in it, and the fronts over it.

use std::{cell::RefCell, mem::ManuallyDrop, path::PathBuf, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request as HttpRequest, StatusCode, header},
};
use keywright::{
    authority::{Authority, Deliver, Delivered, FirstUser, For, NewToken},
    authz::{Credential, Request},
    domain::{
        audit::Front,
        clock::{self, Clock},
        credential::Brand,
        label::Label,
        scope::Scopes,
    },
    http::{Http, Limits, Place, Profiles, Rate, router},
    mcp::{
        Server,
        streamable_http::{self, StreamableHttp},
    },
    store::{Durability, Options, Sqlite, Store},
    vault::Vault,
    wire::token::ClaimCommand,
};
use tempfile::TempDir;
use tokio::{
    runtime::{Builder, Runtime},
    time::{Duration, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Whoever runs the store, by the operating system's number.
const UID: u32 = 1000;

/// What the token may do that inputs present: everything but to see a value.
pub const SCOPES: &str = "read:tokens write:tokens delete:tokens read:envs write:envs \
    introspect:tokens read:audit manage:account read:notes";

/// After so many inputs a new one takes its place: it grows, and inputs come in another's way.
const INPUTS: u32 = 2_000;

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A store, and what is known of it.
pub struct House {
    pub authority: Authority,
    pub runtime: Arc<Runtime>,
    /// Two values with [`SCOPES`], of two tokens.
    pub value: String,
    pub other: String,
    router: Router,
    folder: TempDir,
    inputs: u32,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Nothing of a stream of events, which may not end.
    pub text: Option<String>,
}

thread_local! {
    /// Never dropped with the thread, which has no runtime left then.
    static HOUSE: RefCell<Option<ManuallyDrop<House>>> = const { RefCell::new(None) };
}

impl House {
    /// Does something in the house of this run.
    pub fn with<T>(what: impl FnOnce(&House) -> T) -> T {
        HOUSE.with_borrow_mut(|kept| {
            if kept.as_ref().is_none_or(|house| house.inputs >= INPUTS) {
                leave(kept);
            }
            let house = kept.get_or_insert_with(|| ManuallyDrop::new(Self::new()));
            house.inputs += 1;
            what(house)
        })
    }

    /// The next input gets a new one.
    pub fn is_spoilt() {
        HOUSE.with_borrow_mut(leave);
    }

    /// One of its own.
    pub fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            create: true,
            durability: Durability::Off,
        };
        let place = folder.path().join("keywright");
        let store = Sqlite::open(&place.join("store.db"), options).unwrap();
        let clock = Clock::fixed(clock::from_millis(1_800_000_000_000));
        let vault = Vault::at(place.join("vault.key"));
        let authority = Authority::new(Store::Sqlite(store), vault, clock, Brand::default());
        let [value, other] = runtime.block_on(async {
            let first = FirstUser {
                username: "ann".parse().unwrap(),
                uid: UID,
            };
            let keywright = Request::housekeeping();
            authority.found_store(&keywright, first).await.unwrap();
            [
                made(&authority, "one").await,
                made(&authority, "other").await,
            ]
        });
        let mut house = Self {
            authority,
            runtime: Arc::new(runtime),
            value,
            other,
            router: Router::new(),
            folder,
            inputs: 0,
        };
        let all = Profiles::known().map(str::to_owned);
        house.router = house.playing(Profiles::named(&all).unwrap());
        house
    }

    /// The store's file.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("keywright").join("store.db")
    }

    /// Whoever presents this value.
    pub fn request(&self) -> Request {
        Request::new(Credential::bearer(&self.value, None), Front::Http)
    }

    /// The server of a session that presents nothing that is good.
    pub fn server(&self) -> Server {
        let claim = ClaimCommand::new("keywright", None, None);
        Server::new(self.authority.clone(), Credential::Nobody.into(), claim)
    }

    /// Every path, with these profiles played besides.
    pub fn playing(&self, profiles: Profiles) -> Router {
        let claim = ClaimCommand::new("keywright", None, None);
        let limits = Limits::new(Rate::per_second(0), Rate::per_second(0));
        let http = Http::new(self.authority.clone(), claim, Place::default(), limits);
        let _inside = self.runtime.enter();
        let mcp = streamable_http::Limits::default();
        let mcp = StreamableHttp::new(self.server(), mcp, CancellationToken::new());
        router(&Arc::new(http.playing(profiles)), mcp.router())
    }

    /// What is answered to `request` at every path of ours and of the profiles that come with the
    /// program.
    pub fn send(&self, request: HttpRequest<Body>) -> Answer {
        self.send_to(&self.router, request)
    }

    /// What this router answers.
    pub fn send_to(&self, router: &Router, request: HttpRequest<Body>) -> Answer {
        let answered = async {
            let response = router.clone().oneshot(request).await.unwrap();
            let (head, body) = response.into_parts();
            let kind = head.headers.get(header::CONTENT_TYPE);
            let is_stream = kind.is_some_and(|kind| kind == "text/event-stream");
            let text = if is_stream {
                None
            } else {
                let body = to_bytes(body, usize::MAX).await.unwrap();
                Some(String::from_utf8(body.to_vec()).expect("an answer is text"))
            };
            Answer {
                status: head.status,
                headers: head.headers,
                text,
            }
        };
        let answered = async { timeout(PATIENCE, answered).await };
        self.runtime
            .block_on(answered)
            .expect("an answer comes in time")
    }
}

fn leave(kept: &mut Option<ManuallyDrop<House>>) {
    if let Some(house) = kept.take() {
        let runtime = Arc::clone(&house.runtime);
        let _inside = runtime.enter();
        drop(ManuallyDrop::into_inner(house));
    }
}

async fn made(authority: &Authority, label: &str) -> String {
    let operator = Credential::Operator {
        uid: UID,
        account: "default".parse().unwrap(),
    };
    let new = NewToken {
        owner: For::Me,
        label: Label::parse(label).unwrap(),
        scopes: Scopes::typed(SCOPES).unwrap(),
        expires: None,
        deliver: Deliver::Inline,
        idempotency_key: None,
    };
    let asked = Request::new(operator, Front::Cli);
    match authority.create_token(&asked, new).await.unwrap().delivered {
        Delivered::Value(value) => value.expose().to_owned(),
        Delivered::Claim { .. } | Delivered::Before => unreachable!("it was asked for inline"),
    }
}
