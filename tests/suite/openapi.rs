//! The API's document says what there is: every route, who may knock, what is answered, and nothing else.

use std::collections::BTreeSet;

use jeton::web::api::Code;
use jeton::web::openapi::document;
use jeton::web::routes::{Route, all};
use serde_json::{Value, json};

use crate::support::{Jeton, Server, json as answered};

/// What is described besides all below `/api/`.
const BESIDES: [&str; 1] = ["/.well-known/secret-scanning"];

/// The routes that the document has to have.
fn described() -> impl Iterator<Item = Route> {
    all()
        .into_iter()
        .filter(|route| route.path.starts_with("/api/") || BESIDES.contains(&route.path))
}

fn name(method: &str, path: &str) -> String {
    format!("{} {path}", method.to_ascii_lowercase())
}

/// Every operation of the document, with its method and path before it.
fn operations() -> Vec<(String, &'static Value)> {
    let paths = document()["paths"].as_object().expect("an object");
    let operations = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("an object");
        methods
            .iter()
            .map(move |(method, operation)| (name(method, path), operation))
    });
    operations.collect()
}

/// All texts under this name, wherever they stand below `value`.
fn texts<'a>(value: &'a Value, name: &str, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                match value {
                    Value::String(text) if member == name => drop(found.insert(text)),
                    value => texts(value, name, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, name, found)),
        _ => {}
    }
}

#[test]
fn each_route_of_the_api_is_in_it_and_nothing_else() {
    let routes: BTreeSet<String> = described()
        .map(|route| name(route.method.as_str(), route.path))
        .collect();
    let said: BTreeSet<String> = operations().into_iter().map(|(name, _)| name).collect();
    assert_eq!(said, routes);
    assert!(routes.len() > 40, "{routes:?}");
}

#[test]
fn who_may_knock_is_said_as_the_doors_have_it() {
    for route in described() {
        let name = name(route.method.as_str(), route.path);
        let session = match route.method.as_str() {
            "GET" => json!({"session": []}),
            _ => json!({"session": [], "csrf": []}),
        };
        let expected = match route.door {
            "public" => json!([]),
            "account" => json!([session]),
            "holder" => json!([{"token": []}]),
            "GitHub's signature" => json!([{"githubSignature": [], "githubKey": []}]),
            door => {
                let scope = door
                    .strip_prefix("manager (")
                    .and_then(|d| d.strip_suffix(')'));
                let scope = scope.unwrap_or_else(|| panic!("nobody has said how {door:?} opens"));
                json!([{"token": [scope]}, session])
            }
        };
        let (_, operation) = operations()
            .into_iter()
            .find(|(said, _)| *said == name)
            .unwrap();
        assert_eq!(operation["security"], expected, "{name}");
    }
}

/// A generated client names its functions by them.
#[test]
fn every_operation_has_a_name_of_its_own_and_a_sentence() {
    let mut ids = BTreeSet::new();
    for (name, operation) in operations() {
        let id = operation["operationId"].as_str().expect("a text");
        assert!(ids.insert(id), "{name}: {id} is there twice");
        let plain = id.chars().all(|c| c.is_ascii_alphanumeric());
        assert!(plain && id.starts_with(char::is_lowercase), "{name}: {id}");
        let summary = operation["summary"].as_str().expect("a text");
        assert!(
            summary.starts_with(char::is_uppercase) && !summary.ends_with('.'),
            "{name}: {summary}"
        );
    }
}

/// Every variable of a path is described, and every reference leads somewhere.
#[test]
fn nothing_in_it_points_nowhere() {
    for (name, operation) in operations() {
        let variables: Vec<&str> = name.split(['{', '}']).skip(1).step_by(2).collect();
        let parameters = operation["parameters"].as_array();
        let in_path = parameters
            .into_iter()
            .flatten()
            .filter(|one| one["in"] == "path");
        let said: Vec<&str> = in_path.map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(said, variables, "{name}");
    }
    let mut references = BTreeSet::new();
    texts(document(), "$ref", &mut references);
    assert!(references.len() > 10);
    for reference in references {
        let at = reference
            .strip_prefix('#')
            .expect("it stays in the document");
        assert!(document().pointer(at).is_some(), "{reference}");
    }
}

/// The codes are those of the one table. Each can be had somewhere, but for those of what is no operation, and that of two
/// policies of one name, which only the command line makes.
#[test]
fn every_code_is_said_where_it_can_be_had() {
    let mut said = BTreeSet::new();
    for (_, operation) in operations() {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let schema = &response["content"]["application/json"]["schema"];
            let codes = schema["properties"]["code"]["enum"].as_array();
            for code in codes.into_iter().flatten() {
                let code = code.as_str().unwrap();
                let known = Code::ALL.iter().find(|known| known.as_str() == code);
                let expected = known.expect("a code of the table").status();
                assert!(
                    [expected.as_str(), "500"].contains(&status.as_str()),
                    "{code} {status}"
                );
                said.insert(code);
            }
        }
    }
    let elsewhere = [Code::NoSuchUrl, Code::OtherMethod, Code::PolicyNameExists];
    let all = Code::ALL.iter().filter(|code| !elsewhere.contains(code));
    let all: BTreeSet<&str> = all.map(|code| code.as_str()).collect();
    assert_eq!(said, all);
}

#[actix_web::test]
async fn anybody_gets_it_from_any_page() {
    let server = Server::start().await;
    let request = server
        .get("/api/openapi.json")
        .header("Origin", "https://docs.example");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert_eq!(answer.headers()["content-type"], "application/json");
    let served = answered(answer, 200).await;
    assert_eq!(&served, document());
    assert_eq!(served["openapi"], "3.1.0");
    assert_eq!(served["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_command_line_prints_the_same() {
    let jeton = Jeton::new();
    assert_eq!(&jeton.json(&["openapi"]), document());
    let ran = jeton.run(&["openapi"]);
    assert_eq!(
        &serde_json::from_str::<Value>(&ran.stdout).unwrap(),
        document()
    );
}
