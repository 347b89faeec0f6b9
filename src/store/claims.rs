//! Pick-ups, and calls that can be made again.

use super::Error;
use crate::{
    authz::{Entry, Permit},
    crypto::digest::Digest,
    domain::{
        actor::Actor,
        claim::{Claim, HashedCode},
        clock::Time,
        id::TokenId,
        token::Token,
    },
};

/// A call that can be made again.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Whose key it is.
    pub holder: Actor,
    /// For which verb.
    pub verb: &'static str,
    /// The key, as the caller chose it.
    pub key: String,
    /// A digest of the arguments.
    pub arguments: Digest,
    /// The token that came of it.
    pub token: TokenId,
    /// The claim that it opened, if it opened one.
    pub claim: Option<HashedCode>,
    /// When.
    pub at: Time,
}

/// The statements that read, each after its `permit`, or before a decision by value or for whose
/// a thing is.
pub trait ReadClaims {
    /// The claim with this code.
    fn claim(&mut self, code: &HashedCode) -> Result<Option<Claim>, Error>;
    /// The pick-ups that wait at `at`, the oldest first, each with its token.
    fn open_claims(&mut self, permit: &Permit<'_>, at: Time) -> Result<Vec<(Claim, Token)>, Error>;
    /// The claim of a token that waits, or waited last.
    fn claim_of(&mut self, permit: &Permit<'_>, id: TokenId) -> Result<Option<Claim>, Error>;
    /// The tokens that were never picked up and whose last claim was opened before `at`.
    fn never_claimed(&mut self, permit: &Permit<'_>, at: Time) -> Result<Vec<TokenId>, Error>;
    /// The tokens that go on with the value they have, and whose claim for a new one was over before
    /// `at`.
    fn lapsed_claims(&mut self, permit: &Permit<'_>, at: Time) -> Result<Vec<TokenId>, Error>;
    /// What came of an earlier call with the same key. Looked for before the decision, which is
    /// then about what came of it.
    fn replay(
        &mut self,
        holder: Actor,
        verb: &'static str,
        key: &str,
    ) -> Result<Option<Replay>, Error>;
}

/// The statements that write.
pub trait WriteClaims {
    /// Keeps a claim; one that waited for the same token is gone.
    fn open_claim(&mut self, claim: &Claim, entry: &Entry<'_>) -> Result<(), Error>;
    /// Ends the claim that waits for a token, if one does.
    fn close_claim(&mut self, id: TokenId, entry: &Entry<'_>) -> Result<(), Error>;
    /// Says when a claim was used; `None` lets it wait again.
    fn use_claim(
        &mut self,
        code: &HashedCode,
        used_at: Option<Time>,
        entry: &Entry<'_>,
    ) -> Result<(), Error>;
    /// Keeps the key of a call that may be made again.
    fn keep_replay(&mut self, replay: &Replay, entry: &Entry<'_>) -> Result<(), Error>;
    /// Forgets keys of calls made before `replays`, and claims used before `claims`. It has no entry:
    /// nothing that is told of changes.
    fn forget(&mut self, permit: &Permit<'_>, replays: Time, claims: Time) -> Result<(), Error>;
}
