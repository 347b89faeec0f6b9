//! [`Route`]: a path of ours, what answers it, and what is told of it. The router and the OpenAPI
//! description are made from the same list.

use std::sync::Arc;

use axum::{
    Router,
    handler::Handler,
    routing::{MethodRouter, any, delete, get, patch, post},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::Http;

/// Makes the schema of a type, and keeps what it refers to.
pub(super) type Describe = fn(&mut SchemaGenerator) -> Schema;

/// A path, and how it is asked for.
pub(super) struct Route {
    /// In lower case; `any` where it means nothing.
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// The same without the last part, which may be empty, if it is answered there, too.
    also_at: Option<&'static str>,
    /// The verb: unique, and the tool's name where there is a tool.
    pub(super) verb: &'static str,
    pub(super) says: &'static str,
    /// The scopes that it needs, the role besides, or nothing of that.
    pub(super) needs: Option<&'static str>,
    /// Whether it is asked for with a token.
    pub(super) is_guarded: bool,
    pub(super) query: Option<Describe>,
    pub(super) body: Option<Body>,
    /// Whether `Idempotency-Key` is heeded.
    pub(super) takes_key: bool,
    /// What comes of it: a status, and a body if there is one.
    pub(super) answers: Vec<(u16, &'static str, Option<Describe>)>,
    /// Whether it tells where what it made is.
    pub(super) tells_location: bool,
    handler: MethodRouter<Arc<Http>>,
}

/// A path as it is told of.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// `GET`, say; `any` where the method means nothing.
    pub method: &'static str,
    /// With the names of its variable parts in braces.
    pub path: &'static str,
    /// Its name, which is also that of the tool where there is one.
    pub verb: &'static str,
    /// What it does.
    pub says: &'static str,
    /// What who asks needs besides a good token.
    pub needs: Option<&'static str>,
    /// Whether it is asked for with a token.
    pub is_guarded: bool,
}

/// What may be sent.
#[derive(Clone, Copy)]
pub(super) struct Body {
    pub(super) json: Describe,
    /// As a form, where it may also be one.
    pub(super) form: Option<Describe>,
    /// Whether it may be left out.
    pub(super) is_optional: bool,
}

/// How a path is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum By {
    Get,
    Post,
    Patch,
    Delete,
    /// With whatever method.
    Any,
}

fn described<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Schema {
    schemas.subschema_for::<T>()
}

impl Route {
    /// A path that is asked for so, by anybody with a good token, and answers nothing yet.
    pub(super) fn new<H, T>(
        by: By,
        path: &'static str,
        verb: &'static str,
        says: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Arc<Http>>,
        T: 'static,
    {
        let (method, handler) = match by {
            By::Get => ("get", get(handler)),
            By::Post => ("post", post(handler)),
            By::Patch => ("patch", patch(handler)),
            By::Delete => ("delete", delete(handler)),
            By::Any => ("any", any(handler)),
        };
        Self {
            method,
            path,
            also_at: None,
            verb,
            says,
            needs: None,
            is_guarded: true,
            query: None,
            body: None,
            takes_key: false,
            answers: Vec::new(),
            tells_location: false,
            handler,
        }
    }

    /// Answered at another path, too, which is not described.
    pub(super) fn also_at(self, path: &'static str) -> Self {
        Self {
            also_at: Some(path),
            ..self
        }
    }

    /// What who asks needs.
    pub(super) fn needs(self, needs: &'static str) -> Self {
        Self {
            needs: Some(needs),
            ..self
        }
    }

    /// Anybody may ask.
    pub(super) fn open(self) -> Self {
        Self {
            is_guarded: false,
            ..self
        }
    }

    pub(super) fn query<T: JsonSchema>(self) -> Self {
        Self {
            query: Some(described::<T>),
            ..self
        }
    }

    /// A body of JSON.
    pub(super) fn body<T: JsonSchema>(self) -> Self {
        self.with_body::<T>(None, false)
    }

    /// A body of JSON, which may be left out.
    pub(super) fn maybe_body<T: JsonSchema>(self) -> Self {
        self.with_body::<T>(None, true)
    }

    /// A body of JSON, or a form.
    pub(super) fn body_or_form<T: JsonSchema, F: JsonSchema>(self) -> Self {
        self.with_body::<T>(Some(described::<F>), false)
    }

    fn with_body<T: JsonSchema>(self, form: Option<Describe>, is_optional: bool) -> Self {
        let body = Body {
            json: described::<T>,
            form,
            is_optional,
        };
        Self {
            body: Some(body),
            ..self
        }
    }

    pub(super) fn takes_key(self) -> Self {
        Self {
            takes_key: true,
            ..self
        }
    }

    pub(super) fn tells_location(self) -> Self {
        Self {
            tells_location: true,
            ..self
        }
    }

    /// What comes of it.
    pub(super) fn answers<T: JsonSchema>(mut self, status: u16, says: &'static str) -> Self {
        self.answers.push((status, says, Some(described::<T>)));
        self
    }

    /// What comes of it, without a body.
    pub(super) fn answers_nothing(mut self, status: u16, says: &'static str) -> Self {
        self.answers.push((status, says, None));
        self
    }

    /// The statuses with which it may be refused.
    pub(super) fn refusals(&self) -> Vec<u16> {
        let is_written = !matches!(self.method, "get" | "any") || self.verb.starts_with("reveal");
        let has_body = self.body.is_some();
        let names_thing = self.path.contains('{') || has_body;
        [
            (400, true),
            (401, self.is_guarded),
            (403, true),
            (404, names_thing || self.is_guarded),
            (408, has_body),
            (409, self.is_guarded && is_written),
            (413, has_body),
            (415, has_body),
            (429, true),
            (500, true),
            (503, true),
        ]
        .into_iter()
        .filter_map(|(status, may_come)| may_come.then_some(status))
        .collect()
    }

    /// The method that the description names: it has no word for any.
    pub(super) fn described_method(&self) -> &'static str {
        match self.method {
            "any" => "get",
            method => method,
        }
    }

    /// What is told of it.
    pub(super) fn listed(&self) -> Listed {
        let method = match self.method {
            "get" => "GET",
            "post" => "POST",
            "patch" => "PATCH",
            "delete" => "DELETE",
            any => any,
        };
        Listed {
            method,
            path: self.path,
            verb: self.verb,
            says: self.says,
            needs: self.needs,
            is_guarded: self.is_guarded,
        }
    }

    /// `router` with this path in it.
    pub(super) fn mounted(self, router: Router<Arc<Http>>) -> Router<Arc<Http>> {
        let router = match self.also_at {
            Some(path) => router.route(path, self.handler.clone()),
            None => router,
        };
        router.route(self.path, self.handler)
    }
}
