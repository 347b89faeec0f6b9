//! The whole policy as a picture: every kind of principal by every action by whose the thing is.

use std::fmt::Write as _;

use super::{
    ROLES, account,
    actions::{actions, family},
    all, ann, app_envs_token, bob, keywright, local, operator, other_account, other_app_env,
    scopes, token,
};
use crate::{
    authz::{Action, Principal, Why, decide},
    domain::{
        scope::Scopes,
        token::{Owner, Whose},
    },
};

/// A principal as a column: its heading in two lines, and itself as a member and as an admin.
type Column = (&'static str, &'static str, Vec<Principal>);

fn token_columns() -> Vec<Column> {
    let both = |scopes: &Scopes, narrowed: Option<&Scopes>| {
        ROLES
            .map(|role| token(scopes.clone(), role, narrowed.cloned()))
            .into()
    };
    let mut columns = vec![("no", "scope", both(&Scopes::default(), None))];
    for (verb, noun) in [
        ("read", "tokens"),
        ("write", "tokens"),
        ("delete", "tokens"),
        ("read", "secrets"),
        ("read", "envs"),
        ("write", "envs"),
        ("introspect", "tokens"),
        ("read", "audit"),
        ("manage", "account"),
    ] {
        columns.push((verb, noun, both(&scopes(&format!("{verb}:{noun}")), None)));
    }
    columns.push(("all", "scopes", both(&all(), None)));
    let narrowed = scopes("read:tokens write:tokens delete:tokens");
    columns.push(("all, to", "tokens", both(&all(), Some(&narrowed))));
    columns
}

fn other_columns() -> Vec<Column> {
    let usual = "read:tokens write:tokens delete:tokens read:envs";
    let every = all().to_string();
    vec![
        ("app env,", "all scopes", vec![app_envs_token()]),
        (
            "local",
            "session",
            ROLES.map(|role| local(usual, role)).into(),
        ),
        (
            "local,",
            "all scopes",
            ROLES.map(|role| local(&every, role)).into(),
        ),
        ("operator", "", vec![operator()]),
        ("Keywright", "", vec![keywright()]),
    ]
}

pub(super) fn word(principal: &Principal, action: &Action, whose: Option<Whose>) -> &'static str {
    let Err(denial) = decide(principal, action.clone(), whose) else {
        return "yes";
    };
    match denial.into_parts().0 {
        Why::Unknown => "unknown",
        Why::Scope(_) => "scope",
        Why::Escalation(_) => "escalation",
        Why::Outlives => "outlives",
        Why::Widens(_) => "widens",
        Why::Prolongs => "prolongs",
        Why::Hidden => "hidden",
        Why::Role(_) => "role",
        Why::NotYours => "not yours",
        Why::OwnClaim => "own claim",
        Why::Oneself => "oneself",
        Why::PersonDisabled => "person",
        Why::OperatorOnly => "operator",
    }
}

/// Whose a thing may be; the first is one's own.
pub(super) fn places() -> Vec<(&'static str, Option<Whose>)> {
    let owner = |account, owner| Some(Whose::Owner(account, owner));
    vec![
        ("one's own", None),
        ("nobody's, for it is not there", None),
        ("another member's", owner(account(), Owner::User(bob()))),
        ("the account's", Some(Whose::Account(account()))),
        (
            "an app environment's",
            owner(account(), Owner::AppEnv(other_app_env())),
        ),
        (
            "one's own in another account",
            owner(other_account(), Owner::User(ann())),
        ),
        (
            "a stranger's in another account",
            owner(other_account(), Owner::User(bob())),
        ),
        ("another account's", Some(Whose::Account(other_account()))),
        ("the system's", Some(Whose::System)),
    ]
}

fn cells(columns: &[Column], action: &Action, place: &str, whose: Option<Whose>) -> Vec<String> {
    let cell = |principal: &Principal| {
        let whose = match place {
            "one's own" => principal.whose(),
            _ => whose,
        };
        word(principal, action, whose)
    };
    let columns = columns.iter();
    columns
        .map(|(_, _, principals)| {
            let mut words: Vec<_> = principals.iter().map(cell).collect();
            words.dedup();
            words.join("/")
        })
        .collect()
}

/// One table. A family whose variants are all answered alike is one row.
fn table(columns: &[Column], place: &str, whose: Option<Whose>) -> String {
    let mut rows = vec![
        (String::new(), columns.iter().map(|c| c.0.into()).collect()),
        (String::new(), columns.iter().map(|c| c.1.into()).collect()),
    ];
    let actions = actions();
    for variants in actions.chunk_by(|(_, a), (_, b)| family(a) == family(b)) {
        let family = family(&variants[0].1);
        let answers: Vec<_> = variants
            .iter()
            .map(|(_, action)| cells(columns, action, place, whose))
            .collect();
        if answers.iter().all(|answer| *answer == answers[0]) {
            rows.push((family.to_owned(), answers[0].clone()));
            continue;
        }
        for ((name, _), answer) in variants.iter().zip(answers) {
            let name = if name.is_empty() {
                family.to_owned()
            } else {
                format!("{family}: {name}")
            };
            rows.push((name, answer));
        }
    }
    let widths: Vec<usize> = (0..columns.len())
        .map(|column| rows.iter().map(|row| row.1[column].len()).max().unwrap())
        .collect();
    let mut table = String::new();
    for (name, cells) in rows {
        write!(table, "  {name:28}").unwrap();
        for (cell, width) in cells.iter().zip(&widths) {
            write!(table, " {cell:width$}").unwrap();
        }
        table.truncate(table.trim_end().len());
        table.push('\n');
    }
    table
}

/// The whole policy as a picture: read the snapshot to review a change to it.
#[test]
fn permission_table() {
    let mut text = String::from(
        "Who may do what, by whose the thing is. Nobody is refused before any of it.\n\
         Where a member and an admin get different answers, both stand there: member/admin.\n\
         A family whose variants all get the same answers is one row.\n",
    );
    let mut drawn: Vec<(String, &str)> = Vec::new();
    for (place, whose) in places() {
        write!(text, "\n{}\n", place.to_uppercase()).unwrap();
        for (who, columns) in [("tokens", token_columns()), ("others", other_columns())] {
            let table = table(&columns, place, whose);
            if let Some((_, before)) = drawn.iter().find(|(before, _)| *before == table) {
                writeln!(text, "\n  {who}: as for what is {before}").unwrap();
                continue;
            }
            write!(text, "\n{table}").unwrap();
            drawn.push((table, place));
        }
    }
    assert!(text.lines().all(|line| line.len() < 200));
    insta::assert_snapshot!(text);
}
