//! What single principals meet that the table does not show.

use super::{
    account, actions::actions, all, anns, bob, now, other_account, place, request, scopes,
    standing, token,
};
use crate::{
    authz::{Action, Credential, Found, NotAnAction, Why, decide, outlook, recognize},
    domain::{
        account::{Role, Slug},
        scope::{Reach, Scope},
        token::{Owner, Standing, Whose},
    },
};

#[test]
fn an_action_is_found_by_its_name_and_by_that_on_the_wire() {
    for (_, action) in actions() {
        assert_eq!(Action::named(action.name()), Ok(action.name()));
    }
    assert_eq!(Action::named("delete_token"), Ok("revoke_token"));
    assert_eq!(Action::named("delete_everything"), Err(NotAnAction));
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
