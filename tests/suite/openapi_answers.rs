//! What is answered is what the API's document says: real answers against the schemas that it has for them.

mod service_accounts;

use jeton::web::openapi::document;
use serde_json::{Value, json};

use crate::support::{ACME, Browser, MINE, Script, Server, repository};

/// Everything that is wrong with a value by a schema of the document.
fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let whole = json!({"allOf": [schema], "components": document()["components"]});
    let schema = jsonschema::draft202012::new(&whole).expect("it is a schema");
    schema
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// The operation of the document at this method and path.
fn operation(method: &str, path: &str) -> &'static Value {
    let operation = &document()["paths"][path][method.to_ascii_lowercase()];
    assert!(operation.is_object(), "{method} {path} is not there");
    operation
}

/// A call, of which the document has the path with its variables.
struct Call {
    method: &'static str,
    template: &'static str,
    path: String,
    body: Value,
}

impl Call {
    fn new(method: &'static str, template: &'static str, variables: &[(&str, &str)]) -> Self {
        let path = variables
            .iter()
            .fold(template.to_owned(), |path, (name, value)| {
                path.replace(&format!("{{{name}}}"), value)
            });
        Self {
            method,
            template,
            path,
            body: Value::Null,
        }
    }

    fn get(template: &'static str, variables: &[(&str, &str)]) -> Self {
        Self::new("GET", template, variables)
    }

    fn post(template: &'static str, variables: &[(&str, &str)], body: Value) -> Self {
        Self::new("POST", template, variables).with(body)
    }

    fn with(self, body: Value) -> Self {
        Self { body, ..self }
    }

    fn asking(mut self, query: &str) -> Self {
        self.path = format!("{}?{query}", self.path);
        self
    }

    /// The answer, which has to have this status, and to be as the document says; so has what was sent, if it was taken.
    fn check(&self, (got, answer): (u16, Value), status: u16) -> Value {
        let name = format!("{} {} {}", self.method, self.path, self.body);
        assert_eq!(got, status, "{name}: {answer}");
        let operation = operation(self.method, self.template);
        let response = &operation["responses"][status.to_string()];
        assert!(response.is_object(), "{name}: no word of {status}");
        match &response["content"]["application/json"]["schema"] {
            Value::Null => assert_eq!(answer, Value::Null, "{name}"),
            schema => assert_eq!(faults(schema, &answer), [""; 0], "{name}: {answer}"),
        }
        if status < 300 && !self.body.is_null() {
            let taken = &operation["requestBody"]["content"]["application/json"]["schema"];
            assert_eq!(faults(taken, &self.body), [""; 0], "{name}");
        }
        answer
    }

    async fn by(self, script: &Script, status: u16) -> Value {
        let answer = script
            .call(self.method, &self.path, self.body.clone())
            .await;
        self.check(answer, status)
    }

    async fn at(self, browser: &Browser, status: u16) -> Value {
        let body = (!self.body.is_null()).then(|| self.body.clone());
        let answer = browser.api(self.method, &self.path, body).await;
        self.check(answer, status)
    }
}

const MANAGE: &str = "pats:read pats:write pats:revoke policies:read policies:write audit:read";

const OF_USER: &str = "/api/users/{user}/personal-access-tokens";

const ANY: &str = "/api/personal-access-tokens/{token}";

const NOBODY: &str = "0190d3a4-8a1b-7c3d-9e5f-0123456789ab";

fn ci() -> Value {
    json!({"name": "ci", "scopes": ["notes:read"], "allowedCidrs": ["192.0.2.0/24"], "idleSeconds": 864_000})
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect("a text")
}

#[actix_web::test]
async fn of_everybodys_tokens() {
    let server = Server::start().await;
    server.notes();
    let alice = server.user("alice").id.to_string();
    let user: &[(&str, &str)] = &[("user", &alice)];
    let manager = server.manager(MANAGE).await;
    let made = Call::post(OF_USER, user, ci()).by(&manager, 201).await;
    assert!(text(&made, "value").starts_with("jeton_pat_"));
    let id = text(&made, "id").to_owned();
    let token: &[(&str, &str)] = &[("token", &id)];
    Call::post(OF_USER, user, ci()).by(&manager, 422).await;
    Call::post(OF_USER, user, json!({"name": 1}))
        .by(&manager, 400)
        .await;
    Call::get(OF_USER, &[("user", NOBODY)])
        .by(&manager, 404)
        .await;
    let listed = Call::get(OF_USER, user).by(&manager, 200).await;
    assert_eq!(listed[0]["id"], json!(id));
    assert_eq!(listed[0].get("value"), None);
    let page = Call::get("/api/personal-access-tokens", &[]);
    let page = page.asking("sort=-created&limit=1").by(&manager, 200).await;
    assert_eq!(page["items"][0]["username"], "alice");
    let page = Call::get("/api/personal-access-tokens", &[]);
    page.asking("sort=size").by(&manager, 400).await;
    Call::get(ANY, token).by(&manager, 200).await;
    Call::get(ANY, &[("token", NOBODY)]).by(&manager, 404).await;
    let change = json!({"description": "for tests", "allowedCidrs": ["192.0.2.1/32"]});
    Call::new("PATCH", ANY, token)
        .with(change)
        .by(&manager, 200)
        .await;
    let wider = json!({"scopes": ["notes:write"]});
    Call::new("PATCH", ANY, token)
        .with(wider)
        .by(&manager, 422)
        .await;
    let identify = "/api/tokens/identify";
    let question = json!({"token": text(&made, "value")});
    Call::post(identify, &[], question).by(&manager, 200).await;
    Call::post(identify, &[], json!({"token": "x"}))
        .by(&manager, 422)
        .await;
    let rotate = "/api/personal-access-tokens/{token}/rotate";
    let rotated = Call::post(rotate, token, json!({"graceSeconds": 60}))
        .by(&manager, 201)
        .await;
    assert_eq!(rotated["predecessor"]["id"], json!(id));
    let revoke = "/api/personal-access-tokens/revoke";
    let filter = json!({"userId": alice, "createdAfter": "2020-01-31", "neverUsed": true});
    let dry = json!({"filter": filter, "dryRun": true});
    let dry = Call::post(revoke, &[], dry).by(&manager, 200).await;
    let sure = json!({"filter": filter, "confirmCount": 7});
    Call::post(revoke, &[], sure).by(&manager, 409).await;
    let sure = json!({"filter": filter, "confirmCount": dry["count"], "reason": "over"});
    Call::post(revoke, &[], sure).by(&manager, 200).await;
    Call::new("DELETE", ANY, token).by(&manager, 204).await;
    Call::post(
        "/api/personal-access-tokens/{token}/rotate/finish",
        token,
        Value::Null,
    )
    .by(&manager, 409)
    .await;
}

#[actix_web::test]
async fn of_types_of_authorization_details_and_of_what_waits() {
    let server = Server::start().await;
    server.notes();
    let alice = server.signed_in(&server.user("alice")).await;
    let manager = server.manager(MANAGE).await;
    let (all, one) = (
        "/api/authorization-details-types",
        "/api/authorization-details-types/{type}",
    );
    let named: &[(&str, &str)] = &[("type", "repository")];
    let mut body = repository();
    body.as_object_mut().expect("an object").remove("type");
    Call::new("PUT", one, named)
        .with(body.clone())
        .by(&manager, 201)
        .await;
    Call::new("PUT", one, named)
        .with(body)
        .by(&manager, 200)
        .await;
    Call::new("PUT", one, named)
        .with(json!({"resource": 1}))
        .by(&manager, 400)
        .await;
    Call::get(all, &[]).by(&manager, 200).await;
    Call::get(one, named).by(&manager, 200).await;
    let details: Value = serde_json::from_str(ACME).expect("JSON");
    let wish =
        |name: &str| json!({"name": name, "authorizationDetails": details, "reason": "to deploy"});
    let made = Call::post(MINE, &[], wish("deploy")).at(&alice, 201).await;
    let policy = "/api/policies/personal-access-tokens";
    let mut rules = Call::get(policy, &[]).by(&manager, 200).await;
    rules["approvalRequired"] = json!(true);
    Call::new("PUT", policy, &[])
        .with(rules)
        .by(&manager, 200)
        .await;
    for (name, verb) in [("first", "approve"), ("second", "refuse")] {
        let waits = Call::post(MINE, &[], wish(name)).at(&alice, 201).await;
        let token: &[(&str, &str)] = &[("token", text(&waits, "id"))];
        let verb = match verb {
            "approve" => "/api/personal-access-tokens/{token}/approve",
            _ => "/api/personal-access-tokens/{token}/refuse",
        };
        let words = json!({"reason": "because"});
        Call::post(verb, token, words.clone())
            .by(&manager, 200)
            .await;
        Call::post(verb, token, words).by(&manager, 409).await;
    }
    Call::new("DELETE", one, named).by(&manager, 204).await;
    let rotate = "/api/personal-access-tokens/{token}/rotate";
    let token: &[(&str, &str)] = &[("token", text(&made, "id"))];
    Call::post(rotate, token, json!({})).by(&manager, 400).await;
    let long = json!({"name": "x".repeat(20_000), "scopes": ["notes:read"]});
    Call::post(MINE, &[], long).at(&alice, 413).await;
}

#[actix_web::test]
async fn of_the_rules_the_trail_and_incidents() {
    let server = Server::start().await;
    server.notes();
    let alice = server.user("alice");
    server.personal_token(&alice, "notes:read");
    let alice = alice.id.to_string();
    let manager = server.manager(MANAGE).await;
    let policy = "/api/policies/personal-access-tokens";
    let rules = Call::get(policy, &[]).by(&manager, 200).await;
    let mut strict = rules.clone();
    strict["networksRequired"] = json!(true);
    strict["scopes"] = json!([{"scope": "notes:*", "maxLifeSeconds": 60}]);
    let preview = "/api/policies/personal-access-tokens/preview";
    let broken = Call::post(preview, &[], strict.clone())
        .by(&manager, 200)
        .await;
    assert_eq!(broken["count"], 1);
    Call::new("PUT", policy, &[])
        .with(strict)
        .by(&manager, 200)
        .await;
    let mut never = rules;
    never["perUser"] = json!(0);
    Call::new("PUT", policy, &[])
        .with(never)
        .by(&manager, 422)
        .await;
    let page = Call::get("/api/audit", &[])
        .asking("limit=2")
        .by(&manager, 200)
        .await;
    assert!(page["nextCursor"].is_string());
    Call::get("/api/audit", &[])
        .asking("limit=0")
        .by(&manager, 400)
        .await;
    let decoys = "/api/decoy-tokens";
    Call::post(decoys, &[], json!({"name": "bait"}))
        .by(&manager, 201)
        .await;
    Call::get(decoys, &[]).by(&manager, 200).await;
    let one = "/api/forward-auth-policies/{policy}";
    let notes: &[(&str, &str)] = &[("policy", "notes")];
    let body = json!({"audience": "https://notes.example", "rules": [{"path": "/notes/*", "scopes": ["notes:read"]}]});
    for status in [201, 200] {
        Call::new("PUT", one, notes)
            .with(body.clone())
            .by(&manager, status)
            .await;
    }
    Call::get(one, notes).by(&manager, 200).await;
    Call::get("/api/forward-auth-policies", &[])
        .by(&manager, 200)
        .await;
    let everybody = json!({"issuedBefore": 1, "kinds": ["pat"], "dryRun": true});
    Call::post("/api/tokens/revoke-all", &[], everybody)
        .by(&manager, 200)
        .await;
    let of_user = "/api/users/{user}/tokens/revoke-all";
    let ended = Call::post(of_user, &[("user", &alice)], json!({}))
        .by(&manager, 200)
        .await;
    assert_eq!(ended["pat"], 1);
}

#[actix_web::test]
async fn of_my_tokens_and_of_a_token_about_itself() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    Call::get("/api/my-account/personal-access-tokens/options", &[])
        .at(&browser, 200)
        .await;
    let new = json!({"name": "ci", "scopes": ["notes:read", "pat:rotate_self"]});
    let made = Call::post(MINE, &[], new).at(&browser, 201).await;
    let token: &[(&str, &str)] = &[("token", text(&made, "id"))];
    Call::get(MINE, &[]).at(&browser, 200).await;
    Call::get("/api/my-account/personal-access-tokens/{token}", token)
        .at(&browser, 200)
        .await;
    let events = "/api/my-account/personal-access-tokens/{token}/events";
    let events = Call::get(events, token).at(&browser, 200).await;
    assert_eq!(events["events"][0]["event"], "token.created");
    let itself = server.script(text(&made, "value"));
    let own = "/api/personal-access-tokens/self";
    Call::get(own, &[]).by(&itself, 200).await;
    let rotate = "/api/personal-access-tokens/self/rotate";
    Call::post(rotate, &[], Value::Null).by(&itself, 201).await;
    Call::new("DELETE", own, &[]).by(&itself, 204).await;
    Call::get(own, &[]).by(&itself, 401).await;
    Call::get(MINE, &[]).by(&itself, 403).await;
}

#[actix_web::test]
async fn of_who_is_not_let_in_and_of_who_needs_no_door() {
    let server = Server::start().await;
    let reader = server.manager("pats:read").await;
    Call::post("/api/decoy-tokens", &[], json!({"name": "bait"}))
        .by(&reader, 403)
        .await;
    Call::get("/api/audit", &[])
        .by(&server.script("garbage"), 401)
        .await;
    let person = server.signed_in(&server.user("alice")).await;
    Call::get("/api/audit", &[]).at(&person, 403).await;
    let report = "/api/leaked-tokens";
    Call::post(
        report,
        &[],
        json!({"tokens": ["x"], "url": "https://git.example/1"}),
    )
    .by(&reader, 202)
    .await;
    Call::post(report, &[], json!({"tokens": []}))
        .by(&reader, 422)
        .await;
    Call::get("/.well-known/secret-scanning", &[])
        .by(&reader, 200)
        .await;
    Call::get("/api/openapi.json", &[]).by(&reader, 200).await;
}

/// A schema that everything fits would prove nothing.
#[test]
fn what_does_not_fit_is_seen() {
    let path = "/api/personal-access-tokens/{token}";
    let responses = &operation("GET", path)["responses"];
    let answer = &responses["200"]["content"]["application/json"]["schema"];
    assert!(!faults(answer, &json!({})).is_empty());
    let refusal = &responses["404"]["content"]["application/json"]["schema"];
    let told = |code: &str| json!({"code": code, "message": "", "details": null});
    assert!(faults(refusal, &told("entity.not_found")).is_empty());
    assert!(!faults(refusal, &told("pat.not_live")).is_empty());
    let body = &operation("PATCH", path)["requestBody"]["content"];
    let body = &body["application/json"]["schema"];
    assert!(faults(body, &json!({"name": "x"})).is_empty());
    assert!(!faults(body, &json!({"naem": "x"})).is_empty());
}
