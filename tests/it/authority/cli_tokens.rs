//! CLI tokens are kept sealed, and shown again to whoever may see them, each time with an entry.

use std::fs;

use keywright::{
    authority::{Deliver, Error, For, RevealedOwner, Rotate, SetCliToken, Update},
    domain::{
        account::Role, app_env::AppEnvRef, credential::PlainToken, id::AppEnvId, token::Kind,
    },
    vault,
};

use crate::support::{
    Agent, TestApp, TestSink, bearer, by_code, code, env_named, local, operator, operator_in,
    revoke, rotate, scopes, swap_keys, update, value, why,
};

fn imported(of: For, value: &str) -> SetCliToken {
    SetCliToken {
        of,
        scopes: scopes(""),
        imported: Some(PlainToken::imported(value)),
    }
}

async fn shown(app: &TestApp, of: For) -> String {
    let shown = app.reveal(&operator(), of).await;
    shown.unwrap().value.expose().to_owned()
}

#[tokio::test]
async fn a_users_own_cli_token_is_shown_to_who_holds_read_secrets() {
    let app = TestApp::new().await;
    let token = app.set_cli_token(For::Me, "").await;
    let ann = app.agent(["read:secrets"]).await;

    let shown = app.reveal(&ann.asks(), For::Me).await;
    let shown = shown.unwrap();

    let value = shown.value.expose();
    assert!(value.starts_with(token.present.unwrap().prefix.unwrap().as_str()));
    assert_eq!(token.kind, Kind::Cli);
    assert!(app.is_good(value).await);
    assert!(matches!(shown.owner, RevealedOwner::User(user) if user.username.as_str() == "ann"));
    assert_eq!(app.trail(1).await, ["token reveal_user_token done"]);
    let record = app.last_record().await;
    assert_eq!(record.target.unwrap().uuid(), token.id.as_uuid());
    app.is_sound().await;
}

#[tokio::test]
async fn without_read_secrets_nothing_is_shown() {
    let app = TestApp::new().await;
    app.set_cli_token(For::Me, "").await;
    let ann = app
        .agent(["read:tokens", "write:tokens", "manage:account"])
        .await;

    for asker in [ann.asks(), local()] {
        let refused = app.reveal(&asker, For::Me).await;

        assert_eq!(why(refused), "this needs the scope `read:secrets`");
    }
    assert_eq!(
        app.trail(1).await,
        ["local reveal_user_token refused: this needs the scope `read:secrets`"]
    );
}

#[tokio::test]
async fn a_cli_token_that_carries_more_than_the_asker_is_not_shown_to_it() {
    let app = TestApp::new().await;
    app.set_cli_token(For::Me, "read:notes").await;
    let narrow = app.agent(["read:secrets"]).await;
    let wide = app.agent(["read:secrets", "read:notes"]).await;

    let refused = app.reveal(&narrow.asks(), For::Me).await;
    let allowed = app.reveal(&wide.asks(), For::Me).await;

    assert!(why(refused).contains("cannot give or use the scope `read:notes`"));
    assert!(allowed.is_ok());
}

#[tokio::test]
async fn a_cli_token_does_what_its_scopes_allow() {
    let app = TestApp::new().await;
    let token = app.set_cli_token(For::Me, "read:tokens").await;
    let value = shown(&app, For::Me).await;

    let found = app
        .authority
        .get_token(&crate::support::bearer(&value), token.id)
        .await;

    assert_eq!(found.unwrap().0.id, token.id);
}

#[tokio::test]
async fn who_has_no_cli_token_is_told_so() {
    let app = TestApp::new().await;
    let ann = app.agent(["read:secrets"]).await;

    let refused = app.reveal(&ann.asks(), For::Me).await;

    assert_eq!(why(refused), "there is no such CLI token here");
    assert_eq!(
        app.trail(1).await,
        ["token reveal_user_token refused: there is no such CLI token here"]
    );
}

#[tokio::test]
async fn another_members_cli_token_is_shown_to_nobody_but_the_operator() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    let bobs = || For::User("bob".parse().unwrap());
    app.set_cli_token(bobs(), "").await;
    let ann = app.agent(["read:secrets"]).await;
    let admin = app.agent(["read:secrets", "manage:account"]).await;

    let by_ann = app.reveal(&ann.asks(), bobs()).await;
    let by_admin = app.reveal(&admin.asks(), bobs()).await;

    assert_eq!(why(by_ann), "there is no such user here");
    assert!(why(by_admin).contains("only its owner"));
    assert!(!shown(&app, bobs()).await.is_empty());
}

#[tokio::test]
async fn an_app_environments_cli_token_is_found_by_id_and_by_name() {
    let app = TestApp::new().await;
    let env = app.app_env("staging").await;
    app.set_cli_token(env_named("staging"), "").await;
    let admin = app.agent(["read:secrets"]).await;

    for of in [For::AppEnv(AppEnvRef::Id(env.id)), env_named("staging")] {
        let shown = app.reveal(&admin.asks(), of).await;
        let shown = shown.unwrap();

        assert!(shown.value.expose().starts_with("kw_cli_"));
        assert!(matches!(shown.owner, RevealedOwner::AppEnv(found) if found.id == env.id));
    }
    assert_eq!(app.trail(1).await, ["token reveal_app_env_token done"]);
    app.is_sound().await;
}

#[tokio::test]
async fn an_app_environment_that_is_not_there_or_not_ours_is_not_found() {
    let app = TestApp::new().await;
    let env = app.app_env("staging").await;
    app.set_cli_token(env_named("staging"), "").await;
    let stranger = app.stranger().await;
    let theirs = For::AppEnv(AppEnvRef::Id(env.id));
    let nobodys = For::AppEnv(AppEnvRef::Id(AppEnvId::fresh()));

    for of in [theirs, nobodys, env_named("staging")] {
        let refused = app.reveal(&stranger.asks(), of).await;

        assert_eq!(why(refused), "there is no such app environment here");
    }
}

#[tokio::test]
async fn an_app_environments_cli_token_needs_the_role_admin() {
    let app = TestApp::new().await;
    app.user("bob", Role::Member).await;
    app.app_env("staging").await;
    app.set_cli_token(env_named("staging"), "").await;
    let bob = app
        .agent_of("bob", ["read:secrets", "manage:account"])
        .await;
    let admin = app.agent(["manage:account"]).await;
    let reveal = async |by: &Agent| app.reveal(&by.asks(), env_named("staging")).await;

    let without_role = reveal(&bob).await;
    let without_scope = reveal(&admin).await;

    assert_eq!(
        why(without_role),
        "this needs the role `admin` in the account"
    );
    assert_eq!(why(without_scope), "this needs the scope `read:secrets`");
}

#[tokio::test]
async fn an_app_environments_token_that_carries_more_is_not_shown() {
    let app = TestApp::new().await;
    app.app_env("staging").await;
    app.set_cli_token(env_named("staging"), "deploy:app").await;
    let narrow = app.agent(["read:secrets"]).await;
    let wide = app.agent(["read:secrets", "deploy:app"]).await;

    let refused = app.reveal(&narrow.asks(), env_named("staging")).await;
    let allowed = app.reveal(&wide.asks(), env_named("staging")).await;

    assert!(why(refused).contains("`deploy:app`"));
    assert!(allowed.is_ok());
}

#[tokio::test]
async fn an_admin_who_is_made_a_member_is_refused_at_the_next_call() {
    let app = TestApp::new().await;
    app.app_env("staging").await;
    app.set_cli_token(env_named("staging"), "").await;
    let ann = app.agent(["read:secrets"]).await;
    let reveal = async |by: &Agent| app.reveal(&by.asks(), env_named("staging")).await;
    reveal(&ann).await.unwrap();

    app.set_role("ann", Role::Member).await;

    let refused = reveal(&ann).await;
    assert_eq!(why(refused), "this needs the role `admin` in the account");
    assert_eq!(
        app.trail(1).await,
        ["token reveal_app_env_token refused: this needs the role `admin` in the account"]
    );
}

#[tokio::test]
async fn setting_it_again_keeps_the_id_and_ends_the_old_value_at_once() {
    let app = TestApp::new().await;
    let first = app.set_cli_token(For::Me, "").await;
    let old = shown(&app, For::Me).await;

    let second = app.set_cli_token(For::Me, "read:tokens").await;

    assert_eq!(first.id, second.id);
    assert_eq!(second.powers.scopes, scopes("read:tokens"));
    assert!(!app.is_good(&old).await);
    assert!(app.is_good(&shown(&app, For::Me).await).await);
    app.is_sound().await;
}

#[tokio::test]
async fn only_the_operator_sets_a_cli_token() {
    let app = TestApp::new().await;
    let ann = app
        .agent([
            "write:tokens",
            "read:secrets",
            "write:envs",
            "manage:account",
        ])
        .await;
    let set = SetCliToken {
        of: For::Me,
        scopes: scopes(""),
        imported: None,
    };

    let refused = app.authority.set_cli_token(&ann.asks(), set).await;

    assert_eq!(why(refused), "this is done at the machine's shell");
}

#[tokio::test]
async fn a_value_that_was_made_elsewhere_is_shown_and_authenticates_nobody() {
    let app = TestApp::new().await;
    let set = imported(For::Me, "ghp_elsewhere");
    let set = app.authority.set_cli_token(&operator(), set).await;

    let (token, _) = set.unwrap();

    assert_eq!(token.present.unwrap().prefix, None);
    assert_eq!(shown(&app, For::Me).await, "ghp_elsewhere");
    assert!(!app.is_good("ghp_elsewhere").await);
    app.is_sound().await;
}

#[tokio::test]
async fn a_value_that_was_made_elsewhere_carries_no_scopes() {
    let app = TestApp::new().await;
    let set = SetCliToken {
        scopes: scopes("read:notes"),
        ..imported(For::Me, "ghp_elsewhere")
    };

    let refused = app.authority.set_cli_token(&operator(), set).await;

    assert!(why(refused).starts_with("`scopes` cannot be used"));
    assert_eq!(app.rows("tokens"), 0);
}

#[tokio::test]
async fn a_revoked_cli_token_is_not_shown_and_its_sealed_value_is_gone() {
    let app = TestApp::new().await;
    let token = app.set_cli_token(For::Me, "").await;
    app.revoke(token.id).await;

    let refused = app.reveal(&operator(), For::Me).await;

    assert_eq!(why(refused), "there is no such CLI token here");
    let sealed: i64 = app
        .database()
        .query_row("select count(sealed) from token_values", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(sealed, 0);
    app.is_sound().await;
}

#[tokio::test]
async fn a_disabled_cli_token_is_not_shown() {
    let app = TestApp::new().await;
    let token = app.set_cli_token(For::Me, "").await;
    app.disable(&operator(), token.id).await;
    let ann = app.agent(["read:secrets"]).await;

    let refused = app.reveal(&ann.asks(), For::Me).await;

    assert_eq!(why(refused), "the token is disabled");
}

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
async fn a_cli_token_is_narrowed_like_any_other() {
    let app = TestApp::new().await;
    let token = app.set_cli_token(For::Me, "read:notes read:tokens").await;
    let ann = app.agent(["write:tokens", "delete:tokens"]).await;
    let narrower = Update {
        scopes: Some(scopes("read:notes")),
        ..update(token.id)
    };

    app.update(&ann.asks(), narrower).await.unwrap();
    let ended = app.revoke_by(&ann.asks(), revoke(token.id)).await;

    assert_eq!(ended.unwrap().revoked_count, 1);
    app.is_sound().await;
}

#[tokio::test]
async fn each_account_has_its_own_cli_token_for_its_people() {
    let app = TestApp::new().await;
    app.stranger().await;
    let ours = app.set_cli_token(For::Me, "").await;
    let eves = SetCliToken {
        of: For::User("eve".parse().unwrap()),
        scopes: scopes(""),
        imported: None,
    };

    let theirs = app
        .authority
        .set_cli_token(&operator_in("acme"), eves)
        .await;

    assert_ne!(theirs.unwrap().0.account, ours.account);
    app.is_sound().await;
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
async fn a_rotation_by_claim_shows_the_old_value_until_it_is_claimed() {
    let app = TestApp::new().await;
    let cli_token = app.set_cli_token(For::Me, "").await;
    let old = shown(&app, For::Me).await;
    let rotated = app.rotate(&operator(), rotate(cli_token.id)).await.unwrap();
    let mut broken = TestSink::failing_to("publish");

    let code = code(&rotated);
    app.claim_to(by_code(&code), &mut broken).await.unwrap_err();
    assert_eq!(shown(&app, For::Me).await, old);
    let new = app.claim(&code).await.unwrap();

    assert_eq!(shown(&app, For::Me).await, new);
    assert!(app.is_good(&new).await && !app.is_good(&old).await);
    app.is_sound().await;
}

#[tokio::test]
async fn one_that_is_over_makes_room_for_a_new_one() {
    let app = TestApp::new().await;
    let cli_token = app.set_cli_token(For::Me, "").await;
    let sooner = Update {
        expires: Some("1h".parse().unwrap()),
        ..update(cli_token.id)
    };
    app.update(&operator(), sooner).await.unwrap();
    app.advance(chrono::Duration::hours(1));

    let again = app.set_cli_token(For::Me, "").await;

    assert_eq!(again.id, cli_token.id);
    assert_eq!(again.powers.expires_at, None);
    assert!(app.is_good(&shown(&app, For::Me).await).await);
    app.is_sound().await;
}

#[tokio::test]
async fn what_was_revealed_does_not_show_itself_when_it_is_printed() {
    let app = TestApp::new().await;
    app.set_cli_token(For::Me, "").await;

    let revealed = app.reveal(&operator(), For::Me).await.unwrap();

    let value = revealed.value.expose();
    assert!(!format!("{revealed:?}").contains(&value["kw_cli_0000".len()..]));
}

#[tokio::test]
async fn setting_it_again_ends_a_claim_that_waits() {
    let app = TestApp::new().await;
    let cli_token = app.set_cli_token(For::Me, "").await;
    let rotated = app.rotate(&operator(), rotate(cli_token.id)).await.unwrap();
    app.set_cli_token(For::Me, "").await;

    let refused = app.claim(&code(&rotated)).await;

    assert_eq!(why(refused), "there is no such claim here");
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

#[tokio::test]
async fn an_app_environments_own_token_is_no_shorter_way_to_its_value() {
    let app = TestApp::new().await;
    app.app_env("staging").await;
    let of_env = app
        .set_cli_token(env_named("staging"), "read:secrets")
        .await;
    let value = shown(&app, env_named("staging")).await;
    let id = of_env.id.as_uuid();

    for of in [For::Me, env_named("staging")] {
        let refused = app.reveal(&bearer(&value), of).await;

        assert_eq!(why(refused), "this needs the role `admin` in the account");
    }
    assert_eq!(
        app.trail(1).await,
        ["token reveal_app_env_token refused: this needs the role `admin` in the account"]
    );
    assert_eq!(
        app.last_record().await.actor.to_string(),
        format!("token:{id}")
    );
    app.is_sound().await;
}

#[tokio::test]
async fn an_app_environment_reveals_no_users_token_either() {
    let app = TestApp::new().await;
    app.app_env("staging").await;
    app.set_cli_token(For::Me, "").await;
    app.set_cli_token(env_named("staging"), "read:secrets")
        .await;
    let value = shown(&app, env_named("staging")).await;

    let refused = app
        .reveal(&bearer(&value), For::User("ann".parse().unwrap()))
        .await;

    assert_eq!(why(refused), "there is no such user here");
}
