//! What is typed about other programs: the server that they start, clients that are connected,
//! commands that are run, and files that are searched.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

use clap::{ArgGroup, Args};

use crate::{cli::connect::CLIENTS, http::PublicUrl};

#[derive(Debug, Args)]
pub(in crate::cli) struct Mcp {
    /// Serve the local user, whoever may open the store
    #[arg(long)]
    pub(in crate::cli) local: bool,
    /// Hold no more than these scopes [default with --local: read:tokens write:tokens
    /// delete:tokens read:envs]
    #[arg(long, value_name = "SCOPES")]
    pub(in crate::cli) scopes: Option<String>,
    /// With --local, the service scopes that may be given on [default: all]
    #[arg(long, value_name = "SCOPES", requires = "local")]
    pub(in crate::cli) grant: Option<String>,
    /// When a person is to confirm that a token is deleted which this session did not make: where
    /// the client can ask them, or always, so that it is refused where it cannot
    #[arg(long, value_name = "WHEN", default_value = "where-possible")]
    #[arg(value_parser = ["where-possible", "always"])]
    pub(in crate::cli) confirm: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Serve {
    /// Where to listen; may be repeated [default: port 8484 of this machine alone]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(in crate::cli) listen: Vec<SocketAddr>,
    /// The https address under which others know this server; needed to listen beyond this machine
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) public_url: Option<PublicUrl>,
    /// Where to serve metrics for Prometheus, at /metrics [default: nowhere]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(in crate::cli) metrics: Option<SocketAddr>,
    /// How many requests a second one address may make, and so many at once; 0 for no limit
    #[arg(long, value_name = "TIMES", default_value_t = 5000)]
    pub(in crate::cli) rate_per_address: u32,
    /// How many requests a second may be made with one token, and so many at once; 0 for no limit
    #[arg(long, value_name = "TIMES", default_value_t = 1000)]
    pub(in crate::cli) rate_per_token: u32,
    /// Serve another product's token API, too: `quave`, `spedy`, `spherescout`, `spote`, or the path
    /// of a file of your own; may be repeated [default: none]
    #[arg(long, value_name = "NAME-OR-PATH")]
    pub(in crate::cli) profile: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Connect {
    /// Which client
    #[arg(value_parser = CLIENTS, required_unless_present = "list")]
    pub(in crate::cli) client: Option<String>,
    /// List the clients: which are installed, which are connected, and with which token
    #[arg(long, conflicts_with_all = ["client", "scopes", "grant", "expires", "print", "dry_run"])]
    pub(in crate::cli) list: bool,
    /// What the token may do [default: read:tokens write:tokens delete:tokens read:envs]
    #[arg(long, value_name = "SCOPES")]
    pub(in crate::cli) scopes: Option<String>,
    /// Service scopes that it may give on to the tokens it makes
    #[arg(long, value_name = "SCOPES")]
    pub(in crate::cli) grant: Option<String>,
    /// When the token ends: 15m, 12h, 90d, a time, or never [default: 90d]
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) expires: Option<String>,
    /// Print the entry and where it goes; make no token and change nothing
    #[arg(long)]
    pub(in crate::cli) print: bool,
    /// Show the change to the client's file; make no token and change nothing
    #[arg(long, conflicts_with = "print")]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("given").args(["token", "cli_token"]).required(true).multiple(true)))]
pub(in crate::cli) struct Run {
    /// Make a token of that label for the command, and give it its value in that variable
    #[arg(long, value_name = "LABEL=ENV_NAME")]
    pub(in crate::cli) token: Vec<String>,
    /// What every --token may do, separated by spaces or commas
    #[arg(long, value_name = "SCOPES", requires = "token")]
    pub(in crate::cli) scopes: Option<String>,
    /// How long a --token lives if the command does not end before, such as 15m
    #[arg(long = "for", value_name = "LONG", default_value = "1h")]
    pub(in crate::cli) life: String,
    /// Give the command a CLI token that is there, yours (`user`), a person's (`user:NAME`) or an
    /// app environment's (`env:NAME`), in that variable; it is written down in the audit trail
    #[arg(long, value_name = "WHOSE=ENV_NAME")]
    pub(in crate::cli) cli_token: Vec<String>,
    /// The command and what it is to be told
    #[arg(last = true, required = true)]
    pub(in crate::cli) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Scan {
    /// Files, and folders with what is in them but `.git` [default: standard input]
    #[arg(value_name = "PATH")]
    pub(in crate::cli) paths: Vec<PathBuf>,
    /// Tell also of what has a token's shape, but not its checksum: placeholders, typing errors
    #[arg(long)]
    pub(in crate::cli) all: bool,
}
