//! The clients: what stands in each one's file, the token that it names, and whether the server
//! answers that token as it is started there.

use std::{fs, io::ErrorKind, os::unix::fs::MetadataExt as _, path::Path};

use super::{
    finding::{Finding, Findings},
    session,
};
use crate::{
    authority::Error,
    cli::{
        connect::{
            clients::{self, Client, Start},
            document,
            file::ClientFile,
            record::{Record, Shelf},
        },
        error::Failure,
        program,
        serve::House,
    },
    domain::{
        clock, sighting,
        text::quoted,
        token::{State, ends_soon},
    },
};

/// Looks at every client.
pub(super) async fn examine(house: &House, opens: bool, findings: &mut Findings) {
    let before = findings.0.len();
    for client in &clients::ALL {
        examine_one(house, opens, client, findings).await;
    }
    if findings.0.len() == before {
        findings.ok(
            "clients",
            "none is connected; see `keywright connect --list`",
        );
    }
}

async fn examine_one(house: &House, opens: bool, client: &'static Client, findings: &mut Findings) {
    let about = client.name;
    let shelf = Shelf::of(house, client.name);
    let record = match shelf.read() {
        Ok(record) => record,
        Err(why) => return findings.broken(about, &why),
    };
    let Some(place) = client.place() else { return };
    let looked = ClientFile::look(&place.file);
    if let Ok(file) = &looked {
        literal(client, file, findings);
    }
    let looked = looked.and_then(|file| Ok((client.start_in(&file)?, file)));
    let (start, file) = match looked {
        Ok(looked) => looked,
        Err(why) => {
            let says = format!("{} cannot be read: {why:#}", place.file.display());
            let mend = format!("correct it there; {} cannot read it, either", client.label);
            // A client that was never connected is not ours to judge.
            return match record {
                Some(_) => findings.problem(about, says, mend),
                None => findings.warning(about, says, mend),
            };
        }
    };
    match start {
        Some(start) if shelf.is_named_by(&start) => {
            let looked_at = Connected {
                client,
                start,
                shelf,
                record,
            };
            looked_at.examine(house, opens, findings).await;
        }
        Some(_) => findings.ok(
            about,
            format!(
                "`{}` in {} is not of this store's making, and was not looked into",
                document::NAME,
                file.path.display()
            ),
        ),
        None if record.is_some() => findings.warning(
            about,
            format!("it has a token, and no entry in {}", file.path.display()),
            format!("keywright connect {about}, or keywright disconnect {about}"),
        ),
        None => {}
    }
}

/// Values of ours that stand in a client's file, or in what is kept of it.
fn literal(client: &Client, file: &ClientFile, findings: &mut Findings) {
    let mut look = |path: &Path, text: &str, mode: u32| {
        let shown = path.display();
        let open = if mode & 0o044 == 0 {
            ""
        } else {
            ", which others may read"
        };
        for value in sighting::values_in(text).filter(|value| value.is_genuine) {
            let line = text[..value.at].matches('\n').count() + 1;
            let prefix = value.prefix.as_str();
            findings.warning(
                client.name,
                format!("a token, {prefix}…, stands in line {line} of {shown}{open}"),
                "end it, see `keywright token list` for its id: keywright token revoke ID; and take \
                 it out there",
            );
        }
    };
    if let Some(text) = &file.text {
        look(&file.path, text, file.mode);
    }
    let backup = file.backup();
    if let (Ok(text), Ok(found)) = (fs::read_to_string(&backup), fs::metadata(&backup)) {
        look(&backup, &text, found.mode());
    }
}

/// A client that is connected.
struct Connected {
    client: &'static Client,
    start: Start,
    shelf: Shelf,
    record: Option<Record>,
}

impl Connected {
    async fn examine(&self, house: &House, opens: bool, findings: &mut Findings) {
        let before = findings.0.len();
        self.program(findings);
        self.token_file(findings);
        if opens && let Err(failure) = self.token(house, findings).await {
            findings.failed(self.client.name, &failure);
        }
        // What is wrong already needs no second telling by the server.
        if findings.0[before..].iter().any(Finding::is_problem) {
            return;
        }
        if opens {
            self.server(findings).await;
        } else {
            let says = "its server cannot open the store";
            findings.problem(self.client.name, says, "see above");
        }
    }

    fn again(&self) -> String {
        format!("keywright connect {}", self.client.name)
    }

    fn program(&self, findings: &mut Findings) {
        let command = &self.start.command;
        if !program::is_program(Path::new(command)) {
            let says = format!("it starts `{command}`, which is no program");
            findings.problem(self.client.name, says, self.again());
        }
    }

    fn token_file(&self, findings: &mut Findings) {
        let (about, path) = (self.client.name, self.shelf.token_file());
        let shown = path.display().to_string();
        let folder = path.parent().unwrap_or(&path);
        if let Ok(found) = folder.symlink_metadata()
            && found.mode() & 0o777 != 0o700
        {
            findings.problem(
                about,
                format!(
                    "the folder of its token is open to others (mode {:04o})",
                    found.mode() & 0o7777
                ),
                format!("chmod 700 {}", quoted(folder)),
            );
        }
        match path.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                findings.problem(
                    about,
                    format!("its token file {shown} is gone"),
                    self.again(),
                );
            }
            Err(error) => {
                let says = format!("its token file {shown} cannot be looked at: {error}");
                findings.problem(about, says, self.again());
            }
            Ok(found) if found.is_file() && found.mode() & 0o077 != 0 => findings.problem(
                about,
                format!(
                    "others may read its token in {shown} (mode {:04o})",
                    found.mode() & 0o7777
                ),
                format!("chmod 600 {}, and then: {}", quoted(&path), self.again()),
            ),
            Ok(found) if !found.is_file() => {
                findings.problem(about, format!("{shown} is not a file"), self.again());
            }
            Ok(_) => {}
        }
    }

    /// What is known of its token.
    async fn token(&self, house: &House, findings: &mut Findings) -> Result<(), Failure> {
        let about = self.client.name;
        let record = self.record.as_ref();
        if record.is_some_and(|record| !record.ending.is_empty()) {
            findings.warning(about, "a token of before was not ended", self.again());
        }
        let id = record.and_then(|record| record.token.as_deref()?.parse().ok());
        let Some(id) = id else {
            findings.warning(about, "nobody wrote down which token it has", self.again());
            return Ok(());
        };
        let authority = house.authority().await?;
        let (token, at) = match authority.get_token(&house.operator(), id).await {
            Ok(found) => found,
            Err(Error::NotFound(_)) => {
                let says = format!("its token {id} is not in this store");
                findings.problem(about, says, self.again());
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let end = token.powers.expires_at;
        match token.state(at) {
            State::Active => {
                if let Some(end) = end.filter(|end| ends_soon(*end, at)) {
                    let says = format!("its token ends soon, at {}", clock::rfc3339(end));
                    findings.warning(about, says, self.again());
                }
            }
            State::Disabled => findings.problem(
                about,
                format!("its token {id} is disabled"),
                format!("keywright token update {id} --enable"),
            ),
            state @ (State::Unclaimed | State::Expired | State::Revoked) => {
                findings.problem(about, format!("its token {id} is {state}"), self.again());
            }
        }
        Ok(())
    }

    /// Starts the server as the client does, and asks who it is.
    async fn server(&self, findings: &mut Findings) {
        let about = self.client.name;
        let start = self.start.clone();
        // Processes and pipes block.
        let walked = tokio::task::spawn_blocking(move || session::walk(&start, session::PATIENCE));
        let answered = match walked.await.map_err(anyhow::Error::new) {
            Ok(Ok(answered)) => answered,
            Ok(Err(why)) | Err(why) => {
                let says = format!("its server does not answer as it should: {why:#}");
                return findings.problem(about, says, self.again());
            }
        };
        let known = self
            .record
            .as_ref()
            .and_then(|record| record.token.as_deref());
        if known.is_some() && known != answered.token.as_deref() {
            let says = "its server presents another token than was made for it";
            findings.problem(about, says, self.again());
        } else if answered.version != env!("CARGO_PKG_VERSION") {
            let says = format!(
                "it starts keywright {} at {}, and this is {}",
                answered.version,
                self.start.command,
                env!("CARGO_PKG_VERSION")
            );
            findings.warning(about, says, self.again());
        } else {
            findings.ok(about, "its server answers, and knows its token");
        }
    }
}
