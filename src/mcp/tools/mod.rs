//! The tools, a file a noun. A tool parses, calls one verb, and answers.

mod app_envs;
mod audit;
mod cli_tokens;
mod tokens;
mod whoami;

use rmcp::{
    handler::server::tool::{schema_for_input, schema_for_output},
    model::{JsonObject, MetaObject, Tool, ToolAnnotations},
};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Server, arguments};
use crate::{
    authority::{Consent, Error},
    authz::Request,
};

/// A tool: its arguments are the type that it is implemented on.
trait Call: DeserializeOwned + JsonSchema + Send + 'static {
    /// Its name.
    const NAME: &'static str;
    /// Its name for people.
    const TITLE: &'static str;
    /// What it does, written for a model.
    const DESCRIPTION: &'static str;
    /// What a client may expect of it.
    const HINTS: Hints;
    /// What it answers.
    type Answer: Serialize + JsonSchema + 'static;

    /// Takes what is known of the person's will, where the tool wants to know.
    #[must_use]
    fn with(self, _: Consent) -> Self {
        self
    }

    /// Calls its verb.
    fn call(
        self,
        server: &Server,
        request: &Request,
    ) -> impl Future<Output = Result<Self::Answer, Error>> + Send;
}

/// What a tool answers: the same twice, for clients that read text and for those that read fields.
pub(super) struct Told {
    pub(super) text: String,
    pub(super) fields: Value,
}

/// What a client may expect of a tool.
#[derive(Clone, Copy)]
enum Hints {
    /// It changes nothing.
    Reads,
    /// It adds something, and something else when it is called again.
    Adds,
    /// It changes what is there.
    Changes,
    /// It ends what is there; once more does nothing more.
    Ends,
    /// It shows a value: clients put their question before it.
    Reveals,
}

macro_rules! tools {
    ($($tool:ty),+ $(,)?) => {
        /// Every tool, in the order in which they are listed.
        pub(super) fn all() -> Vec<Tool> {
            vec![$(definition::<$tool>()),+]
        }

        /// Calls the tool `name`. One that is not in [`all`] has nothing to read its arguments.
        pub(super) async fn call(
            server: &Server,
            request: &Request,
            name: &str,
            arguments: JsonObject,
            consent: Consent,
        ) -> Result<Told, Error> {
            $(if name == <$tool>::NAME {
                return run::<$tool>(server, request, arguments, consent).await;
            })+
            Err(arguments::unreadable())
        }
    };
}

tools! {
    tokens::CreateToken,
    tokens::ListTokens,
    tokens::GetToken,
    tokens::UpdateToken,
    tokens::RotateToken,
    tokens::DeleteToken,
    cli_tokens::RevealUserToken,
    cli_tokens::RevealAppEnvToken,
    app_envs::ListAppEnvs,
    whoami::Whoami,
    audit::ListAuditRecords,
}

fn definition<T: Call>() -> Tool {
    let input = schema_for_input::<T>().expect("the arguments of a tool are an object");
    let mut tool = Tool::new(T::NAME, T::DESCRIPTION, plain(&input))
        .with_title(T::TITLE)
        .with_raw_output_schema(plain(&schema_for_output::<T::Answer>()).into())
        .with_annotations(T::HINTS.annotations(T::TITLE));
    if let Hints::Reveals = T::HINTS {
        let mut meta = MetaObject::default();
        meta.insert(
            "anthropic/requiresUserInteraction".into(),
            Value::Bool(true),
        );
        tool = tool.with_meta(meta);
    }
    tool
}

/// `schema` without the names that Rust has for its whole numbers: validators warn of formats that
/// they do not know. And without defaults of null, where the type allows none, and line ends of
/// comments.
fn plain(schema: &JsonObject) -> JsonObject {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                let is_rusts = |format: &Value| {
                    let format = format.as_str().unwrap_or_default();
                    format.starts_with("int") || format.starts_with("uint")
                };
                if fields.get("format").is_some_and(is_rusts) {
                    fields.remove("format");
                }
                if let Some(Value::String(text)) = fields.get_mut("description") {
                    *text = text.replace('\n', " ");
                }
                if fields.get("default").is_some_and(Value::is_null) {
                    fields.remove("default");
                }
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut schema = schema.clone();
    schema.values_mut().for_each(strip);
    schema
}

async fn run<T: Call>(
    server: &Server,
    request: &Request,
    arguments: JsonObject,
    consent: Consent,
) -> Result<Told, Error> {
    let arguments: T =
        serde_json::from_value(Value::Object(arguments)).map_err(|_| arguments::unreadable())?;
    let answer = arguments.with(consent).call(server, request).await?;
    let well = "an answer is made of texts, numbers and lists";
    Ok(Told {
        text: serde_json::to_string(&answer).expect(well),
        fields: serde_json::to_value(&answer).expect(well),
    })
}

impl Hints {
    fn annotations(self, title: &str) -> ToolAnnotations {
        let (read_only, destructive, idempotent, open_world) = match self {
            Self::Reads => (true, false, true, false),
            Self::Adds => (false, false, false, false),
            Self::Changes => (false, true, false, false),
            Self::Ends => (false, true, true, false),
            Self::Reveals => (false, true, false, true),
        };
        ToolAnnotations::with_title(title)
            .read_only(read_only)
            .destructive(destructive)
            .idempotent(idempotent)
            .open_world(open_world)
    }
}
