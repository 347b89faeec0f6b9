//! What can be done: a file a verb. Every front calls here, and nothing else changes anything.
//!
//! Every verb reads the same way: authenticate, load what the decision needs, decide, act, record,
//! answer, all of it in one transaction.

mod authenticate;
mod check_store;
mod claim_token;
mod consent;
mod create_token;
mod deliver;
mod error;
mod export_audit;
mod found_store;
mod get_token;
mod introspect_token;
mod keep_house;
mod keep_watch;
mod list_tokens;
mod manage_app_envs;
mod manage_members;
mod manage_users;
mod read_audit;
mod recognize;
mod refusals;
mod replay;
mod reveal_cli_token;
mod revoke_token;
mod rotate_token;
mod set_cli_token;
mod sweep;
mod update_token;
mod uses;
mod verify_audit;
mod whoami;
mod whom;

use std::sync::Arc;

use crate::{
    authz::{self, Action, Permit, Principal, Request},
    crypto::digest::Fields,
    domain::{audit::Target, clock::Clock, credential::Brand, page::Cursor, token::Whose},
    store::{Length, Reads, Refused, Store, Tx, View},
    vault::Vault,
};
use authenticate::authenticate;
pub use check_store::Checked;
pub use claim_token::{ClaimRef, Claimed, Sink, WaitingClaim};
pub use consent::{Consent, Question, Withheld};
pub use create_token::NewToken;
pub use deliver::{Deliver, Delivered, Minted, ThroughProfile};
pub use error::{Conflict, Error, Thing};
pub use export_audit::{Exported, Place};
pub use found_store::FirstUser;
pub use introspect_token::Introspected;
pub use keep_watch::Mark;
pub use list_tokens::{ListTokens, Of};
pub use manage_app_envs::NewAppEnv;
pub use manage_members::NewMember;
pub use manage_users::{NewAccount, NewUser};
pub use read_audit::ReadAudit;
use refusals::Refusals;
pub use reveal_cli_token::{Revealed, RevealedOwner};
pub use revoke_token::{Revoke, Revoked};
pub use rotate_token::Rotate;
pub use set_cli_token::SetCliToken;
pub use update_token::Update;
use uses::Uses;
pub use verify_audit::{Fault, Known, Verified};
pub use whoami::Whoami;
pub use whom::For;

/// What a list may ask for; the store tells the states apart.
pub use crate::store::StateFilter;

/// The authority: a store, a vault and a clock behind one door. A handle, which every request
/// takes a copy of.
#[derive(Clone, Debug)]
pub struct Authority {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    vault: Vault,
    clock: Clock,
    brand: Brand,
    uses: Uses,
    refusals: Refusals,
}

impl Authority {
    /// An authority over `store`, whose tokens begin with `brand`.
    pub fn new(store: Store, vault: Vault, clock: Clock, brand: Brand) -> Self {
        let inner = Inner {
            store,
            vault,
            clock,
            brand,
            uses: Uses::default(),
            refusals: Refusals::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// A verb that writes: who asks, and all that follows, in one transaction.
    async fn write<A: Send + 'static>(
        &self,
        request: &Request,
        verb: impl Fn(&mut Tx, &Principal) -> Result<A, Refused<Error>> + Send + 'static,
    ) -> Result<A, Error> {
        self.inner.store.write(self.asked(request, verb)).await
    }

    /// A verb that only looks, in the same order.
    async fn read<A: Send + 'static>(
        &self,
        request: &Request,
        verb: impl Fn(&mut View, &Principal) -> Result<A, Refused<Error>> + Send + 'static,
    ) -> Result<A, Error> {
        let verb = self.asked(request, verb);
        self.inner.store.read(Length::Long, verb).await
    }

    /// The same for one that looks at what was presented and little besides.
    async fn look<A: Send + 'static>(
        &self,
        request: &Request,
        verb: impl Fn(&mut View, &Principal) -> Result<A, Refused<Error>> + Send + 'static,
    ) -> Result<A, Error> {
        let verb = self.asked(request, verb);
        self.inner.store.read(Length::Short, verb).await
    }

    /// The verb, asked by whoever `request` turns out to be.
    fn asked<V, A, F>(
        &self,
        request: &Request,
        verb: F,
    ) -> impl Fn(&mut V) -> Result<A, Refused<Error>> + use<V, A, F>
    where
        V: Reads + ?Sized,
        F: Fn(&mut V, &Principal) -> Result<A, Refused<Error>>,
    {
        let (house, request) = (self.clone(), request.clone());
        move |tx| {
            let asked = authenticate(tx, &request, house.inner.clock.now());
            let done = asked.and_then(|who| {
                if request.is_use() {
                    house.inner.uses.see(&who);
                }
                verb(tx, &who)
            });
            done.map_err(|refused| house.weigh(&request, refused))
        }
    }

    /// Tells the front what was missed, and counts what repeats.
    fn weigh(&self, request: &Request, refused: Refused<Error>) -> Refused<Error> {
        let record = refused.entry.as_ref();
        request.missed(record.and_then(|record| record.missed));
        self.inner.refusals.weigh(refused)
    }
}

/// May `who` do `action` to a thing that is `whose`? If it is hidden, it is called a missing
/// `thing`, as one that is not there.
fn decide(
    who: &Principal,
    action: Action,
    whose: impl Into<Option<Whose>>,
    thing: Thing,
) -> Result<Permit<'_>, Refused<Error>> {
    authz::decide(who, action, whose).map_err(|denial| Refused::from(denial).naming(thing))
}

/// The same for a thing that the asker named: a refusal tells of which. It stands in the asker's own
/// chain, and is the same for what is hidden and what is not there.
fn decide_on(
    who: &Principal,
    action: Action,
    whose: impl Into<Option<Whose>>,
    target: Target,
) -> Result<Permit<'_>, Refused<Error>> {
    let thing = match target {
        Target::Token(_) => Thing::Token,
        Target::User(_) => Thing::User,
        Target::Account(_) => Thing::Account,
        Target::Membership(_) => Thing::Member,
        Target::AppEnv(_) => Thing::AppEnv,
    };
    authz::decide(who, action, whose)
        .map_err(|denial| Refused::from(denial.about(target)).naming(thing))
}

/// Where in the list that `list` describes the next page begins, if `cursor` says.
fn place(cursor: Option<&Cursor>, list: &Fields) -> Result<Option<u128>, Error> {
    cursor
        .map(|cursor| cursor.place(list))
        .transpose()
        .map_err(|why| Error::invalid("cursor", why))
}

/// What was permitted finds no `thing`: answered as what is hidden is, and written down as that is.
fn missing(permit: &Permit<'_>, thing: Thing) -> Refused<Error> {
    let error = Error::NotFound(thing);
    let record = permit.failure(None, &error.to_string());
    Refused {
        error,
        entry: Some(record),
    }
}
