//! Every environment variable that is read, declared once. The one reader of the environment.

/// A variable.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it sets, in a sentence.
    pub says: &'static str,
    /// The version that read it first.
    pub since: &'static str,
}

/// The store.
pub const STORE: Variable = Variable {
    name: "KEYWRIGHT_STORE",
    says: "The store's file, where `--store` does not name one.",
    since: "0.1.0",
};

/// The token of an MCP session.
pub const TOKEN: Variable = Variable {
    name: "KEYWRIGHT_TOKEN",
    says: "The token that `keywright mcp` presents with every call. Shell commands ignore it.",
    since: "0.1.0",
};

/// The file with the token of an MCP session.
pub const TOKEN_FILE: Variable = Variable {
    name: "KEYWRIGHT_TOKEN_FILE",
    says: "The file with the token that `keywright mcp` presents, read anew at every call, so that \
           a rotation reaches a running server. Shell commands ignore it.",
    since: "0.1.0",
};

/// The vault's key.
pub const KEY_FILE: Variable = Variable {
    name: "KEYWRIGHT_KEY_FILE",
    says: "The vault's key, where `--key-file` does not name it.",
    since: "0.1.0",
};

/// What tokens begin with.
pub const BRAND: Variable = Variable {
    name: "KEYWRIGHT_BRAND",
    says: "What new tokens begin with instead of `kw`. Older ones stay good.",
    since: "0.1.0",
};

/// What is logged.
pub const LOG: Variable = Variable {
    name: "KEYWRIGHT_LOG",
    says: "What is logged to standard error: a level, or targets with levels, such as \
           `keywright=debug`. By default `warn`, and for `serve` `warn,keywright::http=info`: \
           each request, of checks only those that are refused; \
           `keywright::http=debug` tells of all.",
    since: "0.1.0",
};

/// No colours.
pub const NO_COLOR: Variable = Variable {
    name: "NO_COLOR",
    says: "Set to anything, it turns colours off.",
    since: "0.1.0",
};

/// The platform's folder for a person's data.
pub const XDG_DATA_HOME: Variable = Variable {
    name: "XDG_DATA_HOME",
    says: "Where `keywright/store.db` is, unless a store is named.",
    since: "0.1.0",
};

/// The person's folder.
pub const HOME: Variable = Variable {
    name: "HOME",
    says: "Where the store and the files of clients are looked for, unless another variable says.",
    since: "0.1.0",
};

/// The person's folder for settings.
pub const XDG_CONFIG_HOME: Variable = Variable {
    name: "XDG_CONFIG_HOME",
    says: "Where `connect` looks for the files of clients that follow it, instead of in \
           `~/.config`.",
    since: "0.1.0",
};

/// Claude Code's folder.
pub const CLAUDE_CONFIG_DIR: Variable = Variable {
    name: "CLAUDE_CONFIG_DIR",
    says: "Claude Code's own: where `connect` looks for its file.",
    since: "0.1.0",
};

/// Codex's folder.
pub const CODEX_HOME: Variable = Variable {
    name: "CODEX_HOME",
    says: "Codex's own: where `connect` looks for its file.",
    since: "0.1.0",
};

/// Where Gemini CLI has its folder.
pub const GEMINI_CLI_HOME: Variable = Variable {
    name: "GEMINI_CLI_HOME",
    says: "Gemini CLI's own: where `connect` looks for its folder `.gemini`.",
    since: "0.1.0",
};

/// Where programs are.
pub const PATH: Variable = Variable {
    name: "PATH",
    says: "Where the platform's own programs are looked for: `git`, and those that reach a clipboard \
           or a keychain; and, for `connect`, a name of this program that an upgrade leaves in \
           place.",
    since: "0.1.0",
};

/// The display of a Wayland session.
pub const WAYLAND_DISPLAY: Variable = Variable {
    name: "WAYLAND_DISPLAY",
    says: "Where it is set, `--to clipboard` asks `wl-copy`.",
    since: "0.1.0",
};

/// The display of an X session.
pub const DISPLAY: Variable = Variable {
    name: "DISPLAY",
    says: "Where it is set, `--to clipboard` asks `xclip` or `xsel`.",
    since: "0.1.0",
};

/// The bus of a desktop session.
pub const DBUS_SESSION_BUS_ADDRESS: Variable = Variable {
    name: "DBUS_SESSION_BUS_ADDRESS",
    says: "The bus over which `--to keychain:NAME` reaches a keychain.",
    since: "0.1.0",
};

/// The platform's folder for what lives as long as a session.
pub const XDG_RUNTIME_DIR: Variable = Variable {
    name: "XDG_RUNTIME_DIR",
    says: "Where that bus is looked for, unless `DBUS_SESSION_BUS_ADDRESS` says.",
    since: "0.1.0",
};

/// Every variable, in the order shown to people.
pub const ALL: &[&Variable] = &[
    &STORE,
    &TOKEN,
    &TOKEN_FILE,
    &KEY_FILE,
    &BRAND,
    &LOG,
    &NO_COLOR,
    &XDG_DATA_HOME,
    &HOME,
    &XDG_CONFIG_HOME,
    &CLAUDE_CONFIG_DIR,
    &CODEX_HOME,
    &GEMINI_CLI_HOME,
    &PATH,
    &WAYLAND_DISPLAY,
    &DISPLAY,
    &DBUS_SESSION_BUS_ADDRESS,
    &XDG_RUNTIME_DIR,
];

/// What the variable is set to. Empty, or no text, is as good as not set.
#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the environment"
)]
pub fn read(variable: &Variable) -> Option<String> {
    std::env::var(variable.name)
        .ok()
        .filter(|text| !text.is_empty())
}

/// Whether the variable is set to anything, be it no text.
pub fn is_set(variable: &Variable) -> bool {
    std::env::var_os(variable.name).is_some_and(|value| !value.is_empty())
}
