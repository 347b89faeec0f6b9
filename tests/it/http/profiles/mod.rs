//! The token APIs of other products, as their own clients meet them.

mod documented;
mod everywhere;
mod files;
mod hostile;
mod quave;
mod real;
mod refused;
mod spedy;
mod spherescout;
mod spote;

use axum::http::{StatusCode, header};
use keywright::http::{Profile, Profiles};

use super::client::{Answer, Client};
use crate::support::{Agent, TestApp};

/// What every token that is made through a profile carries.
const TOKENS: [&str; 3] = ["read:tokens", "write:tokens", "delete:tokens"];

/// When the clock of the tests stands.
const NOW: &str = "2027-01-15T08:00:00Z";

impl TestApp {
    /// Somebody who presents nothing to a front that plays all four profiles at once.
    fn played(&self) -> Client {
        let all = Profiles::known().map(str::to_owned);
        Client::of(self.http().playing(Profiles::named(&all).unwrap()))
    }

    /// Somebody who presents nothing to a front that plays this one.
    fn playing(&self, text: &str) -> Client {
        let profile = Profile::read("acme.toml", text).unwrap();
        Client::of(self.http().playing(Profiles::of(vec![profile]).unwrap()))
    }

    /// Ann's agent, with what tokens of a profile carry.
    async fn usual(&self) -> Agent {
        self.agent(TOKENS).await
    }
}

impl Client {
    /// Sends `body` as it stands, as JSON.
    async fn raw(&self, method: &str, path: &str, body: impl Into<String>) -> Answer {
        let request = self
            .request(method, path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.into().into());
        self.send(request.unwrap()).await
    }

    /// The same, with another `Authorization` header, or several.
    async fn authorized(&self, method: &str, path: &str, with: &[&str]) -> Answer {
        let request = with
            .iter()
            .fold(self.request(method, path), |request, with| {
                request.header(header::AUTHORIZATION, *with)
            });
        self.send(request.body(String::new().into()).unwrap()).await
    }
}

impl Answer {
    /// The status and the body.
    fn told(&self) -> (u16, &str) {
        let kind = match self.status {
            StatusCode::NO_CONTENT => "",
            _ => "application/json",
        };
        assert_eq!(self.header("content-type"), kind);
        assert_eq!(self.header("cache-control"), "no-store");
        (self.status.as_u16(), &self.text)
    }

    /// A text of the body.
    fn text_at(&self, pointer: &str) -> String {
        let body = self.json();
        let found = body.pointer(pointer).and_then(|value| value.as_str());
        found
            .unwrap_or_else(|| panic!("{pointer} in {}", self.text))
            .to_owned()
    }
}
