//! The whole policy as a picture, and what must hold of every picture.

use std::fmt::Write as _;

use chrono::Duration;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::{
    account::{Role, Slug},
    actor::Actor,
    audit::Front,
    clock::{Time, from_millis},
    credential::HashedToken,
    id::{AccountId, AppEnvId, RequestId, TokenId, UserId},
    label::Label,
    scope::{OURS, Reach, Scope, Scopes},
    token::{Disabled, Kind, Owner, OwnerNow, Powers, Present, Presented, Standing, Token, Whose},
};

const ROLES: [Role; 2] = [Role::Member, Role::Admin];

fn now() -> Time {
    from_millis(1_800_000_000_000)
}

/// When every token of these tests ends.
fn end() -> Time {
    now() + Duration::days(30)
}

fn account() -> AccountId {
    Uuid::from_u128(1).into()
}

fn other_account() -> AccountId {
    Uuid::from_u128(2).into()
}

fn ann() -> UserId {
    Uuid::from_u128(3).into()
}

fn bob() -> UserId {
    Uuid::from_u128(4).into()
}

fn app_env() -> AppEnvId {
    Uuid::from_u128(5).into()
}

fn other_app_env() -> AppEnvId {
    Uuid::from_u128(6).into()
}

fn own_id() -> TokenId {
    Uuid::from_u128(7).into()
}

fn other_id() -> TokenId {
    Uuid::from_u128(8).into()
}

fn scopes(text: &str) -> Scopes {
    Scopes::parse(text.split_whitespace()).unwrap()
}

/// All that mean something here, and one that does not.
fn all() -> Scopes {
    let ours = OURS.map(|scope| scope.to_string()).join(" ");
    scopes(&format!("{ours} read:notes"))
}

/// Something that every token of these tests lacks, and most local sessions.
fn wide() -> Scopes {
    scopes("read:secrets write:notes")
}

fn request(credential: Credential) -> Request {
    Request {
        credential,
        front: Front::Mcp,
        id: RequestId::fresh(),
    }
}

fn bearer(narrowed: Option<Scopes>) -> Request {
    request(Credential::Token {
        hash: HashedToken::of("x"),
        narrowed,
    })
}

fn standing(role: Role) -> Standing {
    Standing {
        user: ann(),
        account: account(),
        active: true,
        role: Some(role),
    }
}

/// A token that is good until [`end`].
fn presented(scopes: Scopes, owner: Owner, owner_now: OwnerNow) -> Presented {
    Presented {
        token: Token {
            id: own_id(),
            kind: Kind::Pat,
            account: account(),
            owner,
            label: Label::parse("x").unwrap(),
            powers: Powers {
                scopes,
                expires_at: Some(end()),
            },
            created_at: now(),
            created_by: Actor::Operator,
            parent: None,
            last_used_at: None,
            disabled: None,
            revoked_at: None,
            present: Some(Present {
                generation: 1,
                prefix: None,
                generated_at: now(),
            }),
        },
        generation: 1,
        dies_at: None,
        owner: owner_now,
    }
}

fn anns(scopes: Scopes, role: Role) -> Presented {
    presented(scopes, Owner::User(ann()), OwnerNow::User(standing(role)))
}

fn token(scopes: Scopes, role: Role, narrowed: Option<Scopes>) -> Principal {
    let found = Found::Token(anns(scopes, role).into());
    recognize(&bearer(narrowed), found, now()).unwrap()
}

fn app_envs_token() -> Principal {
    let owner = Owner::AppEnv(app_env());
    let found = Found::Token(presented(all(), owner, OwnerNow::AppEnv).into());
    recognize(&bearer(None), found, now()).unwrap()
}

fn place(role: Role) -> Found {
    Found::Place {
        account: Some(account()),
        standing: Some(standing(role)),
    }
}

fn local(text: &str, role: Role) -> Principal {
    let credential = Credential::LocalSession {
        uid: 1000,
        account: Slug::default(),
        reach: Reach::WithEveryService(scopes(text)),
    };
    recognize(&request(credential), place(role), now()).unwrap()
}

fn operator() -> Principal {
    let credential = Credential::Operator {
        uid: 1000,
        account: Slug::default(),
    };
    recognize(&request(credential), place(Role::Admin), now()).unwrap()
}

fn keywright() -> Principal {
    recognize(&request(Credential::Keywright), Found::Nothing, now()).unwrap()
}

fn powers(scopes: Scopes, life: Option<Duration>) -> Powers {
    Powers {
        scopes,
        expires_at: life.map(|life| now() + life),
    }
}

/// Carries nothing, and is over soon.
fn small() -> Powers {
    powers(Scopes::default(), Some(Duration::days(1)))
}

fn update(id: TokenId, change: Change) -> Action {
    Action::UpdateToken { id, change }
}

/// Changes nothing of a token that carries one scope until [`end`].
fn no_change() -> Change {
    let before = powers(scopes("read:tokens"), Some(Duration::days(30)));
    Change {
        powers: before.clone(),
        before,
        relabels: false,
        enables: false,
        disables: false,
        by_person: false,
    }
}

/// What the table calls an action. A new one must be met here; then add it to the lists below.
fn family(action: &Action) -> &'static str {
    match action {
        Action::Authenticate => "authenticate",
        Action::Whoami => "whoami",
        Action::CreateToken { .. } => "create",
        Action::GetToken => "get",
        Action::ListTokens { .. } => "list",
        Action::UpdateToken { .. } => "update",
        Action::RotateToken { .. } => "rotate",
        Action::RevokeToken { .. } => "revoke",
        Action::RevealUserToken(_) => "reveal user's",
        Action::RevealAppEnvToken(_) => "reveal env's",
        Action::ListAppEnvs | Action::CreateAppEnv | Action::DeleteAppEnv => "envs",
        Action::IntrospectToken => "introspect",
        Action::ReadAudit { .. } => "audit",
        Action::ClaimToken
        | Action::ListClaims
        | Action::SetCliToken
        | Action::ListUsers
        | Action::CreateUser
        | Action::UpdateUser
        | Action::ListAccounts
        | Action::CreateAccount
        | Action::SetMembership
        | Action::RemoveMembership
        | Action::CheckStore
        | Action::VerifyAudit => "shell",
        Action::FoundStore | Action::Sweep => "house",
    }
}

fn creations_and_rotations() -> Vec<(&'static str, Action)> {
    let create = |powers, inline| Action::CreateToken { powers, inline };
    let rotate = |powers, inline| Action::RotateToken {
        powers,
        new_end: false,
        inline,
    };
    let wider = || powers(wide(), Some(Duration::days(1)));
    let longer = || powers(Scopes::default(), Some(Duration::days(60)));
    let never = || powers(Scopes::default(), None);
    vec![
        ("", create(small(), false)),
        ("with a wider scope", create(wider(), false)),
        ("with a longer life", create(longer(), false)),
        ("without end", create(never(), false)),
        ("inline", create(small(), true)),
        ("narrower", rotate(small(), false)),
        ("wider scopes", rotate(wider(), false)),
        ("longer life", rotate(longer(), false)),
        ("without end", rotate(never(), false)),
        ("inline", rotate(small(), true)),
    ]
}

fn updates() -> Vec<(&'static str, Action)> {
    let of = |id, change: fn(&mut Change)| {
        let mut changed = no_change();
        change(&mut changed);
        update(id, changed)
    };
    let other = |change| of(other_id(), change);
    let itself = |change| of(own_id(), change);
    vec![
        ("the label", other(|c| c.relabels = true)),
        (
            "to fewer scopes",
            other(|c| c.powers.scopes = Scopes::default()),
        ),
        ("to a sooner end", other(|c| c.powers = small())),
        ("off", other(|c| c.disables = true)),
        (
            "itself to fewer",
            itself(|c| c.powers.scopes = Scopes::default()),
        ),
        ("itself off", itself(|c| c.disables = true)),
        (
            "on",
            other(|c| {
                c.enables = true;
                (c.before, c.powers) = (small(), small());
            }),
        ),
        (
            "on, wider scopes",
            other(|c| {
                c.enables = true;
                (c.before.scopes, c.powers.scopes) = (wide(), wide());
            }),
        ),
        (
            "on, longer life",
            other(|c| {
                c.enables = true;
                (c.before, c.powers) = (Powers::default(), Powers::default());
            }),
        ),
        (
            "on, off by a person",
            other(|c| (c.enables, c.by_person) = (true, true)),
        ),
        (
            "to more scopes",
            other(|c| c.before.scopes = Scopes::default()),
        ),
        (
            "to a later end",
            other(|c| c.before.expires_at = small().expires_at),
        ),
    ]
}

/// Everything that can be asked, with the variants that matter.
fn actions() -> Vec<(&'static str, Action)> {
    let revoke = |id, allow_self| Action::RevokeToken { id, allow_self };
    let mut actions = vec![("", Action::Authenticate), ("", Action::Whoami)];
    actions.extend(creations_and_rotations());
    actions.extend(updates());
    actions.extend([
        ("", Action::GetToken),
        ("one's own", Action::ListTokens { account: false }),
        ("the account's", Action::ListTokens { account: true }),
        ("another", revoke(other_id(), false)),
        ("itself", revoke(own_id(), false)),
        ("itself, allowed", revoke(own_id(), true)),
        ("", Action::RevealUserToken(Scopes::default())),
        ("wider scopes", Action::RevealUserToken(wide())),
        ("", Action::RevealAppEnvToken(Scopes::default())),
        ("wider scopes", Action::RevealAppEnvToken(wide())),
        ("list", Action::ListAppEnvs),
        ("create", Action::CreateAppEnv),
        ("delete", Action::DeleteAppEnv),
        ("", Action::IntrospectToken),
        ("one's own", Action::ReadAudit { account: false }),
        ("the account's", Action::ReadAudit { account: true }),
        ("claim", Action::ClaimToken),
        ("list claims", Action::ListClaims),
        ("set cli token", Action::SetCliToken),
        ("list users", Action::ListUsers),
        ("create user", Action::CreateUser),
        ("update user", Action::UpdateUser),
        ("list accounts", Action::ListAccounts),
        ("create account", Action::CreateAccount),
        ("set membership", Action::SetMembership),
        ("remove membership", Action::RemoveMembership),
        ("check store", Action::CheckStore),
        ("verify audit", Action::VerifyAudit),
        ("found", Action::FoundStore),
        ("sweep", Action::Sweep),
    ]);
    actions
}

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

fn word(principal: &Principal, action: &Action, whose: Option<Whose>) -> &'static str {
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
        Why::Oneself => "oneself",
        Why::PersonDisabled => "person",
        Why::OperatorOnly => "operator",
    }
}

/// Whose a thing may be; the first is one's own.
fn places() -> Vec<(&'static str, Option<Whose>)> {
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

#[test]
fn nobody_is_refused_before_anything_is_asked() {
    for found in [
        Found::Nothing,
        Found::Token(anns(all(), Role::Admin).into()),
        place(Role::Admin),
    ] {
        let denial = recognize(&request(Credential::Nobody), found, now()).unwrap_err();

        assert_eq!(denial.into_parts().0, Why::Unknown);
    }
}

#[test]
fn a_local_user_who_is_switched_off_or_no_member_is_nobody() {
    let credential = Credential::LocalSession {
        uid: 1000,
        account: Slug::default(),
        reach: Reach::Everything,
    };
    let good = standing(Role::Admin);
    let switched_off = Standing {
        active: false,
        ..good.clone()
    };
    let no_member = Standing { role: None, ..good };
    for standing in [Some(switched_off), Some(no_member), None] {
        let found = Found::Place {
            account: Some(account()),
            standing,
        };

        let denial = recognize(&request(credential.clone()), found, now()).unwrap_err();

        assert_eq!(denial.into_parts().0, Why::Unknown);
    }
}

#[test]
fn a_refusal_is_told_where_the_asker_is_and_not_where_the_thing_is() {
    let principal = token(all(), Role::Admin, None);
    let theirs = Whose::Owner(other_account(), Owner::User(bob()));

    let denial = decide(&principal, Action::GetToken, theirs).unwrap_err();

    let (_, record) = denial.into_parts();
    assert_eq!(record.chain.account(), Some(account()));
    assert_eq!((record.target, record.owner), (None, None));
}

#[test]
fn the_outlook_names_what_is_missing() {
    let principal = token(scopes("read:tokens"), Role::Member, None);

    let outlook = outlook(&principal);

    let about = |name| outlook.iter().find(|(action, _)| *action == name).unwrap();
    assert_eq!(about("list_tokens").1, None);
    assert_eq!(
        about("create_token").1,
        Some(Why::Scope(Scope::WRITE_TOKENS))
    );
    assert_eq!(
        about("reveal_app_env_token").1,
        Some(Why::Scope(Scope::READ_SECRETS))
    );
}

/// Any set of scopes that mean something here, and two that do not.
fn some_scopes() -> impl Strategy<Value = Scopes> {
    let known: Vec<String> = (OURS.iter().map(Scope::to_string))
        .chain(["read:notes".into(), "write:notes".into()])
        .collect();
    let most = known.len();
    prop::sample::subsequence(known, 0..=most).prop_map(|some| scopes(&some.join(" ")))
}

fn some_role() -> impl Strategy<Value = Role> {
    prop::sample::select(&ROLES[..])
}

fn some_action() -> impl Strategy<Value = Action> {
    prop::sample::select(actions()).prop_map(|(_, action)| action)
}

fn something_that_shows_a_value() -> impl Strategy<Value = Action> {
    let shows = |(_, action): &(&str, Action)| {
        matches!(
            action,
            Action::CreateToken { inline: true, .. }
                | Action::RotateToken { inline: true, .. }
                | Action::RevealUserToken(_)
                | Action::RevealAppEnvToken(_)
                | Action::ClaimToken
        )
    };
    let shows: Vec<_> = actions().into_iter().filter(shows).collect();
    prop::sample::select(shows).prop_map(|(_, action)| action)
}

fn some_powers() -> impl Strategy<Value = Powers> {
    let life = prop::option::of((1i64..60).prop_map(Duration::days));
    (some_scopes(), life).prop_map(|(scopes, life)| powers(scopes, life))
}

/// Whose a thing may be, one's own among them.
fn some_place() -> impl Strategy<Value = Option<Whose>> {
    let own = Whose::Owner(account(), Owner::User(ann()));
    let mut places: Vec<_> = places().into_iter().map(|(_, whose)| whose).collect();
    places.push(Some(own));
    prop::sample::select(places)
}

fn allows(principal: &Principal, action: &Action, whose: Option<Whose>) -> bool {
    decide(principal, action.clone(), whose).is_ok()
}

proptest! {
    #[test]
    fn fewer_scopes_never_allow_more(
        held in some_scopes(), kept in some_scopes(), role in some_role(),
        action in some_action(), whose in some_place(),
    ) {
        let wider = token(held.clone(), role, None);
        let fewer = token(held.both(&kept), role, None);
        let narrowed = token(held, role, Some(kept));

        let allowed = allows(&fewer, &action, whose);

        prop_assert!(!allowed || allows(&wider, &action, whose));
        prop_assert_eq!(allows(&narrowed, &action, whose), allowed);
    }

    #[test]
    fn a_member_may_nothing_that_an_admin_may_not(
        held in some_scopes(), action in some_action(), whose in some_place(),
    ) {
        let [member, admin] = ROLES.map(|role| token(held.clone(), role, None));

        prop_assert!(!allows(&member, &action, whose) || allows(&admin, &action, whose));
    }

    #[test]
    fn nobodys_token_opens_another_accounts_thing(
        held in some_scopes(), role in some_role(), action in some_action(), whose in some_place(),
    ) {
        prop_assume!(whose.is_none_or(|whose| whose.account() != Some(account())));

        prop_assert!(!allows(&token(held.clone(), role, None), &action, whose));
        prop_assert!(!allows(&local(&held.to_string(), role), &action, whose));
        prop_assert!(!allows(&app_envs_token(), &action, whose));
    }

    #[test]
    fn what_is_hidden_answers_as_what_is_not_there(
        held in some_scopes(), role in some_role(), action in some_action(), whose in some_place(),
    ) {
        let is_elsewhere = whose.is_some_and(|whose| whose.account() != Some(account()));
        prop_assume!(is_elsewhere);
        let principal = token(held, role, None);

        prop_assert_eq!(
            word(&principal, &action, whose),
            word(&principal, &action, None)
        );
    }

    #[test]
    fn a_value_leaves_for_nobody_without_read_secrets(
        held in some_scopes(), role in some_role(), action in something_that_shows_a_value(),
        whose in some_place(),
    ) {
        let held = held.without(&Scope::READ_SECRETS);

        prop_assert!(!allows(&token(held.clone(), role, None), &action, whose));
        prop_assert!(!allows(&local(&held.to_string(), role), &action, whose));
    }

    #[test]
    fn covers_is_monotone(
        held in some_scopes(), more in some_scopes(), asked in some_powers(), fewer in some_powers(),
    ) {
        let smaller = Powers {
            scopes: asked.scopes.both(&fewer.scopes),
            expires_at: match (asked.expires_at, fewer.expires_at) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
        };
        let all = format!("{held} {more}");
        let one = token(held, Role::Member, None);
        let bigger = token(scopes(&all), Role::Member, None);

        if covers(&one, &asked).is_ok() {
            prop_assert!(covers(&one, &smaller).is_ok());
            prop_assert!(covers(&bigger, &asked).is_ok());
        }
    }

    #[test]
    fn what_is_made_or_renewed_or_switched_on_is_covered(
        held in some_scopes(), role in some_role(), asked in some_powers(), inline: bool,
        whose in some_place(),
    ) {
        let principal = token(held, role, None);
        let on = Change { before: asked.clone(), powers: asked.clone(), enables: true, ..no_change() };
        for action in [
            Action::CreateToken { powers: asked.clone(), inline },
            Action::RotateToken { powers: asked.clone(), new_end: false, inline },
            update(other_id(), on),
        ] {
            if allows(&principal, &action, whose) {
                prop_assert!(covers(&principal, &asked).is_ok());
                prop_assert_eq!(whose, principal.whose());
            }
        }
    }

    #[test]
    fn only_a_good_token_of_a_good_owner_is_recognized(
        revoked: bool, expired: bool, disabled: bool, unclaimed: bool, overtaken: bool,
        owner in 0..5,
    ) {
        let good = standing(Role::Admin);
        let mut found = anns(all(), Role::Admin);
        found.token.revoked_at = revoked.then_some(now());
        found.token.disabled = disabled.then_some(Disabled { at: now(), by_person: false });
        found.dies_at = overtaken.then_some(now());
        if expired {
            found.token.powers.expires_at = Some(now());
        }
        if unclaimed {
            found.token.present = None;
        }
        found.owner = match owner {
            0 => OwnerNow::User(good),
            1 => OwnerNow::AppEnv,
            2 => OwnerNow::User(Standing { active: false, ..good }),
            3 => OwnerNow::User(Standing { role: None, ..good }),
            _ => OwnerNow::Gone,
        };
        let is_good =
            !(revoked || expired || disabled || unclaimed || overtaken) && matches!(owner, 0 | 1);

        let recognized = recognize(&bearer(None), Found::Token(found.into()), now());

        match recognized {
            Ok(_) => prop_assert!(is_good),
            Err(denial) => {
                prop_assert!(!is_good);
                prop_assert_eq!(denial.into_parts().0, Why::Unknown);
            }
        }
    }
}
