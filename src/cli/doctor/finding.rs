//! What was found, how weighty it is, and the command that mends it.

use serde::Serialize;

use crate::{
    cli::{error::Failure, output},
    domain::{credential, text::escaped},
};

/// How weighty a finding is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// It works, and something should be done.
    Warning,
    /// It does not work, or is not safe.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// What was looked at.
    pub(super) about: &'static str,
    pub(super) level: Level,
    /// What was found.
    pub(super) says: String,
    /// What mends it.
    pub(super) mend: Option<String>,
}

/// All that was found so far, in the order in which it was looked at.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

/// All that was found.
#[derive(Serialize)]
pub(super) struct Diagnosis {
    pub(super) sound: bool,
    findings: Vec<Finding>,
}

impl Finding {
    pub(super) fn is_problem(&self) -> bool {
        self.level == Level::Problem
    }
}

impl Findings {
    pub(super) fn ok(&mut self, about: &'static str, says: impl Into<String>) {
        self.add(about, Level::Ok, &says.into(), None);
    }

    pub(super) fn warning(
        &mut self,
        about: &'static str,
        says: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.add(about, Level::Warning, &says.into(), Some(mend.into()));
    }

    pub(super) fn problem(
        &mut self,
        about: &'static str,
        says: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.add(about, Level::Problem, &says.into(), Some(mend.into()));
    }

    /// What failed while it was looked at: its words say how to mend it.
    pub(super) fn failed(&mut self, about: &'static str, failure: &Failure) {
        let (says, mend) = failure.said();
        self.add(about, Level::Problem, &says, mend);
    }

    /// The same, where its words are all there is.
    pub(super) fn broken(&mut self, about: &'static str, error: &anyhow::Error) {
        self.add(about, Level::Problem, &format!("{error:#}"), None);
    }

    fn add(&mut self, about: &'static str, level: Level, says: &str, mend: Option<String>) {
        self.0.push(Finding {
            about,
            level,
            // Paths and words of others stand in it.
            says: credential::without_values(says),
            mend,
        });
    }
}

impl Diagnosis {
    pub(super) fn of(findings: Findings) -> Self {
        let findings = findings.0;
        Self {
            sound: !findings.iter().any(Finding::is_problem),
            findings,
        }
    }

    /// A line each, and one below it that mends it.
    pub(super) fn eyes(&self) -> String {
        let count = |level| {
            self.findings
                .iter()
                .filter(|found| found.level == level)
                .count()
        };
        let widest = self.findings.iter().map(|found| found.about.len()).max();
        let widest = widest.unwrap_or(0);
        let mut text = String::new();
        for found in &self.findings {
            let (level, says) = (found.level.word(), escaped(&found.says));
            output::add(
                &mut text,
                format_args!("{level:7}  {:widest$}  {says}\n", found.about),
            );
            if let Some(mend) = &found.mend {
                let mend = escaped(mend);
                output::add(
                    &mut text,
                    format_args!("{:7}  {:widest$}  mend: {mend}\n", "", ""),
                );
            }
        }
        let last = match (count(Level::Problem), count(Level::Warning)) {
            (0, 0) => "All is sound.".to_owned(),
            (0, 1) => "All is sound, with one warning.".to_owned(),
            (0, warnings) => format!("All is sound, with {warnings} warnings."),
            (1, _) => "There is one problem.".to_owned(),
            (problems, _) => format!("There are {problems} problems."),
        };
        output::add(&mut text, format_args!("{last}\n"));
        text
    }
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}
