//! Other people's programs: found on the path, and told what they need to know on their standard
//! input, where nobody else reads along. A value is never in their arguments.

use std::{
    io::{self, Read as _, Write as _},
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use zeroize::Zeroizing;

use crate::{
    config::env,
    domain::{credential, text::escaped},
};

/// How long a program may take that asks nobody.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long one may take that asks a person, who may have to type a password.
const PATIENCE_WITH_A_PERSON: Duration = Duration::from_mins(2);

/// No value is longer, nor is what is said about it.
const LONGEST: u64 = 64 << 10;

/// What became of a program.
struct Ended {
    status: ExitStatus,
    printed: Zeroizing<Vec<u8>>,
    said: String,
}

/// The program of that name, if it is installed. A folder that is named from here is not searched:
/// what lies there is anybody's.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let path = env::read(&env::PATH)?;
    path.split(':')
        .map(Path::new)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| is_program(path))
}

/// This program, by a name that an upgrade leaves in place where there is one.
pub(super) fn ours() -> io::Result<PathBuf> {
    let running = std::env::current_exe()?;
    let real = running.canonicalize().ok();
    let named = find("keywright").filter(|named| named.canonicalize().ok() == real);
    Ok(named.unwrap_or(running))
}

/// Whether `path` is a file that somebody may run.
pub(super) fn is_program(path: &Path) -> bool {
    let found = path.metadata();
    found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Runs `command`, which reads `input`, and must succeed.
pub(super) fn feed(command: Command, input: &[u8]) -> io::Result<()> {
    succeeded(command, Some(input), PATIENCE).map(drop)
}

/// Runs `command`, which reads `input`, may ask a person, and must succeed.
pub(super) fn ask(command: Command, input: &[u8]) -> io::Result<()> {
    succeeded(command, Some(input), PATIENCE_WITH_A_PERSON).map(drop)
}

/// What `command` prints; it must succeed.
pub(super) fn printed(command: Command) -> io::Result<Zeroizing<Vec<u8>>> {
    succeeded(command, None, PATIENCE).map(|ended| ended.printed)
}

/// Runs `command`, which must have nothing to complain of, whether it succeeds or not.
pub(super) fn is_silent(mut command: Command) -> io::Result<()> {
    let ended = run(&mut command, None, PATIENCE)?;
    if ended.said.trim().is_empty() {
        Ok(())
    } else {
        Err(complaint(&command, &ended.said))
    }
}

fn succeeded(mut command: Command, input: Option<&[u8]>, patience: Duration) -> io::Result<Ended> {
    let ended = run(&mut command, input, patience)?;
    if ended.status.success() {
        Ok(ended)
    } else {
        Err(complaint(&command, &ended.said))
    }
}

fn run(command: &mut Command, input: Option<&[u8]>, patience: Duration) -> io::Result<Ended> {
    let (stdin, stdout) = match input {
        // What serves a clipboard goes on in the background, and must keep no pipe of ours open.
        Some(_) => (Stdio::piped(), Stdio::null()),
        None => (Stdio::null(), Stdio::piped()),
    };
    command
        // It goes on when the terminal is told to stop us.
        .process_group(0)
        .stdin(stdin)
        .stdout(stdout)
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|error| complaint(command, &error.to_string()))?;
    let wrote = match (child.stdin.take(), input) {
        (Some(mut pipe), Some(input)) => pipe.write_all(input),
        (Some(_) | None, _) => Ok(()),
    };
    let status =
        end(&mut child, patience).map_err(|error| complaint(command, &error.to_string()))?;
    // Reserved whole, so that growing leaves no copy behind.
    let mut printed = Zeroizing::new(Vec::with_capacity(8 << 10));
    if let Some(pipe) = child.stdout.take() {
        drop(until_nothing_more(pipe, &mut printed));
    }
    let mut said = Vec::new();
    if let Some(pipe) = child.stderr.take() {
        drop(until_nothing_more(pipe, &mut said));
    }
    if status.success() {
        wrote.map_err(|error| complaint(command, &error.to_string()))?;
    }
    Ok(Ended {
        status,
        printed,
        said: String::from_utf8_lossy(&said).into_owned(),
    })
}

/// Reads what was written so far, and waits for nobody who still holds the other end.
fn until_nothing_more(pipe: impl io::Read + std::os::fd::AsFd, to: &mut Vec<u8>) -> io::Result<()> {
    fcntl(&pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    pipe.take(LONGEST).read_to_end(to)?;
    Ok(())
}

/// Waits for `child`, but not for ever.
fn end(child: &mut Child, patience: Duration) -> io::Result<ExitStatus> {
    let since = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if since.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::other(format!(
                "there was no answer within {} seconds",
                patience.as_secs()
            )));
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn complaint(command: &Command, said: &str) -> io::Error {
    let name = Path::new(command.get_program()).file_name();
    let name = name.unwrap_or_default().display().to_string();
    let said = said.lines().map(str::trim).find(|line| !line.is_empty());
    // It was told a value, and may repeat what it was told.
    let said = credential::without_values(&escaped(said.unwrap_or("nothing")));
    // Some say their own name first.
    let said = said.strip_prefix(&format!("{name}: ")).unwrap_or(&said);
    io::Error::other(format!("`{name}` failed, and says: {said}"))
}
