//! [`decide`], [`covers`] and [`outlook`]: the whole policy.

use std::mem::discriminant;

use super::{
    Action, Change, Denial, Inline, Missed, Permit, Principal, Why, action::For, principal::Kind,
};
use crate::domain::{
    account::Role,
    audit::{Chain, Outcome},
    id::TokenId,
    scope::{Scope, Scopes},
    token::{Owner, Powers, Token, Whose},
};

/// May `principal` do `action` to a thing that is `whose`?
///
/// What nobody owns is not there, and answers as what is hidden does. The order is the same for
/// every action: the scope, whether the thing is there for this principal, the role, and last
/// whether the result would be wider than the principal.
pub fn decide(
    principal: &Principal,
    action: Action,
    whose: impl Into<Option<Whose>>,
) -> Result<Permit<'_>, Denial> {
    let whose = whose.into();
    let permit = Permit {
        principal,
        whose: whose.or(principal.whose()).unwrap_or(Whose::System),
        action,
    };
    let Some(why) = objection(principal, &permit.action, whose) else {
        return Ok(permit);
    };
    let mut record = Box::new(permit.record(None, Outcome::Refused, Some(why.to_string())));
    // A refusal is told in the chain of who was refused, never in that of whom it was about: it
    // would tell strangers what exists.
    record.chain = principal.account().map_or(Chain::System, Chain::Account);
    record.owner = None;
    record.kind = Some(discriminant(&why));
    if let Why::Scope(_) = why {
        // All that the action needs: who comes back with one of two is refused again.
        record.missed = Some(Missed::Scopes(permit.action.scopes()));
    }
    Err(Denial { why, record })
}

/// Whether nothing in `powers` goes beyond what `principal` has: its scopes are among the
/// principal's, and it does not outlive the principal.
pub fn covers(principal: &Principal, powers: &Powers) -> Result<(), Why> {
    covers_scopes(principal, &powers.scopes)?;
    match (principal.expires_at(), powers.expires_at) {
        (Some(end), Some(asked)) if asked <= end => Ok(()),
        (Some(_), _) => Err(Why::Outlives),
        (None, _) => Ok(()),
    }
}

/// What a token that is good may do now, whose owner has this role: its scopes, as far as the owner's
/// rights go. A scope that needs a role is carried without it, and does nothing.
pub fn effective(token: &Token, role: Option<Role>) -> Scopes {
    let scopes = token.powers.scopes.clone();
    if role == Some(Role::Admin) {
        return scopes;
    }
    scopes.without(&Scope::MANAGE_ACCOUNT)
}

/// What `principal` could do with its own things, and what is missing where it could not.
pub fn outlook(principal: &Principal) -> Vec<(&'static str, Option<Why>)> {
    let powers = Powers {
        scopes: Scopes::default(),
        expires_at: principal.expires_at(),
    };
    let id = TokenId::fresh();
    let own = [
        Action::CreateToken {
            powers: powers.clone(),
            inline: Inline::No,
            for_env: false,
        },
        Action::ListTokens {
            account: false,
            of_env: false,
        },
        Action::GetToken,
        Action::UpdateToken {
            id,
            change: Change {
                before: powers.clone(),
                powers: powers.clone(),
                relabels: false,
                enables: false,
                disables: false,
                by_person: false,
            },
        },
        Action::RotateToken {
            powers,
            new_end: false,
            inline: false,
        },
        Action::RevokeToken {
            id,
            allow_self: false,
        },
        Action::RevealUserToken(Scopes::default()),
    ];
    let of_the_account = [
        Action::RevealAppEnvToken(Scopes::default()),
        Action::ListAppEnvs,
        Action::Whoami,
        Action::ReadAudit { account: false },
    ];
    let account = principal.account().map(Whose::Account);
    own.iter()
        .map(|action| (action, principal.whose()))
        .chain(of_the_account.iter().map(|action| (action, account)))
        .map(|(action, whose)| (action.name(), objection(principal, action, whose)))
        .collect()
}

fn objection(principal: &Principal, action: &Action, whose: Option<Whose>) -> Option<Why> {
    match &principal.kind {
        Kind::Operator { .. } => {
            return match (whose, action) {
                (None, _) => Some(Why::Hidden),
                (Some(_), Action::UpdateToken { change, .. }) => only_narrower(change).err(),
                (Some(_), _) => None,
            };
        }
        Kind::Keywright => {
            let keeps_house = matches!(action, Action::Sweep | Action::FoundStore);
            return (!keeps_house).then_some(Why::OperatorOnly);
        }
        Kind::Token { .. } | Kind::Local { .. } => {}
    }
    match (action.is_for(), &principal.kind) {
        (For::Everyone, _) | (For::Tokens, Kind::Token { .. }) => {}
        (For::TheOperator | For::Tokens, _) => return Some(Why::OperatorOnly),
    }
    if let Some(scope) = action.scopes().iter().find(|s| !principal.reach().holds(s)) {
        return Some(Why::Scope(scope.clone()));
    }
    let Some(standing) = whose.and_then(|whose| standing(principal, action, whose)) else {
        return Some(Why::Hidden);
    };
    if action
        .role()
        .is_some_and(|role| principal.role() != Some(role))
    {
        return Some(Why::Role(Role::Admin));
    }
    if let Action::UpdateToken { change, .. } = action
        && let Err(why) = only_narrower(change)
    {
        return Some(why);
    }
    match standing {
        To::Ones => own_rules(principal, action).err(),
        To::AppEnvs => owners_rules(principal, action).err(),
        To::Accounts => account_rules(principal, action).err(),
        To::Members => may_manage(action).err(),
    }
}

/// What a thing is to a principal who may know of it.
enum To {
    /// Its own.
    Ones,
    /// Its account's.
    Accounts,
    /// An app environment's, in whose stead it acts.
    AppEnvs,
    /// Another member's, whom it looks after.
    Members,
}

fn standing(principal: &Principal, action: &Action, whose: Whose) -> Option<To> {
    if whose.account() != principal.account() {
        return None;
    }
    match whose {
        Whose::System => None,
        Whose::Account(_) => Some(To::Accounts),
        Whose::Owner(..) if Some(whose) == principal.whose() => Some(To::Ones),
        // A code tells nobody else that something waits, be it who looks after its owner.
        Whose::Owner(_, Owner::User(_)) if matches!(action, Action::ClaimToken { .. }) => None,
        Whose::Owner(_, Owner::AppEnv(_)) => to_an_app_envs(principal, action),
        Whose::Owner(..) => to_a_members(principal),
    }
}

/// An app environment seldom asks itself: the account's admins look after what it has.
fn to_an_app_envs(principal: &Principal, action: &Action) -> Option<To> {
    // Every member of an account may know its app environments: whoever names one is told of the
    // role that is missing. Of their tokens only those may know who look after them.
    if matches!(action, Action::RevealAppEnvToken(_)) {
        return Some(To::Accounts);
    }
    if matches!(
        action,
        Action::CreateToken { for_env: true, .. } | Action::ListTokens { of_env: true, .. }
    ) {
        return Some(To::AppEnvs);
    }
    let is_admin = principal.role() == Some(Role::Admin);
    let stands_in = match (action, action.scope_over_envs()) {
        (Action::ClaimToken { .. }, _) => is_admin,
        (_, Some(scope)) => is_admin && principal.reach().holds(&scope),
        (_, None) => false,
    };
    if stands_in {
        Some(To::AppEnvs)
    } else {
        to_a_members(principal)
    }
}

fn to_a_members(principal: &Principal) -> Option<To> {
    let manages =
        principal.role() == Some(Role::Admin) && principal.reach().holds(&Scope::MANAGE_ACCOUNT);
    manages.then_some(To::Members)
}

fn own_rules(principal: &Principal, action: &Action) -> Result<(), Why> {
    let itself = principal.token_id();
    if let Action::UpdateToken { id, change } = action
        && (change.disables && itself == Some(*id))
    {
        return Err(Why::Oneself);
    }
    if let Action::RevokeToken { id, allow_self } = action
        && (itself == Some(*id) && !allow_self)
    {
        return Err(Why::Oneself);
    }
    owners_rules(principal, action)
}

fn owners_rules(principal: &Principal, action: &Action) -> Result<(), Why> {
    match action {
        Action::RotateToken { new_end: true, .. } => Err(Why::Prolongs),
        Action::CreateToken { powers, .. } | Action::RotateToken { powers, .. } => {
            covers(principal, powers)
        }
        Action::UpdateToken { change, .. } => match change.enables {
            true if change.by_person => Err(Why::PersonDisabled),
            true => covers(principal, &change.powers),
            false => Ok(()),
        },
        Action::ClaimToken {
            id,
            scopes,
            opened_by,
        } => {
            // What an agent asked for goes to its person, and not back to it.
            let is_its_own = id.is_some() && *id == principal.token_id();
            if is_its_own || *opened_by == Some(principal.actor()) {
                return Err(Why::OwnClaim);
            }
            covers_scopes(principal, scopes)
        }
        Action::RevealUserToken(scopes) | Action::RevealAppEnvToken(scopes) => {
            covers_scopes(principal, scopes)
        }
        Action::Authenticate
        | Action::Whoami
        | Action::ListClaims
        | Action::ListTokens { .. }
        | Action::GetToken
        | Action::RevokeToken { .. }
        | Action::ListAppEnvs
        | Action::GetAppEnv
        | Action::CreateAppEnv
        | Action::DeleteAppEnv
        | Action::IntrospectToken
        | Action::ReadAudit { .. } => Ok(()),
        Action::VerifyToken(asked) => holds_all(principal, asked),
        // They are the account's.
        Action::ListUsers
        | Action::GetUser
        | Action::CreateUser
        | Action::ListAccounts
        | Action::SetMembership
        | Action::RemoveMembership => Err(Why::Hidden),
        Action::SetCliToken
        | Action::UpdateUser
        | Action::CreateAccount
        | Action::VerifyAudit
        | Action::CheckStore
        | Action::FoundStore
        | Action::Sweep => Err(Why::OperatorOnly),
    }
}

fn account_rules(principal: &Principal, action: &Action) -> Result<(), Why> {
    match action {
        Action::RevealAppEnvToken(scopes) => covers_scopes(principal, scopes),
        Action::VerifyToken(asked) => holds_all(principal, asked),
        Action::Whoami
        | Action::ListTokens { account: true, .. }
        | Action::ListAppEnvs
        | Action::GetAppEnv
        | Action::CreateAppEnv
        | Action::DeleteAppEnv
        | Action::ListUsers
        | Action::GetUser
        | Action::CreateUser
        | Action::ListAccounts
        | Action::SetMembership
        | Action::RemoveMembership
        | Action::IntrospectToken
        | Action::ReadAudit { .. } => Ok(()),
        Action::Authenticate
        | Action::CreateToken { .. }
        | Action::ListTokens { .. }
        | Action::GetToken
        | Action::UpdateToken { .. }
        | Action::RotateToken { .. }
        | Action::RevokeToken { .. }
        | Action::RevealUserToken(_)
        | Action::ClaimToken { .. }
        | Action::ListClaims
        | Action::SetCliToken
        | Action::UpdateUser
        | Action::CreateAccount
        | Action::VerifyAudit
        | Action::CheckStore
        | Action::FoundStore
        | Action::Sweep => Err(Why::Hidden),
    }
}

/// An admin with `manage:account` reads, narrows, switches off and ends other members' tokens, and
/// never makes, renews, switches on or shows one for them.
fn may_manage(action: &Action) -> Result<(), Why> {
    match action {
        Action::GetToken | Action::RevokeToken { .. } | Action::IntrospectToken => Ok(()),
        Action::UpdateToken { change, .. } if !change.enables && !change.relabels => Ok(()),
        Action::UpdateToken { .. }
        | Action::CreateToken { .. }
        | Action::RotateToken { .. }
        | Action::ListTokens { .. }
        | Action::RevealUserToken(_)
        | Action::RevealAppEnvToken(_)
        | Action::ReadAudit { .. } => Err(Why::NotYours),
        Action::Authenticate
        | Action::Whoami
        | Action::ListAppEnvs
        | Action::GetAppEnv
        | Action::CreateAppEnv
        | Action::DeleteAppEnv
        | Action::VerifyToken(_)
        | Action::ClaimToken { .. }
        | Action::ListClaims
        | Action::SetCliToken
        | Action::ListUsers
        | Action::GetUser
        | Action::CreateUser
        | Action::UpdateUser
        | Action::ListAccounts
        | Action::CreateAccount
        | Action::SetMembership
        | Action::RemoveMembership
        | Action::VerifyAudit
        | Action::CheckStore
        | Action::FoundStore
        | Action::Sweep => Err(Why::Hidden),
    }
}

/// A service asks for these scopes before it does anything. One that needs a role does nothing
/// without it.
fn holds_all(principal: &Principal, asked: &Scopes) -> Result<(), Why> {
    if let Some(lacking) = principal.reach().lacks(asked) {
        return Err(Why::Scope(lacking.clone()));
    }
    if asked.contains(&Scope::MANAGE_ACCOUNT) && principal.role() != Some(Role::Admin) {
        return Err(Why::Role(Role::Admin));
    }
    Ok(())
}

/// Nobody widens a token that is there, a person neither: they make another.
fn only_narrower(change: &Change) -> Result<(), Why> {
    let mut added = change.powers.scopes.iter();
    if let Some(added) = added.find(|scope| !change.before.scopes.contains(scope)) {
        return Err(Why::Widens(added.clone()));
    }
    match (change.before.expires_at, change.powers.expires_at) {
        (Some(end), Some(asked)) if asked <= end => Ok(()),
        (Some(_), _) => Err(Why::Prolongs),
        (None, _) => Ok(()),
    }
}

fn covers_scopes(principal: &Principal, scopes: &Scopes) -> Result<(), Why> {
    match principal.reach().lacks(scopes) {
        Some(lacking) => Err(Why::Escalation(lacking.clone())),
        None => Ok(()),
    }
}
