//! [`Mistake`]: what is wrong in a profile's file, where it stands, and what mends it; and
//! [`Source`], which knows the places of a text.

use std::{fmt, ops::Range};

use crate::domain::text;

/// What is wrong in a profile's file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{place}{problem}; {remedy}")]
pub struct Mistake {
    place: Place,
    problem: String,
    remedy: String,
}

/// Where it stands: a file, and a line and a column from 1, where there is one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Place {
    file: String,
    at: Option<(usize, usize)>,
}

/// A profile's file, by name and text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
}

impl Mistake {
    pub(super) fn at(place: Place, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            place,
            // What stands in the file stands in it, too.
            problem: text::escaped(&problem.into()),
            remedy: text::escaped(&remedy.into()),
        }
    }
}

impl Place {
    /// A file as a whole.
    pub(super) fn whole(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            at: None,
        }
    }
}

impl fmt::Display for Place {
    /// As compilers write it, so that editors find it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some((line, column)) => write!(f, "{}:{line}:{column}: ", self.file),
            None => write!(f, "{}: ", self.file),
        }
    }
}

impl Source<'_> {
    /// Where `span` begins.
    pub(super) fn place(&self, span: Option<Range<usize>>) -> Place {
        let at = span.map(|span| {
            let before = self.text.get(..span.start).unwrap_or(self.text);
            let line = before.matches('\n').count() + 1;
            let start = before.rfind('\n').map_or(0, |end| end + 1);
            (line, before[start..].chars().count() + 1)
        });
        Place {
            at,
            ..Place::whole(self.file)
        }
    }
}
