//! What is typed about tokens, and where their values go.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Page;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Token {
    /// Make a token; its value goes to this terminal, once
    #[command(after_help = "\
Examples:
  keywright token create 'Claude Desktop' --scopes 'read:tokens write:tokens'
  keywright token create nightly --scopes read:notes --expires 12h --to file:./nightly.token
  keywright token create nightly --to dotenv:.env#NIGHTLY_TOKEN --dry-run
  keywright token create CI --expires never --to stdout
  keywright token create Zapier --claim            somebody else picks the value up")]
    Create(Create),
    /// List tokens, newest first
    #[command(after_help = "\
Examples:
  keywright token list
  keywright token list --expiring-within 7d
  keywright token list --everyone --unused-for 90d --json")]
    List(List),
    /// Show one token's record
    #[command(
        after_help = "Example:\n  keywright token show 019306c2-5a5f-7cc4-a5b4-6ff4e1c2a001 --json"
    )]
    Show {
        /// Its id
        id: String,
    },
    /// Change a token: its label, fewer scopes, a sooner end, on or off
    #[command(after_help = "\
Examples:
  keywright token update ID --label 'Old laptop'
  keywright token update ID --scopes read:notes --expires 7d
  keywright token update ID --disable")]
    Update(Update),
    /// Give a token a new value; the id stays
    #[command(after_help = "\
Examples:
  keywright token rotate ID                        the old value dies at once
  keywright token rotate ID --overlap 1h           both are good for an hour
  keywright token rotate ID --expires 90d --to token-file:./nightly.token")]
    Rotate(Rotate),
    /// End a token, for good and at once
    #[command(after_help = "\
Examples:
  keywright token revoke ID
  keywright token revoke ID --cascade              what it minted ends, too")]
    Revoke {
        /// Its id
        id: String,
        /// End the tokens that it minted, too, and those that they minted
        #[arg(long)]
        cascade: bool,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Create {
    /// What it is to be called
    pub(in crate::cli) label: String,
    /// What it may do, separated by spaces or commas
    #[arg(long, value_name = "SCOPES")]
    pub(in crate::cli) scopes: Option<String>,
    /// When it ends: 15m, 12h, 90d, a time, or never [default: 90d]
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) expires: Option<String>,
    /// For whom [default: you]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) user: Option<String>,
    /// Print a claim code instead of the value
    #[arg(long, conflicts_with = "to")]
    pub(in crate::cli) claim: bool,
    #[command(flatten)]
    pub(in crate::cli) to: ToSink,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Only those with this in their label
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) query: Option<String>,
    /// Whose [default: yours]
    #[arg(long, value_name = "NAME", conflicts_with = "everyone")]
    pub(in crate::cli) user: Option<String>,
    /// Everybody's in the account
    #[arg(long)]
    pub(in crate::cli) everyone: bool,
    /// Only those in this state [default: unclaimed, active and disabled]
    #[arg(long, value_parser = ["unclaimed", "active", "disabled", "expired", "revoked", "all"])]
    pub(in crate::cli) state: Option<String>,
    /// Only those not used for so long, such as 30d
    #[arg(long, value_name = "LONG")]
    pub(in crate::cli) unused_for: Option<String>,
    /// Only those that end within so long, such as 7d
    #[arg(long, value_name = "LONG")]
    pub(in crate::cli) expiring_within: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) page: Page,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Update {
    /// Its id
    pub(in crate::cli) id: String,
    /// What it is to be called
    #[arg(long)]
    pub(in crate::cli) label: Option<String>,
    /// What it may do from now on: some of the scopes that it has; '' for none
    #[arg(long, value_name = "SCOPES")]
    pub(in crate::cli) scopes: Option<String>,
    /// When it ends: sooner than it would
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) expires: Option<String>,
    /// Switch it on again
    #[arg(long, conflicts_with = "disable")]
    pub(in crate::cli) enable: bool,
    /// Switch it off
    #[arg(long)]
    pub(in crate::cli) disable: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Rotate {
    /// Its id
    pub(in crate::cli) id: String,
    /// How long the old value stays good, such as 1h [default: no time]
    #[arg(long, value_name = "LONG")]
    pub(in crate::cli) overlap: Option<String>,
    /// A new end, counted from now [default: the end that it has]
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) expires: Option<String>,
    /// Print a claim code instead of the value
    #[arg(long, conflicts_with = "to")]
    pub(in crate::cli) claim: bool,
    #[command(flatten)]
    pub(in crate::cli) to: ToSink,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CliToken {
    /// Make a CLI token, or take one that was made elsewhere from standard input
    #[command(after_help = "\
Examples:
  keywright cli-token set                          make one for yourself
  keywright cli-token set --env production --scopes run:deploys
  pass show prod/cli | keywright cli-token set --env production --stdin")]
    Set {
        #[command(flatten)]
        whose: Whose,
        /// What it may do
        #[arg(long, value_name = "SCOPES", conflicts_with = "stdin")]
        scopes: Option<String>,
        /// Seal the value that comes on standard input; it can be shown, and authenticates nobody
        #[arg(long)]
        stdin: bool,
    },
    /// Give a CLI token a new value; the old one dies at once, or after --overlap
    #[command(after_help = "\
Examples:
  keywright cli-token rotate
  keywright cli-token rotate --env production --overlap 1h")]
    Rotate {
        #[command(flatten)]
        whose: Whose,
        /// How long the old value stays good, such as 1h [default: no time]
        #[arg(long, value_name = "LONG")]
        overlap: Option<String>,
    },
    /// Show a CLI token in the clear; the showing is written down
    #[command(after_help = "\
Examples:
  keywright cli-token show
  keywright cli-token show --env production --to stdout | deploy --token-stdin")]
    Show {
        #[command(flatten)]
        whose: Whose,
        #[command(flatten)]
        to: ToSink,
    },
}

/// Whose CLI token.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(in crate::cli) struct Whose {
    /// A person's [default: yours]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) user: Option<String>,
    /// An app environment's, by its id or its name in commands
    #[arg(long, value_name = "ENV")]
    pub(in crate::cli) env: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Claim {
    /// The code; without it, what waits is listed and you are asked
    pub(in crate::cli) code: Option<String>,
    /// Pick it up from the server at this address, with a token of yours that carries
    /// `read:secrets`
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) at: Option<String>,
    /// The file with that token [default: it is asked for, and not shown]
    #[arg(long, value_name = "FILE", requires = "at")]
    pub(in crate::cli) token_file: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) to: ToSink,
}

/// How a value leaves.
#[derive(Debug, Args)]
pub(in crate::cli) struct ToSink {
    /// Where the value goes: `terminal`, `stdout`, `file:PATH` (0600, never overwritten),
    /// `token-file:PATH` (0600, one token of ours that this one replaces), `dotenv:PATH#KEY` (one
    /// key is changed, the rest stays), `clipboard` (cleared after 45 seconds) or `keychain:NAME`
    #[arg(long, value_name = "SINK", default_value = "terminal")]
    pub(in crate::cli) to: String,
    /// Only show what would change where the value goes
    #[arg(long, requires = "to")]
    pub(in crate::cli) dry_run: bool,
    /// With `--to dotenv:`, write to a file that git keeps, too: the value will be in every clone
    /// of the repository
    #[arg(long, requires = "to")]
    pub(in crate::cli) even_if_tracked: bool,
    /// With `--to clipboard`, after how many seconds it is cleared
    #[arg(long, value_name = "SECONDS", default_value_t = 45)]
    pub(in crate::cli) clear_after: u64,
}
