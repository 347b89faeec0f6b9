//! App environments, people and accounts are looked after by those who may, and nobody else.

use keywright::{
    authority::{Error, FirstUser, For, NewAccount, NewAppEnv, NewToken, NewUser, SetCliToken},
    authz::{Credential, Request},
    domain::{
        account::{Role, Slug},
        app_env::AppEnvRef,
        audit::Front,
        page::{Cursor, Limit},
        user::Username,
    },
};

use crate::support::{
    TestApp, env_named, keywright, label, local, local_with, operator, operator_in, revoke, rotate,
    scopes, token, why,
};

fn first_user() -> FirstUser {
    FirstUser {
        username: "ann".parse().unwrap(),
        uid: 1000,
    }
}

fn new_env(name: &str) -> NewAppEnv {
    NewAppEnv {
        name: label(name),
        cli_env_name: Some(name.parse().unwrap()),
    }
}

fn named(name: &str) -> AppEnvRef {
    AppEnvRef::Name(name.parse().unwrap())
}

fn new_user(name: &str) -> NewUser {
    NewUser {
        username: name.parse().unwrap(),
        email: Some("bob@example.com".parse().unwrap()),
        os_uid: None,
        role: Role::Member,
    }
}

#[tokio::test]
async fn a_founded_store_is_not_founded_again() {
    let app = TestApp::new().await;
    let again = FirstUser {
        username: "mallory".parse().unwrap(),
        uid: 666,
    };

    app.another_process()
        .authority
        .found_store(&keywright(), again)
        .await
        .unwrap();

    assert_eq!((app.rows("accounts"), app.rows("users")), (1, 1));
    assert_eq!(app.rows("audit"), 3);
    app.is_sound().await;
}

#[tokio::test]
async fn an_admin_makes_an_app_environment_and_a_member_sees_it() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let admin = app.agent(["write:envs"]).await;
    let bob = app.agent_of("bob", ["read:envs", "write:envs"]).await;

    let made = app
        .authority
        .create_app_env(&admin.asks(), new_env("staging"))
        .await;
    let made = made.unwrap();
    let refused = app
        .authority
        .create_app_env(&bob.asks(), new_env("mine"))
        .await;

    assert_eq!(why(refused), "this needs the role `admin` in the account");
    let listed = app
        .authority
        .list_app_envs(&bob.asks(), Limit::default(), None)
        .await
        .unwrap();
    assert_eq!(listed.rows.len(), 1);
    assert_eq!(listed.rows[0].id, made.id);
    assert_eq!(
        app.trail(2).await,
        [
            "token create_app_env done",
            "token create_app_env refused: this needs the role `admin` in the account"
        ]
    );
    app.is_sound().await;
}

#[tokio::test]
async fn app_environments_need_their_scopes() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:tokens", "manage:account"]).await;

    let list = app
        .authority
        .list_app_envs(&ann.asks(), Limit::default(), None)
        .await;
    let create = app
        .authority
        .create_app_env(&ann.asks(), new_env("staging"))
        .await;
    let delete = app
        .authority
        .delete_app_env(&ann.asks(), named("staging"))
        .await;

    assert_eq!(why(list), "this needs the scope `read:envs`");
    assert_eq!(why(create), "this needs the scope `write:envs`");
    assert_eq!(why(delete), "this needs the scope `write:envs`");
}

#[tokio::test]
async fn another_accounts_app_environments_are_not_there() {
    let app = TestApp::new().await;
    let env = app.app_env("staging").await;
    let eve = app.stranger().await;

    let listed = app
        .authority
        .list_app_envs(&eve.asks(), Limit::default(), None)
        .await;
    let by_id = app
        .authority
        .delete_app_env(&eve.asks(), AppEnvRef::Id(env.id))
        .await;

    assert!(listed.unwrap().rows.is_empty());
    assert_eq!(why(by_id), "there is no such app environment here");
    assert_eq!(app.rows("app_envs"), 1);
}

#[tokio::test]
async fn a_name_for_a_cli_is_unique_within_its_account_alone() {
    let app = TestApp::new().await;
    app.app_env("staging").await;
    app.stranger().await;

    let again = app
        .authority
        .create_app_env(&operator(), new_env("staging"))
        .await;
    let elsewhere = app
        .authority
        .create_app_env(&operator_in("acme"), new_env("staging"))
        .await;

    assert_eq!(why(again), "the name of the app environment is taken");
    assert!(elsewhere.is_ok());
}

#[tokio::test]
async fn an_app_environment_takes_its_cli_token_with_it() {
    let app = TestApp::new().await;
    app.app_env("staging").await;
    let cli_token = app.set_cli_token(env_named("staging"), "").await;
    let shown = app.reveal(&operator(), env_named("staging")).await.unwrap();
    assert!(app.is_good(shown.value.expose()).await);

    app.authority
        .delete_app_env(&local_with("write:envs"), named("staging"))
        .await
        .unwrap();

    assert!(!app.is_good(shown.value.expose()).await);
    assert!(app.token(cli_token.id).await.revoked_at.is_some());
    assert_eq!(app.trail(1).await, ["local delete_app_env done"]);
    app.is_sound().await;
}

#[tokio::test]
async fn app_environments_are_listed_in_pages() {
    let app = TestApp::new().await;
    for name in ["a", "b", "c"] {
        app.app_env(name).await;
    }
    let two = Limit::try_from(2).unwrap();

    let first = app.authority.list_app_envs(&local(), two, None).await;
    let first = first.unwrap();
    let second = app.authority.list_app_envs(&local(), two, first.next).await;
    let second = second.unwrap();
    let garbage = Some(Cursor::given("garbage"));
    let refused = app.authority.list_app_envs(&local(), two, garbage).await;

    let names = first.rows.iter().chain(&second.rows);
    let names: Vec<_> = names.map(|env| env.name.as_str()).collect();
    assert_eq!(names, ["c", "b", "a"]);
    assert_eq!(second.next, None);
    assert!(why(refused).starts_with("`cursor` cannot be used"));
}

#[tokio::test]
async fn a_person_is_added_and_seen() {
    let app = TestApp::new().await;

    let made = app
        .authority
        .create_user(&operator(), new_user("bob"))
        .await
        .unwrap();

    let users = app.authority.list_users(&operator()).await.unwrap();
    assert_eq!(users.len(), 2);
    let (user, memberships) = &users[1];
    assert_eq!(user.id, made.id);
    assert_eq!(memberships[0].role, Role::Member);
    assert_eq!(app.system_trail(1).await, ["operator create_user done"]);
    assert_eq!(app.trail(1).await, ["operator set_membership done"]);
    app.is_sound().await;
}

#[tokio::test]
async fn a_user_name_is_taken_whatever_its_case() {
    let app = TestApp::new().await;

    let refused = app
        .authority
        .create_user(&operator(), new_user("ANN"))
        .await;

    assert!(matches!(refused, Err(Error::Conflict(_))));
    assert_eq!(app.rows("users"), 1);
}

#[tokio::test]
async fn what_reaches_beyond_an_account_is_done_at_the_shell_alone() {
    let app = TestApp::new().await;
    let ann = app
        .agent(["write:tokens", "read:secrets", "manage:account"])
        .await;
    let acme = || NewAccount {
        slug: "acme".parse().unwrap(),
        name: label("Acme"),
    };
    let name = || "ann".parse().unwrap();
    let sentence = "this is done at the machine's shell";

    for asker in [ann.asks(), local()] {
        let house = &app.authority;
        assert_eq!(
            why(house.set_user_active(&asker, name(), false).await),
            sentence
        );
        assert_eq!(why(house.create_account(&asker, acme()).await), sentence);
        assert_eq!(why(house.verify_audit(&asker, Vec::new()).await), sentence);
        assert_eq!(why(house.export_audit(&asker, None).await), sentence);
    }
    let house = &app.authority;
    assert!(house.list_users(&ann.asks()).await.is_err());
    assert!(
        house
            .create_user(&ann.asks(), new_user("bob"))
            .await
            .is_err()
    );
    assert_eq!((app.rows("users"), app.rows("accounts")), (1, 1));
    app.is_sound().await;
}

#[tokio::test]
async fn whoever_is_not_there_is_not_found() {
    let app = TestApp::new().await;
    app.stranger().await;
    let name = |name: &str| name.parse::<Username>().unwrap();
    let house = &app.authority;

    let active = house.set_user_active(&operator(), name("no"), false).await;
    let member = house
        .set_membership(&operator(), name("no").into(), Role::Admin)
        .await;
    let removed = house
        .remove_membership(&operator(), name("eve").into())
        .await;

    assert_eq!(why(active), "there is no such user here");
    assert_eq!(why(member), "there is no such user here");
    assert_eq!(why(removed), "there is no such member of the account here");
    assert_eq!(
        app.trail(3).await,
        [
            "operator update_user refused: there is no such thing here",
            "operator set_membership refused: there is no such user here",
            "operator remove_membership refused: there is no such member of the account here"
        ]
    );
}

#[tokio::test]
async fn accounts_are_added_and_listed() {
    let app = TestApp::new().await;
    app.stranger().await;

    let accounts = app.authority.list_accounts(&operator()).await.unwrap();

    let slugs: Vec<_> = accounts.iter().map(|a| a.slug.as_str()).collect();
    assert_eq!(slugs, ["default", "acme"]);
    let taken = NewAccount {
        slug: "acme".parse().unwrap(),
        name: label("Another"),
    };
    let taken = app.authority.create_account(&operator(), taken).await;
    assert_eq!(why(taken), "the name of the account is taken");
    app.is_sound().await;
}

#[tokio::test]
async fn an_operator_in_an_account_that_is_not_there_makes_nobody() {
    let app = TestApp::new().await;

    let refused = app
        .authority
        .create_user(&operator_in("nowhere"), new_user("bob"))
        .await;
    let minted = app.create(&operator_in("nowhere"), token("x")).await;

    assert_eq!(why(refused), "there is no such account here");
    assert_eq!(why(minted), "there is no such account here");
    assert_eq!(app.rows("users"), 1);
}

#[tokio::test]
async fn a_cli_token_for_nobody_is_not_made() {
    let app = TestApp::new().await;
    let set = SetCliToken {
        of: For::User("nobody".parse().unwrap()),
        scopes: scopes(""),
        imported: None,
    };

    let refused = app.authority.set_cli_token(&operator(), set).await;

    assert_eq!(why(refused), "there is no such user here");
    assert!(!app.key_path().exists());
}

#[tokio::test]
async fn several_processes_found_one_store_together() {
    let app = TestApp::empty();
    let others = [app.another_process(), app.another_process()];
    let requests = [keywright(), keywright(), keywright()];

    let (one, two, three) = tokio::join!(
        app.authority.found_store(&requests[0], first_user()),
        others[0].authority.found_store(&requests[1], first_user()),
        others[1].authority.found_store(&requests[2], first_user()),
    );

    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert_eq!((app.rows("accounts"), app.rows("users")), (1, 1));
    assert_eq!(app.system_trail(9).await.len(), 2);
    app.is_sound().await;
}

#[tokio::test]
async fn an_operator_whom_the_store_does_not_know_has_nothing_of_their_own() {
    let app = TestApp::new().await;
    let root = Credential::Operator {
        uid: 0,
        account: Slug::default(),
    };
    let root = Request::new(root, Front::Cli);

    let own = app.create(&root, token("x")).await;
    let anns = NewToken {
        owner: For::User("ann".parse().unwrap()),
        ..token("x")
    };
    let anns = app.create(&root, anns).await;

    assert_eq!(why(own), "there is no such user here");
    assert!(anns.is_ok());
}

#[tokio::test]
async fn an_admin_manages_an_app_environments_token_but_does_not_renew_it_without_write_envs() {
    let app = TestApp::new().await;
    app.app_env("staging").await;
    let cli_token = app.set_cli_token(env_named("staging"), "deploy:app").await;
    let admin = app
        .agent(["write:tokens", "delete:tokens", "manage:account"])
        .await;

    let renewed = app.rotate(&admin.asks(), rotate(cli_token.id)).await;
    app.disable(&admin.asks(), cli_token.id).await;
    let ended = app.revoke_by(&admin.asks(), revoke(cli_token.id)).await;

    assert!(why(renewed).contains("only its owner"));
    assert_eq!(ended.unwrap().revoked_count, 1);
    app.is_sound().await;
}
