//! [`Profile`]: what a profile's file says, read and checked. Nothing is guessed: what is wrong is
//! a [`Mistake`] at the place where it stands.

use std::{collections::BTreeMap, str::FromStr, sync::Arc};

use toml_edit::{Document, Item};

use super::{
    form::{IdForm, Precision},
    mistake::{Mistake, Place, Source},
    reader::{Section, Spanned, kind, listed},
    refusal::{self, Refusals},
    route::{Route, routes},
};
use crate::{
    domain::{
        scope::{OURS, Scope, Scopes},
        shape::Shape,
    },
    http::bearer,
};

/// What a profile's file says.
#[derive(Debug)]
pub struct Profile {
    pub(super) name: Arc<str>,
    /// The file, for mistakes that only show beside other files.
    pub(super) file: String,
    pub(super) schemes: Vec<Scheme>,
    pub(super) id: Option<IdForm>,
    pub(super) times: Precision,
    pub(super) tokens: Option<Tokens>,
    pub(super) scope_names: BTreeMap<Scope, String>,
    pub(super) refusals: Refusals,
    pub(super) routes: Vec<Route>,
}

/// What stands in front of a token in the `Authorization` header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Scheme {
    /// Such a word, in whatever case, and a space.
    Word(String),
    /// Nothing.
    Bare,
}

impl Scheme {
    /// The token that `given` presents in this way, if it does.
    pub(super) fn token<'a>(&self, given: &'a str) -> Option<&'a str> {
        match self {
            Self::Word(word) => bearer::behind(word, given),
            Self::Bare => (!given.contains(' ')).then_some(given),
        }
    }
}

/// What the tokens are that a profile makes.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    pub(super) format: Shape,
    pub(super) scopes: Scopes,
    /// The one privilege of a profile.
    pub(super) is_privileged: bool,
}

const KEYS: &[&str] = &[
    "name",
    "schemes",
    "id",
    "times",
    "tokens",
    "scope_names",
    "errors",
    "route",
];

const PRIVILEGE: &str = "show_new_value_without_read_secrets";

/// The text is no name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a name is 1 to 32 lower-case letters, digits and `-`")]
struct NotAName;

/// The name of a profile.
struct Name(Arc<str>);

impl FromStr for Name {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let is_part = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=32).contains(&text.len()) && text.bytes().all(is_part) {
            Ok(Self(text.into()))
        } else {
            Err(NotAName)
        }
    }
}

impl Profile {
    /// Reads `text`, which stands in `file`.
    pub fn read(file: &str, text: &str) -> Result<Self, Mistake> {
        let source = Source { file, text };
        let document = Document::parse(text).map_err(|error| {
            let why = error.message().replace('\n', ", ");
            let remedy = "mend the TOML (toml.io)";
            Mistake::at(source.place(error.span()), why, remedy)
        })?;
        let top = Section::new(source, "a profile", KEYS, document.as_table(), Some(0..0))?;
        let name: Spanned<Name> = top.parsed("name", "`name = \"acme\"`")?;
        let schemes = schemes(&top)?;
        let id = match top.item("id") {
            Some(_) => Some(
                top.parsed("id", "`id = \"<uuid>\"` or `id = \"tok_<base62>\"`")?
                    .value,
            ),
            None => None,
        };
        let times: Spanned<Precision> = top.parsed("times", "`times = \"seconds\"`")?;
        let tokens = tokens(&top)?;
        let scope_names = scope_names(&top)?;
        let refusals = refusal::read(&top)?;
        let routes = routes(&top, id.is_some(), tokens.is_some())?;
        Ok(Self {
            name: name.value.0,
            file: file.to_owned(),
            schemes,
            id,
            times: times.value,
            tokens,
            scope_names,
            refusals,
            routes,
        })
    }

    /// `text` with this product's names for scopes, where they stand between two `mark`s.
    pub(super) fn with_their_names(&self, text: &str, mark: char) -> String {
        let names = self.scope_names.iter();
        names.fold(text.to_owned(), |text, (ours, theirs)| {
            text.replace(
                &format!("{mark}{ours}{mark}"),
                &format!("{mark}{theirs}{mark}"),
            )
        })
    }

    /// What this product calls a scope.
    pub(super) fn scope_name(&self, scope: String) -> String {
        let named = scope
            .parse()
            .ok()
            .and_then(|scope: Scope| self.scope_names.get(&scope));
        named.cloned().unwrap_or(scope)
    }

    /// The profile's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its file says that creation shows the value without `read:secrets`.
    pub fn is_privileged(&self) -> bool {
        self.tokens
            .as_ref()
            .is_some_and(|tokens| tokens.is_privileged)
    }

    /// A mistake that is the file's as a whole.
    pub(super) fn wrong(&self, problem: String, remedy: &str) -> Mistake {
        Mistake::at(Place::whole(&self.file), problem, remedy)
    }
}

fn schemes(top: &Section<'_>) -> Result<Vec<Scheme>, Mistake> {
    let example = "`schemes = [\"Bearer\"]`, with `\"bare\"` for a value without a word in front";
    let mut schemes: Vec<Scheme> = Vec::new();
    for text in top.texts("schemes", example)? {
        // RFC 9110, section 11.1: a scheme is a token; letters are enough of it.
        let is_word = !text.value.is_empty() && text.value.bytes().all(|b| b.is_ascii_alphabetic());
        let scheme = match text.value {
            "bare" => Scheme::Bare,
            word if is_word => Scheme::Word(word.to_owned()),
            _ => {
                return Err(top.wrong(
                    text.span,
                    format!("`{}` is no scheme", text.value),
                    "write a word of letters, such as `\"Bearer\"`, or `\"bare\"`",
                ));
            }
        };
        if schemes.contains(&scheme) {
            let problem = format!("`{}` stands twice", text.value);
            return Err(top.wrong(text.span, problem, "leave one of them out"));
        }
        schemes.push(scheme);
    }
    Ok(schemes)
}

fn tokens(top: &Section<'_>) -> Result<Option<Tokens>, Mistake> {
    let keys = &["format", "scopes", PRIVILEGE];
    let Some(section) = top.section("tokens", "`[tokens]`", keys)? else {
        return Ok(None);
    };
    let format: Spanned<Shape> = section.parsed("format", "`format = \"acme_<32 hex>\"`")?;
    let example = "`scopes = [\"read:tokens\", \"write:tokens\", \"delete:tokens\"]`";
    let mut words = Vec::new();
    for word in section.texts("scopes", example)? {
        let scope: Result<Scope, _> = word.value.parse();
        match scope {
            Ok(scope) if scope == Scope::READ_SECRETS => {
                return Err(section.wrong(
                    word.span,
                    "a profile gives no token `read:secrets`",
                    "leave it out; a person gives it, with `keywright token create`",
                ));
            }
            Ok(_) => words.push(word.value),
            Err(why) => {
                return Err(section.wrong(word.span, why.to_string(), format!("as in {example}")));
            }
        }
    }
    let scopes = Scopes::parse(words)
        .map_err(|why| section.wrong(section.key_span("scopes"), why.to_string(), "name fewer"))?;
    let remedy = format!(
        "`{PRIVILEGE} = true`, if this product answers every creation with the value, or `= false`, \
         and creation needs `read:secrets` as everywhere else"
    );
    Ok(Some(Tokens {
        format: format.value,
        scopes,
        is_privileged: section.flag(PRIVILEGE, &remedy)?,
    }))
}

/// What this product calls scopes of ours.
fn scope_names(top: &Section<'_>) -> Result<BTreeMap<Scope, String>, Mistake> {
    let mut names = BTreeMap::new();
    let Some(section) = top.section("scope_names", "`[scope_names]`", &[])? else {
        return Ok(names);
    };
    for (ours, item) in section.members() {
        let Some(scope) = OURS.into_iter().find(|scope| scope.as_str() == ours) else {
            let known = OURS.map(|scope| scope.to_string());
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return Err(section.wrong(
                section.key_span(ours),
                format!("`{ours}` is no scope of Keywright"),
                format!("it knows {}", listed(&known)),
            ));
        };
        let is_name = |text: &&str| {
            !text.is_empty()
                && text.len() <= 64
                && text
                    .bytes()
                    .all(|b| b.is_ascii_graphic() && !b"`\"\\".contains(&b))
        };
        let Some(theirs) = item.as_str().filter(is_name) else {
            return Err(section.wrong(
                item.span(),
                format!("`{ours}` is given {}, which is no name", named(item)),
                "write this product's name for it, as in `\"acme:read:secrets\"`",
            ));
        };
        names.insert(scope, theirs.to_owned());
    }
    Ok(names)
}

fn named(item: &Item) -> String {
    match item.as_str() {
        Some(text) => format!("`{text}`"),
        None => kind(item).to_owned(),
    }
}
