//! `keywright audit`: what happened, and whether it was rewritten.

use super::{
    args,
    error::Failure,
    output::{self, Output, Table},
    serve::House,
    token::written,
    words,
};
use crate::{
    authority::{Error, ReadAudit},
    authz::Action,
    wire::audit::{AuditRecords, Verification},
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
        args::Audit::Verify => {
            let verified = house
                .authority()
                .await?
                .verify_audit(&house.operator())
                .await?;
            let view = Verification::from(&verified);
            written(out.show(&view, verification))?;
            if view.sound {
                Ok(())
            } else {
                Err(Failure::Told)
            }
        }
    }
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
    if view.sound {
        output::add(
            &mut text,
            format_args!(
                "All entries are chained, and {} rows are as they were left. Keep the heads \
                 elsewhere: they prove nothing against whoever owns this machine.\n",
                view.rows
            ),
        );
    } else {
        text.push_str("Somebody changed the store behind Keywright's back, or it is damaged.\n");
    }
    text
}
