//! `whoami`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Call, Hints};
use crate::{authority::Error, authz::Request, mcp::Server, wire};

/// Arguments of `whoami`: none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Whoami {}

impl Call for Whoami {
    const NAME: &'static str = "whoami";
    const TITLE: &'static str = "Who am I";
    const DESCRIPTION: &'static str = "Tells whom this session acts for, which scopes it holds, \
        when it ends, and for each tool whether it may be used or what is missing. A good first \
        call.";
    const HINTS: Hints = Hints::Reads;
    type Answer = wire::whoami::Whoami;

    async fn call(self, server: &Server, request: &Request) -> Result<Self::Answer, Error> {
        Ok((&server.authority.whoami(request).await?).into())
    }
}
