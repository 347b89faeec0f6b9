//! What must hold of every picture of the policy.

use chrono::Duration;
use proptest::prelude::*;

use super::{
    ROLES, account,
    actions::actions,
    all, ann, anns, app_envs_token, bearer, local, no_change, now, other_id, own_id, powers,
    scopes, standing,
    table::{places, word},
    token, update,
};
use crate::{
    authz::{Action, Change, Found, Inline, Principal, Why, covers, decide, recognize},
    domain::{
        account::Role,
        actor::Actor,
        scope::{OURS, Scope, Scopes},
        token::{Disabled, Owner, OwnerNow, Powers, Standing, Whose},
    },
};

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
            Action::CreateToken {
                inline: Inline::ByRight,
                ..
            } | Action::RotateToken { inline: true, .. }
                | Action::RevealUserToken(_)
                | Action::RevealAppEnvToken(_)
                | Action::ClaimToken { .. }
        )
    };
    let shows: Vec<_> = actions().into_iter().filter(shows).collect();
    prop::sample::select(shows).prop_map(|(_, action)| action)
}

fn some_powers() -> impl Strategy<Value = Powers> {
    let life = prop::option::of((1i64..60).prop_map(Duration::days));
    (some_scopes(), life).prop_map(|(scopes, life)| powers(scopes, life))
}

fn is_an_envs(whose: &Whose) -> bool {
    matches!(whose.owner(), Some(Owner::AppEnv(_)))
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
    fn a_profiles_leave_stands_for_read_secrets_and_for_nothing_else(
        held in some_scopes(), role in some_role(), asked in some_powers(), whose in some_place(),
    ) {
        let create = |inline| Action::CreateToken { powers: asked.clone(), inline, for_env: false };
        let principal = token(held.clone(), role, None);
        let without = allows(&principal, &create(Inline::No), whose);

        prop_assert_eq!(allows(&principal, &create(Inline::ByProfile), whose), without);
        let by_right = without && held.contains(&Scope::READ_SECRETS);
        prop_assert_eq!(allows(&principal, &create(Inline::ByRight), whose), by_right);
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
        by in prop::sample::select(&[Inline::No, Inline::ByRight, Inline::ByProfile][..]),
        for_env: bool, whose in some_place(),
    ) {
        let principal = token(held.clone(), role, None);
        let looks_after_envs = role == Role::Admin && held.contains(&Scope::WRITE_ENVS);
        let on = Change { before: asked.clone(), powers: asked.clone(), enables: true, ..no_change() };
        for action in [
            Action::CreateToken { powers: asked.clone(), inline: by, for_env },
            Action::RotateToken { powers: asked.clone(), new_end: false, inline },
            update(other_id(), on),
        ] {
            if allows(&principal, &action, whose) {
                prop_assert!(covers(&principal, &asked).is_ok());
                let is_an_envs = whose.is_some_and(|whose| is_an_envs(&whose));
                prop_assert!(whose == principal.whose() || (is_an_envs && looks_after_envs));
            }
        }
    }

    #[test]
    fn what_a_token_picks_up_is_covered_and_its_owners_and_was_asked_for_by_another(
        held in some_scopes(), role in some_role(), asked in some_scopes(), itself: bool,
        asked_by_itself: bool, whose in some_place(),
    ) {
        let principal = token(held.clone(), role, None);
        let id = if itself { own_id() } else { other_id() };
        let opened_by = if asked_by_itself { principal.actor() } else { Actor::Token(other_id()) };
        let claim =
            Action::ClaimToken { id: Some(id), scopes: asked.clone(), opened_by: Some(opened_by) };

        if allows(&principal, &claim, whose) {
            prop_assert!(held.contains(&Scope::READ_SECRETS));
            prop_assert!(asked.iter().all(|scope| held.contains(scope)));
            prop_assert!(!itself && !asked_by_itself);
            let is_an_envs = whose.is_some_and(|whose| is_an_envs(&whose));
            prop_assert!(whose == principal.whose() || (is_an_envs && role == Role::Admin));
        }
        prop_assert!(!allows(&local(&held.to_string(), role), &claim, whose));
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
