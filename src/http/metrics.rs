//! What is counted of the answers, in the text format that Prometheus reads. No label holds
//! anything that was sent.

use std::time::Duration;

use axum::http::Method;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

/// The counters.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    answers: Family<Answer, Counter>,
    seconds: Family<Path, Histogram>,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Answer {
    method: &'static str,
    path: String,
    status: u16,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Path {
    path: String,
}

/// From 50 microseconds to 5 seconds.
const BUCKETS: [f64; 14] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0,
    5.0,
];

impl Default for Metrics {
    fn default() -> Self {
        let answers = Family::<Answer, Counter>::default();
        let seconds = Family::<Path, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
        let mut registry = Registry::with_prefix("keywright_http");
        registry.register("answers", "Requests that were answered", answers.clone());
        registry.register("seconds", "How long answering took", seconds.clone());
        Self {
            registry,
            answers,
            seconds,
        }
    }
}

impl Metrics {
    /// Counts an answer of the path with this template.
    pub(super) fn answered(&self, method: &'static str, path: &str, status: u16, took: Duration) {
        let answer = Answer {
            method,
            path: path.to_owned(),
            status,
        };
        self.answers.get_or_create(&answer).inc();
        let path = Path { path: answer.path };
        self.seconds
            .get_or_create(&path)
            .observe(took.as_secs_f64());
    }

    /// All of it, as Prometheus reads it.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            // Writing to a text does not fail.
            text.clear();
        }
        text
    }
}

/// A method by name, if it is a known one: anybody can make up another, which may be anything, a
/// value too, and would be a series of its own.
pub(super) fn named(method: &Method) -> &'static str {
    let ours = [
        (Method::GET, "GET"),
        (Method::HEAD, "HEAD"),
        (Method::POST, "POST"),
        (Method::PUT, "PUT"),
        (Method::PATCH, "PATCH"),
        (Method::DELETE, "DELETE"),
        (Method::OPTIONS, "OPTIONS"),
    ];
    ours.iter()
        .find(|(known, _)| known == method)
        .map_or("other", |(_, name)| name)
}
