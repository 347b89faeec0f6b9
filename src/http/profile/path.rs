//! [`Path`]: where a route is, which is never where Keywright's own are.

use std::fmt;

use super::{
    mistake::Mistake,
    reader::{Section, Spanned},
};

/// A path, one of whose segments may be the id of a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Path(String);

/// Where Keywright's own routes are, now and later.
const OURS: &[&str] = &[
    "v1",
    "mcp",
    "healthz",
    "readyz",
    "metrics",
    "settings",
    "oauth",
    ".well-known",
];

impl Path {
    /// The path as it is written, which is how a router knows it.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The id in `path`, which is one of these.
    pub(super) fn id<'a>(&self, path: &'a str) -> Option<&'a str> {
        let mut segments = self.0.split('/').zip(path.split('/'));
        segments.find(|(ours, _)| *ours == "{id}").map(|(_, id)| id)
    }

    /// Whether some path could be one of these and one of `other`.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.0.split('/'), other.0.split('/'));
        ours.clone().count() == theirs.clone().count()
            && ours
                .zip(theirs)
                .all(|(a, b)| a == b || a == "{id}" || b == "{id}")
    }

    /// Whether one of its segments is an id.
    pub(super) fn needs_id(&self) -> bool {
        self.0.contains("{id}")
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The path of a route.
pub(super) fn read(section: &Section<'_>) -> Result<Spanned<Path>, Mistake> {
    section.needed("path", "`path = \"/api/tokens\"`")?;
    let text = section.text("path")?;
    let text = text.ok_or_else(|| section.lacks("no `path`", "add one"))?;
    let wrong = |problem: String, remedy: &str| section.wrong(text.span.clone(), problem, remedy);
    let Some(rest) = text.value.strip_prefix('/') else {
        let problem = format!("the path `{}` does not begin with `/`", text.value);
        return Err(wrong(problem, "put a `/` in front"));
    };
    let is_plain = |segment: &str| {
        !segment.is_empty()
            && !matches!(segment, "." | "..")
            && segment
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
    };
    let segments: Vec<_> = rest.split('/').collect();
    if let Some(odd) = segments.iter().find(|s| **s != "{id}" && !is_plain(s)) {
        return Err(wrong(
            match *odd {
                "" => "nothing stands between two `/` of the path, or behind the last".to_owned(),
                odd => format!("`{odd}` cannot be a segment of a path"),
            },
            "write letters, digits, `-`, `.`, `_` and `~` between two `/`, or `{id}`, and no `/` \
                 at the end",
        ));
    }
    if segments.iter().filter(|s| **s == "{id}").count() > 1 {
        return Err(wrong(
            "`{id}` stands twice".to_owned(),
            "leave one of them out",
        ));
    }
    if let Some(ours) = segments.first().filter(|first| OURS.contains(first)) {
        return Err(wrong(
            format!("`/{ours}` is Keywright's own"),
            "choose another path",
        ));
    }
    if segments.first() == Some(&"{id}") {
        return Err(wrong(
            "any path of Keywright's own could be this `{id}`".to_owned(),
            "begin with a word, such as `/api/`",
        ));
    }
    Ok(Spanned {
        value: Path(text.value.to_owned()),
        span: text.span,
    })
}

#[cfg(test)]
mod tests {
    use super::OURS;
    use crate::http;

    #[test]
    fn no_profile_can_have_a_path_of_ours() {
        for route in http::routes() {
            let first = route.path.split('/').nth(1).unwrap();
            assert!(OURS.contains(&first), "{}", route.path);
        }
    }
}
