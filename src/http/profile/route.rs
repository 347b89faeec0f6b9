//! [`Route`]: which method and path ask for what, how its arguments come in, and what it answers.

use std::collections::BTreeMap;

use toml_edit::Item;

use super::{
    mistake::{Mistake, Place},
    path::{self, Path},
    reader::{Section, Spanned, kind, listed},
    template::{Allowed, Template},
    verb::Verb,
};
use crate::domain::label::Label;

/// A route of a profile.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: Path,
    pub(super) verb: Verb,
    pub(super) status: u16,
    /// The fields of the body.
    pub(super) body: Vec<Input>,
    /// The parameters of the query.
    pub(super) query: Vec<Input>,
    /// What a token is called of which the body tells no label.
    pub(super) label: Option<Label>,
    /// Whether a list begins with the oldest.
    pub(super) is_oldest_first: bool,
    /// What it answers; nothing, where it has no body.
    pub(super) answer: Option<Template>,
    /// Where it stands in the file.
    pub(super) place: Place,
}

/// A field of a body, or a parameter of a query, and which argument it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) argument: &'static str,
    pub(super) is_required: bool,
}

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

const KEYS: &[&str] = &[
    "method", "path", "verb", "status", "body", "query", "defaults", "order", "answer",
];

/// Every route of the file.
pub(super) fn routes(
    top: &Section<'_>,
    has_ids: bool,
    makes_tokens: bool,
) -> Result<Vec<Route>, Mistake> {
    let example = "one, beginning with the line `[[route]]`";
    let item = top.needed("route", example)?;
    let Some(tables) = item.as_array_of_tables() else {
        return Err(top.wrong(
            item.span(),
            format!("`route` is {}", kind(item)),
            "begin each route with the line `[[route]]`",
        ));
    };
    let mut routes: Vec<Route> = Vec::new();
    for table in tables {
        let section = Section::new(top.source, "a route", KEYS, table, table.span())?;
        let reading = Reading {
            section,
            has_ids,
            makes_tokens,
        };
        let route = reading.route()?;
        let same = |other: &&Route| (other.method, &other.path) == (route.method, &route.path);
        if routes.iter().any(|other| same(&other)) {
            return Err(section.wrong(
                section.key_span("path"),
                format!("`{} {}` stands twice", route.method, route.path),
                "leave one of them out",
            ));
        }
        routes.push(route);
    }
    Ok(routes)
}

struct Reading<'a> {
    section: Section<'a>,
    has_ids: bool,
    makes_tokens: bool,
}

impl Reading<'_> {
    fn route(&self) -> Result<Route, Mistake> {
        let section = &self.section;
        let method = self.one_of("method", METHODS)?;
        let path = path::read(section)?;
        let names = Verb::ALL.map(Verb::as_str);
        let verb = self.one_of("verb", &names)?;
        let verb = Verb::ALL
            .into_iter()
            .find(|known| known.as_str() == verb.value);
        let verb = verb.ok_or_else(|| section.lacks("a route has no `verb`", "add one"))?;
        self.fits(method.value, &path, verb)?;
        let status = self.status()?;
        let inputs = self.inputs(verb, method.value)?;
        let label = self.default_label(verb, &inputs.body)?;
        if verb == Verb::RevealAppEnvToken && inputs.query.is_empty() && inputs.body.is_empty() {
            return Err(section.lacks(
                "nothing tells which app environment is meant",
                "add `query = { id = \"app_env_id?\", name = \"env_name?\" }`",
            ));
        }
        Ok(Route {
            method: method.value,
            path: path.value,
            verb,
            status,
            body: inputs.body,
            query: inputs.query,
            label,
            is_oldest_first: self.order(verb)?,
            answer: self.answer(verb, status)?,
            place: section.source.place(section.key_span("path")),
        })
    }

    /// The word under `key`, which is one of `known`.
    fn one_of(&self, key: &str, known: &[&'static str]) -> Result<Spanned<&'static str>, Mistake> {
        let remedy = format!("one of {}", listed(known));
        self.section.needed(key, &format!("it: {remedy}"))?;
        let text = self.section.text(key)?;
        let text = text.ok_or_else(|| self.section.lacks(format!("no `{key}`"), &*remedy))?;
        match known.iter().find(|word| **word == text.value) {
            Some(value) => Ok(Spanned {
                value,
                span: text.span,
            }),
            None => Err(self.section.wrong(
                text.span,
                format!("unknown {key} `{}`", text.value),
                format!("write {remedy}"),
            )),
        }
    }

    /// Whether method, path and verb go together, with each other and with the rest of the file.
    fn fits(&self, method: &str, path: &Spanned<Path>, verb: Verb) -> Result<(), Mistake> {
        let section = &self.section;
        let name = verb.as_str();
        if verb.changes() && method == "GET" {
            return Err(section.wrong(
                section.key_span("method"),
                format!("`{name}` changes something, and a GET must not"),
                "write the method that the product documents, such as `POST` or `DELETE`",
            ));
        }
        if verb.needs_id() && !path.value.needs_id() {
            return Err(section.wrong(
                path.span.clone(),
                format!("nothing tells `{name}` which token is meant"),
                "put `{id}` in the path",
            ));
        }
        if !verb.needs_id() && path.value.needs_id() {
            return Err(section.wrong(
                path.span.clone(),
                format!("`{name}` is about no one token"),
                "take `{id}` out of the path",
            ));
        }
        if path.value.needs_id() && !self.has_ids {
            return Err(section.wrong(
                path.span.clone(),
                "nothing tells what an `{id}` looks like",
                "add `id = \"<uuid>\"` at the top of the file",
            ));
        }
        if verb == Verb::CreateToken && !self.makes_tokens {
            return Err(section.lacks(
                "nothing tells what the tokens are that `create_token` makes",
                "add `[tokens]` with `format`, `scopes` and \
                 `show_new_value_without_read_secrets`",
            ));
        }
        Ok(())
    }

    fn status(&self) -> Result<u16, Mistake> {
        let item = self.section.needed("status", "`status = 200`")?;
        let number = self.section.number("status", item)?;
        match u16::try_from(number.value) {
            Ok(status) if (200..=299).contains(&status) => Ok(status),
            Ok(_) | Err(_) => Err(self.section.wrong(
                number.span,
                format!("`status` cannot be {}", number.value),
                "write 200 to 299: what is refused is told by `[errors]`",
            )),
        }
    }

    fn order(&self, verb: Verb) -> Result<bool, Mistake> {
        if verb == Verb::ListTokens {
            let order = self.one_of("order", &["oldest_first", "newest_first"])?;
            return Ok(order.value == "oldest_first");
        }
        self.only_for(verb, "order", "`list_tokens`")?;
        Ok(false)
    }

    fn only_for(&self, verb: Verb, key: &str, whom: &str) -> Result<(), Mistake> {
        match self.section.item(key) {
            None => Ok(()),
            Some(_) => Err(self.section.wrong(
                self.section.key_span(key),
                format!("`{}` has no `{key}`", verb.as_str()),
                format!("leave it out; it is for {whom}"),
            )),
        }
    }

    fn default_label(&self, verb: Verb, body: &[Input]) -> Result<Option<Label>, Mistake> {
        let section = &self.section;
        if verb != Verb::CreateToken {
            self.only_for(verb, "defaults", "`create_token`")?;
            return Ok(None);
        }
        let defaults = section.section("defaults", "`defaults`", &["label"])?;
        let label = match defaults {
            Some(defaults) => {
                let text = defaults.needed("label", "`label = \"API key\"`")?;
                let parsed = text.as_str().unwrap_or_default();
                let wrong = |why| {
                    let problem = format!("`label` cannot be used: {why}");
                    defaults.wrong(text.span(), problem, "write 1 to 200 visible characters")
                };
                Some(Label::parse(parsed).map_err(wrong)?)
            }
            None => None,
        };
        let told = body.iter().find(|input| input.argument == "label");
        if label.is_none() && told.is_none_or(|input| !input.is_required) {
            return Err(section.lacks(
                "nothing tells what a token without a label is called",
                "let a field of the body be its `label`, or add `defaults = { label = \"API key\" }`",
            ));
        }
        Ok(label)
    }

    fn inputs(&self, verb: Verb, method: &str) -> Result<Inputs, Mistake> {
        let section = &self.section;
        if method == "GET" && section.item("body").is_some() {
            return Err(section.wrong(
                section.key_span("body"),
                "a GET has no body",
                "write `query` instead",
            ));
        }
        let mut seen = BTreeMap::new();
        let mut of = |key: &'static str| -> Result<Vec<Input>, Mistake> {
            let Some(inner) = section.section(key, key, &[])? else {
                return Ok(Vec::new());
            };
            let members = inner.members();
            members
                .map(|(name, item)| input(&inner, verb, name, item, &mut seen))
                .collect()
        };
        Ok(Inputs {
            body: of("body")?,
            query: of("query")?,
        })
    }

    fn answer(&self, verb: Verb, status: u16) -> Result<Option<Template>, Mistake> {
        let section = &self.section;
        if status == 204 {
            return match section.item("answer") {
                None if verb.shows_value() => Err(section.lacks(
                    format!(
                        "`{}` answers with a value, and a 204 has no body",
                        verb.as_str()
                    ),
                    "write another status, and an `answer`",
                )),
                None => Ok(None),
                Some(_) => Err(section.wrong(
                    section.key_span("answer"),
                    "a 204 has no body",
                    "leave `answer` out, or write another status",
                )),
            };
        }
        let item = section.needed("answer", "what it answers, or write `status = 204`")?;
        let name = format!("`{}`", verb.as_str());
        let allowed = Allowed {
            what: &name,
            fields: verb.fields(),
            repeats: verb == Verb::ListTokens,
        };
        let template = Template::read(section.source, item, allowed)?;
        if verb.shows_value() && !template.shows("token") {
            return Err(section.wrong(
                section.key_span("answer"),
                format!("{name} answers without `{{token}}`, and the value would reach nobody"),
                "add it, as in `token = \"{token}\"`",
            ));
        }
        if template.shows("id") && !self.has_ids {
            return Err(section.wrong(
                section.key_span("answer"),
                "nothing tells what an `{id}` looks like",
                "add `id = \"<uuid>\"` at the top of the file",
            ));
        }
        Ok(Some(template))
    }
}

struct Inputs {
    body: Vec<Input>,
    query: Vec<Input>,
}

/// `theirs = "ours"`, or `"ours?"` where it may be missing.
fn input(
    section: &Section<'_>,
    verb: Verb,
    name: &str,
    item: &Item,
    seen: &mut BTreeMap<&'static str, String>,
) -> Result<Input, Mistake> {
    let known = verb.arguments();
    let remedy = match known {
        [] => format!("`{}` takes none; leave it out", verb.as_str()),
        known => format!(
            "`{}` takes {}; put a `?` behind one that may be missing",
            verb.as_str(),
            listed(known)
        ),
    };
    let Some(text) = item.as_str() else {
        let problem = format!("`{name}` is {}", kind(item));
        return Err(section.wrong(item.span(), problem, remedy));
    };
    let (word, is_required) = match text.strip_suffix('?') {
        Some(word) => (word, false),
        None => (text, true),
    };
    let Some(argument) = known.iter().find(|known| **known == word) else {
        let problem = format!("unknown argument `{word}`");
        return Err(section.wrong(item.span(), problem, remedy));
    };
    if let Some(other) = seen.insert(argument, name.to_owned()) {
        return Err(section.wrong(
            item.span(),
            format!("`{other}` and `{name}` are both the argument `{argument}`"),
            "leave one of them out",
        ));
    }
    Ok(Input {
        name: name.to_owned(),
        argument,
        is_required,
    })
}
