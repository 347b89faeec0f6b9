//! A client without a network: a request goes straight to the router.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use keywright::{
    http::{Http, Limits, Place, Rate, router},
    wire::token::ClaimCommand,
};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::support::TestApp;

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body, which is to be JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|why| panic!("{why}: {}", self.text))
    }

    /// The code of a refusal, once it has been seen that it is one in every way.
    pub(crate) fn code(&self) -> String {
        let body = self.json();
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(body["status"], self.status.as_u16());
        assert_eq!(body["request_id"], self.header("x-request-id"));
        assert!(body["message"].is_string());
        body["code"].as_str().unwrap().to_owned()
    }

    /// The one header of this name, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut all = self.headers.get_all(name).iter();
        let first = all.next().map_or("", |value| value.to_str().unwrap());
        assert!(all.next().is_none(), "there is more than one `{name}`");
        first
    }
}

/// A client that presents a value with every request, or none.
#[derive(Clone)]
pub(crate) struct Client {
    router: Router,
    value: Option<String>,
}

impl TestApp {
    /// The front that is told of this app's authority.
    pub(crate) fn http(&self) -> Http {
        let claim = ClaimCommand::new("keywright", None, None);
        let limits = Limits::new(Rate::per_second(0), Rate::per_second(0));
        Http::new(self.authority.clone(), claim, Place::default(), limits)
    }

    /// Somebody who presents nothing.
    pub(crate) fn client(&self) -> Client {
        Client::of(self.http())
    }
}

impl Client {
    /// Somebody who presents nothing at this front.
    pub(crate) fn of(http: Http) -> Self {
        Self {
            router: router(&Arc::new(http), Router::new()),
            value: None,
        }
    }

    /// The same with this value.
    pub(crate) fn with(&self, value: &str) -> Self {
        Self {
            value: Some(value.to_owned()),
            ..self.clone()
        }
    }

    /// A request to be changed where a test is about it.
    pub(crate) fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost:8484");
        match &self.value {
            Some(value) => request.header(header::AUTHORIZATION, format!("Bearer {value}")),
            None => request,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn ask(&self, method: &str, path: &str) -> Answer {
        let request = self.request(method, path).body(Body::empty());
        self.send(request.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path).await
    }

    /// Sends JSON.
    pub(crate) async fn tell(&self, method: &str, path: &str, body: &Value) -> Answer {
        let request = self
            .request(method, path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_string().into());
        self.send(request.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.tell("POST", path, &body).await
    }
}
