//! Completion: what a client may propose while somebody types. It is asked for at every keystroke,
//! and tells only what its asker may list; who may list nothing is proposed nothing.

use std::collections::BTreeSet;

use rmcp::model::{CompleteRequestParams, CompletionInfo};

use super::{
    Server, prompts,
    resources::{self, allows, own_tokens},
};
use crate::{
    authority::{Error, Whoami},
    authz::Request,
    domain::{
        page::Limit,
        scope::{self, OURS, Reach, Scope},
        token::Token,
    },
};

/// Ends that are worth proposing, the shortest first.
const LIVES: [&str; 7] = ["1h", "12h", "1d", "7d", "30d", "90d", "365d"];

/// What could stand in the place of what was typed.
pub(super) async fn complete(
    server: &Server,
    request: &Request,
    asked: &CompleteRequestParams,
) -> Result<CompletionInfo, Error> {
    let uri = asked.r#ref.as_resource_uri();
    let prompt = asked.r#ref.as_prompt_name();
    if uri != Some(resources::TOKEN) && prompt != Some(prompts::CONNECT) {
        let why = "only `keywright://tokens/{id}` and the prompt `connect_service` have something to \
                   complete";
        return Err(Error::invalid("ref", why));
    }
    let who = match server.authority.whoami(request).await {
        Ok(who) => who,
        Err(Error::Unauthenticated) => return Ok(proposed(Vec::new())),
        Err(error) => return Err(error),
    };
    let typed = asked.argument.value.trim_start();
    let values = match (prompt, asked.argument.name.as_str()) {
        (None, "id") => ids(&tokens(server, request, &who).await?, typed),
        (Some(_), "service") => labels(&tokens(server, request, &who).await?, typed),
        (Some(_), "scopes") => {
            let context = asked.context.as_ref();
            let service = context.and_then(|context| context.get_argument("service"));
            let tokens = tokens(server, request, &who).await?;
            scopes(&who.reach, &tokens, service.map(String::as_str), typed)
        }
        (Some(_), "environment") => environments(server, request, &who, typed).await?,
        (Some(_), "expires") => {
            let lives = LIVES.into_iter().filter(|life| life.starts_with(typed));
            lives.map(str::to_owned).collect()
        }
        _ => return Err(Error::invalid("argument", "there is none of that name")),
    };
    Ok(proposed(values))
}

fn proposed(mut values: Vec<String>) -> CompletionInfo {
    let total = values.len();
    values.truncate(CompletionInfo::MAX_VALUES);
    let mut proposed = CompletionInfo::default();
    proposed.has_more = Some(total > values.len());
    proposed.total = u32::try_from(total).ok();
    proposed.values = values;
    proposed
}

/// The asker's own tokens, as far as it may list them.
async fn tokens(server: &Server, request: &Request, who: &Whoami) -> Result<Vec<Token>, Error> {
    if !allows(who, "list_tokens") {
        return Ok(Vec::new());
    }
    Ok(own_tokens(server, request).await?.0)
}

/// The ids that begin as typed, then those of tokens with it in their label.
fn ids(tokens: &[Token], typed: &str) -> Vec<String> {
    let typed = typed.to_ascii_lowercase();
    let (begin, others): (Vec<_>, Vec<_>) = tokens
        .iter()
        .map(|token| (token.id.to_string(), token))
        .partition(|(id, _)| id.starts_with(&typed));
    let named = others.into_iter().filter(|(_, token)| has(token, &typed));
    begin.into_iter().chain(named).map(|(id, _)| id).collect()
}

/// The labels with what was typed in them, those that begin so first.
fn labels(tokens: &[Token], typed: &str) -> Vec<String> {
    let typed = typed.to_ascii_lowercase();
    let named = tokens.iter().filter(|token| has(token, &typed));
    let found: BTreeSet<_> = named.map(|token| token.label.as_str()).collect();
    let (begin, others): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|label| label.to_ascii_lowercase().starts_with(&typed));
    begin.into_iter().chain(others).map(str::to_owned).collect()
}

/// The list as typed, with its last word completed by each scope that the asker could give and that
/// is not in it yet. Scopes that tokens of the same service carry come first.
fn scopes(reach: &Reach, tokens: &[Token], service: Option<&str>, typed: &str) -> Vec<String> {
    let cut = typed.rfind([' ', ',']).map_or(0, |at| at + 1);
    let (before, word) = typed.split_at(cut);
    let listed: BTreeSet<_> = scope::words(before).collect();
    let held = match reach {
        Reach::Exactly(scopes) | Reach::WithEveryService(scopes) => {
            scopes.iter().cloned().collect()
        }
        Reach::Everything => Vec::from(OURS),
    };
    let service = service.map(str::to_ascii_lowercase);
    let of_service = service.as_deref().filter(|service| !service.is_empty());
    let alike = tokens
        .iter()
        .filter(|token| of_service.is_some_and(|name| has(token, name)));
    let carried = |token: &Token| token.powers.scopes.iter().cloned().collect::<Vec<_>>();
    let likely: BTreeSet<Scope> = alike.flat_map(carried).collect();
    let other: BTreeSet<Scope> = tokens.iter().flat_map(carried).chain(held).collect();

    let fits = |scope: &&Scope| {
        reach.holds(scope) && scope.as_str().starts_with(word) && !listed.contains(scope.as_str())
    };
    let unlikely = other.difference(&likely);
    let found = likely.iter().chain(unlikely).filter(fits);
    found.map(|scope| format!("{before}{scope}")).collect()
}

/// The names of app environments that begin as typed.
async fn environments(
    server: &Server,
    request: &Request,
    who: &Whoami,
    typed: &str,
) -> Result<Vec<String>, Error> {
    if !allows(who, "list_app_envs") {
        return Ok(Vec::new());
    }
    // The newest page; who has more types on, and nothing here can know what a service runs in.
    let listed = server.authority.list_app_envs(request, Limit::MOST, None);
    let page = listed.await?;
    let names = page.rows.iter().filter_map(|env| env.cli_env_name.as_ref());
    let found: BTreeSet<_> = names.map(ToString::to_string).collect();
    Ok(found
        .into_iter()
        .filter(|name| name.starts_with(typed))
        .collect())
}

fn has(token: &Token, text: &str) -> bool {
    token.label.as_str().to_ascii_lowercase().contains(text)
}
