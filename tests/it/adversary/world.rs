//! [`World`]: agents who pool all that they get, and an authority that they try. What they hold is
//! judged here by a rule of its own, and never by the decision that is tried.

use std::collections::{HashMap, HashSet};

use chrono::Duration;
use keywright::{
    authority::{
        ClaimRef, Delivered, Error, For, Minted, NewToken, Rotate, ThroughProfile, Update,
    },
    authz::{Credential, Request},
    domain::{
        account::{Role, Slug},
        actor::Actor,
        app_env::AppEnvRef,
        audit::Front,
        clock::Time,
        expires::Expires,
        id::{AccountId, TokenId},
        scope::{Reach, Scope},
        token::{Kind, Owner, State, Token},
    },
};

use super::step::{How, Step, Verb, scopes_of};
use crate::support::{
    EVERYTHING, TestApp, TestSink, agent, by_code, carrying, env_named, local_with, operator,
    revoke, rotate, scopes, token, update,
};

/// What a local session is narrowed to here.
const LOCAL: &str = "read:tokens write:tokens delete:tokens";

/// What somebody may do at a moment.
#[derive(Clone, Debug)]
pub(super) struct Power {
    reach: Reach,
    expires_at: Option<Time>,
    account: AccountId,
    /// Its own things are those of this owner.
    owner: Owner,
    is_admin: bool,
}

/// A value that somebody has, or the place of one at a local session.
#[derive(Clone, Debug)]
pub(super) enum Held {
    Value(TokenId, String),
    Local,
}

/// A claim that was opened, and by whom.
struct Waits {
    code: String,
    token: TokenId,
    by: Actor,
}

/// The agents, all they hold, and the authority, which two processes serve.
pub(super) struct World {
    app: TestApp,
    other: TestApp,
    held: Vec<Held>,
    waits: Vec<Waits>,
    tokens: Vec<TokenId>,
    /// What the tokens that nobody here made could do when they were made.
    seeds: HashMap<TokenId, Token>,
    /// Every value that was ever handed out.
    values: HashSet<String>,
    /// What has ended, for good.
    revoked: HashSet<TokenId>,
    anns_role: Role,
    pub(super) counts: HashMap<(Verb, bool), u32>,
}

impl World {
    /// Ann, an admin; Bob, a member; Eve, an admin elsewhere; and an app environment. Each has
    /// agents, some of which hold more than others.
    pub(super) async fn new() -> Self {
        let app = TestApp::new().await;
        let other = app.another_process();
        app.user("bob", Role::Member).await;
        // Somebody has to stay an admin, whatever becomes of Ann.
        app.user("zoe", Role::Admin).await;
        app.app_env("production").await;
        let mut world = Self {
            other,
            held: vec![Held::Local],
            waits: Vec::new(),
            tokens: Vec::new(),
            seeds: HashMap::new(),
            values: HashSet::new(),
            revoked: HashSet::new(),
            anns_role: Role::Admin,
            counts: HashMap::new(),
            app,
        };
        let eve = world.app.stranger().await;
        world.seed(eve.id, eve.value).await;
        for (who, held, days) in [
            ("ann", EVERYTHING, None),
            ("ann", "read:tokens write:tokens read:notes", Some(30)),
            ("ann", "write:tokens read:secrets read:notes", Some(1)),
            ("bob", "write:tokens read:notes manage:account", Some(2)),
            ("bob", "write:tokens read:secrets", None),
        ] {
            let new = NewToken {
                owner: For::User(who.parse().unwrap()),
                scopes: scopes(held),
                expires: Some(days.map_or(Expires::Never, |d| Expires::After(Duration::days(d)))),
                deliver: keywright::authority::Deliver::Inline,
                ..token("seed")
            };
            let made = agent(&world.app.create(&operator(), new).await.unwrap());
            world.seed(made.id, made.value).await;
        }
        for (of, held) in [
            (env_named("production"), "write:tokens read:notes"),
            (For::User("ann".parse().unwrap()), "read:notes"),
        ] {
            let set = world.app.set_cli_token(of, held).await;
            world.tokens.push(set.id);
            let kept = world.look(set.id).await;
            world.seeds.insert(set.id, kept);
        }
        world
    }

    async fn seed(&mut self, id: TokenId, value: String) {
        let kept = self.look(id).await;
        self.seeds.insert(id, kept);
        self.tokens.push(id);
        self.holds(id, value);
    }

    /// Somebody has a value, which nobody had before.
    fn holds(&mut self, id: TokenId, value: String) {
        assert!(self.values.insert(value.clone()), "a value was given twice");
        self.held.push(Held::Value(id, value));
    }

    async fn look(&self, id: TokenId) -> Token {
        self.app.token(id).await
    }

    /// The process that is asked.
    fn door(&self, step: &Step) -> &TestApp {
        if step.elsewhere {
            &self.other
        } else {
            &self.app
        }
    }

    fn asks(&self, step: &Step) -> (Held, Request) {
        let held = self.held[step.by % self.held.len()].clone();
        let narrowed = step.narrowed.map(scopes_of);
        let request = match (&held, narrowed) {
            (Held::Value(_, value), narrowed) => {
                Request::new(Credential::bearer(value, narrowed), Front::Mcp)
            }
            (Held::Local, None) => local_with(LOCAL),
            (Held::Local, Some(narrowed)) => {
                let credential = Credential::LocalSession {
                    uid: 1000,
                    account: Slug::default(),
                    reach: Reach::Exactly(narrowed.both(&scopes(LOCAL))),
                };
                Request::new(credential, Front::Mcp)
            }
        };
        (held, request)
    }

    /// What `held` may do now, of itself; `None` if nothing.
    async fn power(&self, held: &Held, narrowed: Option<u16>) -> Option<Power> {
        let id = match held {
            Held::Value(id, _) => *id,
            Held::Local => {
                let ann = self.seeds.values().find(|seed| self.is_anns(seed)).unwrap();
                return Some(Power {
                    reach: match narrowed {
                        None => Reach::WithEveryService(scopes(LOCAL)),
                        Some(mask) => Reach::Exactly(scopes_of(mask).both(&scopes(LOCAL))),
                    },
                    expires_at: None,
                    account: ann.account,
                    owner: ann.owner,
                    is_admin: self.anns_role == Role::Admin,
                });
            }
        };
        self.power_of(id, narrowed).await
    }

    async fn power_of(&self, id: TokenId, narrowed: Option<u16>) -> Option<Power> {
        let token = self.look(id).await;
        if token.state(self.app.clock.now()) != State::Active {
            return None;
        }
        let mut held = token.powers.scopes.clone();
        if let Some(mask) = narrowed {
            held = held.both(&scopes_of(mask));
        }
        Some(Power {
            reach: Reach::Exactly(held),
            expires_at: token.powers.expires_at,
            account: token.account,
            owner: token.owner,
            // Eve is an admin of another account, for good.
            is_admin: if self.is_anns(&token) {
                self.anns_role == Role::Admin
            } else {
                token.account != self.default_account()
            },
        })
    }

    fn default_account(&self) -> AccountId {
        let bobs = self.seeds.values().find(|seed| seed.kind == Kind::Cli);
        bobs.unwrap().account
    }

    /// Ann's CLI token tells which owner she is.
    fn is_anns(&self, token: &Token) -> bool {
        let of_a_user =
            |seed: &&Token| seed.kind == Kind::Cli && matches!(seed.owner, Owner::User(_));
        let anns = self.seeds.values().find(of_a_user);
        anns.is_some_and(|anns| anns.owner == token.owner)
    }

    /// Plays one step, and looks at what came of it.
    pub(super) async fn play(&mut self, step: &Step) {
        let done = match step.verb {
            Verb::Create => self.create(step).await,
            Verb::Rotate => self.rotate(step).await,
            Verb::Update => self.update(step).await,
            Verb::Claim => self.claim(step).await,
            Verb::PickUp => self.pick_up(step).await,
            Verb::Reveal => self.reveal(step).await,
            Verb::Revoke => self.revoke(step).await,
            Verb::Person => self.person(step).await,
            Verb::Wait => {
                let days = i64::from(step.key == Some(2));
                let minutes = i64::from(step.scopes % 32) * 3;
                self.app
                    .advance(Duration::days(days) + Duration::minutes(minutes));
                Ok(())
            }
        };
        let is_done = match done {
            Ok(()) => true,
            Err(
                Error::Unauthenticated
                | Error::Denied(_)
                | Error::NotFound(_)
                | Error::Invalid { .. }
                | Error::Conflict(_),
            ) => false,
            Err(other) => panic!("{step:?}: {other}"),
        };
        *self.counts.entry((step.verb, is_done)).or_default() += 1;
    }

    fn deliver(how: How) -> keywright::authority::Deliver {
        use keywright::authority::Deliver;
        match how {
            How::Claim => Deliver::Claim,
            How::Inline => Deliver::Inline,
            How::Profile { is_privileged } => Deliver::Profile(ThroughProfile {
                name: "spote".into(),
                shape: "spote_<32 hex>".parse().unwrap(),
                is_privileged,
            }),
        }
    }

    async fn create(&mut self, step: &Step) -> Result<(), Error> {
        let (held, request) = self.asks(step);
        let could = self.power(&held, step.narrowed).await;
        let new = NewToken {
            owner: match step.on % 6 {
                0 => For::User("bob".parse().unwrap()),
                1 => For::AppEnv(AppEnvRef::Name("production".parse().unwrap())),
                2 => For::User("eve".parse().unwrap()),
                _ => For::Me,
            },
            expires: step.life.map(expires),
            deliver: Self::deliver(step.how),
            idempotency_key: step.key.map(|key| format!("key-{key}").parse().unwrap()),
            ..carrying(&scopes_of(step.scopes).to_string())
        };
        let minted = self.door(step).create(&request, new).await?;
        let could = could.expect("nobody made a token");
        let made = self.look(minted.token.id).await;
        let leave = matches!(
            step.how,
            How::Profile {
                is_privileged: true
            }
        );
        self.gave(step, &held, &could, &made, &minted, leave);
        if !self.tokens.contains(&made.id) {
            assert_eq!(made.created_by, actor(&held, &made), "{step:?}");
            self.tokens.push(made.id);
        }
        Ok(())
    }

    async fn rotate(&mut self, step: &Step) -> Result<(), Error> {
        let (held, request) = self.asks(step);
        let could = self.power(&held, step.narrowed).await;
        let id = self.tokens[step.on % self.tokens.len()];
        let before = self.look(id).await;
        let asked = Rotate {
            overlap: step.flag.then(|| Duration::hours(2)),
            deliver: Self::deliver(step.how),
            idempotency_key: step.key.map(|key| format!("key-{key}").parse().unwrap()),
            expires: step.life.map(expires),
            ..rotate(id)
        };
        let minted = self.door(step).rotate(&request, asked).await?;
        let could = could.expect("nobody renewed a token");
        let made = self.look(id).await;
        assert_eq!(
            made.powers, before.powers,
            "a rotation changed the powers: {step:?}"
        );
        self.gave(step, &held, &could, &made, &minted, false);
        Ok(())
    }

    /// Looks at what a creation or a rotation gave.
    fn gave(
        &mut self,
        step: &Step,
        held: &Held,
        could: &Power,
        made: &Token,
        minted: &Minted,
        leave: bool,
    ) {
        assert!(could.reach.holds(&Scope::WRITE_TOKENS), "{step:?}");
        could.gives(made, step);
        match &minted.delivered {
            Delivered::Value(value) => {
                assert!(!minted.replayed, "a replay gave a value: {step:?}");
                let may = leave || could.reach.holds(&Scope::READ_SECRETS);
                assert!(may, "a value without read:secrets: {step:?}");
                self.holds(made.id, value.expose().to_owned());
            }
            Delivered::Claim { code, .. } => self.waits.push(Waits {
                code: code.expose(),
                token: made.id,
                by: actor(held, made),
            }),
            Delivered::Before => assert!(minted.replayed, "{step:?}"),
        }
    }

    async fn update(&mut self, step: &Step) -> Result<(), Error> {
        let (held, request) = self.asks(step);
        let could = self.power(&held, step.narrowed).await;
        let id = self.tokens[step.on % self.tokens.len()];
        let before = self.look(id).await;
        let change = Update {
            scopes: step.flag.then(|| scopes_of(step.scopes)),
            expires: step.life.map(expires),
            enabled: step.key.map(|key| key > 0),
            ..update(id)
        };
        self.door(step).update(&request, change).await?;
        let could = could.expect("nobody changed a token");
        let after = self.look(id).await;
        assert!(
            is_within(&after, &before),
            "an update widened a token: {step:?}"
        );
        if let (Some(off), None) = (before.disabled, after.disabled) {
            assert!(!off.by_person, "an agent undid a person's word: {step:?}");
            could.gives(&after, step);
        }
        Ok(())
    }

    /// A person at the shell picks a value up for whoever asked.
    async fn claim(&mut self, step: &Step) -> Result<(), Error> {
        let Some(at) = place(step.on, self.waits.len()) else {
            return Err(Error::NotFound(keywright::authority::Thing::Claim));
        };
        let (code, id, by) = {
            let waits = &self.waits[at];
            (waits.code.clone(), waits.token, waits.by)
        };
        let could = self.opener(by).await;
        let value = self.door(step).claim(&code).await?;
        let token = self.look(id).await;
        could
            .expect("an opener who may no longer ask")
            .gives(&token, step);
        self.holds(id, value);
        Ok(())
    }

    /// A token picks a value up.
    async fn pick_up(&mut self, step: &Step) -> Result<(), Error> {
        let Some(at) = place(step.on, self.waits.len()) else {
            return Err(Error::NotFound(keywright::authority::Thing::Claim));
        };
        let (held, request) = self.asks(step);
        let could = self.power(&held, step.narrowed).await;
        let (code, id, by) = {
            let waits = &self.waits[at];
            (waits.code.clone(), waits.token, waits.by)
        };
        let opener = self.opener(by).await;
        let claim = if step.flag {
            ClaimRef::Token(id)
        } else {
            by_code(&code)
        };
        let mut sink = TestSink::default();
        let claimed = self
            .door(step)
            .authority
            .claim_token(&request, claim, &mut sink);
        let claimed = claimed.await?;
        let token = self.look(claimed.token.id).await;
        let could = could.expect("nobody picked a value up");
        assert!(could.reach.holds(&Scope::READ_SECRETS), "{step:?}");
        assert_eq!(could.reach.lacks(&token.powers.scopes), None, "{step:?}");
        could.looks_after(&token, step);
        if !step.flag {
            assert_ne!(
                actor(&held, &token),
                by,
                "what it asked for itself: {step:?}"
            );
            opener
                .expect("an opener who may no longer ask")
                .gives(&token, step);
        }
        assert!(
            !matches!(held, Held::Value(own, _) if own == id),
            "its own: {step:?}"
        );
        self.holds(id, sink.value());
        Ok(())
    }

    async fn opener(&self, by: Actor) -> Option<Power> {
        match by {
            Actor::Token(id) => self.power_of(id, None).await,
            // Narrowed or not: that was held against the token when the claim was opened.
            Actor::Local(_) | Actor::Operator | Actor::Keywright | Actor::Nobody => {
                self.power(&Held::Local, None).await
            }
        }
    }

    async fn reveal(&mut self, step: &Step) -> Result<(), Error> {
        let (held, request) = self.asks(step);
        let could = self.power(&held, step.narrowed).await;
        let of = if step.flag {
            env_named("production")
        } else {
            For::Me
        };
        let revealed = self.door(step).reveal(&request, of).await?;
        let could = could.expect("nobody saw a value");
        assert!(could.reach.holds(&Scope::READ_SECRETS), "{step:?}");
        let value = revealed.value.expose();
        let asked = self
            .app
            .authority
            .whoami(&crate::support::bearer(value))
            .await;
        let of = self.look(asked.unwrap().token.unwrap().id).await;
        assert_eq!(could.reach.lacks(&of.powers.scopes), None, "{step:?}");
        could.looks_after(&of, step);
        // Shown as often as it is asked for.
        if self.values.insert(value.to_owned()) {
            self.held.push(Held::Value(of.id, value.to_owned()));
        }
        Ok(())
    }

    async fn revoke(&mut self, step: &Step) -> Result<(), Error> {
        let (_, request) = self.asks(step);
        // The seeds of a story that goes on are spared.
        let id = self.tokens[step.on % self.tokens.len()];
        if self.seeds.contains_key(&id) && !step.scopes.is_multiple_of(4) {
            return Err(Error::NotFound(keywright::authority::Thing::Token));
        }
        let asked = keywright::authority::Revoke {
            cascade: step.flag,
            allow_self: step.elsewhere,
            ..revoke(id)
        };
        self.door(step).revoke_by(&request, asked).await?;
        self.revoked.insert(id);
        Ok(())
    }

    /// A person takes Ann's role or gives it back, or switches a token off or on.
    async fn person(&mut self, step: &Step) -> Result<(), Error> {
        if step.flag {
            self.anns_role = match self.anns_role {
                Role::Admin => Role::Member,
                Role::Member => Role::Admin,
            };
            self.app.set_role("ann", self.anns_role).await;
            return Ok(());
        }
        let id = self.tokens[step.on % self.tokens.len()];
        let change = Update {
            enabled: Some(step.scopes.is_multiple_of(2)),
            ..update(id)
        };
        self.app.update(&operator(), change).await.map(|_| ())
    }

    /// Holds all that anybody got against what it came from.
    pub(super) async fn judge(&self) {
        for held in &self.held {
            let Held::Value(id, value) = held else {
                continue;
            };
            let token = self.look(*id).await;
            if self.revoked.contains(id) {
                assert!(!self.app.is_good(value).await, "a revoked value is good");
            }
            if let Some(root) = self.root(&token).await {
                assert!(is_within(&token, &root), "{token:?} is wider than {root:?}");
                assert_eq!(token.account, root.account);
            } else {
                let Power { reach, account, .. } = self.power(&Held::Local, None).await.unwrap();
                assert_eq!(reach.lacks(&token.powers.scopes), None, "{token:?}");
                assert_eq!(token.account, account);
            }
        }
        self.app.is_sound().await;
    }

    /// The token at the beginning of the chain of minters, as it was at first; `None` for the
    /// local session.
    async fn root(&self, token: &Token) -> Option<Token> {
        let mut at = token.clone();
        loop {
            if let Some(seed) = self.seeds.get(&at.id) {
                return Some(seed.clone());
            }
            at = self.look(at.parent?).await;
        }
    }
}

impl Power {
    /// Whoever has this power may give such a token.
    fn gives(&self, token: &Token, step: &Step) {
        assert_eq!(self.reach.lacks(&token.powers.scopes), None, "{step:?}");
        let outlives = match (self.expires_at, token.powers.expires_at) {
            (None, _) => false,
            (Some(end), Some(other)) => other > end,
            (Some(_), None) => true,
        };
        assert!(!outlives, "{step:?}: {token:?} outlives its maker");
        self.looks_after(token, step);
    }

    /// It is its own, or an app environment's that it acts for.
    fn looks_after(&self, token: &Token, step: &Step) {
        assert_eq!(self.account, token.account, "{step:?}");
        let is_own = self.owner == token.owner;
        let is_an_envs = self.is_admin && matches!(token.owner, Owner::AppEnv(_));
        assert!(
            is_own || is_an_envs,
            "{step:?}: {token:?} is somebody else's"
        );
    }
}

/// Whether `token` can do nothing that `other` could not.
fn is_within(token: &Token, other: &Token) -> bool {
    let scopes = Reach::Exactly(other.powers.scopes.clone());
    let lasts = match (other.powers.expires_at, token.powers.expires_at) {
        (None, _) => true,
        (Some(end), Some(own)) => own <= end,
        (Some(_), None) => false,
    };
    scopes.lacks(&token.powers.scopes).is_none() && lasts
}

/// Who asks, as it is written down.
fn actor(held: &Held, made: &Token) -> Actor {
    match (held, made.created_by) {
        (Held::Value(id, _), _) => Actor::Token(*id),
        (Held::Local, by @ Actor::Local(_)) => by,
        (Held::Local, _) => Actor::Keywright,
    }
}

/// One of the newest claims: older ones are over as a rule.
fn place(on: usize, len: usize) -> Option<usize> {
    let newest = len.min(4);
    on.checked_rem(newest).map(|back| len - 1 - back)
}

/// A day, a month, for ever.
fn expires(life: u8) -> Expires {
    match life {
        0 => Expires::Never,
        1 => Expires::After(Duration::hours(1)),
        2 => Expires::After(Duration::days(20)),
        _ => Expires::After(Duration::days(400)),
    }
}
