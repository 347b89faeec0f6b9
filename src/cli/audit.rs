//! `keywright audit`: what happened, and whether it was rewritten.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _},
    path::Path,
};

use super::{
    args,
    error::Failure,
    output::{self, Output, Table},
    serve::House,
    token::written,
    words,
};
use crate::{
    authority::{Authority, Error, Known, ReadAudit},
    authz::Action,
    wire::audit::{self, AuditRecords, ExportedRecord, Verification},
};

/// Does what was typed.
pub(super) async fn run(house: &House, out: Output, asked: args::Audit) -> Result<(), Failure> {
    match asked {
        args::Audit::List {
            since,
            action,
            token,
            system,
            page,
        } => {
            let (limit, cursor) = words::page(&page)?;
            let read = ReadAudit {
                system,
                since: words::maybe("--since", since.as_deref())?,
                action: action
                    .as_deref()
                    .map(|text| Action::named(text).map_err(|why| Error::invalid("--action", why)))
                    .transpose()?,
                token: words::maybe("--token", token.as_deref())?,
                limit,
                cursor,
            };
            let page = house
                .authority()
                .await?
                .read_audit(&house.operator(), read)
                .await?;
            written(out.show(&AuditRecords::from(&page), list))
        }
        args::Audit::Export => {
            let authority = house.authority().await?;
            let entries = export(authority, house).await.inspect_err(|_| {
                output::tell(
                    "Not all of the trail was written: export it again. `keywright audit verify` \
                     says whether an entry cannot be read.",
                );
            })?;
            output::tell(&format!(
                "{entries} entries. Keep them where whoever owns this machine does not write, and \
                 what was kept before, too; `keywright audit verify --against FILE` finds what was \
                 rewritten since."
            ));
            Ok(())
        }
        args::Audit::Verify { against } => {
            let known = against.as_deref().map(known).transpose()?;
            let is_against = known.is_some();
            let verified = house
                .authority()
                .await?
                .verify_audit(&house.operator(), known.unwrap_or_default())
                .await?;
            let view = Verification::from(&verified);
            written(out.show(&view, verification))?;
            if view.sound {
                return Ok(());
            }
            if is_against {
                output::tell(
                    "Entries that were kept are missed, too, where a backup was put back, or where \
                     the file is of another store.",
                );
            }
            Err(Failure::Told)
        }
    }
}

/// No line of an export is longer.
const LONGEST: u64 = 64 << 10;

/// Writes every entry, a piece at a time; how many there are.
async fn export(authority: &Authority, house: &House) -> Result<usize, Failure> {
    let (mut entries, mut from) = (0, None);
    loop {
        let piece = authority.export_audit(&house.operator(), from).await?;
        let mut lines = String::new();
        for record in &piece.records {
            let line = serde_json::to_string(&ExportedRecord::from(record));
            lines.push_str(&line.map_err(|error| Failure::Failed(error.into()))?);
            lines.push('\n');
        }
        written(output::write_all(&lines))?;
        entries += piece.records.len();
        from = piece.next;
        if from.is_none() {
            return Ok(entries);
        }
    }
}

/// The entries of an export.
fn known(path: &Path) -> Result<Vec<Known>, Failure> {
    let unusable = |why: String| {
        let why = format!("expected what `keywright audit export` wrote; {why}");
        Failure::from(Error::invalid("--against", why))
    };
    let failed = |error: io::Error| unusable(format!("`{}`: {error}", path.display()));
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let mut known = Vec::new();
    for number in 1.. {
        let mut line = Vec::new();
        let length = file.by_ref().take(LONGEST).read_until(b'\n', &mut line);
        if length.map_err(failed)? == 0 {
            break;
        }
        // As editors leave them.
        let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        let entry = audit::known(line);
        known.push(entry.map_err(|why| unusable(format!("line {number}: {why}")))?);
    }
    if known.is_empty() {
        return Err(unusable("there is no entry in it".to_owned()));
    }
    Ok(known)
}

fn list(view: &AuditRecords) -> String {
    let mut table = Table::new([
        "NO", "AT", "WHO", "THROUGH", "ACTION", "TARGET", "OUTCOME", "WHY",
    ])
    .without_in_need(["THROUGH", "TARGET", "WHO"]);
    for record in &view.records {
        let outcome = match record.count {
            1 => record.outcome.clone(),
            count => format!("{} {count} times", record.outcome),
        };
        table.row([
            record.sequence.to_string(),
            record.at.clone(),
            record.actor.clone(),
            record.through.clone(),
            record.action.clone(),
            output::or_dash(record.target.as_deref()),
            outcome,
            output::or_dash(record.reason.as_deref()),
        ]);
    }
    output::page(&table, "No entries.", view.next_cursor.as_deref())
}

/// What was found, for eyes.
pub(super) fn verification(view: &Verification) -> String {
    let mut text = String::new();
    for chain in &view.chains {
        let whose = chain.account.as_deref().unwrap_or("the store itself");
        output::add(
            &mut text,
            format_args!("{whose}: {} entries, head {}\n", chain.records, chain.head),
        );
    }
    for fault in &view.faults {
        let whose = fault
            .account
            .as_deref()
            .map_or(String::new(), |id| format!("{id}: "));
        output::add(&mut text, format_args!("FAULT  {whose}{}\n", fault.fault));
    }
    if view.known > 0 {
        output::add(
            &mut text,
            format_args!(
                "{} entries are there as they were kept elsewhere.\n",
                view.known
            ),
        );
    }
    if view.sound {
        output::add(
            &mut text,
            format_args!(
                "All entries are chained, and {} rows are as they were left. That proves nothing \
                 against whoever owns this machine: keep what `keywright audit export` writes \
                 elsewhere.\n",
                view.rows
            ),
        );
    } else {
        text.push_str("Somebody changed the store behind Keywright's back, or it is damaged.\n");
    }
    text
}
