//! What a person said before something is done that cannot be undone. A front asks; the verb that
//! acts knows whether that was needed, and writes down how it went.

use crate::{
    crypto::digest::{Digest, Fields},
    domain::{actor::Actor, credential::TokenPrefix, id::TokenId, label::Label},
};

/// What is known of the person's will.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Consent {
    /// Nobody was asked yet. Where a person is to be asked, nothing is done, and the answer is
    /// [`super::Error::Unconfirmed`].
    #[default]
    Unasked,
    /// The person said yes to the question with this [`Question::print`].
    Given(Digest),
    /// There is no way to ask. It is done, and the audit trail says so.
    CannotAsk,
    /// There is no yes. It is refused, and the audit trail says why.
    Withheld(Withheld),
}

/// Why there is no yes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Withheld {
    /// The person said no.
    #[error("the person said no")]
    Declined,
    /// The person confirmed, and typed something else than was asked for.
    #[error("what was typed is not what confirms it")]
    Mistyped,
    /// No answer came in time, or none that can be read.
    #[error("the person did not answer")]
    Unanswered,
    /// The person said yes to something else than what would be done now.
    #[error("what the person said yes to has changed since")]
    Changed,
    /// As many other questions wait for the person as may.
    #[error("too many questions wait for the person already")]
    TooMany,
    /// There is no way to ask, and without a yes it is not done here.
    #[error("a person is to confirm this, and this client cannot ask one")]
    NobodyToAsk,
}

/// What a person is to be asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The token that would end.
    pub token: TokenId,
    /// What a person calls it. Others may be called the same.
    pub label: Label,
    /// What may be shown of its value, if it has one.
    pub prefix: Option<TokenPrefix>,
    /// How many of those that it minted would end with it.
    pub with_it: usize,
    /// Who asked for it.
    pub asked_by: Actor,
}

impl Question {
    /// The same for the same question alone: a yes is one to what the person was shown.
    pub fn print(&self) -> Digest {
        let prefix = self.prefix.as_ref().map(TokenPrefix::as_str);
        Fields::new("question")
            .bytes(&self.token.to_bytes())
            .text(self.label.as_str())
            .maybe(prefix, Fields::text)
            .bytes(&(self.with_it as u64).to_be_bytes())
            .text(&self.asked_by.to_string())
            .finish()
    }
}
