//! Standard output: a person's eyes, or whatever was put there by name.

use std::io::{self, IsTerminal as _, Write as _};

use super::Destination;
use crate::{
    authority::{Claimed, Sink},
    domain::credential::PlainToken,
    wire::token::{NewToken, Token},
};

/// A person's eyes.
pub(super) struct Terminal;

/// Whatever standard output is.
pub(super) struct Stdout;

/// Standard output, for the record and the value in it.
pub(super) struct JsonStdout(pub(super) Option<Token>);

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
        self.0 = Some(claimed.into());
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

impl Destination for Terminal {
    fn change(&self) -> String {
        "The value would be shown here, once.".to_owned()
    }
}

impl Destination for Stdout {
    fn change(&self) -> String {
        "The value would go to standard output.".to_owned()
    }
}

impl Destination for JsonStdout {
    fn learn_record(&mut self, record: &Token) {
        self.0 = Some(record.clone());
    }

    fn change(&self) -> String {
        Stdout.change()
    }
}

fn print(value: &PlainToken) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(value.expose().as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}
