//! The description of every path of ours (OpenAPI 3.1), made from the list that the router is made
//! from and from the types that are read and written.

use std::sync::OnceLock;

use axum::http::header;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    error::{PROBLEM_JSON, ProblemBody},
    route::{By, Describe, Route},
};

/// What a form is sent as.
const FORM: &str = "application/x-www-form-urlencoded";

/// Where schemas that others refer to are kept.
const SCHEMAS: &str = "/components/schemas";

pub(super) fn route() -> Route {
    Route::new(
        By::Get,
        "/v1/openapi.json",
        "openapi",
        "This description (OpenAPI 3.1).",
        openapi,
    )
    .open()
    .answers::<Value>(200, "The description.")
}

async fn openapi() -> ([(header::HeaderName, &'static str); 1], &'static str) {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| description().to_string());
    ([(header::CONTENT_TYPE, "application/json")], text)
}

/// What types look like: in what is read a field may be missing that has a default, in what is
/// written one that is sometimes left out.
struct Schemas {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

impl Schemas {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = SCHEMAS.into();
            settings.meta_schema = None;
        });
        Self {
            read: settings.clone().into_generator(),
            written: settings.for_serialize().into_generator(),
        }
    }

    /// Those that others refer to. No type is both read and written.
    fn definitions(mut self) -> Map<String, Value> {
        let mut all = self.read.take_definitions(true);
        all.extend(self.written.take_definitions(true));
        all
    }
}

/// The description itself.
fn description() -> Value {
    let mut schemas = Schemas::new();
    let problem = schemas.written.subschema_for::<ProblemBody>();
    let mut paths: Map<String, Value> = Map::new();
    for route in super::routes() {
        let operation = operation(&route, &mut schemas);
        // A rest of a path is a parameter like any other to a reader of the description.
        let path = route.path.replace("{*", "{");
        let path = paths.entry(path).or_insert_with(|| json!({}));
        path[route.described_method()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Keywright",
            "version": env!("CARGO_PKG_VERSION"),
            "description": env!("CARGO_PKG_DESCRIPTION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "responses": {
                "Refusal": {
                    "description": "It was refused: why, and how to mend it.",
                    "content": { PROBLEM_JSON: { "schema": problem } },
                },
            },
            "schemas": schemas.definitions(),
        },
    })
}

fn operation(route: &Route, schemas: &mut Schemas) -> Value {
    let mut operation = json!({
        "operationId": route.verb,
        "summary": route.says,
        "parameters": parameters(route, schemas),
        "responses": responses(route, schemas),
    });
    if let Some(needs) = route.needs {
        operation["description"] = json!(format!("Needs {needs}."));
    }
    if route.is_guarded {
        operation["security"] = json!([{ "token": [] }]);
    }
    if let Some(body) = route.body {
        let kinds = [("application/json", Some(body.json)), (FORM, body.form)];
        let mut content = Map::new();
        for (kind, describe) in kinds {
            if let Some(describe) = describe {
                let schema = describe(&mut schemas.read);
                content.insert(kind.to_owned(), json!({ "schema": schema }));
            }
        }
        operation["requestBody"] = json!({ "required": !body.is_optional, "content": content });
    }
    operation
}

fn parameters(route: &Route, schemas: &mut Schemas) -> Vec<Value> {
    let in_path = route.path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        let name = name.trim_start_matches('*');
        Some(json!({
            "name": name,
            "in": "path",
            "required": true,
            "schema": in_path(name),
        }))
    });
    let key = route.takes_key.then(|| {
        json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": "1 to 255 visible ASCII characters, such as a UUID. The same key and \
                            arguments within 24 hours answer with the same token.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
        })
    });
    let query = route.query.map(|query| in_query(query, schemas));
    in_path
        .chain(key)
        .chain(query.into_iter().flatten())
        .collect()
}

/// A part of a path that is not the same for all.
fn in_path(name: &str) -> Value {
    match name {
        "scopes" => {
            let scope = "[a-z][a-z0-9._-]*:[a-z][a-z0-9._-]*";
            json!({ "type": "string", "pattern": format!("^(any|{scope}(,{scope})*)$") })
        }
        "original" => json!({ "type": "string" }),
        _ => json!({ "type": "string", "format": "uuid" }),
    }
}

/// Each field of the type is a parameter.
fn in_query(query: Describe, schemas: &mut Schemas) -> Vec<Value> {
    let named = query(&mut schemas.read).to_value();
    let name = named["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next());
    let defined = name.and_then(|name| schemas.read.definitions_mut().remove(name));
    let schema = defined.unwrap_or(named);
    let fields = schema["properties"].as_object();
    let required = schema["required"].as_array();
    fields
        .into_iter()
        .flatten()
        .map(|(name, field)| {
            let mut field = field.clone();
            let says = field
                .as_object_mut()
                .and_then(|field| field.remove("description"));
            let is_required = required.is_some_and(|all| all.contains(&json!(name)));
            json!({
                "name": name,
                "in": "query",
                "required": is_required,
                "description": says,
                "schema": field,
            })
        })
        .collect()
}

fn responses(route: &Route, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    for (status, says, body) in &route.answers {
        let mut response = json!({ "description": says });
        if let Some(body) = body {
            let schema = body(&mut schemas.written);
            response["content"] = json!({ "application/json": { "schema": schema } });
        }
        if route.tells_location && *status == 201 {
            response["headers"] = json!({
                "Location": {
                    "description": "Where it is.",
                    "schema": { "type": "string" },
                },
            });
        }
        responses.insert(status.to_string(), response);
    }
    for status in route.refusals() {
        responses.insert(
            status.to_string(),
            json!({ "$ref": "#/components/responses/Refusal" }),
        );
    }
    Value::Object(responses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_type_is_both_read_and_written() {
        let mut schemas = Schemas::new();
        for route in super::super::routes() {
            operation(&route, &mut schemas);
        }

        let read = schemas.read.take_definitions(true);
        let written = schemas.written.take_definitions(true);
        let both: Vec<_> = read
            .keys()
            .filter(|name| written.contains_key(*name))
            .collect();

        assert!(!read.is_empty() && !written.is_empty());
        assert!(both.is_empty(), "one of the two would be lost: {both:?}");
    }
}
