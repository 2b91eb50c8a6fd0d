//! Types of authorization details: how they are registered, shown, changed and removed, by the API and on the command line;
//! and where clients learn of them (RFC 9396 §10).

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    ACME, Entry, Jeton, PASSWORD, Script, Server, json as body, repository, trail,
};

const ALL: &str = "/api/authorization-details-types";
const ONE: &str = "/api/authorization-details-types/repository";

/// A server with the notes, and a service that may do all with types.
async fn managed() -> (Server, Script) {
    let server = Server::start().await;
    server.notes();
    let manager = server.manager("policies:read policies:write").await;
    (server, manager)
}

/// What is put is what is shown; what is shown can be put again.
#[actix_web::test]
async fn a_type_is_put_shown_listed_changed_and_removed() {
    let (server, manager) = managed().await;
    assert_eq!(manager.get(ALL).await, (200, json!([])));
    assert_eq!(manager.get(ONE).await.0, 404);
    let mut body = repository();
    body.as_object_mut().unwrap().remove("type");
    body["resource"] = json!("https://notes.example/");
    let (status, made) = manager.call("PUT", ONE, body).await;
    let mut expected = repository();
    expected["createdAt"] = json!(server.clock.now().millis());
    assert_eq!((status, &made), (201, &expected));
    assert_eq!(manager.get(ONE).await, (200, expected.clone()));
    assert_eq!(manager.get(ALL).await, (200, json!([expected])));
    let mut changed = made;
    changed["description"] = json!("Work on it");
    assert_eq!(
        manager.call("PUT", ONE, changed.clone()).await,
        (200, changed)
    );
    assert_eq!(manager.call("DELETE", ONE, Value::Null).await.0, 204);
    assert_eq!(manager.call("DELETE", ONE, Value::Null).await.0, 404);
    for what in ["created", "changed", "removed"] {
        let recorded = trail(&server, &format!("authorization_details_type.{what}"));
        let details: Vec<&str> = recorded.iter().map(Entry::detail).collect();
        assert_eq!(details, ["repository"], "{what}");
    }
}

/// The name of a type may be a URI, as RFC 9396 §2.1 advises for those that are to be unique.
#[actix_web::test]
async fn s2_1_a_type_may_be_named_by_a_uri() {
    let (server, manager) = managed().await;
    let path = format!("{ALL}/https:%2F%2Ftypes.example%2Frepository");
    let mut body = repository();
    body["type"] = json!("https://types.example/repository");
    assert_eq!(manager.call("PUT", &path, body).await.0, 201);
    assert_eq!(
        manager.get(&path).await.1["type"],
        "https://types.example/repository"
    );
    let metadata = server
        .get("/.well-known/oauth-authorization-server")
        .send()
        .await
        .unwrap();
    let metadata = self::body(metadata, 200).await;
    assert_eq!(
        metadata["authorization_details_types_supported"],
        json!(["https://types.example/repository"])
    );
}

/// What can't be a type is refused with a code, and nothing is kept of it. A schema refers to nothing, is nested so deep and no
/// deeper, and has patterns of a bounded size: so validating by it always ends soon.
#[actix_web::test]
async fn what_can_not_be_a_type_is_refused_with_its_code() {
    let (_server, manager) = managed().await;
    let nested = (0..40).fold(
        json!({"type": "string"}),
        |inner, _| json!({"anyOf": [inner]}),
    );
    let schema = |schema: Value| ("schema", schema, "details_type.schema_invalid");
    for (member, value, code) in [
        ("type", json!("other"), "request.malformed"),
        ("colour", json!(1), "request.malformed"),
        ("actions", json!(["read"]), "request.malformed"),
        (
            "resource",
            json!("https://nowhere.example"),
            "details_type.resource_unknown",
        ),
        (
            "description",
            json!(" "),
            "details_type.description_invalid",
        ),
        (
            "description",
            json!("two\nlines"),
            "details_type.description_invalid",
        ),
        (
            "actions",
            json!({"a b": "x"}),
            "details_type.action_invalid",
        ),
        (
            "actions",
            json!({"read": ""}),
            "details_type.action_invalid",
        ),
        (
            "actions",
            json!({"read": "x".repeat(9000)}),
            "details_type.too_long",
        ),
        (
            "schema",
            json!({"title": "x".repeat(9000)}),
            "details_type.too_long",
        ),
        schema(json!({"type": "array"})),
        schema(json!({"properties": 1})),
        schema(json!({"properties": {"x": {"type": "nothing"}}})),
        schema(json!({"properties": {"actions": {}}})),
        schema(json!({"properties": {"locations": {}}})),
        schema(json!({"properties": {"x": {}}, "required": ["x", "y"]})),
        schema(json!({"required": ["type"]})),
        schema(json!({"properties": {"x": {}}, "required": ["actions"]})),
        schema(json!({"properties": {"x": {}}, "required": ["locations"]})),
        schema(json!({"properties": {"x": {"$ref": "https://elsewhere.example/schema"}}})),
        schema(json!({"properties": {"x": {"$ref": "file:///etc/passwd"}}})),
        schema(json!({"$defs": {"a": {}}, "properties": {"x": {"$ref": "#/$defs/a"}}})),
        schema(json!({"$ref": "#"})),
        schema(json!({"properties": {"x": {"$dynamicRef": "#a"}}})),
        schema(json!({"properties": {"x": nested}})),
        schema(json!({"properties": {"x": {"pattern": "("}}})),
        schema(json!({"properties": {"x": {"pattern": "(a)\\1"}}})),
        schema(json!({"properties": {"x": {"pattern": "((a{1,999}){1,999}){1,999}"}}})),
    ] {
        let mut body = repository();
        body[member] = value.clone();
        let (status, answer) = manager.call("PUT", ONE, body).await;
        assert_eq!(
            (status, &answer["code"]),
            (400, &json!(code)),
            "{member} {value}: {answer}"
        );
    }
    let (status, answer) = manager
        .call(
            "PUT",
            &format!("{ALL}/a%20b"),
            json!({"resource": "https://notes.example", "description": "x"}),
        )
        .await;
    assert_eq!(
        (status, &answer["code"]),
        (400, &json!("details_type.name_invalid"))
    );
    assert_eq!(manager.get(ALL).await, (200, json!([])));
}

/// The costliest schema that is taken is no way to keep the server busy.
#[actix_web::test]
async fn validating_takes_a_bounded_time() {
    let (server, manager) = managed().await;
    let nested = (0..4).fold(
        json!({"type": "integer"}),
        |inner, _| json!({"anyOf": [inner.clone(), inner]}),
    );
    let pattern = json!({"pattern": "^(a|aa|a?b)*.{1,60}c$"});
    let schema = json!({"properties": {"a": nested, "b": pattern}});
    let costly = json!({"resource": "https://notes.example", "description": "x", "schema": schema});
    assert_eq!(
        manager
            .call("PUT", &format!("{ALL}/costly"), costly)
            .await
            .0,
        201
    );
    let app = server.app(crate::support::AppOptions {
        details_types: "costly",
        ..Default::default()
    });
    let details =
        json!([{"type": "costly", "a": "x".repeat(1000), "b": "a".repeat(2900)}]).to_string();
    let question = app.asks("").details(&details).path();
    let answer = server
        .get(&question)
        .timeout(Duration::from_secs(5))
        .send()
        .await
        .unwrap();
    assert!(
        answer.headers()["location"]
            .to_str()
            .unwrap()
            .contains("invalid_authorization_details")
    );
}

/// "authorization_details_types_supported" (§10)
#[actix_web::test]
async fn s10_metadata_names_the_types() {
    let server = Server::start().await;
    server.repositories();
    let metadata = server
        .get("/.well-known/oauth-authorization-server")
        .send()
        .await
        .unwrap();
    let metadata = body(metadata, 200).await;
    assert_eq!(
        metadata["authorization_details_types_supported"],
        json!(["repository"])
    );
}

/// The command line makes, shows, changes and removes types, registers clients for them and makes tokens, for a server that
/// runs.
#[actix_web::test]
async fn the_command_line_does_all_of_it() {
    let jeton = Jeton::new();
    jeton.notes("");
    jeton.user("alice", PASSWORD);
    let put = ["authorization-details-type", "put", "-"];
    let unfit = jeton.run_with(
        &put,
        r#"{"type":"a b","resource":"https://notes.example","description":"x"}"#,
    );
    assert_eq!(unfit.code, 1);
    assert!(
        unfit.stderr.starts_with("jeton: a type's name is 1 to 64"),
        "{}",
        unfit.stderr
    );
    assert_eq!(
        jeton.json_with(&put, &repository().to_string()),
        repository()
    );
    let file = std::env::temp_dir().join(format!("jeton-details-{}.json", std::process::id()));
    std::fs::write(&file, ACME).unwrap();
    let list = jeton.run(&["authorization-details-type", "list"]).stdout;
    assert!(
        list.starts_with("TYPE") && list.contains("push read"),
        "{list}"
    );
    let shown = jeton
        .run(&["authorization-details-type", "show", "repository"])
        .stdout;
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), repository());

    let create = [
        "token",
        "create",
        "--user=alice",
        "--resource=https://notes.example",
    ];
    let given = |name: &str, details: &str| {
        let name = format!("--name={name}");
        let option = format!("--details={details}");
        jeton.run(&[&create[..], &[&name, &option, "--json"]].concat())
    };
    let from_file = given("file", file.to_str().unwrap());
    std::fs::remove_file(&file).unwrap();
    for made in [from_file, given("text", ACME)] {
        assert_eq!((made.code, made.stderr.as_str()), (0, ""));
        let made: Value = serde_json::from_str(&made.stdout).unwrap();
        assert_eq!(
            made["authorization_details"].to_string(),
            serde_json::from_str::<Value>(ACME).unwrap().to_string()
        );
        assert_eq!(made["scopes"], json!([]));
    }
    let refused = given("bad", r#"[{"type":"repository"}]"#);
    assert_eq!(
        (refused.code, refused.stderr.as_str()),
        (
            1,
            "jeton: authorization_details[0].actions: at least one is needed\n"
        )
    );
    assert_eq!(given("bad", "no-such-file").code, 1);
    let nothing = jeton.run(&[&create[..], &["--name=bad"]].concat());
    assert_eq!(
        nothing.code, 2,
        "neither a scope nor details: {}",
        nothing.stderr
    );

    let client = [
        "client",
        "create",
        "--name=App",
        "--redirect-uri=https://app.example/cb",
    ];
    let made = jeton.json(&[&client[..], &["--details-type=repository"]].concat());
    assert_eq!(made["authorization_details_types"], json!(["repository"]));
    let unknown = jeton.run(&[&client[..], &["--details-type=mountain"]].concat());
    assert_eq!(
        (unknown.code, unknown.stderr.as_str()),
        (
            1,
            "jeton: there is no authorization details type mountain\n"
        )
    );
    assert_eq!(
        jeton.json(&["authorization-details-type", "delete", "repository"]),
        json!({"type": "repository"})
    );
    assert_eq!(
        jeton
            .run(&["authorization-details-type", "delete", "repository"])
            .code,
        1
    );
}
