//! The API's document (OpenAPI 3.1): methods, paths and doors as the route table has them, what is read and written as the
//! handlers' types have it, and the rest as it is said beside each handler.

mod answer;
mod operation;
mod schemas;
mod way;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::http::Method;
use serde_json::{Map, Value, json};

pub use answer::{Accepted, Answer, Created, NoContent, Put, Success};
pub use operation::{Kind, Operation, Parameter};
pub use schemas::Schemas;
pub use way::{Described, Way};

use super::api::{Code, ErrorView};
use super::routes::{self, Route};

/// What the document says of one route.
pub struct Description {
    pub operation: Operation,
    pub ways: &'static [Way],
    pub refusals: fn(bool) -> Vec<Code>,
    pub answers: fn(&mut Schemas) -> Vec<Success>,
}

/// The document. It is the same for every server of this version.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| of(&routes::all()));
    &DOCUMENT
}

fn of(routes: &[Route]) -> Value {
    let mut schemas = Schemas::new();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in routes {
        let Some(description) = &route.description else {
            continue;
        };
        let operation = operation(route, description, &mut schemas);
        let method = route.method.as_str().to_ascii_lowercase();
        let methods = paths.entry(route.path).or_default();
        methods.insert(method, operation);
    }
    schemas.answer::<ErrorView>();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Jeton",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Personal access tokens, and what belongs to them. Times are milliseconds since 1970. \
                Errors have a stable `code`.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas.named(), "securitySchemes": way::schemes()},
    })
}

fn operation(route: &Route, description: &Description, schemas: &mut Schemas) -> Value {
    let Description {
        operation, ways, ..
    } = description;
    let changes = ![Method::GET, Method::HEAD].contains(&route.method);
    let security: Vec<Value> = ways.iter().map(|way| way.requirement(changes)).collect();
    let mut said = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [tag(route.path)],
        "security": security,
        "responses": responses(route, description, changes, schemas),
    });
    let parameters: Vec<Value> = in_path(route.path)
        .map(path_parameter)
        .chain(operation.query.iter().map(query_parameter))
        .collect();
    if !parameters.is_empty() {
        said["parameters"] = parameters.into();
    }
    if let Some(body) = operation.body {
        said["requestBody"] = json!({
            "required": body.required,
            "content": {body.media: {"schema": (body.schema)(schemas)}},
        });
    }
    said
}

/// Under what it is listed: the first word of its path that says something.
fn tag(path: &str) -> &str {
    let mut words = path.split('/').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    match words.next() {
        Some(second) if !second.ends_with(".json") => second,
        _ => first,
    }
}

/// The names of the variables in a path.
fn in_path(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|word| word.strip_prefix('{')?.strip_suffix('}'))
}

fn path_parameter(name: &str) -> Value {
    let description = match name {
        "user" => "The id of a user",
        "policy" => "The name of a policy",
        "account" => "The id of a service account, or its name",
        "type" => "The name of a type of authorization details",
        "token" => "The id of a token; of a token of a named user, its name will do",
        other => unreachable!("a path of the API has {other}, which is not described"),
    };
    json!({
        "name": name, "in": "path", "required": true, "description": description,
        "schema": {"type": "string"},
    })
}

fn query_parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name, "in": "query", "description": parameter.description,
        "schema": parameter.kind.schema(),
    })
}

fn responses(
    route: &Route,
    description: &Description,
    changes: bool,
    schemas: &mut Schemas,
) -> Value {
    let operation = &description.operation;
    let mut responses: BTreeMap<String, Value> = (description.answers)(schemas)
        .into_iter()
        .map(|success| (success.status.to_string(), success.said()))
        .collect();
    let mut refusals = (description.refusals)(changes);
    refusals.push(Code::ServerError);
    refusals.extend(operation.refusals);
    if operation.body.is_some() || !operation.query.is_empty() {
        refusals.push(Code::Malformed);
    }
    // What is put is made if it is not there.
    if in_path(route.path).next().is_some() && route.method != Method::PUT {
        refusals.push(Code::NotFound);
    }
    refusals.sort();
    refusals.dedup();
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in refusals {
        let codes = by_status.entry(code.status().as_u16()).or_default();
        codes.push(code);
    }
    for (status, codes) in by_status {
        responses.insert(status.to_string(), refused(status, &codes));
    }
    responses.insert("500".to_owned(), refused(500, &[Code::ServerError]));
    json!(responses)
}

/// The answers of one status that refuse, for these reasons.
fn refused(status: u16, codes: &[Code]) -> Value {
    let meanings: Vec<String> = codes
        .iter()
        .map(|code| format!("`{}`: {}", code.as_str(), code.meaning()))
        .collect();
    let names: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let mut response = json!({
        "description": meanings.join("\n\n"),
        "content": {"application/json": {"schema": {
            "allOf": [{"$ref": "#/components/schemas/Error"}],
            "properties": {"code": {"enum": names}},
        }}},
    });
    let header = match status {
        401 => Some((
            "WWW-Authenticate",
            "string",
            "What would be taken (RFC 6750 §3).",
        )),
        429 | 503 => Some((
            "Retry-After",
            "integer",
            "After how many seconds to try again.",
        )),
        _ => None,
    };
    if let Some((name, kind, description)) = header {
        response["headers"] = json!({name: {"description": description, "schema": {"type": kind}}});
    }
    response
}
