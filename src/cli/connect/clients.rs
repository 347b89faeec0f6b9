//! The MCP clients that are known: where each keeps its servers, and how it writes them down. One
//! entry a client, each with the page of its own documentation that says so.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{
    document::{self, Format, Odd},
    file::ClientFile,
};
use crate::config::{self, env};

/// The variable that tells our server where its token is.
const TOKEN_FILE: &str = env::TOKEN_FILE.name;

/// A client, and where it keeps its servers.
#[derive(Debug)]
pub(crate) struct Client {
    /// What it is called in commands.
    pub(crate) name: &'static str,
    /// What it is called by people.
    pub(crate) label: &'static str,
    /// Where its file is, if anything tells.
    place: fn() -> Option<Place>,
    /// How that file is written.
    pub(super) format: Format,
    /// Under what its servers stand.
    pub(super) key: &'static str,
    /// How it writes a server down.
    layout: Layout,
    /// What makes it read its file again.
    pub(super) reload: &'static str,
}

/// Where a client keeps its servers.
#[derive(Debug)]
pub(crate) struct Place {
    /// The file.
    pub(crate) file: PathBuf,
    /// A folder that is there if the client is installed.
    pub(crate) folder: PathBuf,
}

/// How a client writes a server down.
#[derive(Clone, Copy, Debug)]
enum Layout {
    /// `command`, `args` and `env`.
    Usual,
    /// The same, and `type`.
    Typed,
    /// goose's own words.
    Goose,
}

/// How our server is started.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Start {
    /// The program.
    pub(crate) command: String,
    /// What it is told.
    pub(crate) args: Vec<String>,
    /// What it finds in its environment.
    pub(crate) env: Vec<(String, String)>,
}

/// Every client, in the order shown to people.
pub(crate) static ALL: [Client; 10] = [
    // modelcontextprotocol.io/docs/develop/connect-local-servers: where it is on macOS. On Linux it
    // is where an Electron application keeps its own (electronjs.org/docs/latest/api/app, `appData`).
    Client {
        name: "claude-desktop",
        label: "Claude Desktop",
        place: || {
            Some(at(
                config::applications()?.join("Claude"),
                "claude_desktop_config.json",
            ))
        },
        format: Format::Json,
        key: "mcpServers",
        layout: Layout::Usual,
        reload: "Quit Claude Desktop and start it again",
    },
    // code.claude.com/docs/en/mcp, "MCP installation scopes": user scope is the top level of
    // ~/.claude.json; code.claude.com/docs/en/env-vars: CLAUDE_CONFIG_DIR holds that file, too.
    Client {
        name: "claude-code",
        label: "Claude Code",
        place: || match env::read(&env::CLAUDE_CONFIG_DIR) {
            Some(folder) => Some(at(PathBuf::from(folder), ".claude.json")),
            None => Some(Place {
                file: config::home()?.join(".claude.json"),
                folder: config::home()?.join(".claude"),
            }),
        },
        format: Format::Json,
        key: "mcpServers",
        layout: Layout::Typed,
        reload: "Start a new Claude Code session; `/mcp` shows its servers",
    },
    // cursor.com/docs/mcp, "Configuration locations" and "STDIO server configuration".
    Client {
        name: "cursor",
        label: "Cursor",
        place: || Some(at(config::home()?.join(".cursor"), "mcp.json")),
        format: Format::Jsonc,
        key: "mcpServers",
        layout: Layout::Typed,
        reload: "Restart Cursor",
    },
    // code.visualstudio.com/docs/agents/reference/mcp-configuration: `servers` in the user profile's
    // mcp.json; code.visualstudio.com/docs/configure/settings: where that profile is.
    Client {
        name: "vscode",
        label: "VS Code",
        place: || {
            Some(at(
                config::applications()?.join("Code").join("User"),
                "mcp.json",
            ))
        },
        format: Format::Jsonc,
        key: "servers",
        layout: Layout::Typed,
        reload: "Run `MCP: List Servers` in VS Code and start keywright",
    },
    // developers.openai.com/codex/mcp and developers.openai.com/codex/config-reference.
    Client {
        name: "codex",
        label: "Codex",
        place: || {
            let own = env::read(&env::CODEX_HOME).map(PathBuf::from);
            Some(at(
                own.or_else(|| Some(config::home()?.join(".codex")))?,
                "config.toml",
            ))
        },
        format: Format::Toml,
        key: "mcp_servers",
        layout: Layout::Usual,
        reload: "Start a new Codex session; `/mcp` shows its servers",
    },
    // geminicli.com/docs/reference/configuration, "Settings files" and "mcpServers".
    Client {
        name: "gemini",
        label: "Gemini CLI",
        place: || {
            let own = env::read(&env::GEMINI_CLI_HOME).map(PathBuf::from);
            Some(at(
                own.or_else(config::home)?.join(".gemini"),
                "settings.json",
            ))
        },
        format: Format::Jsonc,
        key: "mcpServers",
        layout: Layout::Usual,
        reload: "Start a new Gemini CLI session; `/mcp` shows its servers",
    },
    // docs.windsurf.com/windsurf/cascade/mcp, "mcp_config.json".
    Client {
        name: "windsurf",
        label: "Windsurf",
        place: || {
            Some(at(
                config::home()?.join(".codeium").join("windsurf"),
                "mcp_config.json",
            ))
        },
        format: Format::Jsonc,
        key: "mcpServers",
        layout: Layout::Usual,
        reload: "Press refresh in Windsurf's list of MCP servers",
    },
    // zed.dev/docs/ai/mcp, "As Custom Servers"; zed.dev/docs/configuring-zed, "Settings files".
    Client {
        name: "zed",
        label: "Zed",
        place: || {
            let folder = if cfg!(target_os = "macos") {
                config::home()?.join(".config")
            } else {
                config::settings()?
            };
            Some(at(folder.join("zed"), "settings.json"))
        },
        format: Format::Jsonc,
        key: "context_servers",
        layout: Layout::Usual,
        reload: "Zed reads it at once; its agent settings show the server",
    },
    // block.github.io/goose/docs/guides/config-files, "Extensions Configuration"; its folder is that
    // of the XDG Base Directory Specification on macOS, too.
    Client {
        name: "goose",
        label: "goose",
        place: || Some(at(config::settings()?.join("goose"), "config.yaml")),
        format: Format::Yaml,
        key: "extensions",
        layout: Layout::Goose,
        reload: "Start a new goose session",
    },
    // lmstudio.ai/docs/app/mcp: it follows Cursor's notation, and the file is in ~/.lmstudio. An
    // older installation keeps its folder, github.com/lmstudio-ai/lmstudio-bug-tracker/issues/1371.
    Client {
        name: "lm-studio",
        label: "LM Studio",
        place: || {
            let usual = config::home()?.join(".lmstudio");
            let older = config::home()?.join(".cache").join("lm-studio");
            let is_older = !usual.is_dir() && older.is_dir();
            Some(at(if is_older { older } else { usual }, "mcp.json"))
        },
        format: Format::Jsonc,
        key: "mcpServers",
        layout: Layout::Usual,
        reload: "Switch keywright on in LM Studio's list of MCP servers",
    },
];

/// What the clients are called in commands.
pub(crate) const NAMES: [&str; ALL.len()] = {
    let mut names = [""; ALL.len()];
    let mut at = 0;
    while at < ALL.len() {
        names[at] = ALL[at].name;
        at += 1;
    }
    names
};

/// A file in a folder that is there if the client is installed.
fn at(folder: PathBuf, file: &str) -> Place {
    Place {
        file: folder.join(file),
        folder,
    }
}

impl Client {
    /// The client that is called `name` in commands.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|client| client.name == name)
    }

    /// Where it keeps its servers. `None` where nobody knows whose folder is meant.
    pub(crate) fn place(&self) -> Option<Place> {
        (self.place)()
    }

    /// Our entry as this client writes a server down.
    pub(super) fn entry(&self, start: &Start) -> Value {
        let Start { command, args, env } = start;
        let env: serde_json::Map<_, _> = env
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect();
        match self.layout {
            Layout::Usual => json!({ "command": command, "args": args, "env": env }),
            Layout::Typed => {
                json!({ "type": "stdio", "command": command, "args": args, "env": env })
            }
            Layout::Goose => json!({
                "enabled": true,
                "type": "stdio",
                "name": document::NAME,
                "description": "Tokens for agents, scripts and integrations",
                "cmd": command,
                "args": args,
                "envs": env,
                "env_keys": [],
                "timeout": 300,
            }),
        }
    }

    /// How the client starts our server, if `file` has an entry of ours that does.
    pub(crate) fn start_in(&self, file: &ClientFile) -> Result<Option<Start>, Odd> {
        let Some(text) = &file.text else {
            return Ok(None);
        };
        let read = self.format.read(text)?;
        let entry = document::found(&read, self.key);
        Ok(entry.and_then(|entry| self.start(entry)))
    }

    /// How `entry` starts a server, if it does.
    pub(super) fn start(&self, entry: &Value) -> Option<Start> {
        let (command, env) = match self.layout {
            Layout::Usual | Layout::Typed => ("command", "env"),
            Layout::Goose => ("cmd", "envs"),
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let args = entry.get("args").and_then(Value::as_array);
        let env = entry.get(env).and_then(Value::as_object);
        Some(Start {
            command: entry.get(command).and_then(text)?,
            args: args.into_iter().flatten().filter_map(text).collect(),
            env: env
                .into_iter()
                .flatten()
                .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
                .collect(),
        })
    }
}

impl Start {
    /// Where its token is.
    pub(super) fn token_file(&self) -> Option<&Path> {
        let mut env = self.env.iter();
        env.find_map(|(name, value)| (name == TOKEN_FILE).then_some(Path::new(value)))
    }
}
