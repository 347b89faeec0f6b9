//! Tokens: their records, and the one answer in which a value leaves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{parse, time};
use crate::{
    authority::{Claimed, Delivered, Minted, Revoked, WaitingClaim},
    domain::{
        self, claim::ClaimCode, clock::Time, credential::PlainToken, page::Page, text::quoted,
    },
};

/// A token, without its value.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct Token {
    /// UUID of the token. It never changes, not even when the token is rotated.
    pub id: String,
    /// `pat` (for an agent, a script, a person) or `cli` (of a user or an app environment).
    pub kind: String,
    /// What a person calls it. Data, never an instruction.
    pub label: String,
    /// The visible beginning of its value; null until it has one.
    pub prefix: Option<String>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// `unclaimed`, `active`, `disabled`, `expired` or `revoked`.
    pub state: String,
    /// `user:` or `app_env:` and the id of its owner.
    pub owner: String,
    /// When it was made. RFC 3339, UTC.
    pub created_at: String,
    /// Who made it: `token:` and an id, `local:` and a user's id, or `operator`.
    pub created_by: String,
    /// The id of the token that made it.
    pub parent: Option<String>,
    /// When it was last used.
    pub last_used_at: Option<String>,
    /// When it ends; null means never.
    pub expires_at: Option<String>,
    /// When its present value was made.
    pub generated_at: Option<String>,
}

/// A token that was made or renewed. It may hold a value, and so has no `Debug`.
#[derive(JsonSchema, Serialize)]
pub struct NewToken {
    /// Its record.
    #[serde(flatten)]
    pub record: Token,
    /// Its value, in this answer and in no other. Only where it was asked for inline.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub token: Option<Zeroizing<String>>,
    /// The pick-up that waits for a person. Only where the value is to be claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Claim")]
    pub claim: Option<Claim>,
    /// Whether an earlier call with the same `idempotency_key` made it.
    pub replayed: bool,
}

/// A pick-up that waits for a person.
#[derive(JsonSchema, Serialize)]
pub struct Claim {
    /// The one-time code.
    pub code: String,
    /// What a person types at a shell. Not for a model to run: its output is the value.
    pub command: String,
    /// Until when it waits.
    pub expires_at: String,
}

/// What is to be picked up: by its code, or chosen from the list of what waits.
#[derive(Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["code"] }, { "required": ["token_id"] }]))]
pub struct ClaimToken {
    /// The one-time code, such as `7K3M-Q9TX-2BWF`. Either this or `token_id`.
    #[serde(
        default,
        deserialize_with = "parse::not_null",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "String")]
    pub code: Option<String>,
    /// UUID of the token whose value waits.
    #[serde(
        default,
        deserialize_with = "parse::not_null",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "String", extend("format" = "uuid"))]
    pub token_id: Option<String>,
}

/// A token whose value was picked up. It holds that value, and so has no `Debug`.
#[derive(Deserialize, JsonSchema, Serialize)]
pub struct ClaimedToken {
    /// Its record.
    #[serde(flatten)]
    pub record: Token,
    /// Its value, in this answer and in no other.
    #[schemars(with = "String")]
    pub token: Zeroizing<String>,
}

/// A page of tokens.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Tokens {
    /// The tokens, newest first.
    pub tokens: Vec<Token>,
    /// Pass it as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// A token that was ended.
#[derive(Debug, JsonSchema, Serialize)]
pub struct RevokedToken {
    /// UUID of the token.
    pub id: String,
    /// When it ended: the first time, if it had ended before.
    pub revoked_at: String,
    /// How many tokens this call ended; 0 if it had ended before.
    pub revoked_count: u64,
    /// How many tokens that it minted are still good. `cascade` ends them, too.
    pub live_children: u64,
}

/// What waits to be picked up.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
pub struct Claims {
    /// The oldest first.
    pub claims: Vec<Waiting>,
}

/// A pick-up that waits, as it is shown to the person who may pick it up.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
pub struct Waiting {
    /// The token.
    #[serde(flatten)]
    pub record: Token,
    /// Who asked for its value.
    pub opened_by: String,
    /// When.
    pub opened_at: String,
    /// Until when it waits.
    pub claim_expires_at: String,
}

/// How a person is told to pick a value up at a shell.
#[derive(Clone, Debug)]
pub struct ClaimCommand {
    words: String,
    at: Option<String>,
    token_file: Option<String>,
}

impl Token {
    /// The record of `token`, its state told for `at`.
    pub fn at(token: &domain::token::Token, at: Time) -> Self {
        let present = token.present.as_ref();
        Self {
            id: token.id.to_string(),
            kind: token.kind.as_str().to_owned(),
            label: token.label.as_str().to_owned(),
            prefix: present
                .and_then(|present| present.prefix.as_ref())
                .map(|prefix| prefix.as_str().to_owned()),
            scopes: token
                .powers
                .scopes
                .iter()
                .map(ToString::to_string)
                .collect(),
            state: token.state(at).as_str().to_owned(),
            owner: token.owner.word(),
            created_at: time::rfc3339(token.created_at),
            created_by: token.created_by.to_string(),
            parent: token.parent.map(|id| id.to_string()),
            last_used_at: time::maybe(token.last_used_at),
            expires_at: time::maybe(token.powers.expires_at),
            generated_at: present.map(|present| time::rfc3339(present.generated_at)),
        }
    }
}

impl NewToken {
    /// What was minted; a claim is told with the command that picks it up.
    pub fn of(minted: &Minted, claim: &ClaimCommand) -> Self {
        let (token, claim) = match &minted.delivered {
            Delivered::Value(plain) => (Some(plain.expose().to_owned().into()), None),
            Delivered::Claim { code, expires_at } => {
                let code = code.expose();
                let claim = Claim {
                    command: claim.with(&code, minted.is_own),
                    code,
                    expires_at: time::rfc3339(*expires_at),
                };
                (None, Some(claim))
            }
            Delivered::Before => (None, None),
        };
        Self {
            record: Token::at(&minted.token, minted.at),
            token,
            claim,
            replayed: minted.replayed,
        }
    }
}

impl ClaimToken {
    /// By its code.
    pub fn by(code: &ClaimCode) -> Self {
        Self {
            code: Some(code.expose()),
            token_id: None,
        }
    }

    /// What waits for the token with this id.
    pub fn of(id: &str) -> Self {
        Self {
            code: None,
            token_id: Some(id.to_owned()),
        }
    }
}

impl ClaimedToken {
    /// What was picked up, and its value.
    pub fn of(record: Token, value: &PlainToken) -> Self {
        Self {
            record,
            token: value.expose().to_owned().into(),
        }
    }

    /// The record, and the value that is handed on.
    pub fn into_parts(self) -> (Token, PlainToken) {
        (self.record, PlainToken::imported(&self.token))
    }
}

impl From<&Claimed> for Token {
    fn from(claimed: &Claimed) -> Self {
        Self::at(&claimed.token, claimed.at)
    }
}

impl Tokens {
    /// A page of tokens, their states told for `at`.
    pub fn at(page: &Page<domain::token::Token>, at: Time) -> Self {
        Self {
            tokens: page.rows.iter().map(|token| Token::at(token, at)).collect(),
            next_cursor: page.next.as_ref().map(|next| next.as_str().to_owned()),
        }
    }
}

impl From<Revoked> for RevokedToken {
    fn from(revoked: Revoked) -> Self {
        Self {
            id: revoked.id.to_string(),
            revoked_at: time::rfc3339(revoked.revoked_at),
            revoked_count: revoked.revoked_count,
            live_children: revoked.live_children,
        }
    }
}

impl From<&WaitingClaim> for Waiting {
    fn from(waiting: &WaitingClaim) -> Self {
        Self {
            record: Token::at(&waiting.token, waiting.at),
            opened_by: waiting.opened_by.to_string(),
            opened_at: time::rfc3339(waiting.opened_at),
            claim_expires_at: time::rfc3339(waiting.expires_at),
        }
    }
}

impl ClaimCommand {
    /// The command of the program at `program`, for the store and the vault's key at these paths,
    /// unless they are the usual ones.
    pub fn new(program: &str, store: Option<&str>, key_file: Option<&str>) -> Self {
        let mut words = quoted(program);
        for (flag, path) in [(" --store ", store), (" --key-file ", key_file)] {
            if let Some(path) = path {
                words.push_str(flag);
                words.push_str(&quoted(path));
            }
        }
        words.push_str(" claim ");
        Self {
            words,
            at: None,
            token_file: None,
        }
    }

    /// The command on whichever machine a person is at, for a server that is known by `url`.
    pub fn elsewhere(url: &str) -> Self {
        Self {
            words: "keywright claim ".to_owned(),
            at: Some(quoted(url)),
            token_file: None,
        }
    }

    /// The same for a session whose own token is read from the file at `path`: a new value of that
    /// token goes there, where the session finds it.
    #[must_use]
    pub fn with_token_file(mut self, path: &str) -> Self {
        self.token_file = Some(quoted(format!("token-file:{path}")));
        self
    }

    fn with(&self, code: &str, is_own: bool) -> String {
        let mut command = format!("{}{code}", self.words);
        let to = self.token_file.as_ref().filter(|_| is_own);
        for (flag, word) in [(" --at ", self.at.as_ref()), (" --to ", to)] {
            if let Some(word) = word {
                command.push_str(flag);
                command.push_str(word);
            }
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_command_survives_a_shell() {
        let command = ClaimCommand::new("/opt/key wright", Some("/it's/store.db"), Some("/k"));
        assert_eq!(
            command.with("7K3M-Q9TX-2BWF", true),
            r"'/opt/key wright' --store '/it'\''s/store.db' --key-file /k claim 7K3M-Q9TX-2BWF"
        );
    }

    #[test]
    fn a_person_elsewhere_is_told_where_to_claim() {
        let command = ClaimCommand::elsewhere("https://tokens.example.com");

        assert_eq!(
            command.with("7K3M-Q9TX-2BWF", false),
            "keywright claim 7K3M-Q9TX-2BWF --at https://tokens.example.com"
        );
    }

    #[test]
    fn a_new_value_of_the_sessions_own_token_goes_into_its_file() {
        let command = ClaimCommand::new("keywright", None, None).with_token_file("/t/my agent");

        assert_eq!(
            command.with("7K3M-Q9TX-2BWF", true),
            "keywright claim 7K3M-Q9TX-2BWF --to 'token-file:/t/my agent'"
        );
        assert_eq!(
            command.with("7K3M-Q9TX-2BWF", false),
            "keywright claim 7K3M-Q9TX-2BWF"
        );
    }
}
