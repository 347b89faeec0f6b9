//! Tokens and their values: what is asked of the store, and what is kept there.

use std::{str::FromStr, sync::Arc};

use super::Error;
use crate::{
    authz::{Entry, Permit},
    domain::{
        cli_token::Sealed,
        clock::Time,
        credential::HashedToken,
        id::{AccountId, TokenId},
        label::Label,
        token::{Disabled, Owner, Powers, Presented, State, Token, Unknown, Value, Whose},
    },
};

/// What the decision about a token must know of it, and nothing more.
#[derive(Clone, Debug)]
pub struct Stake {
    /// Whose it is.
    pub whose: Whose,
    /// What it carries, and until when.
    pub powers: Powers,
    /// Whether it is switched off, and if so whether by a person.
    pub disabled: Option<Disabled>,
}

/// The latest use of a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Use {
    /// Which token.
    pub token: TokenId,
    /// The newest of its values that was used.
    pub generation: u32,
    /// When.
    pub at: Time,
}

/// Which tokens of a list are wanted.
#[derive(Clone, Debug)]
pub struct TokenFilter {
    /// The moment for which states are told.
    pub at: Time,
    /// In this state; `None` for those that are unclaimed, active or disabled.
    pub state: Option<StateFilter>,
    /// With this in their label, whatever the case of its ASCII letters.
    pub query: Option<Label>,
    /// Made before this, and not used since.
    pub unused_since: Option<Time>,
    /// Over by this.
    pub over_by: Option<Time>,
}

impl FromStr for StateFilter {
    type Err = Unknown;

    /// A state's name, or `all`.
    fn from_str(word: &str) -> Result<Self, Unknown> {
        let named = State::ALL.into_iter().find(|state| state.as_str() == word);
        match named {
            Some(state) => Ok(Self::Is(state)),
            None if word == "all" => Ok(Self::Any),
            None => Err(Unknown),
        }
    }
}

/// A state to look for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StateFilter {
    /// This one.
    Is(State),
    /// Whichever.
    Any,
}

/// The statements that read, each after its `permit`, or before a decision by value or for whose
/// a thing is.
pub trait ReadTokens {
    /// The token one of whose values has this print, asked for a decision at `at`. Only of one that
    /// is good then may anything be remembered: what is not takes the same way each time.
    fn presented(&mut self, hash: &HashedToken, at: Time) -> Result<Option<Arc<Presented>>, Error>;
    /// A token as if its present value were presented: for who asked earlier.
    fn presented_by_id(&mut self, id: TokenId) -> Result<Option<Arc<Presented>>, Error>;
    /// Whose the token is, if values older than the one that was used are still good at `at`.
    fn overlap(&mut self, used: &Use, at: Time) -> Result<Option<Whose>, Error>;
    /// What the decision about a token must know.
    fn stake(&mut self, id: TokenId) -> Result<Option<Stake>, Error>;
    /// Every token of this owner that has not ended.
    fn tokens_of(&mut self, account: AccountId, owner: Owner) -> Result<Vec<TokenId>, Error>;
    /// The CLI token of this owner that has not ended.
    fn cli_token(&mut self, account: AccountId, owner: Owner) -> Result<Option<TokenId>, Error>;
    /// One token of those that `permit` is for.
    fn token(&mut self, permit: &Permit<'_>, id: TokenId) -> Result<Option<Token>, Error>;
    /// A page of the tokens that `permit` is for, newest first.
    fn tokens(
        &mut self,
        permit: &Permit<'_>,
        filter: &TokenFilter,
        before: Option<TokenId>,
        rows: u32,
    ) -> Result<Vec<Token>, Error>;
    /// Those that a token minted, and those that they minted, as far as they have not ended.
    fn descendants(&mut self, permit: &Permit<'_>, id: TokenId) -> Result<Vec<TokenId>, Error>;
    /// How many of those that a token minted are still good at `at`.
    fn live_children(&mut self, permit: &Permit<'_>, id: TokenId, at: Time) -> Result<u64, Error>;
    /// Whether any value is sealed.
    fn has_sealed(&mut self) -> Result<bool, Error>;
    /// Whether a token still has the value of that generation.
    fn has_value(
        &mut self,
        permit: &Permit<'_>,
        id: TokenId,
        generation: u32,
    ) -> Result<bool, Error>;
    /// The present value of a CLI token, sealed, and its generation.
    fn sealed(&mut self, permit: &Permit<'_>, id: TokenId) -> Result<Option<(u32, Sealed)>, Error>;
}

/// The statements that write.
pub trait WriteTokens {
    /// Keeps a new token, without a value.
    fn insert_token(&mut self, token: &Token, entry: &Entry<'_>) -> Result<(), Error>;
    /// Keeps a token's label, scopes, expiry and whether it is switched off.
    fn update_token(&mut self, token: &Token, entry: &Entry<'_>) -> Result<(), Error>;
    /// Ends a token. It stays ended at the time of the first call; sealed values are forgotten.
    fn revoke_token(&mut self, id: TokenId, at: Time, entry: &Entry<'_>) -> Result<(), Error>;
    /// Removes a token that nobody ever held.
    fn remove_token(&mut self, id: TokenId, entry: &Entry<'_>) -> Result<(), Error>;
    /// Gives a token a newer value. The one before it dies at `overlap_ends`, those before that
    /// are gone.
    fn put_value(
        &mut self,
        id: TokenId,
        value: &Value,
        overlap_ends: Time,
        entry: &Entry<'_>,
    ) -> Result<(), Error>;
    /// Takes a token's newest value back, as if it had not been given.
    fn take_back_value(
        &mut self,
        id: TokenId,
        generation: u32,
        entry: &Entry<'_>,
    ) -> Result<(), Error>;
    /// Ends the overlap of values older than the one that was used.
    fn end_overlap(&mut self, used: &Use, at: Time, entry: &Entry<'_>) -> Result<(), Error>;
    /// Keeps when tokens were last used, where that is news. It has no entry: a use is no change.
    fn use_tokens(&mut self, uses: &[Use]) -> Result<(), Error>;
}
