//! A sealed value opens with its own key, in its own row and store, and nowhere else.

use std::fs;

use keywright::{
    authority::{Deliver, Error, For, Rotate, SetCliToken},
    domain::account::Role,
    vault,
};

use super::shown;
use crate::support::{Agent, TestApp, env_named, operator, rotate, scopes, swap_keys, value, why};

#[tokio::test]
async fn no_value_stands_in_the_clear_in_the_file() {
    let app = TestApp::new().await;
    app.set_cli_token(For::Me, "").await;
    let ann = app.agent([]).await;
    let cli = shown(&app, For::Me).await;
    let store = app.key_path().with_file_name("store.db");
    app.authority.close().await.unwrap();

    let bytes = fs::read(store).unwrap();

    for value in [cli, ann.value] {
        let secret = &value.as_bytes()["kw_pat_0000".len()..];
        assert!(!bytes.windows(secret.len()).any(|some| some == secret));
    }
}

/// A store with a sealed value, and a hashed token beside it.
async fn sealed() -> (TestApp, Agent) {
    let app = TestApp::new().await;
    app.set_cli_token(For::Me, "").await;
    let ann = app.agent(["read:secrets", "write:tokens"]).await;
    (app, ann)
}

/// What a reveal says, while hashed tokens go on working.
async fn broken(app: &TestApp, ann: &Agent) -> String {
    let refused = app.reveal(&ann.asks(), For::Me).await;
    assert!(app.is_good(&ann.value).await);
    app.child(ann, "").await;
    assert!(matches!(refused, Err(Error::Vault(_))));
    why(refused)
}

#[tokio::test]
async fn without_the_key_nothing_is_shown_and_hashed_tokens_go_on_working() {
    let (app, ann) = sealed().await;
    fs::remove_file(app.key_path()).unwrap();
    let app = app.restarted().await;

    let sentence = broken(&app, &ann).await;

    assert!(sentence.contains("is missing"), "{sentence}");
    assert!(sentence.contains("put the file back"), "{sentence}");
    assert!(!app.key_path().exists());
}

#[tokio::test]
async fn no_new_key_is_made_where_something_is_sealed() {
    let (app, _) = sealed().await;
    fs::remove_file(app.key_path()).unwrap();
    let app = app.restarted().await;
    app.app_env("staging").await;
    let set = SetCliToken {
        of: env_named("staging"),
        scopes: scopes(""),
        imported: None,
    };
    let tokens = app.rows("tokens");

    let refused = app.authority.set_cli_token(&operator(), set).await;

    assert!(matches!(
        refused,
        Err(Error::Vault(vault::Error::Missing(_)))
    ));
    assert!(!app.key_path().exists());
    assert_eq!(app.rows("tokens"), tokens);
}

#[tokio::test]
async fn a_key_file_that_was_cut_short_shows_nothing() {
    let (app, ann) = sealed().await;
    let text = fs::read_to_string(app.key_path()).unwrap();
    fs::write(app.key_path(), &text[..text.len() / 2]).unwrap();
    let app = app.restarted().await;

    let sentence = broken(&app, &ann).await;

    assert!(sentence.contains("cut short or damaged"), "{sentence}");
    let key = text.lines().nth(2).unwrap().strip_prefix("key ").unwrap();
    assert!(!sentence.contains(&key[..8]));
}

#[tokio::test]
async fn the_key_file_of_another_store_shows_nothing() {
    let (app, ann) = sealed().await;
    let (other, _) = sealed().await;
    swap_keys(&app, &other);
    let app = app.restarted().await;

    let sentence = broken(&app, &ann).await;

    assert!(
        sentence.contains("was sealed with the vault key"),
        "{sentence}"
    );
    assert!(sentence.contains("put the right file back"), "{sentence}");
}

#[tokio::test]
async fn the_key_is_found_again_once_it_is_put_back() {
    let (app, ann) = sealed().await;
    let aside = app.key_path().with_extension("aside");
    fs::rename(app.key_path(), &aside).unwrap();
    let app = app.restarted().await;
    broken(&app, &ann).await;

    fs::rename(&aside, app.key_path()).unwrap();

    assert!(app.is_good(&shown(&app, For::Me).await).await);
}

#[tokio::test]
async fn a_sealed_value_that_was_moved_to_another_row_does_not_open() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bobs = || For::User("bob".parse().unwrap());
    let from = app.set_cli_token(bobs(), "").await;
    let to = app.set_cli_token(For::Me, "").await;
    let ann = app.agent(["read:secrets"]).await;
    app.database()
        .execute(
            "update token_values set (sealed, key_id) =
                (select sealed, key_id from token_values where token_id = ?1)
                where token_id = ?2",
            [from.id.to_bytes(), to.id.to_bytes()],
        )
        .unwrap();

    let refused = app.reveal(&ann.asks(), For::Me).await;

    assert_eq!(
        why(refused),
        "the sealed value was altered or moved to another row"
    );
    assert_eq!(app.trail(1).await, ["operator create_token done"]);
    let fault = format!("token:{} is not as the last entry about it left it", to.id);
    assert_eq!(app.faults().await, [fault]);
}

#[tokio::test]
async fn a_sealed_value_of_an_older_generation_does_not_open_as_the_present_one() {
    let app = TestApp::new().await;
    let token = app.set_cli_token(For::Me, "").await;
    let overlapping = Rotate {
        deliver: Deliver::Inline,
        overlap: Some(chrono::Duration::hours(1)),
        ..rotate(token.id)
    };
    let rotated = app.rotate(&operator(), overlapping).await;
    assert_eq!(shown(&app, For::Me).await, value(&rotated.unwrap()));
    app.attack(
        "update token_values set sealed =
            (select sealed from token_values where generation = 1) where generation = 2",
    );

    let refused = app.reveal(&operator(), For::Me).await;

    assert!(matches!(refused, Err(Error::Vault(vault::Error::Altered))));
}

#[tokio::test]
async fn two_processes_that_need_the_first_key_at_once_make_one() {
    let app = TestApp::new().await;
    let other = app.another_process();
    app.app_env("staging").await;

    tokio::join!(
        app.set_cli_token(For::Me, ""),
        other.set_cli_token(env_named("staging"), ""),
    );

    let app = app.restarted().await;
    assert!(app.is_good(&shown(&app, For::Me).await).await);
    assert!(app.is_good(&shown(&app, env_named("staging")).await).await);
}

#[tokio::test]
async fn a_sealed_value_whose_row_was_given_to_somebody_else_does_not_open() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    app.set_cli_token(For::User("bob".parse().unwrap()), "")
        .await;
    let ann = app.agent(["read:secrets"]).await;
    app.attack(
        "update tokens set owner_id = (select id from users where username = 'ann')
            where kind = 'cli'",
    );

    let refused = app.reveal(&ann.asks(), For::Me).await;

    assert!(matches!(refused, Err(Error::Vault(vault::Error::Altered))));
    assert_eq!(app.faults().await.len(), 1);
}

#[tokio::test]
async fn a_sealed_value_does_not_open_in_another_store_that_has_the_key() {
    let (app, ann) = sealed().await;
    app.attack("update meta set value = 'another' where key = 'instance_id'");

    let refused = app.reveal(&ann.asks(), For::Me).await;

    assert!(matches!(refused, Err(Error::Vault(vault::Error::Altered))));
}
