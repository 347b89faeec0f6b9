//! Where a value goes: to the terminal, to standard output by name, or into a new file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, IsTerminal as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::error::Failure;
use crate::{
    authority::{Claimed, Sink},
    domain::{credential::PlainToken, text::quoted},
    wire::token::{NewToken, Token},
};

/// The sink that `text` names; for a pipe that reads JSON, one that writes the whole view.
pub(super) fn for_claim(text: &str, json: bool) -> Result<Box<dyn Sink>, Failure> {
    if json && text == "stdout" {
        return Ok(Box::new(JsonStdout(None)));
    }
    named(text)
}

/// The sink that `text` names.
pub(super) fn named(text: &str) -> Result<Box<dyn Sink>, Failure> {
    match (text, text.strip_prefix("file:")) {
        ("terminal", _) => Ok(Box::new(Terminal)),
        ("stdout", _) => Ok(Box::new(Stdout)),
        (_, Some(path)) if !path.is_empty() => Ok(Box::new(NewFile {
            path: PathBuf::from(path),
            file: None,
        })),
        _ => Err(Failure::Misuse(
            "`--to` takes `terminal`, `stdout` or `file:PATH`".to_owned(),
        )),
    }
}

/// A person's eyes.
struct Terminal;

/// Whatever standard output is.
struct Stdout;

/// Standard output, for the record and the value in it.
struct JsonStdout(Option<Token>);

/// A file that is not there yet.
struct NewFile {
    path: PathBuf,
    file: Option<File>,
}

impl Sink for Terminal {
    fn prepare(&mut self) -> io::Result<()> {
        if io::stdout().is_terminal() {
            Ok(())
        } else {
            Err(io::Error::other(
                "standard output is no terminal; say `--to stdout` or `--to file:PATH` where it is \
             to go",
            ))
        }
    }

    fn publish(&mut self, value: &PlainToken) -> io::Result<()> {
        print(value)
    }

    fn withdraw(&mut self) {}

    fn name(&self) -> String {
        "terminal".to_owned()
    }
}

impl Sink for Stdout {
    fn prepare(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn publish(&mut self, value: &PlainToken) -> io::Result<()> {
        print(value)
    }

    fn withdraw(&mut self) {}

    fn name(&self) -> String {
        "stdout".to_owned()
    }
}

impl Sink for JsonStdout {
    fn prepare(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn learn(&mut self, claimed: &Claimed) {
        self.0 = Some(Token::at(&claimed.token, claimed.at));
    }

    fn publish(&mut self, value: &PlainToken) -> io::Result<()> {
        let Some(record) = self.0.take() else {
            return Err(io::Error::other("the token is not known"));
        };
        let view = NewToken {
            record,
            token: Some(value.expose().to_owned().into()),
            claim: None,
            replayed: false,
        };
        let mut out = io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, &view)?;
        out.write_all(b"\n")?;
        out.flush()
    }

    fn withdraw(&mut self) {}

    fn name(&self) -> String {
        "stdout".to_owned()
    }
}

impl Sink for NewFile {
    fn prepare(&mut self) -> io::Result<()> {
        let refused = |error: io::Error| {
            let path = self.path.display();
            let why = if error.kind() == io::ErrorKind::AlreadyExists {
                format!("`{path}` is there already, and is never overwritten; name another")
            } else if let (io::ErrorKind::NotFound, Some(folder)) =
                (error.kind(), self.path.parent())
            {
                let folder = folder.display().to_string();
                format!(
                    "`{path}` has no folder to stand in; make it first: mkdir -p {}",
                    quoted(&folder)
                )
            } else {
                format!("`{path}` cannot be made: {error}; name another with `--to file:PATH`")
            };
            io::Error::new(error.kind(), why)
        };
        // A link at that name is something that is there, too.
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.path)
            .map_err(refused)?;
        self.file = Some(file);
        Ok(())
    }

    fn publish(&mut self, value: &PlainToken) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Err(io::Error::other("the file was not made"));
        };
        file.write_all(value.expose().as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        match self.path.parent() {
            Some(folder) if folder != Path::new("") => File::open(folder)?.sync_all(),
            Some(_) | None => Ok(()),
        }
    }

    fn withdraw(&mut self) {
        if self.file.take().is_some() {
            drop(fs::remove_file(&self.path));
        }
    }

    fn name(&self) -> String {
        "file".to_owned()
    }
}

fn print(value: &PlainToken) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(value.expose().as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}
