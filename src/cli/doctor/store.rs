//! The store: whether it is there, opens, is whole and was not rewritten; its key; the clock; and
//! runs that were cut short.

use super::finding::Findings;
use crate::{
    authority::{Authority, ReadAudit},
    cli::{error::Failure, run::locks::Locks, serve::House},
    domain::{
        clock::{self, Clock, Time},
        page::Limit,
    },
    wire::audit::Verification,
};

/// How far the clock may be behind what was written down last: it is set to and fro a little.
const SLACK: chrono::Duration = chrono::Duration::minutes(1);

/// Looks at all of it. Answers whether the store opens.
pub(super) async fn examine(house: &House, findings: &mut Findings) -> bool {
    let path = house.store();
    let shown = path.display();
    if !house.is_there() {
        findings.warning(
            "store",
            format!("there is none at {shown}"),
            "`keywright connect CLIENT` makes one; or name yours with `--store FILE`",
        );
        return false;
    }
    let authority = match house.authority().await {
        Ok(authority) => authority,
        Err(failure) => {
            findings.failed("store", &failure);
            return false;
        }
    };
    let looked = [
        whole(house, authority, findings).await,
        unaltered(house, authority, findings).await,
        on_time(house, authority, findings).await,
    ];
    for failure in looked.into_iter().filter_map(Result::err) {
        findings.failed("store", &failure);
    }
    runs(house, findings);
    true
}

async fn whole(
    house: &House,
    authority: &Authority,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let checked = authority.check_store(&house.operator()).await?;
    let shown = house.store().display().to_string();
    match checked.damage.as_slice() {
        [] => findings.ok("store", format!("{shown} opens, is private and whole")),
        damage => findings.problem(
            "store",
            format!("{shown} is damaged: {}", damage.join("; ")),
            "stop every keywright, and put a backup of the store back",
        ),
    }
    match checked.key {
        None => findings.ok("vault key", "it opens all that is sealed"),
        // Its words say how to mend it.
        Some(why) => findings.failed("vault key", &Failure::Failed(anyhow::anyhow!(why))),
    }
    Ok(())
}

async fn unaltered(
    house: &House,
    authority: &Authority,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let verified = authority
        .verify_audit(&house.operator(), Vec::new())
        .await?;
    let view = Verification::from(&verified);
    if view.sound {
        let says = format!("unbroken, and {} rows are as it left them", view.rows);
        findings.ok("audit trail", says);
    } else {
        let says = match view.faults.len() {
            1 => "it does not fit in one place".to_owned(),
            places => format!("it does not fit in {places} places"),
        };
        findings.problem("audit trail", says, "see which: keywright audit verify");
    }
    Ok(())
}

async fn on_time(
    house: &House,
    authority: &Authority,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let mut newest: Option<Time> = None;
    for system in [false, true] {
        let read = ReadAudit {
            system,
            limit: Limit::ONE,
            ..ReadAudit::default()
        };
        let page = authority.read_audit(&house.operator(), read).await?;
        newest = newest.max(page.rows.first().map(|record| record.at));
    }
    clock(Clock::System.now(), newest, findings);
    Ok(())
}

/// A clock that is behind what has happened lets tokens live longer than they may.
fn clock(now: Time, newest: Option<Time>, findings: &mut Findings) {
    match newest {
        Some(newest) if now + SLACK < newest => findings.problem(
            "clock",
            format!(
                "it says {}, and the newest entry of the audit trail is of {}: tokens live too long",
                clock::rfc3339(now),
                clock::rfc3339(newest)
            ),
            "set the clock, such as with `timedatectl set-ntp true`",
        ),
        Some(_) | None => findings.ok("clock", "not behind the audit trail"),
    }
}

/// A run holds a lock for each of its tokens; one that nobody holds was left behind.
fn runs(house: &House, findings: &mut Findings) {
    let left = match Locks::of(house.store()).left_behind() {
        Ok(left) => left,
        Err(error) => return findings.broken("runs", &error),
    };
    if left.is_empty() {
        findings.ok("runs", "none was cut short");
    }
    for lock in left {
        findings.warning(
            "runs",
            format!("a run with the token {} was cut short", lock.token),
            format!(
                "the next `keywright run` ends it; at once: keywright token revoke {}",
                lock.token
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};

    fn level(now: i64, newest: Option<i64>) -> Level {
        let mut findings = Findings::default();
        let newest = newest.map(clock::from_millis);
        clock(clock::from_millis(now), newest, &mut findings);
        findings.0[0].level
    }

    #[test]
    fn a_clock_behind_what_has_happened_is_a_problem() {
        assert_eq!(level(1_000_000, None), Level::Ok);
        assert_eq!(level(1_000_000, Some(999_999)), Level::Ok);
        assert_eq!(level(1_000_000, Some(1_060_000)), Level::Ok);
        assert_eq!(level(1_000_000, Some(1_060_001)), Level::Problem);
    }
}
