//! Where a program would end a token that it did not mint, a person's word counts: for what they
//! were asked, and for nothing else.

use keywright::{
    authority::{Consent, Error, Question, Revoke, Revoked, Withheld},
    domain::id::TokenId,
};

use crate::support::{Agent, TestApp, label, operator, revoke, update, why};

/// A program that may end tokens, and a token that it did not mint.
async fn furnished() -> (TestApp, Agent, Agent) {
    let app = TestApp::new().await;
    let ann = app.agent(["delete:tokens"]).await;
    let other = app.agent([]).await;
    (app, ann, other)
}

async fn end(app: &TestApp, by: &Agent, id: TokenId, consent: Consent) -> Result<Revoked, Error> {
    let asked = Revoke {
        consent,
        ..revoke(id)
    };
    app.revoke_by(&by.asks(), asked).await
}

/// What a person would be asked before the token ends.
async fn question(app: &TestApp, by: &Agent, id: TokenId) -> Box<Question> {
    match end(app, by, id, Consent::Unasked).await {
        Err(Error::Unconfirmed(question)) => question,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nothing_is_done_nor_written_down_before_a_person_was_asked() {
    let (app, ann, other) = furnished().await;
    let before = app.rows("audit");

    let question = question(&app, &ann, other.id).await;

    assert_eq!(question.token, other.id);
    assert!(app.is_good(&other.value).await);
    assert_eq!(app.rows("audit"), before);
}

#[tokio::test]
async fn a_yes_ends_what_it_was_asked_for() {
    let (app, ann, other) = furnished().await;
    let yes = Consent::Given(question(&app, &ann, other.id).await.print());

    let revoked = end(&app, &ann, other.id, yes).await.unwrap();

    assert_eq!(revoked.revoked_count, 1);
    assert_eq!(
        app.trail(1).await,
        ["token revoke_token done: a person said yes"]
    );
}

#[tokio::test]
async fn a_yes_to_one_token_is_none_to_another_nor_to_one_that_has_changed() {
    let (app, ann, other) = furnished().await;
    let yes = Consent::Given(question(&app, &ann, other.id).await.print());
    let third = app.agent([]).await;

    let another = end(&app, &ann, third.id, yes).await;
    let mut renaming = update(other.id);
    renaming.label = Some(label("renamed"));
    app.update(&operator(), renaming).await.unwrap();
    let changed = end(&app, &ann, other.id, yes).await;

    assert!(matches!(another, Err(Error::Unconfirmed(_))));
    assert!(matches!(changed, Err(Error::Unconfirmed(_))));
    assert!(app.is_good(&third.value).await && app.is_good(&other.value).await);
}

#[tokio::test]
async fn nobody_is_asked_about_what_has_ended_already() {
    let (app, ann, other) = furnished().await;
    app.revoke(other.id).await;

    let again = end(&app, &ann, other.id, Consent::Unasked).await;

    assert_eq!(again.unwrap().revoked_count, 0);
}

#[tokio::test]
async fn a_no_stands_and_is_written_down() {
    let (app, ann, other) = furnished().await;

    let refused = end(&app, &ann, other.id, Consent::Withheld(Withheld::Declined)).await;

    assert_eq!(why(refused), "the person said no");
    assert!(app.is_good(&other.value).await);
    assert_eq!(
        app.trail(1).await,
        ["token revoke_token refused: the person said no"]
    );
}
