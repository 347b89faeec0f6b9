//! [`TestApp`]: an authority of its own for every test, through public doors alone.

use std::{fs, io, path::PathBuf, sync::Arc};

use chrono::Duration;
use keywright::{
    authority::{
        Authority, ClaimRef, Claimed, Deliver, Delivered, Error, FirstUser, For, ListTokens,
        Minted, NewAccount, NewAppEnv, NewToken, NewUser, Of, ReadAudit, Revealed, Revoke, Revoked,
        Rotate, SetCliToken, Sink, Update,
    },
    authz::{Credential, Request},
    domain::{
        account::{Role, Slug},
        app_env::{AppEnv, AppEnvRef},
        audit::{AuditRecord, Front},
        claim::ClaimCode,
        clock::{self, Clock},
        credential::{Brand, PlainToken},
        expires::Expires,
        id::{RequestId, TokenId},
        label::Label,
        page::Limit,
        scope::{Reach, Scopes},
        token::Token,
    },
    store::{Durability, Options, Sqlite, Store},
    vault::Vault,
};
use rusqlite::Connection;
use tempfile::TempDir;

/// The operating system's number for ann, who is there from the start and an admin of `default`.
const ANN: u32 = 1000;

/// What a local session holds when nothing is said.
const USUAL: &str = "read:tokens write:tokens delete:tokens read:envs";

/// A store in a folder of its own, an authority over it, and a clock that stands until it is set.
pub(crate) struct TestApp {
    pub(crate) authority: Authority,
    pub(crate) clock: Clock,
    folder: Arc<TempDir>,
}

/// Somebody with a token.
#[derive(Clone)]
pub(crate) struct Agent {
    pub(crate) id: TokenId,
    pub(crate) value: String,
}

impl Agent {
    /// A request of its own.
    pub(crate) fn asks(&self) -> Request {
        bearer(&self.value)
    }

    /// A request of a session that was narrowed.
    pub(crate) fn narrowed(&self, to: &str) -> Request {
        request(Credential::bearer(&self.value, Some(scopes(to))))
    }
}

impl TestApp {
    /// A store with ann in it.
    pub(crate) async fn new() -> Self {
        let app = Self::empty();
        let first = FirstUser {
            username: "ann".parse().unwrap(),
            uid: ANN,
        };
        let founded = app.authority.found_store(&keywright(), first).await;
        founded.unwrap();
        app
    }

    /// A store in which nobody is yet.
    pub(crate) fn empty() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let clock = Clock::fixed(clock::from_millis(1_800_000_000_000));
        Self {
            authority: authority(&folder, &clock),
            clock,
            folder,
        }
    }

    /// Another process on the same file.
    pub(crate) fn another_process(&self) -> Self {
        Self {
            authority: authority(&self.folder, &self.clock),
            clock: self.clock.clone(),
            folder: Arc::clone(&self.folder),
        }
    }

    /// The same store after a restart, which forgets what was only known in memory.
    pub(crate) async fn restarted(self) -> Self {
        self.authority.close().await.unwrap();
        Self {
            authority: authority(&self.folder, &self.clock),
            ..self
        }
    }

    /// The file itself, as an attacker would open it.
    pub(crate) fn database(&self) -> Connection {
        let connection = Connection::open(store_path(&self.folder)).unwrap();
        connection
            .pragma_update(None, "foreign_keys", false)
            .unwrap();
        connection
    }

    /// Does `sql` behind the authority's back, with the triggers that guard the audit trail out of
    /// the way and back in their places afterwards.
    pub(crate) fn attack(&self, sql: &str) {
        let database = self.database();
        let triggers = "select group_concat(sql, '; ') from sqlite_schema where type = 'trigger'";
        let triggers: String = database.query_row(triggers, [], |row| row.get(0)).unwrap();
        let drop_triggers = "drop trigger audit_is_not_edited; drop trigger audit_is_not_cut;";
        database
            .execute_batch(&format!("{drop_triggers} {sql}; {triggers};"))
            .unwrap();
    }

    /// How many rows `table` has.
    pub(crate) fn rows(&self, table: &str) -> u64 {
        let sql = format!("select count(*) from {table}");
        self.database()
            .query_row(&sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
            .try_into()
            .unwrap()
    }

    pub(crate) fn key_path(&self) -> PathBuf {
        key_path(&self.folder)
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// An agent of ann's without an end.
    pub(crate) async fn agent<const N: usize>(&self, scopes: [&str; N]) -> Agent {
        self.agent_of("ann", scopes).await
    }

    /// An agent of somebody in `default`, without an end.
    pub(crate) async fn agent_of<const N: usize>(&self, name: &str, scopes: [&str; N]) -> Agent {
        self.agent_for(&operator(), name, &scopes.join(" "), Expires::Never)
            .await
    }

    /// An agent of ann's that ends after `life`.
    pub(crate) async fn agent_until<const N: usize>(
        &self,
        life: Duration,
        scopes: [&str; N],
    ) -> Agent {
        let life = Expires::After(life);
        self.agent_for(&operator(), "ann", &scopes.join(" "), life)
            .await
    }

    async fn agent_for(&self, by: &Request, of: &str, held: &str, expires: Expires) -> Agent {
        let new = NewToken {
            owner: For::User(of.parse().unwrap()),
            scopes: scopes(held),
            expires: Some(expires),
            deliver: Deliver::Inline,
            ..token("agent")
        };
        agent(&self.authority.create_token(by, new).await.unwrap())
    }

    /// An account of its own with one admin in it, and an agent of theirs that may do everything.
    pub(crate) async fn stranger(&self) -> Agent {
        let new = NewAccount {
            slug: "acme".parse().unwrap(),
            name: label("Acme"),
        };
        self.authority
            .create_account(&operator(), new)
            .await
            .unwrap();
        let there = operator_in("acme");
        let eve = new_user("eve", Role::Admin);
        self.authority.create_user(&there, eve).await.unwrap();
        self.agent_for(&there, "eve", EVERYTHING, Expires::Never)
            .await
    }

    /// Adds a person to `default`.
    pub(crate) async fn user(&self, name: &str, role: Role) {
        let user = new_user(name, role);
        self.authority.create_user(&operator(), user).await.unwrap();
    }

    /// Makes a person of `default` something else there.
    pub(crate) async fn set_role(&self, name: &str, role: Role) {
        let name = name.parse().unwrap();
        self.authority
            .set_membership(&operator(), name, role)
            .await
            .unwrap();
    }

    pub(crate) async fn set_active(&self, name: &str, active: bool) {
        let name = name.parse().unwrap();
        self.authority
            .set_user_active(&operator(), name, active)
            .await
            .unwrap();
    }

    /// An app environment of `default`, with this name for people and for a CLI.
    pub(crate) async fn app_env(&self, name: &str) -> AppEnv {
        let new = NewAppEnv {
            name: label(name),
            cli_env_name: Some(name.parse().unwrap()),
        };
        self.authority
            .create_app_env(&operator(), new)
            .await
            .unwrap()
    }

    /// Gives a fresh CLI token.
    pub(crate) async fn set_cli_token(&self, of: For, held: &str) -> Token {
        let set = SetCliToken {
            of,
            scopes: scopes(held),
            imported: None,
        };
        let set = self.authority.set_cli_token(&operator(), set).await;
        set.unwrap().0
    }

    /// Makes a token, with whatever `new` says.
    pub(crate) async fn create(&self, by: &Request, new: NewToken) -> Result<Minted, Error> {
        self.authority.create_token(by, new).await
    }

    /// Makes a token that waits for its claim: its id, and the code.
    pub(crate) async fn waiting(&self, by: &Request, scopes: &str) -> (TokenId, String) {
        let minted = self.create(by, carrying(scopes)).await.unwrap();
        (minted.token.id, code(&minted))
    }

    /// A child of `parent` that it may use at once.
    pub(crate) async fn child(&self, parent: &Agent, scopes: &str) -> Agent {
        let new = carrying(scopes);
        let (id, code) = {
            let minted = self.create(&parent.asks(), new).await.unwrap();
            (minted.token.id, code(&minted))
        };
        let value = self.claim(&code).await.unwrap();
        Agent { id, value }
    }

    /// Picks a value up at the shell.
    pub(crate) async fn claim(&self, code: &str) -> Result<String, Error> {
        let mut sink = TestSink::default();
        self.claim_to(by_code(code), &mut sink).await?;
        Ok(sink.value())
    }

    pub(crate) async fn claim_to(
        &self,
        claim: ClaimRef,
        sink: &mut TestSink,
    ) -> Result<Claimed, Error> {
        self.authority.claim_token(&operator(), claim, sink).await
    }

    /// The labels of the tokens that `by` lists, newest first.
    pub(crate) async fn labels(&self, by: &Request, asked: ListTokens) -> Vec<String> {
        let (page, _) = self.authority.list_tokens(by, asked).await.unwrap();
        let rows = page.rows.iter();
        rows.map(|token| token.label.to_string()).collect()
    }

    /// Whether a value is good for anything.
    pub(crate) async fn is_good(&self, value: &str) -> bool {
        match self.authority.whoami(&bearer(value)).await {
            Ok(_) => true,
            Err(Error::Unauthenticated) => false,
            Err(other) => panic!("{other}"),
        }
    }

    pub(crate) async fn token(&self, id: TokenId) -> Token {
        let found = self.authority.get_token(&operator(), id).await;
        found.unwrap().0
    }

    pub(crate) async fn update(&self, by: &Request, change: Update) -> Result<Token, Error> {
        let updated = self.authority.update_token(by, change).await;
        updated.map(|(token, _)| token)
    }

    pub(crate) async fn rotate(&self, by: &Request, asked: Rotate) -> Result<Minted, Error> {
        self.authority.rotate_token(by, asked).await
    }

    pub(crate) async fn revoke_by(&self, by: &Request, asked: Revoke) -> Result<Revoked, Error> {
        self.authority.revoke_token(by, asked).await
    }

    pub(crate) async fn reveal(&self, by: &Request, of: For) -> Result<Revealed, Error> {
        self.authority.reveal_cli_token(by, of).await
    }

    pub(crate) async fn disable(&self, by: &Request, id: TokenId) {
        let off = Update {
            enabled: Some(false),
            ..update(id)
        };
        self.update(by, off).await.unwrap();
    }

    pub(crate) async fn revoke(&self, id: TokenId) {
        let revoked = self.authority.revoke_token(&operator(), revoke(id)).await;
        assert_eq!(revoked.unwrap().revoked_count, 1);
    }

    /// The newest entries of the account `default`, oldest first: `who action outcome: reason`.
    pub(crate) async fn trail(&self, newest: usize) -> Vec<String> {
        lines(&self.records(false, newest).await)
    }

    /// The same of the system's own entries.
    pub(crate) async fn system_trail(&self, newest: usize) -> Vec<String> {
        lines(&self.records(true, newest).await)
    }

    /// The newest entry of the account `default`, whole.
    pub(crate) async fn last_record(&self) -> AuditRecord {
        self.records(false, 1).await.remove(0)
    }

    async fn records(&self, system: bool, newest: usize) -> Vec<AuditRecord> {
        let asked = ReadAudit {
            system,
            limit: Limit::try_from(i64::try_from(newest).unwrap()).unwrap(),
            ..ReadAudit::default()
        };
        let page = self.authority.read_audit(&operator(), asked).await;
        let mut records = page.unwrap().rows;
        records.reverse();
        records
    }

    /// What `verify_audit` finds, in words.
    pub(crate) async fn faults(&self) -> Vec<String> {
        let verified = self.authority.verify_audit(&operator()).await.unwrap();
        let faults = verified.faults.iter();
        faults.map(ToString::to_string).collect()
    }

    /// Nothing was rewritten, and nothing changed without an entry.
    pub(crate) async fn is_sound(&self) {
        assert_eq!(self.faults().await, [""; 0]);
    }
}

/// Every scope that means something here, and one that does not.
pub(crate) const EVERYTHING: &str = "read:tokens write:tokens delete:tokens read:secrets \
    read:envs write:envs introspect:tokens read:audit manage:account read:notes";

fn authority(folder: &TempDir, clock: &Clock) -> Authority {
    let options = Options {
        create: true,
        durability: Durability::Off,
    };
    let store = Store::Sqlite(Sqlite::open(&store_path(folder), options).unwrap());
    let vault = Vault::at(key_path(folder));
    Authority::new(store, vault, clock.clone(), Brand::default())
}

fn store_path(folder: &TempDir) -> PathBuf {
    folder.path().join("keywright").join("store.db")
}

fn key_path(folder: &TempDir) -> PathBuf {
    folder.path().join("keywright").join("vault.key")
}

fn request(credential: Credential) -> Request {
    Request {
        credential,
        front: Front::Mcp,
        id: RequestId::fresh(),
    }
}

/// Whoever presents this value.
pub(crate) fn bearer(value: &str) -> Request {
    request(Credential::bearer(value, None))
}

/// Ann's local session with its usual scopes.
pub(crate) fn local() -> Request {
    local_with(USUAL)
}

/// Ann's local session with these scopes, and every service scope.
pub(crate) fn local_with(held: &str) -> Request {
    request(Credential::LocalSession {
        uid: ANN,
        account: Slug::default(),
        reach: Reach::WithEveryService(scopes(held)),
    })
}

/// At the shell, in the account `default`.
pub(crate) fn operator() -> Request {
    operator_in("default")
}

/// At the shell, in this account.
pub(crate) fn operator_in(account: &str) -> Request {
    Request {
        front: Front::Cli,
        ..request(Credential::Operator {
            uid: ANN,
            account: account.parse().unwrap(),
        })
    }
}

/// The program itself.
pub(crate) fn keywright() -> Request {
    Request {
        front: Front::Housekeeping,
        ..request(Credential::Keywright)
    }
}

pub(crate) fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

pub(crate) fn scopes(text: &str) -> Scopes {
    Scopes::parse(text.split_whitespace()).unwrap()
}

fn new_user(name: &str, role: Role) -> NewUser {
    NewUser {
        username: name.parse().unwrap(),
        email: None,
        os_uid: None,
        role,
    }
}

/// A token for oneself that carries nothing and waits to be claimed.
pub(crate) fn token(name: &str) -> NewToken {
    NewToken {
        owner: For::Me,
        label: label(name),
        scopes: Scopes::default(),
        expires: None,
        deliver: Deliver::Claim,
        idempotency_key: None,
    }
}

/// The same, with these scopes.
pub(crate) fn carrying(held: &str) -> NewToken {
    NewToken {
        scopes: scopes(held),
        ..token("child")
    }
}

/// A change that changes nothing yet.
pub(crate) fn update(id: TokenId) -> Update {
    Update {
        id,
        label: None,
        scopes: None,
        expires: None,
        enabled: None,
    }
}

/// A rotation whose value waits to be claimed.
pub(crate) fn rotate(id: TokenId) -> Rotate {
    Rotate {
        id,
        overlap: None,
        deliver: Deliver::Claim,
        idempotency_key: None,
        expires: None,
    }
}

pub(crate) fn revoke(id: TokenId) -> Revoke {
    Revoke {
        id,
        cascade: false,
        allow_self: false,
    }
}

/// One's own tokens, as many as fit.
pub(crate) fn list() -> ListTokens {
    ListTokens {
        of: Of::Owner(For::Me),
        query: None,
        state: None,
        unused_for: None,
        expiring_within: None,
        limit: Limit::default(),
        cursor: None,
    }
}

/// An app environment by its name for a CLI.
pub(crate) fn env_named(name: &str) -> For {
    For::AppEnv(AppEnvRef::Name(name.parse().unwrap()))
}

/// The value in an answer.
pub(crate) fn value(minted: &Minted) -> String {
    match &minted.delivered {
        Delivered::Value(value) => value.expose().to_owned(),
        other @ (Delivered::Claim { .. } | Delivered::Before) => {
            panic!("there is no value in {other:?}")
        }
    }
}

/// The claim code in an answer.
pub(crate) fn code(minted: &Minted) -> String {
    match &minted.delivered {
        Delivered::Claim { code, .. } => code.expose(),
        other @ (Delivered::Value(_) | Delivered::Before) => {
            panic!("there is no code in {other:?}")
        }
    }
}

/// Whoever an inline answer was for.
pub(crate) fn agent(minted: &Minted) -> Agent {
    Agent {
        id: minted.token.id,
        value: value(minted),
    }
}

pub(crate) fn by_code(code: &str) -> ClaimRef {
    ClaimRef::Code(code.parse::<ClaimCode>().unwrap().hashed())
}

/// What a refusal says.
pub(crate) fn why<T>(refused: Result<T, Error>) -> String {
    match refused {
        Ok(_) => panic!("it was not refused"),
        Err(error) => error.to_string(),
    }
}

fn lines(records: &[AuditRecord]) -> Vec<String> {
    let line = |record: &AuditRecord| {
        let actor = record.actor.to_string();
        let actor = actor.split(':').next().unwrap();
        let count = Some(record.count).filter(|count| *count > 1);
        let count = count.map(|count| format!(" x{count}"));
        let reason = record.reason.as_ref().map(|reason| format!(": {reason}"));
        let (action, outcome) = (&record.action, record.outcome.as_str());
        let [count, reason] = [count, reason].map(Option::unwrap_or_default);
        format!("{actor} {action} {outcome}{count}{reason}")
    };
    records.iter().map(line).collect()
}

/// A sink that remembers what was asked of it, and fails where it is told to.
#[derive(Default)]
pub(crate) struct TestSink {
    /// What was asked of it, in order.
    pub(crate) steps: Vec<&'static str>,
    fails_to: Option<&'static str>,
    published: Option<String>,
}

impl TestSink {
    /// A sink that fails to `prepare` or to `publish`.
    pub(crate) fn failing_to(step: &'static str) -> Self {
        Self {
            fails_to: Some(step),
            ..Self::default()
        }
    }

    /// What it was given.
    pub(crate) fn value(&self) -> String {
        self.published.clone().unwrap()
    }

    fn step(&mut self, name: &'static str) -> io::Result<()> {
        self.steps.push(name);
        if self.fails_to == Some(name) {
            return Err(io::Error::other("the disk is full"));
        }
        Ok(())
    }
}

impl Sink for TestSink {
    fn prepare(&mut self) -> io::Result<()> {
        self.step("prepare")
    }

    fn publish(&mut self, value: &PlainToken) -> io::Result<()> {
        self.step("publish")?;
        self.published = Some(value.expose().to_owned());
        Ok(())
    }

    fn withdraw(&mut self) {
        self.steps.push("withdraw");
    }

    fn name(&self) -> String {
        "test".into()
    }
}

/// Puts another key file in the place of `app`'s.
pub(crate) fn swap_keys(app: &TestApp, other: &TestApp) {
    fs::copy(other.key_path(), app.key_path()).unwrap();
}
