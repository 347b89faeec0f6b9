//! `keywright demo`.
use super::error::Failure;
pub(super) async fn run() -> Result<(), Failure> {
    Ok(())
}
