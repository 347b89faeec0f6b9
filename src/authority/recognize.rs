//! Who asks, for a front that must know before it reads on.

use super::{Authority, Error};
use crate::{authz::Request, domain::actor::Actor};

impl Authority {
    /// Who asks. Nothing follows from it: the verb that acts looks again, in its own transaction,
    /// and only that is a use of a token.
    pub async fn recognize(&self, request: &Request) -> Result<Actor, Error> {
        let request = request.clone().looking_again();
        self.look(&request, |_, who| Ok(who.actor())).await
    }
}
