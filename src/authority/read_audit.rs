//! What happened.

use super::{Authority, Error, Thing, decide, place};
use crate::{
    authz::{self, Action, Request},
    crypto::digest::Fields,
    domain::{
        audit::AuditRecord,
        expires::Since,
        id::TokenId,
        page::{Cursor, Limit, NotACursor, Page},
        token::Whose,
    },
    store::AuditFilter,
};

/// Which entries, and how many of them.
#[derive(Clone, Debug, Default)]
pub struct ReadAudit {
    /// Of the whole account, not only by or about oneself. Without it, whoever may see the
    /// account's entries sees them, too.
    pub system: bool,
    /// Not before this.
    pub since: Option<Since>,
    /// Of this action.
    pub action: Option<&'static str>,
    /// About this token.
    pub token: Option<TokenId>,
    /// How many.
    pub limit: Limit,
    /// From where on.
    pub cursor: Option<Cursor>,
}

impl Authority {
    /// A page of the audit trail, newest first: the account's for whoever may see it, else one's
    /// own entries.
    pub async fn read_audit(
        &self,
        request: &Request,
        asked: ReadAudit,
    ) -> Result<Page<AuditRecord>, Error> {
        self.read(request, move |view, who| {
            let whose = if asked.system {
                Some(Whose::System)
            } else {
                who.account().map(Whose::Account)
            };
            let sees_all = |who| {
                let action = Action::ReadAudit { account: true };
                authz::decide(who, action, whose).ok()
            };
            // The account's, for whoever may see it; else those by or about one's person, or of
            // an app environment's token those by itself.
            let (permit, person, actor) = if let Some(permit) = sees_all(who) {
                (permit, None, None)
            } else {
                let action = Action::ReadAudit { account: false };
                let permit = decide(who, action, whose, Thing::Account)?;
                match who.user() {
                    Some(user) => (permit, Some(user), None),
                    None => (permit, None, Some(who.actor())),
                }
            };
            let list = Fields::new("audit").text(&format!(
                "{whose:?} {person:?} {actor:?} {asked:?}",
                asked = (&asked.since, &asked.action, &asked.token)
            ));
            let before = place(asked.cursor.as_ref(), &list)?
                .map(u64::try_from)
                .transpose()
                .map_err(|_| Error::invalid("cursor", NotACursor))?;
            let filter = AuditFilter {
                person,
                actor,
                since: asked.since.map(|since| since.resolve(who.at())),
                action: asked.action,
                token: asked.token,
            };
            let rows = view.audit(&permit, &filter, before, asked.limit.and_one())?;
            Ok(Page::cut(rows, asked.limit, &list, |record| {
                record.sequence.into()
            }))
        })
        .await
    }
}
