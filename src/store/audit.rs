//! The audit trail.

use super::Error;
use crate::{
    authz::{Entry, Permit, Record},
    crypto::digest::Digest,
    domain::{
        actor::Actor,
        audit::{AuditRecord, Chain, Target},
        clock::Time,
        id::{TokenId, UserId},
    },
};

/// Which entries of the audit trail are wanted.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// By or about this person.
    pub person: Option<UserId>,
    /// By this actor.
    pub actor: Option<Actor>,
    /// Not before this.
    pub since: Option<Time>,
    /// Of this action.
    pub action: Option<&'static str>,
    /// About this token.
    pub token: Option<TokenId>,
}

/// What was last written down of a thing, and what it is now.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Which thing.
    pub target: Target,
    /// Its digest in the last entry about it; `None` where no entry tells of it.
    pub told: Option<Digest>,
    /// Its digest now.
    pub found: Digest,
}

/// An entry as it lies in a chain.
#[derive(Debug)]
pub struct Link {
    /// Its place. The first of ours is 1.
    pub sequence: i64,
    /// What it says; `None` where none of ours says such a thing.
    pub record: Option<AuditRecord>,
}

/// The statements that read, each after its `permit`, or before a decision by value or for whose
/// a thing is.
pub trait ReadAudit {
    /// How many entries were ever written, to any chain. It grows with every change, and does not
    /// with a use.
    fn entries(&mut self) -> Result<u64, Error>;
    /// A page of the audit trail that `permit` is for, newest first.
    fn audit(
        &mut self,
        permit: &Permit<'_>,
        filter: &AuditFilter,
        before: Option<u64>,
        rows: u32,
    ) -> Result<Vec<AuditRecord>, Error>;
    /// Every chain, with the place and the hash at which it is said to end.
    fn chains(&mut self, permit: &Permit<'_>) -> Result<Vec<(Chain, u64, Digest)>, Error>;
    /// A piece of a chain from that place on, oldest first: all that is there, whoever wrote it.
    fn chain(
        &mut self,
        permit: &Permit<'_>,
        chain: Chain,
        from: i64,
        rows: u32,
    ) -> Result<Vec<Link>, Error>;
    /// Everything that is kept or was told of, each with what was last told of it.
    fn everything_kept(&mut self, permit: &Permit<'_>) -> Result<Vec<Kept>, Error>;
    /// What the engine finds wrong with what it keeps; nothing, if all is well. Reads all of it.
    fn damage(&mut self, permit: &Permit<'_>) -> Result<Vec<String>, Error>;
    /// Whether the file is whole, and every index says what its table says. Reads all of it.
    fn is_whole(&mut self, permit: &Permit<'_>) -> Result<bool, Error>;
    /// Whether the tables, indexes and triggers are those that the migrations make, to the letter.
    fn is_schema_ours(&mut self, permit: &Permit<'_>) -> Result<bool, Error>;
    /// The ids of the keys that something is sealed with.
    fn sealing_keys(&mut self, permit: &Permit<'_>) -> Result<Vec<String>, Error>;
}

/// The statements that write.
pub trait WriteAudit {
    /// Writes down what changed nothing: something was shown.
    fn note(&mut self, entry: &Entry<'_>);
    /// Writes down a refusal, or several that were counted.
    fn append(&mut self, record: &Record) -> Result<(), Error>;
}
