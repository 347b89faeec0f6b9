//! [`AuditRecord`]: an entry of the audit trail, read back, and how one is chained to the next.
//! (What is to be written is decided in `authz`.)

use std::{fmt, str::FromStr};

use super::{
    actor::Actor,
    clock::Time,
    id::{AccountId, AppEnvId, RequestId, TokenId, UserId},
    token::Unknown,
};
use crate::crypto::digest::{Digest, Fields};

/// What the first entry of a chain is chained to.
pub const ORIGIN: Digest = [0; 32];

/// The digest of a row that is not there.
pub const ABSENT: Digest = [0; 32];

/// Whose entries a chain holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Chain {
    /// The store's own: people, accounts, and those whom nobody knows.
    System,
    /// An account's.
    Account(AccountId),
}

/// Through which door something was asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Front {
    /// A tool of the MCP server.
    Mcp,
    /// A request of a service, a script or a proxy.
    Http,
    /// A command at the shell.
    Cli,
    /// The program itself, keeping house.
    Housekeeping,
}

/// What something was done to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Target {
    /// A token, with its values.
    Token(TokenId),
    /// A person.
    User(UserId),
    /// An account.
    Account(AccountId),
    /// What a person is in the account whose chain this is.
    Membership(UserId),
    /// An app environment.
    AppEnv(AppEnvId),
}

/// How it ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

/// An entry as it is kept.
#[derive(Clone, Debug)]
pub struct AuditRecord {
    /// Whose.
    pub chain: Chain,
    /// Its place there: 1, 2, 3 and so on.
    pub sequence: u64,
    /// When.
    pub at: Time,
    /// Who.
    pub actor: Actor,
    /// On behalf of which person.
    pub user: Option<UserId>,
    /// Through which door.
    pub front: Front,
    /// In which request.
    pub request: RequestId,
    /// What.
    pub action: String,
    /// To what.
    pub target: Option<Target>,
    /// Whose the target is, if it is a person's.
    pub owner: Option<UserId>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, or how, in a clause.
    pub reason: Option<String>,
    /// How often, for refusals that are counted together.
    pub count: u32,
    /// The digest of the target's row as it was left; `None` where nothing was touched.
    pub digest: Option<Digest>,
    /// What chains it to the entry before it.
    pub hash: Digest,
}

impl AuditRecord {
    /// The hash that this entry must have behind one whose hash is `before`.
    ///
    /// The order of the fields is kept for good: another one breaks every chain that exists.
    pub fn chained(&self, before: &Digest) -> Digest {
        Fields::new("keywright audit 1")
            .bytes(before)
            .maybe(self.chain.account(), |f, id| {
                f.bytes(id.as_uuid().as_bytes())
            })
            .number(i64::try_from(self.sequence).unwrap_or(i64::MAX))
            .number(self.at.timestamp_millis())
            .text(&self.actor.to_string())
            .maybe(self.user, |f, id| f.bytes(id.as_uuid().as_bytes()))
            .text(self.front.as_str())
            .bytes(self.request.as_uuid().as_bytes())
            .text(&self.action)
            .maybe(self.target, |f, target| {
                f.text(target.kind()).bytes(target.uuid().as_bytes())
            })
            .maybe(self.owner, |f, id| f.bytes(id.as_uuid().as_bytes()))
            .text(self.outcome.as_str())
            .maybe(self.reason.as_deref(), Fields::text)
            .number(self.count.into())
            .maybe(self.digest.as_ref(), |f, digest| f.bytes(digest))
            .finish()
    }
}

impl Chain {
    /// The chain as the store names it: by the account's id, or 16 zero bytes for the system's.
    pub fn key(self) -> uuid::Uuid {
        self.account().map_or(uuid::Uuid::nil(), AccountId::as_uuid)
    }

    /// The chain that the store names so.
    pub fn from_key(key: uuid::Uuid) -> Self {
        if key.is_nil() {
            Self::System
        } else {
            Self::Account(key.into())
        }
    }

    /// The account, unless it is the system's.
    pub fn account(self) -> Option<AccountId> {
        match self {
            Self::System => None,
            Self::Account(id) => Some(id),
        }
    }
}

impl Target {
    /// What kind of thing it is, as it is written everywhere.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::User(_) => "user",
            Self::Account(_) => "account",
            Self::Membership(_) => "membership",
            Self::AppEnv(_) => "app_env",
        }
    }

    /// Its id.
    pub fn uuid(&self) -> uuid::Uuid {
        match self {
            Self::Token(id) => id.as_uuid(),
            Self::User(id) | Self::Membership(id) => id.as_uuid(),
            Self::Account(id) => id.as_uuid(),
            Self::AppEnv(id) => id.as_uuid(),
        }
    }

    /// The target as the store kept it.
    pub fn from_kept(kind: &str, id: uuid::Uuid) -> Result<Self, Unknown> {
        match kind {
            "token" => Ok(Self::Token(id.into())),
            "user" => Ok(Self::User(id.into())),
            "account" => Ok(Self::Account(id.into())),
            "membership" => Ok(Self::Membership(id.into())),
            "app_env" => Ok(Self::AppEnv(id.into())),
            _ => Err(Unknown),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.uuid())
    }
}

impl Front {
    /// The front as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mcp => "mcp",
            Self::Http => "http",
            Self::Cli => "cli",
            Self::Housekeeping => "housekeeping",
        }
    }
}

impl FromStr for Front {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        match text {
            "mcp" => Ok(Self::Mcp),
            "http" => Ok(Self::Http),
            "cli" => Ok(Self::Cli),
            "housekeeping" => Ok(Self::Housekeeping),
            _ => Err(Unknown),
        }
    }
}

impl Outcome {
    /// The outcome as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

impl FromStr for Outcome {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        match text {
            "done" => Ok(Self::Done),
            "refused" => Ok(Self::Refused),
            _ => Err(Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{crypto::hex::hex, domain::clock::from_millis};

    fn record() -> AuditRecord {
        AuditRecord {
            chain: Chain::System,
            sequence: 1,
            at: from_millis(1_800_000_000_000),
            actor: Actor::Operator,
            user: None,
            front: Front::Cli,
            request: uuid::Uuid::nil().into(),
            action: "create_token".into(),
            target: None,
            owner: None,
            outcome: Outcome::Done,
            reason: None,
            count: 1,
            digest: None,
            hash: ORIGIN,
        }
    }

    #[test]
    fn every_field_is_in_the_chain() {
        let user = UserId::fresh();
        let changes: [fn(&mut AuditRecord, UserId); 14] = [
            |r, u| r.chain = Chain::Account(u.as_uuid().into()),
            |r, _| r.sequence = 2,
            |r, _| r.at = from_millis(1),
            |r, _| r.actor = Actor::Nobody,
            |r, u| r.user = Some(u),
            |r, _| r.front = Front::Mcp,
            |r, u| r.request = u.as_uuid().into(),
            |r, _| r.action = "x".into(),
            |r, u| r.target = Some(Target::User(u)),
            |r, u| r.owner = Some(u),
            |r, _| r.outcome = Outcome::Refused,
            |r, _| r.reason = Some("x".into()),
            |r, _| r.count = 2,
            |r, _| r.digest = Some(ABSENT),
        ];
        let mut seen = vec![record().chained(&ORIGIN), record().chained(&[1; 32])];
        for change in changes {
            let mut other = record();
            change(&mut other, user);
            seen.push(other.chained(&ORIGIN));
        }
        let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len());
    }

    /// The one value that must never change: a new program has to verify an old chain.
    #[test]
    fn the_chain_of_old_stores_still_holds() {
        let hash = hex(&record().chained(&ORIGIN));
        assert_eq!(
            hash,
            "ed042b363325cc6229d85eb0dffe7350734f416e6ed488b7a7586ecf855175d5"
        );
    }
}
