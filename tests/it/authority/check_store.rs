//! The store is looked at, and the key held against what is sealed with it.

use std::fs;

use keywright::authority::{Checked, For};

use crate::support::{TestApp, operator, swap_keys, why};

async fn checked(app: &TestApp) -> Checked {
    app.authority.check_store(&operator()).await.unwrap()
}

/// What is wrong with the key, of a store with a sealed value in it.
async fn key_of(app: &TestApp) -> String {
    checked(app).await.key.unwrap()
}

async fn sealed() -> TestApp {
    let app = TestApp::new().await;
    app.set_cli_token(For::Me, "").await;
    app
}

#[tokio::test]
async fn a_sound_store_has_nothing_to_say() {
    for app in [TestApp::new().await, sealed().await] {
        let checked = checked(&app).await;

        assert_eq!(checked.damage, [""; 0]);
        assert_eq!(checked.key, None);
    }
}

#[tokio::test]
async fn a_key_that_is_missing_is_told_once_something_is_sealed_with_it() {
    let app = sealed().await;
    fs::remove_file(app.key_path()).unwrap();
    let app = app.restarted().await;

    let sentence = key_of(&app).await;

    assert!(sentence.contains("is missing"), "{sentence}");
    assert!(sentence.contains("put the file back"), "{sentence}");
}

#[tokio::test]
async fn the_key_of_another_store_is_told() {
    let (app, other) = (sealed().await, sealed().await);
    swap_keys(&app, &other);
    let app = app.restarted().await;

    let sentence = key_of(&app).await;

    assert!(sentence.contains("put the right file back"), "{sentence}");
}

#[tokio::test]
async fn only_somebody_at_the_shell_checks_the_store() {
    let app = TestApp::new().await;
    let ann = app.agent(["manage:account"]).await;

    let refused = app.authority.check_store(&ann.asks()).await;

    assert_eq!(why(refused), "this is done at the machine's shell");
}
