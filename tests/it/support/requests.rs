//! Who asks: the requests of agents, people at the shell, and the program itself.

use keywright::{
    authz::{Credential, Request},
    domain::{account::Slug, audit::Front, scope::Reach},
};

use super::asks::scopes;

/// The operating system's number for ann, who is there from the start and an admin of `default`.
pub(super) const ANN: u32 = 1000;

/// What a local session holds when nothing is said.
const USUAL: &str = "read:tokens write:tokens delete:tokens read:envs";

/// Every scope that means something here, and one that does not.
pub(crate) const EVERYTHING: &str = "read:tokens write:tokens delete:tokens read:secrets \
    read:envs write:envs introspect:tokens read:audit manage:account read:notes";

pub(super) fn request(credential: Credential) -> Request {
    Request::new(credential, Front::Mcp)
}

/// Whoever presents this value.
pub(crate) fn bearer(value: &str) -> Request {
    request(Credential::bearer(value, None))
}

/// Ann's local session with its usual scopes.
pub(crate) fn local() -> Request {
    local_with(USUAL)
}

/// Ann's local session with these scopes, and every service scope.
pub(crate) fn local_with(held: &str) -> Request {
    request(Credential::LocalSession {
        uid: ANN,
        account: Slug::default(),
        reach: Reach::WithEveryService(scopes(held)),
    })
}

/// At the shell, in the account `default`.
pub(crate) fn operator() -> Request {
    operator_in("default")
}

/// At the shell, in this account.
pub(crate) fn operator_in(account: &str) -> Request {
    let credential = Credential::Operator {
        uid: ANN,
        account: account.parse().unwrap(),
    };
    Request::new(credential, Front::Cli)
}

/// The program itself.
pub(crate) fn keywright() -> Request {
    Request::housekeeping()
}
