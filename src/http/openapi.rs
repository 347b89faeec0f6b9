//! The description of every path of ours (OpenAPI 3.1), made from the list that the router is made
//! from and from the types that are read and written.

use std::sync::OnceLock;

use axum::http::header;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    error::{PROBLEM_JSON, ProblemBody},
    route::{Describe, Route},
};

/// Where schemas that others refer to are kept.
const SCHEMAS: &str = "/components/schemas";

pub(super) fn route() -> Route {
    Route::get(
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

/// The description itself.
fn description() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = SCHEMAS.into();
        settings.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let problem = schemas.subschema_for::<ProblemBody>();
    let mut paths: Map<String, Value> = Map::new();
    for route in super::routes() {
        let operation = operation(&route, &mut schemas);
        // A rest of a path is a parameter like any other to a reader of the description.
        let path = route.path.replace("{*", "{");
        let path = paths.entry(path).or_insert_with(|| json!({}));
        path[route.method] = operation;
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
            "schemas": schemas.take_definitions(true),
        },
    })
}

fn operation(route: &Route, schemas: &mut SchemaGenerator) -> Value {
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
        let schema = (body.describe)(schemas);
        let kinds = body.kinds.iter();
        let content: Map<_, _> = kinds
            .map(|kind| ((*kind).to_owned(), json!({ "schema": schema })))
            .collect();
        operation["requestBody"] = json!({ "required": !body.is_optional, "content": content });
    }
    operation
}

fn parameters(route: &Route, schemas: &mut SchemaGenerator) -> Vec<Value> {
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
        "scopes" => json!({ "type": "string", "pattern": "^(any|[a-z0-9._:,-]+)$" }),
        "original" => json!({ "type": "string" }),
        _ => json!({ "type": "string", "format": "uuid" }),
    }
}

/// Each field of the type is a parameter.
fn in_query(query: Describe, schemas: &mut SchemaGenerator) -> Vec<Value> {
    let named = query(schemas).to_value();
    let name = named["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next());
    let defined = name.and_then(|name| schemas.definitions_mut().remove(name));
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

fn responses(route: &Route, schemas: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    for (status, says, body) in &route.answers {
        let mut response = json!({ "description": says });
        if let Some(body) = body {
            let schema = body(schemas);
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
