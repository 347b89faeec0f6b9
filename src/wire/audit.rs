//! The audit trail.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time;
use crate::{
    authority::{Fault, Known, Verified},
    crypto::hex::{hex, unhex},
    domain::{
        audit::{self, Chain},
        id::AccountId,
        page::Page,
        text,
    },
};

/// Something that happened, or was refused.
#[derive(Debug, JsonSchema, Serialize)]
pub struct AuditRecord {
    /// Its place in the account's chain: 1, 2, 3 and so on.
    pub sequence: u64,
    /// When.
    pub at: String,
    /// Who: `token:` and an id, `local:` and a user's id, `operator`, `keywright` or `nobody`.
    pub actor: String,
    /// UUID of the user on whose behalf.
    pub user: Option<String>,
    /// Through which door: `mcp`, `http`, `cli` or `housekeeping`.
    pub through: String,
    /// UUID of the request.
    pub request: String,
    /// What.
    pub action: String,
    /// To what: `token:`, `user:`, `account:`, `membership:` or `app_env:` and an id.
    pub target: Option<String>,
    /// `done` or `refused`.
    pub outcome: String,
    /// Why, or how.
    pub reason: Option<String>,
    /// How often: repeated refusals are counted together.
    pub count: u32,
    /// SHA-256 that chains it to the entry before it, in hexadecimal digits.
    pub hash: String,
}

/// A page of the audit trail.
#[derive(Debug, JsonSchema, Serialize)]
pub struct AuditRecords {
    /// The entries, newest first.
    pub records: Vec<AuditRecord>,
    /// Pass it as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// An entry to be kept elsewhere, with all that its hash is made of.
#[derive(Debug, Serialize)]
pub struct ExportedRecord {
    /// UUID of the account in whose chain it is; null for the store's own.
    pub account: Option<String>,
    /// What it says.
    #[serde(flatten)]
    pub record: AuditRecord,
    /// UUID of the person whose the target is.
    pub owner: Option<String>,
    /// SHA-256 of the target's row as it was left, in hexadecimal digits.
    pub digest: Option<String>,
}

/// What an exported entry must say to be found again.
#[derive(Deserialize)]
struct KnownRecord {
    // It must be there: a line of `audit list` does not say whose it is.
    #[serde(deserialize_with = "Option::deserialize")]
    account: Option<String>,
    sequence: u64,
    hash: String,
}

/// The text is no entry as `audit export` writes them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it is no entry")]
pub struct NotExported;

/// What `audit verify` found.
#[derive(Debug, Serialize)]
pub struct Verification {
    /// Whether all of it holds.
    pub sound: bool,
    /// How many rows were held against the last entry about them.
    pub rows: u64,
    /// How many of the entries that were kept elsewhere are there.
    pub known: u64,
    /// Every chain.
    pub chains: Vec<ChainEnd>,
    /// What does not hold.
    pub faults: Vec<ChainFault>,
}

/// Where a chain ends.
#[derive(Debug, Serialize)]
pub struct ChainEnd {
    /// UUID of the account; null for the store's own.
    pub account: Option<String>,
    /// How many entries it has.
    pub records: u64,
    /// The hash of the last one.
    pub head: String,
}

/// Something that does not hold.
#[derive(Debug, Serialize)]
pub struct ChainFault {
    /// UUID of the account whose chain it is; null for the store's own, and for rows.
    pub account: Option<String>,
    /// What it is.
    pub fault: String,
}

impl From<&audit::AuditRecord> for AuditRecord {
    fn from(record: &audit::AuditRecord) -> Self {
        Self {
            sequence: record.sequence,
            at: time::rfc3339(record.at),
            actor: record.actor.to_string(),
            user: record.user.map(|id| id.to_string()),
            through: record.front.as_str().to_owned(),
            request: record.request.to_string(),
            action: text::escaped(&record.action),
            target: record.target.map(|target| target.to_string()),
            outcome: record.outcome.as_str().to_owned(),
            reason: record.reason.as_deref().map(text::escaped),
            count: record.count,
            hash: hex(&record.hash),
        }
    }
}

impl From<&audit::AuditRecord> for ExportedRecord {
    fn from(record: &audit::AuditRecord) -> Self {
        Self {
            account: record.chain.account().map(|id| id.to_string()),
            owner: record.owner.map(|id| id.to_string()),
            digest: record.digest.map(|digest| hex(&digest)),
            record: record.into(),
        }
    }
}

/// What is known of an entry by a line of an export.
pub fn known(line: &[u8]) -> Result<Known, NotExported> {
    let known: KnownRecord = serde_json::from_slice(line).map_err(|_| NotExported)?;
    let account = known.account.map(|id| id.parse::<AccountId>()).transpose();
    let hash = unhex(&known.hash).ok_or(NotExported)?;
    Ok(Known {
        chain: account
            .map_err(|_| NotExported)?
            .map_or(Chain::System, Chain::Account),
        sequence: known.sequence,
        hash: *hash,
    })
}

impl From<&Page<audit::AuditRecord>> for AuditRecords {
    fn from(page: &Page<audit::AuditRecord>) -> Self {
        Self {
            records: page.rows.iter().map(Into::into).collect(),
            next_cursor: page.next.as_ref().map(|next| next.as_str().to_owned()),
        }
    }
}

impl From<&Verified> for Verification {
    fn from(verified: &Verified) -> Self {
        Self {
            sound: verified.faults.is_empty(),
            rows: verified.rows,
            known: verified.known,
            chains: verified
                .chains
                .iter()
                .map(|(chain, records, head)| ChainEnd {
                    account: chain.account().map(|id| id.to_string()),
                    records: *records,
                    head: hex(head),
                })
                .collect(),
            faults: verified.faults.iter().map(Into::into).collect(),
        }
    }
}

impl From<&Fault> for ChainFault {
    fn from(fault: &Fault) -> Self {
        let chain = match fault {
            Fault::Altered { chain, .. }
            | Fault::OutOfPlace { chain, .. }
            | Fault::Gap { chain, .. }
            | Fault::End { chain, .. }
            | Fault::Rewritten { chain, .. } => Some(chain),
            Fault::NoChain(_)
            | Fault::Damaged
            | Fault::Schema
            | Fault::Row(_)
            | Fault::Untold(_)
            | Fault::Gone(_) => None,
        };
        Self {
            account: chain
                .and_then(|chain| chain.account())
                .map(|id| id.to_string()),
            fault: fault.to_string(),
        }
    }
}
