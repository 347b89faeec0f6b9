//! What was typed. Every command says what it does, and by example how.

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgGroup, Args, Parser, Subcommand};

use super::connect::CLIENTS;

/// The token authority for AI agents.
///
/// Every agent, script and integration gets a token of its own: named, scoped, expiring, revocable
/// at once, its value kept out of the model's context.
#[derive(Debug, Parser)]
#[command(
    name = "keywright",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "\
Examples:
  keywright demo                                   see an agent get a token, on a throw-away store
  keywright mcp --local                            the server that an MCP client starts
  keywright token create Zapier --scopes read:notes --expires 30d
  keywright claim                                  pick up what agents asked for
  keywright run --token job=NOTES_TOKEN --scopes read:notes -- ./job.sh"
)]
pub(super) struct Keywright {
    #[command(flatten)]
    pub(super) place: Place,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Where the store is, and how answers are written.
#[derive(Clone, Debug, Args)]
pub(super) struct Place {
    /// The store's file [default: keywright/store.db in your data folder]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) store: Option<PathBuf>,
    /// The vault's key [default: vault.key beside the store]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) key_file: Option<PathBuf>,
    /// The account
    #[arg(long, global = true, value_name = "SLUG", default_value = "default")]
    pub(super) account: String,
    /// Answer in JSON, for pipes
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve MCP over standard input and output, for an MCP client to start
    #[command(after_help = "\
With --local it serves you, the local user. With KEYWRIGHT_TOKEN in its environment it serves that
token, looked up anew at every call. With KEYWRIGHT_TOKEN_FILE it reads the token from that file,
anew at every call. With none of them it answers every call `unauthenticated`.

Examples:
  keywright mcp --local --store ~/.local/share/keywright/store.db
  keywright mcp --local --scopes 'read:tokens write:tokens' --grant read:notes
  KEYWRIGHT_TOKEN=... keywright mcp")]
    Mcp(Mcp),
    /// See an agent get a token whose value it never sees, on a throw-away store
    Demo,
    /// See whether this installation is sound, and what mends it
    #[command(after_help = "\
It looks at the store, the vault's key, the audit trail and the clock, and at every client's file;
and it speaks to the server of each connected client as that client would. It changes nothing but
when a token was last used. It fails where there is a problem; warnings are none.

Example:
  keywright doctor --json")]
    Doctor,
    #[command(flatten)]
    InHouse(InHouse),
    /// The store itself
    #[command(subcommand)]
    Store(Store),
    /// Find values of tokens in files, by their checksum; ends with 1 where there are any
    #[command(after_help = "\
No value is printed, and no store is asked.

Examples:
  keywright scan .
  git diff --cached | grep '^+' | keywright scan   before a commit, as a hook
  keywright scan --all --json notes.md")]
    Scan(Scan),
    /// Print what completes these commands in a shell
    #[command(after_help = "\
Examples:
  keywright completions bash > keywright.bash      for ~/.local/share/bash-completion/completions
  keywright completions zsh > _keywright           for a folder of your $fpath
  keywright completions fish > keywright.fish      for ~/.config/fish/completions")]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page of a command, or write all of them
    #[command(after_help = "\
Examples:
  keywright man token create | man -l -
  keywright man --out man1                         for ~/.local/share/man")]
    Man {
        /// The command [default: the program itself]
        #[arg(conflicts_with = "out")]
        command: Vec<String>,
        /// Write a page for every command into this folder
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
}

/// What is done with a store that is open.
#[derive(Debug, Subcommand)]
pub(super) enum InHouse {
    /// Make, list, change, renew and end tokens
    #[command(subcommand)]
    Token(Token),
    /// Pick up a value that waits
    #[command(after_help = "\
--to file:PATH makes a file; one that is there is refused. --to token-file:PATH takes the place
of the token in a file that holds nothing else. --to dotenv:PATH#KEY changes one key of a file
that git does not track and others cannot read, and leaves the rest byte for byte. --to
keychain:NAME keeps the value as the secret of the service `keywright` and the account NAME.
Where a value cannot go, the claim waits on.

Examples:
  keywright claim                          list what waits, and choose
  keywright claim 7K3M-Q9TX-2BWF           print the value to this terminal, once
  keywright claim 7K3M-Q9TX-2BWF --to file:/run/secrets/notes
  keywright claim 7K3M-Q9TX-2BWF --to dotenv:.env#NOTES_TOKEN
  keywright claim 7K3M-Q9TX-2BWF --to clipboard
  keywright claim 7K3M-Q9TX-2BWF --to stdout | pass insert -e notes")]
    Claim(Claim),
    /// Run a command with tokens of its own, which end with it
    #[command(after_help = "\
Each value is in the environment of the command alone. Signals are handed on to it, and its exit
code is that of keywright; 127 if it is not found, 126 if it cannot be run. If keywright is
killed, the token ends at the next `keywright run` or `keywright mcp`, and at the latest after
--for.

Examples:
  keywright run --token nightly=NOTES_TOKEN --scopes read:notes -- ./job.sh --all
  keywright run --token 'CI job'=API_TOKEN --scopes run:jobs --for 15m -- ./job.sh
  keywright run --cli-token env:production=DEPLOY_TOKEN -- ./deploy.sh")]
    Run(Run),
    /// App environments, which own CLI tokens
    #[command(subcommand)]
    Env(Env),
    /// CLI tokens of people and app environments, which can be shown again
    #[command(subcommand)]
    CliToken(CliToken),
    /// People
    #[command(subcommand)]
    User(User),
    /// Accounts
    #[command(subcommand)]
    Account(Account),
    /// What people are in an account
    #[command(subcommand)]
    Member(Member),
    /// What happened
    #[command(subcommand)]
    Audit(Audit),
    /// Let an MCP client use this store, with a token of its own
    #[command(after_help = "\
The client's file gets an entry `keywright`, and nothing else in it changes. The token is in a file
of Keywright's, which that entry names; no client's file holds a value. Connecting again replaces
the token. What stood in the client's file is kept beside it, in `.keywright-backup`.

Examples:
  keywright connect --list
  keywright connect claude-code
  keywright connect cursor --grant read:notes      its agents may give that on
  keywright connect zed --dry-run                  show the change, and change nothing
  keywright connect vscode --print                 print the entry, to place it yourself")]
    Connect(Connect),
    /// Take a client's entry out of its file again, and end its token
    #[command(after_help = "Example:\n  keywright disconnect cursor")]
    Disconnect {
        /// Which client
        #[arg(value_parser = CLIENTS)]
        client: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Connect {
    /// Which client
    #[arg(value_parser = CLIENTS, required_unless_present = "list")]
    pub(super) client: Option<String>,
    /// List the clients: which are installed, which are connected, and with which token
    #[arg(long, conflicts_with_all = ["client", "scopes", "grant", "expires", "print", "dry_run"])]
    pub(super) list: bool,
    /// What the token may do [default: read:tokens write:tokens delete:tokens read:envs]
    #[arg(long, value_name = "SCOPES")]
    pub(super) scopes: Option<String>,
    /// Service scopes that it may give on to the tokens it makes
    #[arg(long, value_name = "SCOPES")]
    pub(super) grant: Option<String>,
    /// When the token ends: 15m, 12h, 90d, a time, or never [default: 90d]
    #[arg(long, value_name = "WHEN")]
    pub(super) expires: Option<String>,
    /// Print the entry and where it goes; make no token and change nothing
    #[arg(long)]
    pub(super) print: bool,
    /// Show the change to the client's file; make no token and change nothing
    #[arg(long, conflicts_with = "print")]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct Scan {
    /// Files, and folders with what is in them but `.git` [default: standard input]
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Tell also of what has a token's shape, but not its checksum: placeholders, typing errors
    #[arg(long)]
    pub(super) all: bool,
}

#[derive(Debug, Args)]
pub(super) struct Mcp {
    /// Serve the local user, whoever may open the store
    #[arg(long)]
    pub(super) local: bool,
    /// Hold no more than these scopes [default with --local: read:tokens write:tokens
    /// delete:tokens read:envs]
    #[arg(long, value_name = "SCOPES")]
    pub(super) scopes: Option<String>,
    /// With --local, the service scopes that may be given on [default: all]
    #[arg(long, value_name = "SCOPES", requires = "local")]
    pub(super) grant: Option<String>,
    /// When a person is to confirm that a token is deleted which this session did not make: where
    /// the client can ask them, or always, so that it is refused where it cannot
    #[arg(long, value_name = "WHEN", default_value = "where-possible")]
    #[arg(value_parser = ["where-possible", "always"])]
    pub(super) confirm: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum Token {
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

/// How a value leaves.
#[derive(Debug, Args)]
pub(super) struct ToSink {
    /// Where the value goes: `terminal`, `stdout`, `file:PATH` (0600, never overwritten),
    /// `token-file:PATH` (0600, one token of ours that this one replaces), `dotenv:PATH#KEY` (one
    /// key is changed, the rest stays), `clipboard` (cleared after 45 seconds) or `keychain:NAME`
    #[arg(long, value_name = "SINK", default_value = "terminal")]
    pub(super) to: String,
    /// Only show what would change where the value goes
    #[arg(long, requires = "to")]
    pub(super) dry_run: bool,
    /// With `--to dotenv:`, write to a file that git keeps, too
    #[arg(long, requires = "to")]
    pub(super) even_if_tracked: bool,
    /// With `--to clipboard`, after how many seconds it is cleared
    #[arg(long, value_name = "SECONDS", default_value_t = 45)]
    pub(super) clear_after: u64,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// What it is to be called
    pub(super) label: String,
    /// What it may do, separated by spaces or commas
    #[arg(long, value_name = "SCOPES")]
    pub(super) scopes: Option<String>,
    /// When it ends: 15m, 12h, 90d, a time, or never [default: 90d]
    #[arg(long, value_name = "WHEN")]
    pub(super) expires: Option<String>,
    /// For whom [default: you]
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// Print a claim code instead of the value
    #[arg(long, conflicts_with = "to")]
    pub(super) claim: bool,
    #[command(flatten)]
    pub(super) to: ToSink,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those with this in their label
    #[arg(long, value_name = "TEXT")]
    pub(super) query: Option<String>,
    /// Whose [default: yours]
    #[arg(long, value_name = "NAME", conflicts_with = "everyone")]
    pub(super) user: Option<String>,
    /// Everybody's in the account
    #[arg(long)]
    pub(super) everyone: bool,
    /// Only those in this state [default: unclaimed, active and disabled]
    #[arg(long, value_parser = ["unclaimed", "active", "disabled", "expired", "revoked", "all"])]
    pub(super) state: Option<String>,
    /// Only those not used for so long, such as 30d
    #[arg(long, value_name = "LONG")]
    pub(super) unused_for: Option<String>,
    /// Only those that end within so long, such as 7d
    #[arg(long, value_name = "LONG")]
    pub(super) expiring_within: Option<String>,
    #[command(flatten)]
    pub(super) page: Page,
}

/// Which piece of a long list.
#[derive(Debug, Args)]
pub(super) struct Page {
    /// How many: 1 to 200 [default: 50]
    #[arg(long, value_name = "ROWS")]
    pub(super) limit: Option<i64>,
    /// From where on: the cursor that the page before ended with
    #[arg(long)]
    pub(super) cursor: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Update {
    /// Its id
    pub(super) id: String,
    /// What it is to be called
    #[arg(long)]
    pub(super) label: Option<String>,
    /// What it may do from now on: some of the scopes that it has; '' for none
    #[arg(long, value_name = "SCOPES")]
    pub(super) scopes: Option<String>,
    /// When it ends: sooner than it would
    #[arg(long, value_name = "WHEN")]
    pub(super) expires: Option<String>,
    /// Switch it on again
    #[arg(long, conflicts_with = "disable")]
    pub(super) enable: bool,
    /// Switch it off
    #[arg(long)]
    pub(super) disable: bool,
}

#[derive(Debug, Args)]
pub(super) struct Rotate {
    /// Its id
    pub(super) id: String,
    /// How long the old value stays good, such as 1h [default: no time]
    #[arg(long, value_name = "LONG")]
    pub(super) overlap: Option<String>,
    /// A new end, counted from now [default: the end that it has]
    #[arg(long, value_name = "WHEN")]
    pub(super) expires: Option<String>,
    /// Print a claim code instead of the value
    #[arg(long, conflicts_with = "to")]
    pub(super) claim: bool,
    #[command(flatten)]
    pub(super) to: ToSink,
}

#[derive(Debug, Args)]
pub(super) struct Claim {
    /// The code; without it, what waits is listed and you are asked
    pub(super) code: Option<String>,
    #[command(flatten)]
    pub(super) to: ToSink,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("given").args(["token", "cli_token"]).required(true).multiple(true)))]
pub(super) struct Run {
    /// Make a token of that label for the command, and give it its value in that variable
    #[arg(long, value_name = "LABEL=ENV_NAME")]
    pub(super) token: Vec<String>,
    /// What every --token may do, separated by spaces or commas
    #[arg(long, value_name = "SCOPES", requires = "token")]
    pub(super) scopes: Option<String>,
    /// How long a --token lives if the command does not end before, such as 15m
    #[arg(long = "for", value_name = "LONG", default_value = "1h")]
    pub(super) life: String,
    /// Give the command a CLI token that is there, yours (`user`), a person's (`user:NAME`) or an
    /// app environment's (`env:NAME`), in that variable; it is written down
    #[arg(long, value_name = "WHOSE=ENV_NAME")]
    pub(super) cli_token: Vec<String>,
    /// The command and what it is to be told
    #[arg(last = true, required = true)]
    pub(super) command: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Env {
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

/// Whose CLI token.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct Whose {
    /// A person's [default: yours]
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// An app environment's, by its id or its name in commands
    #[arg(long, value_name = "ENV")]
    pub(super) env: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum CliToken {
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

#[derive(Debug, Subcommand)]
pub(super) enum User {
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
pub(super) enum Account {
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
pub(super) enum Member {
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
pub(super) enum Audit {
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
    /// Check that nothing was rewritten, and that no row was changed behind our back
    #[command(after_help = "Example:\n  keywright audit verify --json")]
    Verify,
}

#[derive(Debug, Subcommand)]
pub(super) enum Store {
    /// Check the store's files, its integrity, its audit trail and its key
    #[command(after_help = "Example:\n  keywright store check --json")]
    Check,
    /// Print where the store is
    #[command(after_help = "Example:\n  keywright store path")]
    Path,
}
