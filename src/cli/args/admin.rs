//! What is typed about people, accounts, app environments, the audit trail and the store.

use std::path::PathBuf;

use clap::Subcommand;

use super::Page;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum User {
    /// Add a person to the account
    #[command(
        after_help = "Example:\n  keywright user add ann --email ann@example.com --role admin"
    )]
    Add {
        /// What they are called
        username: String,
        /// Where they can be written to
        #[arg(long)]
        email: Option<String>,
        /// The operating system's number for them on this machine
        #[arg(long, value_name = "UID")]
        os_uid: Option<u32>,
        /// What they are in the account
        #[arg(long, value_parser = ["admin", "member"], default_value = "member")]
        role: String,
    },
    /// List people, and what they are where
    #[command(after_help = "Example:\n  keywright user list --json")]
    List,
    /// Switch a person off: from now on none of their tokens is good
    #[command(after_help = "Example:\n  keywright user deactivate ann")]
    Deactivate {
        /// What they are called
        username: String,
    },
    /// Switch a person on again
    #[command(after_help = "Example:\n  keywright user activate ann")]
    Activate {
        /// What they are called
        username: String,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Account {
    /// Add an account
    #[command(after_help = "Example:\n  keywright account add acme --name 'Acme Ltd'")]
    Add {
        /// Its name in commands
        slug: String,
        /// Its name for people [default: the slug]
        #[arg(long)]
        name: Option<String>,
    },
    /// List accounts
    #[command(after_help = "Example:\n  keywright account list --json")]
    List,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Member {
    /// Say what a person is in the account
    #[command(after_help = "Example:\n  keywright member set ann admin --account acme")]
    Set {
        /// What they are called
        username: String,
        /// What they are
        #[arg(value_parser = ["admin", "member"])]
        role: String,
    },
    /// Take a person out of the account: their tokens in it are good no more
    #[command(after_help = "Example:\n  keywright member remove ann --account acme")]
    Remove {
        /// What they are called
        username: String,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Env {
    /// Make an app environment
    #[command(after_help = "Example:\n  keywright env create Production --cli-env-name production")]
    Create {
        /// Its name for people
        name: String,
        /// Its name in commands; unique within the account
        #[arg(long, value_name = "SLUG")]
        cli_env_name: Option<String>,
    },
    /// List app environments, newest first
    #[command(after_help = "Example:\n  keywright env list --json")]
    List(Page),
    /// Remove an app environment; its CLI token ends with it
    #[command(after_help = "Example:\n  keywright env delete production")]
    Delete {
        /// Its id, or its name in commands
        env: String,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Audit {
    /// List what happened, newest first
    #[command(after_help = "\
Examples:
  keywright audit list --since 24h
  keywright audit list --action reveal_user_token
  keywright audit list --system --json")]
    List {
        /// Not before this time, or so long ago, such as 24h
        #[arg(long)]
        since: Option<String>,
        /// Only this action, such as `create_token`
        #[arg(long)]
        action: Option<String>,
        /// Only what happened to this token
        #[arg(long, value_name = "ID")]
        token: Option<String>,
        /// The store's own trail: people, accounts, and those whom nobody knows
        #[arg(long)]
        system: bool,
        #[command(flatten)]
        page: Page,
    },
    /// Write all of the trail to standard output, to be kept elsewhere
    ///
    /// A line of JSON for each entry of every account's chain and the store's own, oldest first. The
    /// hash of a chain's last line stands for all of it. Write over no earlier one: what was rewritten
    /// since is found by that.
    #[command(after_help = "\
Examples:
  keywright audit export > trail-$(date +%F).jsonl
  keywright audit export | ssh backup 'cat > trail-$(date +%F).jsonl'")]
    Export,
    /// Check that nothing was rewritten, and that no row was changed behind our back
    #[command(after_help = "\
Examples:
  keywright audit verify --json
  keywright audit verify --against trail-2027-01-01.jsonl
  ssh backup cat trail-2027-01-01.jsonl | keywright audit verify --against /dev/stdin")]
    Verify {
        /// What `audit export` wrote, and was kept elsewhere: its entries must still be there
        ///
        /// The last lines of its chains are enough.
        #[arg(long, value_name = "FILE")]
        against: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Store {
    /// Check the store's files, its integrity, its audit trail and its key
    #[command(after_help = "Example:\n  keywright store check --json")]
    Check,
    /// Print where the store is
    #[command(after_help = "Example:\n  keywright store path")]
    Path,
}
