//! The MCP front: words of agents. Translates, and decides nothing: every call goes through the
//! authority, which looks the session's credential up anew.

mod arguments;
mod completion;
mod confirm;
mod conversation;
mod doubled;
pub(crate) mod error;
#[cfg(feature = "conformance-fixtures")]
mod fixtures;
mod frame;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod handler;
mod progress;
mod prompts;
mod resources;
pub mod stdio;
pub mod streamable_http;
mod subscriptions;
mod tools;
mod warning;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation,
        JsonObject, MetaObject, Prompt, ProtocolVersion, Resource, ResourceTemplate, Tool,
    },
    service::RequestContext,
};
use tokio::sync::Semaphore;

pub use self::{confirm::Confirm, conversation::Conversation};
use self::{
    confirm::Confirmations, conversation::Brought, subscriptions::Subscriptions, tools::Told,
};
use crate::{
    authority::{Authority, Consent, Error, Question, Withheld},
    authz::{Credential, Request},
    crypto::digest::{Digest, Fields},
    domain::{audit::Front, id::RequestId},
    wire::{problem::Problem, token::ClaimCommand},
};

/// Where the 2026-07-28 revision wants a server's identity in a result's `_meta`.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// What a session presents, asked anew for every call: it may change while the session lasts.
#[derive(Clone)]
pub struct Presents(Arc<dyn Fn() -> Credential + Send + Sync>);

/// One session: the authority, and what is presented with every call.
#[derive(Clone, Debug)]
pub struct Server {
    authority: Authority,
    presents: Presents,
    /// What else the request that is being answered brought, where each brings its own.
    brought: Option<Brought>,
    claim: ClaimCommand,
    confirmations: Arc<Confirmations>,
    tools: Arc<[Tool]>,
    prompts: Arc<[Prompt]>,
    subscriptions: Arc<Subscriptions>,
    /// Whose turn it is to hold thousands of tokens in memory.
    looks_through: Arc<Semaphore>,
}

impl Presents {
    /// What `each_call` says at that moment.
    pub fn anew(each_call: impl Fn() -> Credential + Send + Sync + 'static) -> Self {
        Self(Arc::new(each_call))
    }
}

impl From<Credential> for Presents {
    /// The same with every call.
    fn from(credential: Credential) -> Self {
        Self::anew(move || credential.clone())
    }
}

impl fmt::Debug for Presents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presents")
    }
}

impl Server {
    /// A session that `presents` something with every call. A person is told to pick values up
    /// with `claim`.
    pub fn new(authority: Authority, presents: Presents, claim: ClaimCommand) -> Self {
        Self {
            authority,
            presents,
            brought: None,
            claim,
            confirmations: Arc::default(),
            tools: Self::tools(),
            prompts: prompts::all().into(),
            subscriptions: Arc::default(),
            looks_through: Arc::new(Semaphore::new(resources::AT_ONCE)),
        }
    }

    /// The same, asking the person as `confirm` says, and waiting for an answer no longer than
    /// `patience`, if it is given.
    #[must_use]
    pub fn confirming(mut self, confirm: Confirm, patience: Option<Duration>) -> Self {
        self.confirmations = Arc::new(Confirmations::new(confirm, patience));
        self
    }

    /// Every tool, as a client is told of it: the same for everyone, in a fixed order.
    ///
    /// They are described when they are asked for first, which takes a good part of a start: whoever
    /// has something else to do meanwhile asks for them on another thread.
    pub fn tools() -> Arc<[Tool]> {
        static TOOLS: LazyLock<Arc<[Tool]>> = LazyLock::new(|| tools::all().into());
        Arc::clone(&TOOLS)
    }

    /// Every prompt, in the same way.
    pub fn prompts() -> Vec<Prompt> {
        prompts::all()
    }

    /// The resources that everyone is told of, and the templates of the others.
    pub fn resources() -> (Vec<Resource>, Vec<ResourceTemplate>) {
        (resources::fixed(), resources::templates())
    }

    /// One request of this session.
    fn request(&self) -> Request {
        let mut request = Request::new((self.presents.0)(), Front::Mcp);
        if let Some(brought) = &self.brought {
            request.id = brought.id;
            brought.last.note(&request);
        }
        request
    }

    /// The same for a request that brings what it presents.
    fn for_one_that_brings(&self, brought: &Brought) -> Self {
        Self {
            presents: brought.presents.clone(),
            brought: Some(brought.clone()),
            ..self.clone()
        }
    }

    /// Calls a tool with what is known of the person's will, and answers what the client is told,
    /// or what the person is to be asked first.
    async fn call(
        &self,
        tool: &Tool,
        arguments: &JsonObject,
        consent: Consent,
    ) -> Result<CallToolResult, Box<Question>> {
        let request = self.request();
        let call = async {
            let called = match arguments::check(&tool.input_schema, arguments) {
                Ok(()) => tools::call(self, &request, &tool.name, arguments.clone(), consent).await,
                Err(error) => Err(error),
            };
            if let Err(Error::Invalid { .. }) = called {
                // Who asks comes before what is asked: nobody is told first what a tool expects.
                self.authority.whoami(&request).await?;
            }
            called
        };
        answer(&tool.name, &request, call).await
    }

    /// Calls a tool, and asks the person in between where that is called for.
    async fn call_and_ask(
        &self,
        tool: &Tool,
        params: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let mut arguments = params.arguments.unwrap_or_default();
        // Some clients say `null` where they mean nothing.
        arguments.retain(|_, given| !given.is_null());
        // Most calls ask nothing, and need no digest.
        let this_call = || digest_of(&tool.name, &arguments);
        let meta = Self::meta(context);
        let is_modern = is_modern(context);

        let consent = match params.request_state.filter(|_| is_modern) {
            Some(state) => {
                let expected = self.confirmations.take(&state, this_call());
                let expected = expected.ok_or_else(unknown_state)?;
                // Without an answer in it, the question is asked again.
                expected.answered(params.input_responses.as_ref())
            }
            None => None,
        };
        let consent = consent.unwrap_or_else(|| self.confirmations.at_first(context));
        let question = match self.call(tool, &arguments, consent).await {
            Ok(result) => return Ok(result.with_meta(meta).into()),
            Err(question) => question,
        };
        if is_modern {
            let mut asked = self.confirmations.ask(&question, this_call());
            asked.meta = meta;
            return Ok(asked.into());
        }
        let consent = self.confirmations.elicit(&question, context).await;
        let mut result = self.call(tool, &arguments, consent).await;
        if result.is_err() {
            // Another asker, another value, others that end with it: nobody said yes to that.
            let consent = Consent::Withheld(Withheld::Changed);
            result = self.call(tool, &arguments, consent).await;
        }
        let result = result.unwrap_or_else(|question| {
            refused(&Problem::of(
                &Error::Unconfirmed(question),
                RequestId::fresh(),
            ))
        });
        Ok(result.with_meta(meta).into())
    }

    /// What the 2026-07-28 revision wants on every result, and no earlier one knows.
    fn meta(context: &RequestContext<RoleServer>) -> Option<MetaObject> {
        is_modern(context).then(|| {
            let identity = serde_json::to_value(identity()).unwrap_or_default();
            MetaObject(JsonObject::from_iter([(SERVER_INFO.to_owned(), identity)]))
        })
    }
}

/// Whether the client speaks the 2026-07-28 revision or a later one.
fn is_modern(context: &RequestContext<RoleServer>) -> bool {
    context
        .protocol_version()
        .is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

/// Waits for a call of `tool`, and tells what came of it, or what the person is to be asked first.
async fn answer(
    tool: &str,
    asked: &Request,
    call: impl Future<Output = Result<Told, Error>>,
) -> Result<CallToolResult, Box<Question>> {
    let request = asked.id;
    match error::caught(tool, request, call).await {
        Ok(Told { text, fields }) => {
            tracing::debug!(tool, %request, "done");
            let mut blocks = vec![ContentBlock::text(text)];
            blocks.extend(warning::of(asked));
            let mut told = CallToolResult::success(blocks);
            told.structured_content = Some(fields);
            Ok(told)
        }
        Err(Some(Error::Unconfirmed(question))) => Err(question),
        Err(error) => Ok(refused(&error::problem(tool, request, error.as_ref()))),
    }
}

fn refused(problem: &Problem) -> CallToolResult {
    // Text alone: a widely used client throws on structured content that is no answer.
    CallToolResult::error(vec![ContentBlock::text(error::text(problem))])
}

/// Which call it is: the same when it comes again with an answer.
fn digest_of(tool: &str, arguments: &JsonObject) -> Digest {
    let arguments: BTreeMap<_, _> = arguments.iter().collect();
    let arguments = serde_json::to_string(&arguments).unwrap_or_default();
    Fields::new("call").text(tool).text(&arguments).finish()
}

fn unknown_state() -> ErrorData {
    let why = "this `requestState` was not given out for this call, was used before, or is over; \
               call again without it";
    ErrorData::invalid_params(why, None)
}

fn identity() -> Implementation {
    Implementation::new("keywright", env!("CARGO_PKG_VERSION"))
        .with_title("Keywright")
        .with_description(env!("CARGO_PKG_DESCRIPTION"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_tool_that_panics_is_answered() {
        let asked = Request::housekeeping();
        let request = asked.id;

        let answered = answer("whoami", &asked, async { panic!("nobody foresaw this") })
            .await
            .unwrap();

        assert_eq!(answered.is_error, Some(true));
        assert_eq!(answered.structured_content, None);
        let text = serde_json::to_value(&answered.content).unwrap()[0]["text"].take();
        assert_eq!(
            text,
            format!(
                "internal: something went wrong on our side (request {request}). You can: call \
                 again. Only the person can: look for this request in the server's log."
            )
        );
    }
}
