//! What a request tells a profile's route: the fields of a JSON body and the parameters of a query,
//! as arguments of the verb. Nothing that was sent is repeated in a refusal.

use std::{collections::BTreeMap, fmt};

use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode},
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value as Json;

use super::{reader::listed, route::Input};
use crate::{
    authority::Error,
    http::{error::Refusal, extract::must_be_json},
};

/// What was told, by the verb's own names, each a text.
#[derive(Debug, Default)]
pub(super) struct Arguments(BTreeMap<&'static str, String>);

/// A JSON object, with every key as often as it stands there.
struct Members(Vec<(String, Json)>);

impl Arguments {
    /// What was told of `argument`.
    pub(super) fn get(&self, argument: &str) -> Option<&str> {
        self.0.get(argument).map(String::as_str)
    }

    /// Takes what a body tells, whose head is `headers`.
    pub(super) fn body(
        &mut self,
        inputs: &[Input],
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<(), Refusal> {
        if body.is_empty() && inputs.iter().all(|input| !input.is_required) {
            return Ok(());
        }
        must_be_json(headers)?;
        let Ok(Members(members)) = serde_json::from_slice(body) else {
            let why = "the body is no JSON object, or one that is too deep";
            return Err(malformed(why));
        };
        for (name, value) in members {
            let Some(input) = inputs.iter().find(|input| input.name == name) else {
                let names: Vec<_> = inputs.iter().map(|input| &*input.name).collect();
                return Err(malformed(format!(
                    "the body has a field that is not known here; it knows {}",
                    if names.is_empty() {
                        "none".to_owned()
                    } else {
                        listed(&names)
                    }
                )));
            };
            match value {
                Json::String(text) => self.take(input, text)?,
                Json::Null if !input.is_required => {}
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                    return Err(Error::invalid(input.name.clone(), "expected a text").into());
                }
            }
        }
        self.has_all(inputs)
    }

    /// Takes what a query tells. Other parameters mean nothing here, and an empty one is none.
    pub(super) fn query(&mut self, inputs: &[Input], query: &str) -> Result<(), Refusal> {
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let input = inputs.iter().find(|input| input.name == name);
            if let Some(input) = input.filter(|_| !value.is_empty()) {
                self.take(input, value.into_owned())?;
            }
        }
        self.has_all(inputs)
    }

    fn take(&mut self, input: &Input, text: String) -> Result<(), Refusal> {
        match self.0.insert(input.argument, text) {
            None => Ok(()),
            Some(_) => Err(Error::invalid(input.name.clone(), "it stands twice").into()),
        }
    }

    fn has_all(&self, inputs: &[Input]) -> Result<(), Refusal> {
        let is_missing = |input: &&Input| input.is_required && self.get(input.argument).is_none();
        match inputs.iter().find(is_missing) {
            Some(input) => Err(Error::invalid(input.name.clone(), "it is missing").into()),
            None => Ok(()),
        }
    }
}

fn malformed(why: impl fmt::Display) -> Refusal {
    Refusal::malformed(
        StatusCode::BAD_REQUEST,
        why,
        "ask again with that put right",
    )
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}
