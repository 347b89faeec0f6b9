//! Who asks.

use axum::http::{header::AUTHORIZATION, request::Parts};

use super::{
    keeper::Presented,
    refuse::{self, Refused},
};
use crate::{
    authority::Authority,
    authz::{Credential, Request},
    domain::{actor::Actor, audit::Front, id::RequestId},
    mcp::{
        Presents,
        conversation::{Brought, Last},
    },
};

/// Who asks, as far as it is known before anything is done: every verb looks again.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) presented: Presented,
    pub(super) actor: Actor,
    /// Which request it is, in the log and in the audit trail.
    pub(super) id: RequestId,
}

impl Caller {
    /// Whoever presented what stands beside the request, or how they are refused.
    pub(super) async fn of(authority: &Authority, parts: &Parts) -> Result<Self, Refused> {
        let mut request = parts
            .extensions
            .get::<Request>()
            .cloned()
            .unwrap_or_else(|| {
                let credential = parts.extensions.get::<Credential>().cloned();
                Request::new(credential.unwrap_or(Credential::Nobody), Front::Mcp)
            });
        request.front = Front::Mcp;
        match authority.recognize(&request).await {
            Ok(actor) => Ok(Self {
                presented: Presented {
                    credential: request.credential.clone(),
                    until: request.seen().and_then(|seen| seen.expires_at),
                },
                actor,
                id: request.id,
            }),
            Err(error) => {
                let presented = parts.headers.contains_key(AUTHORIZATION);
                Err(refuse::of(&error, presented, request.id))
            }
        }
    }

    /// What stands beside a message of theirs. The session, where there is one, looks again as
    /// `lasting` says.
    pub(super) fn brings(&self, lasting: Option<Presents>) -> Brought {
        let presents = Presents::from(self.presented.credential.clone());
        Brought {
            lasting: lasting.unwrap_or_else(|| presents.clone()),
            presents,
            id: self.id,
            last: Last::default(),
        }
    }
}
