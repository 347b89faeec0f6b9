//! `clipboard`: through the platform's own program, and cleared again.
//!
//! 1. A process of ours is started, in a session of its own, so that it outlives the terminal.
//! 2. The value goes to the clipboard, over standard input.
//! 3. The process is told the value's hash, waits, and clears the clipboard if that still holds it.

use std::{
    ffi::OsString,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use nix::unistd::setsid;

use super::Destination;
use crate::{
    authority::Sink,
    cli::{error::Failure, output, program},
    config::env,
    crypto::{digest, hex},
    domain::credential::PlainToken,
};

/// What the process is called by. No person types it, so that no help tells of it.
const CLEAR: &str = "clear-clipboard";

/// What the process says when it has detached itself and knows what to look for.
const READY: &str = "ready\n";

/// The clipboard of whoever sits in front of the screen.
pub(super) struct Clipboard {
    clear_after: u64,
    tools: Option<Tools>,
}

/// The programs that reach it.
struct Tools {
    copy: PathBuf,
    paste: PathBuf,
    how: &'static How,
}

/// How they are asked.
struct How {
    copy: (&'static str, &'static [&'static str]),
    paste: (&'static str, &'static [&'static str]),
    clear: &'static [&'static str],
}

const MACOS: [How; 1] = [How {
    copy: ("pbcopy", &[]),
    paste: ("pbpaste", &[]),
    clear: &[],
}];

const WAYLAND: [How; 1] = [How {
    copy: ("wl-copy", &["--type", "text/plain"]),
    paste: ("wl-paste", &["--no-newline"]),
    clear: &["--clear"],
}];

const X11: [How; 2] = [
    How {
        copy: ("xclip", &["-selection", "clipboard", "-in"]),
        paste: ("xclip", &["-selection", "clipboard", "-out"]),
        clear: &["-selection", "clipboard", "-in"],
    },
    How {
        copy: ("xsel", &["--clipboard", "--input"]),
        paste: ("xsel", &["--clipboard", "--output"]),
        clear: &["--clipboard", "--clear"],
    },
];

impl Clipboard {
    pub(super) fn new(clear_after: u64) -> Self {
        Self {
            clear_after,
            tools: None,
        }
    }

    /// Starts the process that clears it.
    fn clearer(&self) -> io::Result<Child> {
        Command::new(std::env::current_exe()?)
            .args([CLEAR, &self.clear_after.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
    }
}

impl Sink for Clipboard {
    fn prepare(&mut self) -> io::Result<()> {
        self.tools = Some(Tools::find()?);
        Ok(())
    }

    fn publish(&mut self, value: &PlainToken) -> io::Result<()> {
        let Some(tools) = &self.tools else {
            return Err(io::Error::other("the clipboard was not looked for"));
        };
        let mut clearer = self.clearer()?;
        let hash = hex::hex(value.hashed().as_bytes());
        let copied = tools.copy(value.expose().as_bytes());
        let told = copied.and_then(|()| tell(&mut clearer, &hash));
        if told.is_err() {
            // What nobody clears must not stay.
            drop((tools.clear(&hash), clearer.kill(), clearer.wait()));
        }
        told
    }

    fn withdraw(&mut self) {
        self.tools = None;
    }

    fn name(&self) -> String {
        "clipboard".to_owned()
    }
}

impl Destination for Clipboard {
    fn change(&self) -> String {
        format!(
            "The value would go to the clipboard, and be cleared from it after {} seconds.",
            self.clear_after
        )
    }

    fn told(&self) -> Option<String> {
        Some(format!(
            "The clipboard is cleared in {} seconds, unless it holds something else by then. A \
             program that remembers what was copied may keep the value.",
            self.clear_after
        ))
    }
}

/// Tells the process what to look for, and sees that it does.
fn tell(clearer: &mut Child, hash: &str) -> io::Result<()> {
    let failed = || io::Error::other("nobody is there to clear the clipboard again");
    let (Some(mut to), Some(from)) = (clearer.stdin.take(), clearer.stdout.take()) else {
        return Err(failed());
    };
    to.write_all(hash.as_bytes())?;
    drop(to);
    let mut said = String::new();
    BufReader::new(from).read_line(&mut said)?;
    if said == READY { Ok(()) } else { Err(failed()) }
}

/// After how many seconds the clipboard is to be cleared, if that is what we were started for.
pub(in crate::cli) fn is_to_clear(arguments: &[OsString]) -> Option<u64> {
    match arguments {
        [_, word, after] if word == CLEAR => after.to_str()?.parse().ok(),
        _ => None,
    }
}

/// Clears the clipboard after so long, if it holds what the hash on standard input is of.
pub(in crate::cli) async fn clear(after: u64) -> Result<(), Failure> {
    // Whoever was started in a session of its own already is fine, too.
    let _ = setsid();
    let mut hash = String::new();
    let failed = |error: io::Error| Failure::Failed(error.into());
    io::stdin()
        .take(64)
        .read_to_string(&mut hash)
        .map_err(failed)?;
    if hex::unhex::<32>(&hash).is_none() {
        return Err(Failure::Misuse(
            "this is for `--to clipboard`, which tells it on standard input what to clear"
                .to_owned(),
        ));
    }
    output::write(READY).map_err(failed)?;
    tokio::time::sleep(Duration::from_secs(after)).await;
    Tools::find()
        .and_then(|tools| tools.clear(&hash))
        .map_err(failed)
}

impl Tools {
    fn find() -> io::Result<Self> {
        let (known, place): (&[How], _) = if cfg!(target_os = "macos") {
            (&MACOS, "macOS")
        } else if env::is_set(&env::WAYLAND_DISPLAY) {
            (&WAYLAND, "Wayland")
        } else if env::is_set(&env::DISPLAY) {
            (&X11, "X11")
        } else {
            return Err(io::Error::other(
                "there is no clipboard here: neither `WAYLAND_DISPLAY` nor `DISPLAY` names a \
                 display; pick the value up on the machine whose screen you see, or with `--to \
                 terminal` or `--to file:PATH`",
            ));
        };
        let tools = known.iter().find_map(|how| {
            Some(Self {
                copy: program::find(how.copy.0)?,
                paste: program::find(how.paste.0)?,
                how,
            })
        });
        tools.ok_or_else(|| {
            let names: Vec<_> = known
                .iter()
                .map(|how| format!("`{}`", how.copy.0))
                .collect();
            io::Error::other(format!(
                "there is no program here to reach the clipboard of {place} with; install {}",
                names.join(" or ")
            ))
        })
    }

    fn copy(&self, value: &[u8]) -> io::Result<()> {
        let mut command = Command::new(&self.copy);
        command.args(self.how.copy.1);
        program::feed(command, value)
    }

    /// Clears it, if it holds what `hash` is of.
    fn clear(&self, hash: &str) -> io::Result<()> {
        let mut command = Command::new(&self.paste);
        command.args(self.how.paste.1);
        // Where there is nothing, the programs fail.
        let Ok(held) = program::printed(command) else {
            return Ok(());
        };
        if hex::hex(&digest::sha256(&held)) != hash {
            return Ok(());
        }
        let mut command = Command::new(&self.copy);
        command.args(self.how.clear);
        program::feed(command, b"")
    }
}
