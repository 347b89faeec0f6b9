//! The admins of an account look after who is in it, and reach no further.

use keywright::{
    authority::{Error, For, NewMember},
    authz::Request,
    domain::{
        account::Role,
        page::{Cursor, Limit},
        user::UserRef,
    },
};

use crate::support::{Agent, TestApp, local_with, operator, operator_in, why};

async fn manager(app: &TestApp) -> Agent {
    app.agent(["manage:account"]).await
}

fn new(name: &str) -> NewMember {
    NewMember {
        username: name.parse().unwrap(),
        email: Some("bob@example.com".parse().unwrap()),
        role: Role::Member,
    }
}

fn named(name: &str) -> UserRef {
    UserRef::Name(name.parse().unwrap())
}

/// The names of the people whom `by` sees, each with what they are.
async fn seen(app: &TestApp, by: &Request) -> Vec<String> {
    let page = app
        .authority
        .list_members(by, Limit::default(), None)
        .await
        .unwrap();
    let rows = page.rows.iter();
    rows.map(|(user, is)| format!("{} {}", user.username, is.role.as_str()))
        .collect()
}

#[tokio::test]
async fn an_admin_adds_a_person_who_was_not_there_before() {
    let app = TestApp::new().await;
    let ann = manager(&app).await;

    let (user, is) = app
        .authority
        .add_member(&ann.asks(), new("bob"))
        .await
        .unwrap();

    assert_eq!((user.username.as_str(), is.role), ("bob", Role::Member));
    assert_eq!(seen(&app, &ann.asks()).await, ["ann admin", "bob member"]);
    assert_eq!(app.system_trail(1).await, ["token create_user done"]);
    assert_eq!(app.trail(1).await, ["token set_membership done: member"]);
    app.is_sound().await;
}

#[tokio::test]
async fn somebody_from_elsewhere_is_added_at_the_shell_alone() {
    let app = TestApp::new().await;
    let eve = app.stranger().await;
    let there = new("mallory");
    app.authority
        .add_member(&operator_in("acme"), there)
        .await
        .unwrap();
    let ann = manager(&app).await;
    let house = &app.authority;

    let refused = house.add_member(&ann.asks(), new("mallory")).await;
    let hidden = house.get_member(&ann.asks(), named("mallory")).await;
    let added = house.add_member(&operator(), new("mallory")).await;

    assert_eq!(why(refused), "the username is taken");
    assert_eq!(why(hidden), "there is no such user here");
    assert!(added.is_ok());
    let seen = house.get_member(&ann.asks(), named("mallory")).await;
    assert!(seen.unwrap().0.email.is_none());
    assert!(app.is_good(&eve.value).await);
    let kept = house.get_member(&operator(), named("mallory")).await;
    assert!(kept.unwrap().0.email.is_some());
    app.is_sound().await;
}

#[tokio::test]
async fn a_person_sees_their_own_address() {
    let app = TestApp::new().await;
    app.authority
        .add_member(
            &operator(),
            NewMember {
                role: Role::Admin,
                ..new("bob")
            },
        )
        .await
        .unwrap();
    let bob = app.agent_of("bob", ["manage:account"]).await;

    let (user, _) = app
        .authority
        .get_member(&bob.asks(), named("bob"))
        .await
        .unwrap();

    assert_eq!(user.email.unwrap().as_str(), "bob@example.com");
}

#[tokio::test]
async fn a_member_is_not_added_again() {
    let app = TestApp::new().await;
    app.user("bob", Role::Admin).await;
    let ann = manager(&app).await;

    let again = app.authority.add_member(&ann.asks(), new("Bob")).await;

    assert_eq!(why(again), "there is such a member of the account already");
    assert_eq!(seen(&app, &ann.asks()).await, ["ann admin", "bob admin"]);
}

#[tokio::test]
async fn an_admin_changes_what_a_member_is() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let ann = manager(&app).await;

    let (_, is) = app
        .authority
        .set_membership(&ann.asks(), named("bob"), Role::Admin)
        .await
        .unwrap();

    assert_eq!(is.role, Role::Admin);
    assert_eq!(app.trail(1).await, ["token set_membership done: admin"]);
    app.is_sound().await;
}

#[tokio::test]
async fn an_admin_takes_a_person_out_and_their_tokens_with_them() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bob = app.agent_of("bob", []).await;
    let ann = manager(&app).await;

    let removed = app
        .authority
        .remove_membership(&ann.asks(), named("bob"))
        .await;

    assert!(removed.is_ok());
    assert!(!app.is_good(&bob.value).await);
    assert_eq!(seen(&app, &ann.asks()).await, ["ann admin"]);
    assert_eq!(app.trail(1).await, ["token remove_membership done"]);
    app.is_sound().await;
}

#[tokio::test]
async fn an_account_keeps_an_admin() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let ann = manager(&app).await;
    let house = &app.authority;
    let sentence = "nobody else is an active admin of the account";

    let demoted = house
        .set_membership(&ann.asks(), named("ann"), Role::Member)
        .await;
    let removed = house.remove_membership(&ann.asks(), named("ann")).await;
    assert_eq!(why(demoted), sentence);
    assert_eq!(why(removed), sentence);

    // Somebody who is switched off looks after nothing.
    app.set_role("bob", Role::Admin).await;
    app.set_active("bob", false).await;
    let removed = house.remove_membership(&ann.asks(), named("ann")).await;
    assert_eq!(why(removed), sentence);

    app.set_active("bob", true).await;
    assert!(
        house
            .remove_membership(&ann.asks(), named("ann"))
            .await
            .is_ok()
    );
    assert!(!app.is_good(&ann.value).await);
    app.is_sound().await;
}

#[tokio::test]
async fn whoever_is_not_in_the_account_is_not_there_for_its_admin() {
    let app = TestApp::new().await;
    app.stranger().await;
    let ann = manager(&app).await;
    let house = &app.authority;
    let eves = {
        let (user, _) = house
            .get_member(&operator_in("acme"), named("eve"))
            .await
            .unwrap();
        UserRef::Id(user.id)
    };

    for who in [named("eve"), eves, named("nobody")] {
        let asks = || (ann.asks(), who.clone());
        let (asked, who) = asks();
        let read = house.get_member(&asked, who).await;
        let (asked, who) = asks();
        let changed = house.set_membership(&asked, who, Role::Admin).await;
        let (asked, who) = asks();
        let removed = house.remove_membership(&asked, who).await;
        assert_eq!(why(read), "there is no such user here");
        assert_eq!(why(changed), "there is no such user here");
        assert_eq!(why(removed), "there is no such user here");
    }
    assert_eq!(seen(&app, &ann.asks()).await, ["ann admin"]);
}

#[tokio::test]
async fn people_are_looked_after_with_the_scope_and_the_role_alone() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    app.app_env("staging").await;
    let house = &app.authority;
    let everything_else = app
        .agent(["read:tokens", "write:tokens", "read:secrets"])
        .await;
    let bob = app.agent_of("bob", ["manage:account"]).await;
    let session = local_with("manage:account");

    for (asks, sentence) in [
        (
            everything_else.asks(),
            "this needs the scope `manage:account`",
        ),
        (bob.asks(), "this needs the role `admin` in the account"),
        (session, "this is done at the machine's shell"),
    ] {
        let list = house.list_members(&asks, Limit::default(), None).await;
        assert_eq!(why(list), sentence);
        assert_eq!(why(house.get_member(&asks, named("ann")).await), sentence);
        assert_eq!(why(house.add_member(&asks, new("x")).await), sentence);
        let change = house.set_membership(&asks, named("bob"), Role::Admin).await;
        assert_eq!(why(change), sentence);
        let remove = house.remove_membership(&asks, named("ann")).await;
        assert_eq!(why(remove), sentence);
    }
    assert_eq!(app.rows("users"), 2);
    app.is_sound().await;
}

#[tokio::test]
async fn members_are_listed_in_pages() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    app.user("cyd", Role::Member).await;
    let ann = manager(&app).await;
    let two = Limit::try_from(2).unwrap();
    let house = &app.authority;

    let first = house.list_members(&ann.asks(), two, None).await.unwrap();
    let second = house
        .list_members(&ann.asks(), two, first.next.clone())
        .await
        .unwrap();
    let garbage = Some(Cursor::given("garbage"));
    let refused = house.list_members(&ann.asks(), two, garbage).await;

    assert_eq!((first.rows.len(), second.rows.len()), (2, 1));
    assert_eq!(second.next, None);
    assert!(matches!(refused, Err(Error::Invalid { .. })));
}

#[tokio::test]
async fn a_token_sees_the_account_that_it_is_in_and_no_other() {
    let app = TestApp::new().await;
    let eve = app.stranger().await;
    let ann = app.agent([]).await;

    for (agent, slug) in [(&ann, "default"), (&eve, "acme")] {
        let accounts = app.authority.list_accounts(&agent.asks()).await.unwrap();
        let slugs: Vec<_> = accounts.iter().map(|a| a.slug.as_str()).collect();
        assert_eq!(slugs, [slug]);
    }
}

#[tokio::test]
async fn whoever_is_made_a_member_brings_no_token_along() {
    let app = TestApp::new().await;
    let eve = app.stranger().await;
    app.authority
        .add_member(&operator(), new("eve"))
        .await
        .unwrap();

    let seen = app.authority.whoami(&eve.asks()).await.unwrap();

    assert_eq!(seen.account.slug.as_str(), "acme");
    let made = keywright::authority::NewToken {
        owner: For::User("eve".parse().unwrap()),
        ..crate::support::token("x")
    };
    let with_all = app.agent(["write:tokens", "manage:account"]).await;
    let refused = app.create(&with_all.asks(), made).await;
    assert!(why(refused).starts_with("only its owner may do this"));
}
