//! Everything that can be asked, with the variants that matter, in the families of the table.

use chrono::Duration;

use super::{no_change, other_id, own_id, powers, scopes, small, update, wide};
use crate::{
    authz::{Action, Change, Inline},
    domain::{actor::Actor, scope::Scopes, token::Powers},
};

/// What the table calls an action. A new one must be met here; then add it to the lists below.
pub(super) fn family(action: &Action) -> &'static str {
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
        Action::ListAppEnvs | Action::GetAppEnv | Action::CreateAppEnv | Action::DeleteAppEnv => {
            "envs"
        }
        Action::IntrospectToken => "introspect",
        Action::VerifyToken(_) => "verify",
        Action::ReadAudit { .. } => "audit",
        Action::ClaimToken { .. } => "claim",
        Action::ListClaims => "list claims",
        Action::ListUsers
        | Action::GetUser
        | Action::CreateUser
        | Action::SetMembership
        | Action::RemoveMembership => "people",
        Action::ListAccounts => "list accounts",
        Action::SetCliToken
        | Action::UpdateUser
        | Action::CreateAccount
        | Action::CheckStore
        | Action::VerifyAudit => "shell",
        Action::FoundStore | Action::Sweep => "house",
    }
}

fn creations_and_rotations() -> Vec<(&'static str, Action)> {
    let create = |powers, inline| Action::CreateToken {
        powers,
        inline,
        for_env: false,
    };
    let create_for_env = |powers, inline| Action::CreateToken {
        powers,
        inline,
        for_env: true,
    };
    let rotate = |powers, inline| Action::RotateToken {
        powers,
        new_end: false,
        inline,
    };
    let wider = || powers(wide(), Some(Duration::days(1)));
    let longer = || powers(Scopes::default(), Some(Duration::days(60)));
    let never = || powers(Scopes::default(), None);
    vec![
        ("", create(small(), Inline::No)),
        ("with a wider scope", create(wider(), Inline::No)),
        ("with a longer life", create(longer(), Inline::No)),
        ("without end", create(never(), Inline::No)),
        ("inline", create(small(), Inline::ByRight)),
        ("by a profile", create(small(), Inline::ByProfile)),
        ("by a profile, wider", create(wider(), Inline::ByProfile)),
        ("by a profile, longer", create(longer(), Inline::ByProfile)),
        ("for an env", create_for_env(small(), Inline::No)),
        ("for an env, wider", create_for_env(wider(), Inline::No)),
        (
            "for an env, inline",
            create_for_env(small(), Inline::ByRight),
        ),
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
pub(super) fn actions() -> Vec<(&'static str, Action)> {
    let revoke = |id, allow_self| Action::RevokeToken { id, allow_self };
    let list = |account, of_env| Action::ListTokens { account, of_env };
    let claim = |id, scopes, opened_by| Action::ClaimToken {
        id: Some(id),
        scopes,
        opened_by: Some(opened_by),
    };
    let (another, itself) = (Actor::Token(other_id()), Actor::Token(own_id()));
    let mut actions = vec![("", Action::Authenticate), ("", Action::Whoami)];
    actions.extend(creations_and_rotations());
    actions.extend(updates());
    actions.extend([
        ("", Action::GetToken),
        ("one's own", list(false, false)),
        ("the account's", list(true, false)),
        ("an env's", list(false, true)),
        ("another", revoke(other_id(), false)),
        ("itself", revoke(own_id(), false)),
        ("itself, allowed", revoke(own_id(), true)),
        ("", Action::RevealUserToken(Scopes::default())),
        ("wider scopes", Action::RevealUserToken(wide())),
        ("", Action::RevealAppEnvToken(Scopes::default())),
        ("wider scopes", Action::RevealAppEnvToken(wide())),
        ("list", Action::ListAppEnvs),
        ("get", Action::GetAppEnv),
        ("create", Action::CreateAppEnv),
        ("delete", Action::DeleteAppEnv),
        ("", Action::IntrospectToken),
        ("", Action::VerifyToken(Scopes::default())),
        ("more scopes", Action::VerifyToken(wide())),
        (
            "manage:account",
            Action::VerifyToken(scopes("manage:account")),
        ),
        ("one's own", Action::ReadAudit { account: false }),
        ("the account's", Action::ReadAudit { account: true }),
        ("", claim(other_id(), Scopes::default(), another)),
        ("wider scopes", claim(other_id(), wide(), another)),
        ("its own value", claim(own_id(), Scopes::default(), another)),
        (
            "asked for itself",
            claim(other_id(), Scopes::default(), itself),
        ),
        ("", Action::ListClaims),
        ("list", Action::ListUsers),
        ("get", Action::GetUser),
        ("create", Action::CreateUser),
        ("set membership", Action::SetMembership),
        ("remove membership", Action::RemoveMembership),
        ("", Action::ListAccounts),
        ("set cli token", Action::SetCliToken),
        ("update user", Action::UpdateUser),
        ("create account", Action::CreateAccount),
        ("check store", Action::CheckStore),
        ("verify audit", Action::VerifyAudit),
        ("found", Action::FoundStore),
        ("sweep", Action::Sweep),
    ]);
    actions
}
