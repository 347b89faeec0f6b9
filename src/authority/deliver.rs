//! How a value reaches its user: in the answer, or by a claim that a person picks up.

use std::sync::{Arc, OnceLock};

use chrono::Duration;
use zeroize::Zeroizing;

use super::{Authority, ClaimRef, Error};
use crate::{
    authz::{Entry, Inline, Principal},
    crypto::random,
    domain::{
        claim::{self, Claim, ClaimCode},
        cli_token::Sealed,
        clock::Time,
        credential::{Brand, PlainToken},
        shape::{CHANCE, Shape},
        token::{Kind, Present, Token, Value},
    },
    store::{Refused, Tx},
    vault::Binding,
};

/// How the value is to reach its user.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Deliver {
    /// A person picks it up.
    #[default]
    Claim,
    /// It is in the answer.
    Inline,
    /// It is in the answer, as a profile plays it.
    Profile(ThroughProfile),
}

/// How a profile delivers. It stands in the profile's file, which the operator named at start.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ThroughProfile {
    /// The profile, as the audit trail names it.
    pub name: Arc<str>,
    /// What its values look like.
    pub shape: Shape,
    /// Whether its file says that creation shows the value without `read:secrets`.
    pub is_privileged: bool,
}

/// A token that was made or renewed.
#[derive(Debug)]
pub struct Minted {
    /// Its record.
    pub token: Token,
    /// The moment for which its state is told.
    pub at: Time,
    /// Where its value went.
    pub delivered: Delivered,
    /// Whether this was answered before, under the same key.
    pub replayed: bool,
    /// Whether it is the very token that asked.
    pub is_own: bool,
}

impl Minted {
    /// The claim by which its value is picked up, if it waits.
    pub fn claim(&self) -> Option<ClaimRef> {
        match &self.delivered {
            Delivered::Claim { code, .. } => Some(ClaimRef::Code(code.hashed())),
            Delivered::Value(_) | Delivered::Before => None,
        }
    }
}

/// Where a value went.
#[derive(Debug)]
pub enum Delivered {
    /// Into this answer, and into no other.
    Value(Arc<PlainToken>),
    /// Nowhere yet: it is made when a person comes with this code.
    Claim {
        /// The code.
        code: Arc<ClaimCode>,
        /// Until when it waits.
        expires_at: Time,
    },
    /// It left in an earlier answer.
    Before,
}

/// A delivery, with what it needs of chance: the same if the transaction runs twice, and made when
/// it is needed first, since most deliveries need little of it.
pub(super) struct Delivery {
    how: Deliver,
    brand: Brand,
    pat: OnceLock<Arc<PlainToken>>,
    cli: OnceLock<Arc<PlainToken>>,
    chance: OnceLock<Zeroizing<[u8; CHANCE]>>,
    code: OnceLock<Arc<ClaimCode>>,
}

impl Delivery {
    /// A value for this token: of the kind that it is, and in the shape that its values have. The
    /// same, however often it is asked.
    pub(super) fn value(&self, token: &Token) -> Arc<PlainToken> {
        let shape = match (&token.present, &self.how) {
            (Some(present), _) => present.format.shape(),
            (None, Deliver::Profile(through)) => Some(&through.shape),
            (None, Deliver::Claim | Deliver::Inline) => None,
        };
        let generated = || PlainToken::generate(&self.brand, token.kind).into();
        match (token.kind, shape) {
            (Kind::Pat, None) => Arc::clone(self.pat.get_or_init(generated)),
            (Kind::Pat, Some(shape)) => {
                PlainToken::shaped(shape, self.chance.get_or_init(random::bytes)).into()
            }
            (Kind::Cli, _) => Arc::clone(self.cli.get_or_init(generated)),
        }
    }

    /// The code of the claim, if it waits for one.
    fn code(&self) -> &Arc<ClaimCode> {
        self.code.get_or_init(|| ClaimCode::generate().into())
    }

    /// Whether the value leaves in the answer.
    pub(super) fn is_inline(&self) -> bool {
        match &self.how {
            Deliver::Claim => false,
            Deliver::Inline | Deliver::Profile(_) => true,
        }
    }

    /// Whether the value of a new token leaves in the answer, and by what leave.
    pub(super) fn inline(&self) -> Inline {
        match &self.how {
            Deliver::Claim => Inline::No,
            Deliver::Profile(through) if through.is_privileged => Inline::ByProfile,
            Deliver::Inline | Deliver::Profile(_) => Inline::ByRight,
        }
    }

    /// The profile through which it goes, if through one.
    pub(super) fn profile(&self) -> Option<&str> {
        match &self.how {
            Deliver::Profile(through) => Some(&through.name),
            Deliver::Claim | Deliver::Inline => None,
        }
    }
}

impl Authority {
    pub(super) fn delivery(&self, how: Deliver) -> Delivery {
        Delivery {
            how,
            brand: self.inner.brand.clone(),
            pat: OnceLock::new(),
            cli: OnceLock::new(),
            chance: OnceLock::new(),
            code: OnceLock::new(),
        }
    }

    /// The next value of `token`, as it is kept. That of a CLI token is sealed besides.
    pub(super) fn next_value(
        &self,
        view: &mut Tx,
        token: &Token,
        plain: &PlainToken,
        at: Time,
    ) -> Result<Value, Refused<Error>> {
        let generation = token.present.as_ref().map_or(0, |p| p.generation) + 1;
        let sealed = match token.kind {
            Kind::Pat => None,
            Kind::Cli => Some(self.sealed(view, token, generation, plain)?),
        };
        Ok(Value {
            present: Present {
                generation,
                format: plain.format(),
                prefix: Some(plain.prefix()),
                generated_at: at,
            },
            hash: Some(plain.hashed()),
            sealed,
        })
    }

    /// `plain`, sealed as that generation of `token`.
    pub(super) fn sealed(
        &self,
        view: &mut Tx,
        token: &Token,
        generation: u32,
        plain: &PlainToken,
    ) -> Result<Sealed, Refused<Error>> {
        let instance = view.instance()?;
        let binding = Binding {
            instance: &instance,
            token: token.id,
            owner: token.owner,
            generation,
        };
        self.inner
            .vault
            .seal(plain.expose(), binding, || Ok(view.has_sealed()?))
    }

    /// What is answered of a token that was made or renewed.
    pub(super) fn minted(
        &self,
        mut token: Token,
        who: &Principal,
        delivered: Delivered,
        replayed: bool,
    ) -> Minted {
        self.inner.uses.overlay(&mut token);
        Minted {
            is_own: who.token_id() == Some(token.id),
            token,
            at: who.at(),
            delivered,
            replayed,
        }
    }

    /// Gives `token` its next value, or opens the claim in which it will be given.
    pub(super) fn hand_over(
        &self,
        tx: &mut Tx,
        who: &Principal,
        token: &mut Token,
        delivery: &Delivery,
        overlap: Duration,
        entry: &Entry<'_>,
    ) -> Result<Delivered, Refused<Error>> {
        match &delivery.how {
            Deliver::Inline | Deliver::Profile(_) => {
                let plain = delivery.value(token);
                let value = self.next_value(tx, token, &plain, who.at())?;
                tx.close_claim(token.id, entry)?;
                tx.put_value(token.id, &value, end(who.at(), overlap), entry)?;
                token.present = Some(value.present);
                Ok(Delivered::Value(plain))
            }
            Deliver::Claim => {
                let claim = Claim {
                    code: delivery.code().hashed(),
                    token: token.id,
                    opened_by: who.actor(),
                    opened_at: who.at(),
                    expires_at: who.at() + claim::LIFE,
                    overlap,
                    used_at: None,
                };
                tx.open_claim(&claim, entry)?;
                Ok(Delivered::Claim {
                    code: Arc::clone(delivery.code()),
                    expires_at: claim.expires_at,
                })
            }
        }
    }
}

/// When an overlap that begins at `at` ends.
pub(super) fn end(at: Time, overlap: Duration) -> Time {
    at.checked_add_signed(overlap).unwrap_or(Time::MAX_UTC)
}
