//! `keywright doctor`: whether this installation is sound, and what mends it.
//!
//! It looks at the store, its key, the clock and the clients, and speaks to each connected client's
//! server as that client would. It changes nothing but when a token was last used, and starts
//! nothing but this program's own server.

mod clients;
mod finding;
mod session;
mod store;

use super::{
    args::Place,
    error::Failure,
    output::Output,
    serve::{House, Missing},
    token::written,
};
use finding::{Diagnosis, Findings};

/// Examines this installation. It fails where there is a problem; a warning is none.
pub(super) async fn run(place: &Place, out: Output) -> Result<(), Failure> {
    let house = House::at(place, Missing::IsRefused)?;
    let mut findings = Findings::default();
    let program = std::env::current_exe().unwrap_or_else(|_| "keywright".into());
    findings.ok(
        "program",
        format!("{} {}", program.display(), env!("CARGO_PKG_VERSION")),
    );
    let opens = store::examine(&house, &mut findings).await;
    clients::examine(&house, opens, &mut findings).await;
    house.close().await;

    let diagnosis = Diagnosis::of(findings);
    written(out.show(&diagnosis, Diagnosis::eyes))?;
    if diagnosis.sound {
        Ok(())
    } else {
        Err(Failure::Told)
    }
}
