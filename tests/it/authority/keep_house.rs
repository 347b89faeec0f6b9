//! A process keeps house beside its requests, for as long as it runs.

use std::time::Instant;

use keywright::domain::id::TokenId;
use tokio::time;

use crate::{
    mcp::process::PATIENCE,
    support::{TestApp, local},
};

/// A token that nobody picked up for a day.
async fn forgotten(app: &TestApp) -> TokenId {
    let (id, _) = app.waiting(&local(), "").await;
    app.advance(chrono::Duration::days(1));
    id
}

/// Returns when all tokens are gone: somebody else sweeps.
async fn swept(app: &TestApp) {
    let since = Instant::now();
    while app.rows("tokens") > 0 {
        assert!(since.elapsed() < PATIENCE, "nobody swept");
        app.authority.mark().await.unwrap();
    }
}

#[tokio::test]
async fn the_house_is_swept_at_once_and_every_hour() {
    let app = TestApp::new().await;
    forgotten(&app).await;
    let authority = app.authority.clone();
    let keeper = tokio::spawn(async move { authority.keep_house().await });
    swept(&app).await;
    forgotten(&app).await;

    // Where everybody waits, the clock goes on to whatever is next.
    time::pause();
    swept(&app).await;
    assert!(!keeper.is_finished());
    keeper.abort();
}
