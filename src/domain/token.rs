//! [`Token`]: what is known of a token, and what may become of it. Its value is not known here.

use std::{fmt, str::FromStr};

use chrono::Duration;

use super::{
    account::Role,
    actor::Actor,
    cli_token::Sealed,
    clock::Time,
    credential::{HashedToken, TokenPrefix},
    id::{AccountId, AppEnvId, TokenId, UserId},
    label::Label,
    scope::Scopes,
    shape::Shape,
    user::Username,
};

/// What a token is for. It stands in the value, too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// For an agent, a script, a person. Only its print is kept.
    Pat,
    /// Of a user or an app environment. Its value is sealed, so that it can be revealed.
    Cli,
}

/// Whose a token is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Owner {
    /// A person.
    User(UserId),
    /// An app environment.
    AppEnv(AppEnvId),
}

/// Whose a thing is: who may know of it, and in which chain its entries stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Whose {
    /// Someone's, in an account.
    Owner(AccountId, Owner),
    /// The account's own.
    Account(AccountId),
    /// The store's own: people and accounts.
    System,
}

/// What counts when one token is held against another: what it carries, and until when.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Powers {
    /// What it carries.
    pub scopes: Scopes,
    /// Until when; `None` for ever.
    pub expires_at: Option<Time>,
}

/// What is known of a token.
#[derive(Clone, Debug)]
pub struct Token {
    /// Which token. It never changes.
    pub id: TokenId,
    /// What it is for.
    pub kind: Kind,
    /// The account it is in.
    pub account: AccountId,
    /// Whose it is.
    pub owner: Owner,
    /// What a person calls it.
    pub label: Label,
    /// What it carries, and until when.
    pub powers: Powers,
    /// When it was made. Its expiry counts from here.
    pub created_at: Time,
    /// Who made it.
    pub created_by: Actor,
    /// The token that made it.
    pub parent: Option<TokenId>,
    /// When it last authenticated somebody, as far as is written down yet.
    pub last_used_at: Option<Time>,
    /// Since when it is switched off.
    pub disabled: Option<Disabled>,
    /// Since when it is no more.
    pub revoked_at: Option<Time>,
    /// Its present value; `None` while it is unclaimed.
    pub present: Option<Present>,
}

/// Who switched a token off, and when.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Disabled {
    /// When.
    pub at: Time,
    /// Whether a person did. Then only a person switches it on again.
    pub by_person: bool,
}

/// What is known of a token's present value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Present {
    /// The first value is 1; each rotation adds 1.
    pub generation: u32,
    /// Who made it.
    pub format: Format,
    /// What may be shown of it; `None` for a value that was made elsewhere.
    pub prefix: Option<TokenPrefix>,
    /// When it was made.
    pub generated_at: Time,
}

/// One value of a token, as it is kept.
#[derive(Clone, Debug)]
pub struct Value {
    /// What may be shown of it.
    pub present: Present,
    /// Its print; `None` for a value that was made elsewhere and authenticates nobody.
    pub hash: Option<HashedToken>,
    /// The value itself, sealed. Only a CLI token has it.
    pub sealed: Option<Sealed>,
}

/// Who made a value, and so what it looks like.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Format {
    /// We did.
    Keywright,
    /// We did, for the clients of somebody else's API.
    Shaped(Shape),
    /// It came from elsewhere. It can be shown, and authenticates nobody.
    Imported,
}

impl Format {
    /// What the next value of the same token looks like: as this one does, if we made it.
    pub fn shape(&self) -> Option<&Shape> {
        match self {
            Self::Shaped(shape) => Some(shape),
            Self::Keywright | Self::Imported => None,
        }
    }
}

/// The format as the store keeps it. A shape is never one of the two words: it ends with `>`.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keywright => f.write_str("keywright"),
            Self::Shaped(shape) => shape.fmt(f),
            Self::Imported => f.write_str("imported"),
        }
    }
}

impl FromStr for Format {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        match text {
            "keywright" => Ok(Self::Keywright),
            "imported" => Ok(Self::Imported),
            shape => shape.parse().map(Self::Shaped).map_err(|_| Unknown),
        }
    }
}

/// What a token is good for at some moment.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum State {
    /// Made, its value not yet picked up: authenticates nobody.
    Unclaimed,
    /// Good.
    Active,
    /// Switched off; can be switched on again.
    Disabled,
    /// Over by the clock.
    Expired,
    /// Ended. Final.
    Revoked,
}

/// The text names no such thing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown word")]
pub struct Unknown;

impl Token {
    /// What it is good for at `at`. The weightiest reason is told: ended before over, over before
    /// switched off, switched off before not picked up.
    pub fn state(&self, at: Time) -> State {
        if self.revoked_at.is_some() {
            State::Revoked
        } else if self.powers.expires_at.is_some_and(|end| at >= end) {
            State::Expired
        } else if self.disabled.is_some() {
            State::Disabled
        } else if self.present.is_none() {
            State::Unclaimed
        } else {
            State::Active
        }
    }

    /// Whose it is.
    pub fn whose(&self) -> Whose {
        Whose::Owner(self.account, self.owner)
    }
}

impl Kind {
    /// The kind as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pat => "pat",
            Self::Cli => "cli",
        }
    }
}

impl FromStr for Kind {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        match text {
            "pat" => Ok(Self::Pat),
            "cli" => Ok(Self::Cli),
            _ => Err(Unknown),
        }
    }
}

impl State {
    /// Every state, in the order shown to people.
    pub const ALL: [Self; 5] = [
        Self::Unclaimed,
        Self::Active,
        Self::Disabled,
        Self::Expired,
        Self::Revoked,
    ];

    /// The state as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unclaimed => "unclaimed",
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Whose {
    /// The account in which it is, if it is in one.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Owner(account, _) | Self::Account(account) => Some(*account),
            Self::System => None,
        }
    }

    /// Who owns it, if someone does.
    pub fn owner(&self) -> Option<Owner> {
        match self {
            Self::Owner(_, owner) => Some(*owner),
            Self::Account(_) | Self::System => None,
        }
    }
}

impl Owner {
    /// The owner as one word: `user:` or `app_env:` and the id.
    pub fn word(&self) -> String {
        match self {
            Self::User(id) => format!("user:{id}"),
            Self::AppEnv(id) => format!("app_env:{id}"),
        }
    }
}

/// A user in an account, as both are at some moment.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Who.
    pub user: UserId,
    /// Where.
    pub account: AccountId,
    /// Whether the user has not been switched off.
    pub active: bool,
    /// What the user is there, if a member at all.
    pub role: Option<Role>,
}

/// A token that someone presented, with all that recognizing them takes.
#[derive(Clone, Debug)]
pub struct Presented {
    /// The token.
    pub token: Token,
    /// Which of its values was presented.
    pub generation: u32,
    /// Until when that value is good, if a newer one has taken its place.
    pub dies_at: Option<Time>,
    /// What its owner is now.
    pub owner: OwnerNow,
    /// What its owner is called, if it is a person.
    pub username: Option<Username>,
}

/// Whether what ends at `end` is about to: a person may need some days to do something about it.
pub fn ends_soon(end: Time, at: Time) -> bool {
    end - at <= Duration::days(7)
}

/// Which of a token's values somebody holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HeldValue {
    /// The first value is 1; each rotation adds 1.
    pub generation: u32,
    /// Until when it is good, if a newer one has taken its place.
    pub dies_at: Option<Time>,
}

/// What the owner of a token is at some moment.
#[derive(Clone, Debug)]
pub enum OwnerNow {
    /// A user, in the token's account.
    User(Standing),
    /// An app environment that is still there.
    AppEnv,
    /// Nobody any more.
    Gone,
}

impl OwnerNow {
    /// What a person is in the token's account.
    pub fn role(&self) -> Option<Role> {
        match self {
            Self::User(standing) => standing.role,
            Self::AppEnv | Self::Gone => None,
        }
    }
}

impl Presented {
    /// Which of the token's values it is.
    pub fn held(&self) -> HeldValue {
        HeldValue {
            generation: self.generation,
            dies_at: self.dies_at,
        }
    }

    /// Whether it authenticates anybody at `at`: the token is active, the value has not been
    /// overtaken, and the owner is still one of the account.
    pub fn is_good(&self, at: Time) -> bool {
        let owner = match &self.owner {
            OwnerNow::User(standing) => standing.active && standing.role.is_some(),
            OwnerNow::AppEnv => true,
            OwnerNow::Gone => false,
        };
        owner && self.token.state(at) == State::Active && self.dies_at.is_none_or(|end| at < end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::clock::from_millis;

    fn token(present: bool, expires: Option<i64>, disabled: bool, revoked: bool) -> Token {
        let at = from_millis(0);
        let user = UserId::fresh();
        Token {
            id: TokenId::fresh(),
            kind: Kind::Pat,
            account: AccountId::fresh(),
            owner: Owner::User(user),
            label: Label::parse("x").unwrap(),
            powers: Powers {
                scopes: Scopes::default(),
                expires_at: expires.map(from_millis),
            },
            created_at: at,
            created_by: Actor::Operator,
            parent: None,
            last_used_at: None,
            disabled: disabled.then_some(Disabled {
                at,
                by_person: true,
            }),
            revoked_at: revoked.then_some(at),
            present: present.then_some(Present {
                generation: 1,
                format: Format::Keywright,
                prefix: None,
                generated_at: at,
            }),
        }
    }

    #[test]
    fn a_format_reads_back_what_it_writes() {
        for text in ["keywright", "imported", "spote_<32 hex>"] {
            assert_eq!(text.parse::<Format>().unwrap().to_string(), text);
        }
        assert_eq!("Keywright".parse::<Format>(), Err(Unknown));
    }

    #[test]
    fn a_token_is_over_at_its_expiry_and_not_before() {
        let token = token(true, Some(1_000), false, false);
        assert_eq!(token.state(from_millis(999)), State::Active);
        assert_eq!(token.state(from_millis(1_000)), State::Expired);
    }

    proptest! {
        #[test]
        fn only_a_whole_token_is_active(
            present: bool, expires in prop::option::of(0i64..20), disabled: bool, revoked: bool, at in 0i64..20,
        ) {
            let state = token(present, expires, disabled, revoked).state(from_millis(at));
            let over = expires.is_some_and(|end| at >= end);
            prop_assert_eq!(state == State::Active, present && !disabled && !revoked && !over);
            prop_assert_eq!(state == State::Revoked, revoked);
        }

        #[test]
        fn time_never_makes_a_token_good_again(
            present: bool, expires in prop::option::of(0i64..20), disabled: bool, revoked: bool, at in 0i64..20, later in 0i64..20,
        ) {
            let token = token(present, expires, disabled, revoked);
            if token.state(from_millis(at)) != State::Active {
                prop_assert_ne!(token.state(from_millis(at + later)), State::Active);
            }
        }
    }
}
