//! Profiles: the token APIs of other products, played from small declarative files onto the same
//! verbs that every front calls. Off unless they are named at start.
//!
//! [`mod@file`] says what a profile's file may say, and finds every mistake in it before anything is
//! served; [`template`] is what an answer looks like; [`player`] serves a request. A refusal inside a
//! profile's path, whoever made it, leaves in that product's words. docs/profiles.md tells it all to
//! whoever writes one.

mod answer;
mod file;
mod form;
mod input;
mod mistake;
mod path;
mod player;
mod reader;
mod refusal;
mod route;
mod template;
mod verb;

use std::{collections::BTreeMap, fs::File, io::Read as _, path::Path, sync::Arc};

use axum::{
    Router,
    extract::Request,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
    routing::any,
};

use super::{
    Http,
    bearer::Asked,
    error::{Refusal, Told},
};
pub use file::Profile;
pub use mistake::Mistake;
use verb::Verb;

/// The profiles that come with the program: names and files.
const KNOWN: [(&str, &str, &str); 4] = [
    (
        "quave",
        "profiles/quave.toml",
        include_str!("../../../profiles/quave.toml"),
    ),
    (
        "spedy",
        "profiles/spedy.toml",
        include_str!("../../../profiles/spedy.toml"),
    ),
    (
        "spherescout",
        "profiles/spherescout.toml",
        include_str!("../../../profiles/spherescout.toml"),
    ),
    (
        "spote",
        "profiles/spote.toml",
        include_str!("../../../profiles/spote.toml"),
    ),
];

/// No file of a profile is larger.
const LARGEST: u64 = 1 << 20;

/// The profiles that are played, none of which is in another's way.
#[derive(Clone, Debug, Default)]
pub struct Profiles {
    all: Vec<Arc<Profile>>,
    /// Whose a path is, and which of its routes are there.
    paths: BTreeMap<String, (Arc<Profile>, Vec<usize>)>,
}

impl Profiles {
    /// The names of those that come with the program.
    pub fn known() -> [&'static str; 4] {
        KNOWN.map(|(name, _, _)| name)
    }

    /// Those that are named: by the name of one that comes with the program, or by the path of a
    /// file.
    pub fn named(named: &[String]) -> Result<Self, Mistake> {
        let read = named.iter().map(|name| read(name));
        Self::of(read.collect::<Result<_, _>>()?)
    }

    /// These profiles, if none is in another's way.
    pub fn of(profiles: Vec<Profile>) -> Result<Self, Mistake> {
        let mut together = Self::default();
        for profile in profiles {
            let profile = Arc::new(profile);
            if let Some(other) = together.all.iter().find(|other| other.name == profile.name) {
                return Err(profile.wrong(
                    format!("`{}` is the name of {}, too", profile.name, other.file),
                    "name a profile once, and give your own a name of its own",
                ));
            }
            for (place, route) in profile.routes.iter().enumerate() {
                let mut others = together.all.iter().flat_map(|other| &other.routes);
                if let Some(theirs) = others.find(|theirs| theirs.path.meets(&route.path)) {
                    return Err(Mistake::at(
                        route.place.clone(),
                        format!(
                            "`{}` is in the way of {}`{}`",
                            route.path, theirs.place, theirs.path
                        ),
                        "a path is played by one profile: serve the other at a port of its own",
                    ));
                }
                let path = route.path.as_str().to_owned();
                let at = together.paths.entry(path);
                let at = at.or_insert_with(|| (Arc::clone(&profile), Vec::new()));
                at.1.push(place);
            }
            together.all.push(profile);
        }
        Ok(together)
    }

    /// What a file may name, for the reference: Markdown.
    pub fn reference() -> String {
        let words = |words: &[&str]| match words {
            [] => "-".to_owned(),
            words => {
                let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
                words.join(", ")
            }
        };
        let verbs = Verb::ALL.map(|verb| {
            let (arguments, fields) = (words(verb.arguments()), words(verb.fields()));
            format!("| `{}` | {arguments} | {fields} |\n", verb.as_str())
        });
        let codes: Vec<_> = refusal::codes()
            .map(|(code, status)| format!("| `{code}` | {} |\n", status.as_u16()))
            .collect();
        format!(
            "| verb | arguments | fields |\n| --- | --- | --- |\n{}\n| code | status |\n\
             | --- | --- |\n{}",
            verbs.concat(),
            codes.concat()
        )
    }

    /// Says what is played, and with which privilege.
    pub fn announce(&self) {
        for profile in &self.all {
            let (name, routes) = (profile.name(), profile.routes.len());
            if profile.is_privileged() {
                tracing::warn!(
                    profile = name,
                    routes,
                    "a profile is played, by whose file creation shows the new value without \
                     `read:secrets`"
                );
            } else {
                tracing::info!(profile = name, routes, "a profile is played");
            }
        }
    }

    /// Whether a value that one of them makes stands in `text`. Without a checksum it is not known for
    /// one anywhere else.
    fn hold_value(&self, text: &str) -> bool {
        let mut tokens = self
            .all
            .iter()
            .filter_map(|profile| profile.tokens.as_ref());
        tokens.any(|tokens| tokens.format.stands_in(text))
    }

    /// Whose `path` is, written as the router has it.
    pub(super) fn at(&self, path: &str) -> Option<&Profile> {
        self.paths.get(path).map(|(profile, _)| &**profile)
    }

    /// `router` with every path of theirs in it.
    pub(super) fn mounted(&self, router: Router<Arc<Http>>) -> Router<Arc<Http>> {
        self.paths
            .iter()
            .fold(router, |router, (path, (profile, routes))| {
                let (profile, places) = (Arc::clone(profile), routes.clone());
                let play = move |State(http): State<Arc<Http>>, asked: Asked, request: Request| {
                    player::play(http, profile, places, asked, request)
                };
                router.route(path, any(play))
            })
    }
}

/// One profile.
fn read(named: &str) -> Result<Profile, Mistake> {
    if let Some((_, file, text)) = KNOWN.into_iter().find(|(name, _, _)| *name == named) {
        return Profile::read(file, text);
    }
    let whole = mistake::Place::whole(named);
    if !named.contains('/') && Path::new(named).extension().is_none_or(|end| end != "toml") {
        return Err(Mistake::at(
            whole,
            "there is no such profile",
            format!(
                "there are {}, and a file of your own is named by its path, such as `./acme.toml`",
                reader::listed(&Profiles::known())
            ),
        ));
    }
    let mut text = String::new();
    let reading =
        File::open(named).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text));
    match reading {
        Err(error) => Err(Mistake::at(
            whole,
            format!("the profile cannot be read: {error}"),
            "name a file of yours that is text",
        )),
        Ok(_) if text.len() as u64 > LARGEST => Err(Mistake::at(
            whole,
            "it is larger than 1 MiB",
            "name the file of a profile",
        )),
        Ok(_) => Profile::read(named, &text),
    }
}

impl Profile {
    /// Who asks, as this product's clients say it.
    pub(super) fn asked(&self, headers: &HeaderMap) -> Result<Asked, Refusal> {
        Asked::read(headers, |given| {
            self.schemes.iter().find_map(|scheme| scheme.token(given))
        })
    }

    /// A refusal in this product's words.
    pub(super) fn words(&self, mut told: Told) -> Response {
        let message = self.with_their_names(&told.problem.message, '`');
        if let Some(challenge) = told.headers.get_mut(header::WWW_AUTHENTICATE) {
            let named = challenge.to_str().unwrap_or_default();
            let named = HeaderValue::try_from(self.with_their_names(named, '"'));
            *challenge = named.unwrap_or_else(|_| challenge.clone());
        }
        self.refusals.response(told, message)
    }
}
