//! What was typed. Every command says what it does, and by example how.

mod admin;
mod program;
mod token;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::connect::CLIENTS;
pub(super) use admin::{Account, Audit, Env, Member, Store, User};
pub(super) use program::{Connect, Mcp, Run, Scan, Serve};
pub(super) use token::{Claim, CliToken, Create, List, Rotate, ToSink, Token, Update};

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
  keywright serve                                  MCP, REST and checks of tokens over HTTP
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
    /// Serve MCP, REST, introspection and forward-auth over HTTP
    #[command(after_help = "\
It listens on this machine alone, at port 8484, unless a public https address is set: then it stands
behind a proxy that speaks TLS. Every request brings its own token. It logs every answer to standard
error, and ends on SIGTERM or SIGINT once requests in flight are answered.

Examples:
  keywright serve
  keywright serve --listen 127.0.0.1:9000 --metrics 127.0.0.1:9001
  keywright serve --listen 0.0.0.0:8484 --public-url https://tokens.example.com
  keywright serve --profile spote                  another product's token API, too")]
    Serve(Serve),
    /// See an agent get a token whose value it never sees, on a throw-away store
    #[command(after_help = "\
Examples:
  keywright demo
  keywright demo --attack                          five attacks, each refused; fails if one is not")]
    Demo {
        /// See five attacks instead, and what each is told
        #[arg(long)]
        attack: bool,
    },
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

--at URL picks it up from a server elsewhere, with another token of yours than the one that asked
for it: one that carries `read:secrets` and all that the waiting one does. That token is read from
--token-file, or asked for and not shown; no variable names it. There a claim is used once its value
is on its way: if that gets lost, a rotation opens a new claim.

Examples:
  keywright claim                          list what waits, and choose
  keywright claim 7K3M-Q9TX-2BWF           print the value to this terminal, once
  keywright claim 7K3M-Q9TX-2BWF --to file:/run/secrets/notes
  keywright claim 7K3M-Q9TX-2BWF --to dotenv:.env#NOTES_TOKEN
  keywright claim 7K3M-Q9TX-2BWF --to clipboard
  keywright claim 7K3M-Q9TX-2BWF --to stdout | pass insert -e notes
  keywright claim 7K3M-Q9TX-2BWF --at https://tokens.example.com --token-file ~/.keywright-token")]
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
the token. What stood in the client's file is kept beside it, in `.keywright-backup`: all of it,
values too. Once all works, it may be deleted.

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

impl Command {
    /// What is logged, unless something else is wanted; `None` is what is usual.
    pub(super) fn usual_log(&self) -> Option<&'static str> {
        matches!(self, Self::Serve(_)).then_some("warn,keywright::http=info")
    }
}
