//! The picture `error table`: every refusal there is, by its code, what an agent is told, what a
//! person at a shell is told, and the exit code.

use std::{fmt::Write as _, io, path::PathBuf, process::ExitCode};

use super::error::Failure;
use crate::{
    authority::{Conflict, Error, Question, Thing, Withheld},
    authz::Why,
    crypto::keyring::KeyError,
    domain::{
        account::Role,
        actor::Actor,
        clock,
        id::{RequestId, TokenId},
        label::Label,
        scope::Scope,
        token::State,
    },
    mcp, store, vault,
    wire::problem::Problem,
};

/// The one after it. A new variant does not compile until it has a place here.
fn next_why(why: &Why) -> Option<Why> {
    Some(match why {
        Why::Unknown => Why::Scope(Scope::WRITE_TOKENS),
        Why::Scope(scope) if *scope == Scope::WRITE_TOKENS => Why::Scope(Scope::READ_SECRETS),
        Why::Scope(_) => Why::Escalation(Scope::READ_SECRETS),
        Why::Escalation(_) => Why::Outlives,
        Why::Outlives => Why::Widens(Scope::READ_SECRETS),
        Why::Widens(_) => Why::Prolongs,
        Why::Prolongs => Why::Hidden,
        Why::Hidden => Why::Role(Role::Admin),
        Why::Role(_) => Why::NotYours,
        Why::NotYours => Why::OwnClaim,
        Why::OwnClaim => Why::Oneself,
        Why::Oneself => Why::PersonDisabled,
        Why::PersonDisabled => Why::OperatorOnly,
        Why::OperatorOnly => return None,
    })
}

fn next_thing(thing: Thing) -> Option<Thing> {
    Some(match thing {
        Thing::Token => Thing::CliToken,
        Thing::CliToken => Thing::Claim,
        Thing::Claim => Thing::AppEnv,
        Thing::AppEnv => Thing::User,
        Thing::User => Thing::Account,
        Thing::Account => Thing::Member,
        Thing::Member => Thing::Something,
        Thing::Something => return None,
    })
}

fn next_conflict(conflict: &Conflict) -> Option<Conflict> {
    let at = clock::from_millis(1_800_000_000_000);
    Some(match conflict {
        Conflict::State(State::Unclaimed) => Conflict::State(State::Active),
        Conflict::State(State::Active) => Conflict::State(State::Disabled),
        Conflict::State(State::Disabled) => Conflict::State(State::Expired),
        Conflict::State(State::Expired) => Conflict::State(State::Revoked),
        Conflict::State(State::Revoked) => Conflict::ClaimUsed(at),
        Conflict::ClaimUsed(_) => Conflict::ClaimOver(at),
        Conflict::ClaimOver(_) => Conflict::OpenerGone,
        Conflict::OpenerGone => Conflict::Overtaken,
        Conflict::Overtaken => Conflict::OtherArguments,
        Conflict::OtherArguments => Conflict::Taken("username"),
        Conflict::Taken(_) => Conflict::Member,
        Conflict::Member => Conflict::KnownElsewhere,
        Conflict::KnownElsewhere => Conflict::LastAdmin,
        Conflict::LastAdmin => return None,
    })
}

fn next_vault(error: &vault::Error) -> Option<vault::Error> {
    let path = || PathBuf::from("/srv/vault.key");
    Some(match error {
        vault::Error::Missing(_) => vault::Error::Damaged(path(), KeyError::Title),
        vault::Error::Damaged(..) => vault::Error::Exposed(path(), "can be read by others".into()),
        vault::Error::Exposed(..) => vault::Error::WrongKey {
            path: path(),
            needed: "k1".into(),
            held: "k2".into(),
        },
        vault::Error::WrongKey { .. } => vault::Error::Altered,
        vault::Error::Altered => vault::Error::WrongPermit,
        vault::Error::WrongPermit => vault::Error::Io(path(), io::Error::other("the disk is gone")),
        vault::Error::Io(..) => return None,
    })
}

fn next_withheld(why: Withheld) -> Option<Withheld> {
    Some(match why {
        Withheld::Declined => Withheld::Mistyped,
        Withheld::Mistyped => Withheld::Unanswered,
        Withheld::Unanswered => Withheld::Changed,
        Withheld::Changed => Withheld::TooMany,
        Withheld::TooMany => Withheld::NobodyToAsk,
        Withheld::NobodyToAsk => return None,
    })
}

fn next_store(error: &store::Error) -> Option<store::Error> {
    Some(match error {
        store::Error::Unavailable(_) => store::Error::Corrupt("a page is torn".into()),
        store::Error::Corrupt(_) => store::Error::Refused("the store is newer".into()),
        store::Error::Refused(_) => store::Error::Conflict,
        store::Error::Conflict => return None,
    })
}

fn every_error() -> Vec<Error> {
    use std::iter::successors;

    let mut errors = vec![Error::Unauthenticated];
    // `Unknown` becomes `Unauthenticated` at the door.
    errors.extend(successors(next_why(&Why::Unknown), next_why).map(Error::Denied));
    let things = successors(Some(Thing::Token), |thing| next_thing(*thing));
    errors.extend(things.map(Error::NotFound));
    errors.push(Error::invalid("expires", "it is in the past"));
    let first = Conflict::State(State::Unclaimed);
    errors.extend(successors(Some(first), next_conflict).map(Error::Conflict));
    let first = store::Error::Unavailable("the disk is full".into());
    errors.extend(successors(Some(first), next_store).map(Error::Store));
    let first = vault::Error::Missing("/srv/vault.key".into());
    errors.extend(successors(Some(first), next_vault).map(Error::Vault));
    errors.push(Error::Unconfirmed(Box::new(Question {
        token: TokenId::from(uuid::Uuid::nil()),
        label: Label::parse("nightly").expect("a label"),
        prefix: None,
        with_it: 0,
        asked_by: Actor::Operator,
    })));
    let first = Withheld::Declined;
    errors.extend(successors(Some(first), |why| next_withheld(*why)).map(Error::Withheld));
    errors.push(Error::Sink(io::Error::other("the disk is full")));
    errors
}

fn row(error: Error) -> String {
    let request = "0198c1c0-0000-7000-8000-000000000000";
    let request: RequestId = request.parse::<uuid::Uuid>().expect("a UUID").into();
    let problem = Problem::of(&error, request);
    let mut row = format!("{error:?}\n");
    writeln!(row, "  mcp   {}", mcp::error::text(&problem)).expect("a String takes all");
    let failure = Failure::Refused(error);
    let exit = match failure.code() {
        code if code == ExitCode::from(2) => 2,
        code if code == ExitCode::from(1) => 1,
        _ => 0,
    };
    let words = failure.words(false).unwrap_or_default();
    writeln!(row, "  exit {exit} {}", words.replace('\n', "\n        "))
        .expect("a String takes all");
    row
}

#[test]
fn error_table() {
    let rows: Vec<_> = every_error().into_iter().map(row).collect();
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn whoever_is_refused_is_told_how_to_mend_it() {
    for error in every_error() {
        let problem = Problem::of(&error, RequestId::fresh());
        let is_mended = problem.you_can.is_some() || problem.only_the_person_can.is_some();
        assert!(is_mended, "{error:?}");
    }
}
