//! `keychain:NAME`: the desktop's store of secrets, through the platform's own program. The service
//! is `keywright`, the account is NAME; what stood there is replaced.
//!
//! A value is told on standard input, and read back before it counts as kept.

use std::{
    io,
    path::{Path, PathBuf},
    process::Command,
};

use zeroize::Zeroizing;

use super::{Destination, is_plain};
use crate::{
    authority::Sink,
    cli::{error::Failure, program},
    config::env,
    domain::{credential::PlainToken, sighting},
};

const SERVICE: &str = "keywright";

/// No name is longer.
const LONGEST: usize = 100;

/// A secret in the keychain.
pub(super) struct Keychain {
    name: String,
    tool: Option<PathBuf>,
}

impl Keychain {
    /// The secret that is called `name`.
    pub(super) fn named(name: &str) -> Result<Self, Failure> {
        let is_part = |b: u8| b.is_ascii_alphanumeric() || b"._@+/-".contains(&b);
        // It stands in the audit trail, where no value may, and where a program expects no option.
        let fits = name.len() <= LONGEST
            && !name.starts_with('-')
            && name.bytes().all(is_part)
            && !sighting::holds_value(name);
        if fits {
            Ok(Self {
                name: name.to_owned(),
                tool: None,
            })
        } else {
            Err(Failure::Misuse(format!(
                "the name in `--to keychain:NAME` is 1 to {LONGEST} letters, digits and `._@+/-`, \
                 the first no `-`"
            )))
        }
    }

    /// What finds the secret.
    fn attributes(&self) -> [&str; 4] {
        ["service", SERVICE, "account", &self.name]
    }

    fn store(&self, tool: &Path, value: &PlainToken) -> io::Result<()> {
        let mut command = Command::new(tool);
        if cfg!(target_os = "macos") {
            let value = value.expose();
            if !is_plain(value) {
                return Err(io::Error::other(
                    "this value, made elsewhere, has characters that `security` does not read as \
                     they are; take it with `--to file:PATH`",
                ));
            }
            // Its commands come on standard input, so that the value is in no argument.
            let words = [
                "add-generic-password -U -s ",
                SERVICE,
                " -a ",
                &self.name,
                " -w ",
                value,
                "\n",
            ];
            let length = words.iter().map(|word| word.len()).sum();
            let mut line = Zeroizing::new(String::with_capacity(length));
            for word in words {
                line.push_str(word);
            }
            command.arg("-i");
            return program::ask(command, line.as_bytes());
        }
        let label = format!("Keywright: {}", self.name);
        command
            .args(["store", "--label", &label])
            .args(self.attributes());
        program::ask(command, value.expose().as_bytes())
    }

    fn look_up(&self, tool: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut command = Command::new(tool);
        if cfg!(target_os = "macos") {
            command.args([
                "find-generic-password",
                "-s",
                SERVICE,
                "-a",
                &self.name,
                "-w",
            ]);
        } else {
            command.arg("lookup").args(self.attributes());
        }
        program::printed(command)
    }
}

impl Sink for Keychain {
    fn prepare(&mut self) -> io::Result<()> {
        self.tool = Some(tool()?);
        Ok(())
    }

    fn publish(&mut self, value: &PlainToken) -> io::Result<()> {
        let Some(tool) = &self.tool else {
            return Err(io::Error::other("the keychain was not looked for"));
        };
        self.store(tool, value).map_err(|error| {
            io::Error::other(format!("{error}; unlock the keychain, and try again"))
        })?;
        let kept = self.look_up(tool)?;
        if kept.trim_ascii_end() == value.expose().as_bytes() {
            Ok(())
        } else {
            Err(io::Error::other(
                "the keychain does not hold the value that it was given; unlock it, and try again",
            ))
        }
    }

    fn withdraw(&mut self) {
        self.tool = None;
    }

    fn name(&self) -> String {
        format!("keychain, as {}", self.name)
    }
}

impl Destination for Keychain {
    fn change(&self) -> String {
        format!(
            "The value would go to the keychain, as the secret of the service `{SERVICE}` and the \
             account `{}`, in place of one that is there.",
            self.name
        )
    }
}

/// The program that reaches the keychain, if there is a keychain to be reached.
fn tool() -> io::Result<PathBuf> {
    if cfg!(target_os = "macos") {
        return program::find("security")
            .ok_or_else(|| io::Error::other("there is no `security` here, which macOS brings"));
    }
    let Some(tool) = program::find("secret-tool") else {
        return Err(io::Error::other(
            "there is no `secret-tool` here to reach a keychain with; install it (Debian and \
             Ubuntu: libsecret-tools; Fedora and Arch: libsecret)",
        ));
    };
    let runtime = env::read(&env::XDG_RUNTIME_DIR).map(|folder| Path::new(&folder).join("bus"));
    let is_there = runtime.is_some_and(|bus| bus.exists());
    if !env::is_set(&env::DBUS_SESSION_BUS_ADDRESS) && !is_there {
        return Err(io::Error::other(
            "there is no session bus here, and so no keychain; pick the value up in a desktop \
             session, or with `--to file:PATH`",
        ));
    }
    // Nobody has this secret. Where there is a keychain, that is all that is said.
    let mut command = Command::new(&tool);
    command.args(["lookup", "service", SERVICE, "account", "", "is", "there"]);
    program::is_silent(command).map_err(|error| {
        io::Error::other(format!(
            "no keychain can be reached ({error}); start one that offers the Secret Service, such \
             as GNOME Keyring, KWallet or KeePassXC"
        ))
    })?;
    Ok(tool)
}
