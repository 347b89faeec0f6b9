//! [`TestSink`]: where a claimed value goes in a test.

use std::io;

use keywright::{authority::Sink, domain::credential::PlainToken};

/// A sink that remembers what was asked of it, and fails where it is told to.
#[derive(Default)]
pub(crate) struct TestSink {
    /// What was asked of it, in order.
    pub(crate) steps: Vec<&'static str>,
    fails_to: Option<&'static str>,
    published: Option<String>,
}

impl TestSink {
    /// A sink that fails to `prepare` or to `publish`.
    pub(crate) fn failing_to(step: &'static str) -> Self {
        Self {
            fails_to: Some(step),
            ..Self::default()
        }
    }

    /// What it was given.
    pub(crate) fn value(&self) -> String {
        self.published.clone().unwrap()
    }

    fn step(&mut self, name: &'static str) -> io::Result<()> {
        self.steps.push(name);
        if self.fails_to == Some(name) {
            return Err(io::Error::other("the disk is full"));
        }
        Ok(())
    }
}

impl Sink for TestSink {
    fn prepare(&mut self) -> io::Result<()> {
        self.step("prepare")
    }

    fn publish(&mut self, value: &PlainToken) -> io::Result<()> {
        self.step("publish")?;
        self.published = Some(value.expose().to_owned());
        Ok(())
    }

    fn withdraw(&mut self) {
        self.steps.push("withdraw");
    }

    fn name(&self) -> String {
        "test".into()
    }
}
