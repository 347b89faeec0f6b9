//! Telling tokens apart by how they are refused. How long a refusal takes is measured in a benchmark,
//! `cargo bench --bench timing`, which compares 10,000 of each kind: machines are too noisy for a
//! test. What a test can hold is that the three take the same way and leave the same behind.

use chrono::Duration;
use keywright::domain::credential::{Brand, PlainToken};
use keywright::domain::token::Kind;

use crate::support::{TestApp, bearer, why};

#[tokio::test]
async fn unknown_revoked_and_expired_take_the_same_way_and_leave_the_same_behind() {
    let app = TestApp::new().await;
    let revoked = app.agent(["read:tokens"]).await;
    let expired = app.agent_until(Duration::hours(1), ["read:tokens"]).await;
    app.revoke(revoked.id).await;
    app.advance(Duration::hours(2));
    let unknown = PlainToken::generate(&Brand::default(), Kind::Pat);

    for value in [unknown.expose(), &revoked.value, &expired.value] {
        let refused = app.authority.whoami(&bearer(value)).await;
        assert_eq!(why(refused), "no valid token was presented");
    }

    // They are counted as one; and nobody's token was used.
    let app = app.restarted().await;
    assert_eq!(
        app.system_trail(1).await,
        ["nobody authenticate refused x3: no valid token was presented"]
    );
    for id in [revoked.id, expired.id] {
        assert_eq!(app.token(id).await.last_used_at, None);
    }
}
