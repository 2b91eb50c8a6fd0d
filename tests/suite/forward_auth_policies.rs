//! How policies are made, shown, changed and removed: by the API and on the command line.

use diesel::prelude::*;
use jeton::db::schema::{audit_events, scopes};
use serde_json::{Value, json};

use crate::support::{Jeton, PASSWORD, Script, Server, client, json as answered, policy, seconds};

const ALL: &str = "/api/forward-auth-policies";
const ONE: &str = "/api/forward-auth-policies/notes";

/// A server with the notes, and a service that may do all with policies.
async fn managed() -> (Server, Script) {
    let server = Server::start().await;
    server.notes();
    let manager = server.manager("policies:read policies:write").await;
    (server, manager)
}

fn body() -> Value {
    json!({
        "audience": "https://notes.example",
        "rules": [
            {"methods": ["GET", "HEAD"], "path": "/notes/*", "scopes": ["notes:read"]},
            {"path": "/notes/*", "scopes": ["notes:write", "notes:admin"]},
            {"path": "/"},
        ],
    })
}

/// What is put is what is shown, with all that was not said; what is shown can be put again.
#[actix_web::test]
async fn a_policy_is_put_shown_listed_and_removed() {
    let (server, manager) = managed().await;
    assert_eq!(manager.get(ALL).await, (200, json!([])));
    assert_eq!(manager.get(ONE).await.0, 404);
    let (status, made) = manager.call("PUT", ONE, body()).await;
    let expected = json!({
        "name": "notes",
        "audience": "https://notes.example",
        "rules": [
            {"methods": ["GET", "HEAD"], "path": "/notes/*", "scopes": ["notes:read"]},
            {"methods": [], "path": "/notes/*", "scopes": ["notes:admin", "notes:write"]},
            {"methods": [], "path": "/", "scopes": []},
        ],
        "otherwise": "deny",
        "headers": {
            "subject": "X-Auth-Subject",
            "username": "X-Auth-Username",
            "scopes": "X-Auth-Scopes",
            "tokenId": "X-Auth-Token-Id",
            "clientId": "X-Auth-Client-Id",
            "expiresAt": "X-Token-Expires-At",
        },
    });
    assert_eq!((status, &made), (201, &expected));
    assert_eq!(manager.get(ONE).await, (200, expected.clone()));
    assert_eq!(manager.get(ALL).await, (200, json!([expected])));

    let mut other = made;
    other["otherwise"] = json!("allow");
    other["headers"]["username"] = json!("X-WEBAUTH-USER");
    assert_eq!(
        manager.call("PUT", ONE, other.clone()).await,
        (200, other.clone())
    );
    assert_eq!(manager.get(ONE).await, (200, other));
    let token = server.personal_token(&server.user("alice"), "notes:read");
    assert_eq!(server.judges(&token, "GET", "/any").await, 200);

    assert_eq!(manager.send("DELETE", ONE, None).await.status(), 204);
    assert_eq!(manager.send("DELETE", ONE, None).await.status(), 404);
    assert_eq!(manager.get(ALL).await, (200, json!([])));
    assert_eq!(server.judges(&token, "GET", "/any").await, 403);
}

/// A slash at the end of a resource's URI is clients' affair (RFC 8707): the policy is for the one that is registered.
#[actix_web::test]
async fn the_audience_is_the_registered_one() {
    let (_server, manager) = managed().await;
    let mut slash = body();
    slash["audience"] = json!("https://notes.example/");
    let (_, made) = manager.call("PUT", ONE, slash).await;
    assert_eq!(made["audience"], "https://notes.example");
}

/// What can't be a policy is refused with a stable code, and what there was stays.
#[actix_web::test]
async fn what_is_no_policy_is_refused_and_changes_nothing() {
    let (_server, manager) = managed().await;
    let (_, before) = manager.call("PUT", ONE, body()).await;
    let with = |member: &str, value: Value| {
        let mut body = body();
        body[member] = value;
        body
    };
    let rule = |rule: Value| with("rules", json!([rule]));
    let many = vec![json!({"path": "/"}); 101];
    for (body, code) in [
        (
            with("audience", json!("https://x.example")),
            "policy.audience_unknown",
        ),
        (with("audience", json!("\0")), "policy.audience_unknown"),
        (
            with("otherwise", json!("maybe")),
            "policy.otherwise_invalid",
        ),
        (
            with("headers", json!({"email": "X-Email"})),
            "policy.header_invalid",
        ),
        (
            with("headers", json!({"username": "Set-Cookie"})),
            "policy.header_invalid",
        ),
        (
            with("headers", json!({"username": "X-A\r\nX-B"})),
            "policy.header_invalid",
        ),
        (
            with("headers", json!({"username": "X-Auth-Subject"})),
            "policy.header_invalid",
        ),
        (rule(json!({"path": "notes"})), "policy.rule_invalid"),
        (rule(json!({"path": "/a/../b"})), "policy.rule_invalid"),
        (rule(json!({"path": "/a*"})), "policy.rule_invalid"),
        (rule(json!({"path": "/a\n* /*"})), "policy.rule_invalid"),
        (rule(json!({"path": "/ notes:read"})), "policy.rule_invalid"),
        (
            rule(json!({"path": "/", "methods": ["get"]})),
            "policy.rule_invalid",
        ),
        (
            rule(json!({"path": "/", "methods": ["*"]})),
            "policy.rule_invalid",
        ),
        (
            rule(json!({"path": "/", "scopes": ["a b"]})),
            "policy.rule_invalid",
        ),
        (
            rule(json!({"path": "/", "scopes": ["photos:read"]})),
            "policy.scope_unknown",
        ),
        (
            rule(json!({"path": "/", "scopes": ["policies:read"]})),
            "policy.scope_unknown",
        ),
        (with("rules", json!(many)), "policy.rule_invalid"),
        (rule(json!({"path": "/", "scope": []})), "request.malformed"),
        (rule(json!({"scopes": []})), "request.malformed"),
        (with("default", json!("allow")), "request.malformed"),
        (with("name", json!("others")), "request.malformed"),
        (with("rules", Value::Null), "request.malformed"),
        (json!([]), "request.malformed"),
        (json!({}), "request.malformed"),
    ] {
        let (status, answer) = manager.call("PUT", ONE, body.clone()).await;
        assert_eq!((status, &answer["code"]), (400, &json!(code)), "{body}");
    }
    assert_eq!(manager.get(ALL).await, (200, json!([before])));
    for name in [
        "Notes",
        "-notes",
        "no_tes",
        "n%C3%B6tes",
        "%00",
        &"a".repeat(65),
    ] {
        let path = format!("{ALL}/{name}");
        let (status, answer) = manager.call("PUT", &path, body()).await;
        assert_eq!(
            (status, &answer["code"]),
            (400, &json!("policy.name_invalid")),
            "{name}"
        );
        assert_eq!(manager.get(&path).await.0, 404, "{name}");
        assert_eq!(
            manager.send("DELETE", &path, None).await.status(),
            404,
            "{name}"
        );
    }
    let (status, made) = manager.call("PUT", &format!("{ALL}/0-9"), body()).await;
    assert_eq!(status, 201, "{made}");
}

/// To see policies and to change them are two rights, both kept for administrators.
#[actix_web::test]
async fn each_scope_opens_its_own_calls() {
    let server = Server::start().await;
    server.notes();
    server.put_policy(policy(&["* /*"]));
    let calls = [
        ("GET", ALL, "policies:read"),
        ("GET", ONE, "policies:read"),
        ("PUT", ONE, "policies:write"),
        ("DELETE", ONE, "policies:write"),
    ];
    for scope in ["policies:read", "policies:write", "pats:write"] {
        let manager = server.manager(scope).await;
        for (method, path, needed) in calls {
            let body = (method == "PUT").then(body);
            let answer = manager.send(method, path, body.as_ref()).await;
            if needed == scope {
                assert!(answer.status().is_success(), "{scope} {method} {path}");
                continue;
            }
            let answer = answered(answer, 403).await;
            assert_eq!(
                answer["code"], "auth.insufficient_scope",
                "{scope} {method}"
            );
        }
        server.put_policy(policy(&["* /*"]));
    }
    let (alice, root) = (server.user("alice"), server.admin("root"));
    let (herself, browser) = (
        server.signed_in(&alice).await,
        server.signed_in(&root).await,
    );
    let token = server.personal_token(&root, "policies:read");
    for (method, path, needed) in calls {
        let body = (method == "PUT").then(body);
        let (status, answer) = herself.api(method, path, body.clone()).await;
        let code = json!("auth.not_an_administrator");
        assert_eq!((status, &answer["code"]), (403, &code), "{method} {path}");
        let stranger = server.request(method, path).send().await.unwrap();
        assert_eq!(stranger.status(), 401, "{method} {path}");
        let by_token = server
            .script(&token)
            .send(method, path, body.as_ref())
            .await;
        let may = needed == "policies:read";
        assert_eq!(by_token.status() == 200, may, "{method} {path}");
        assert!(
            browser.api(method, path, body).await.0 < 300,
            "{method} {path}"
        );
    }
}

/// Who changed what may pass is in the trail.
#[actix_web::test]
async fn every_change_of_a_policy_is_in_the_trail() {
    let (server, manager) = managed().await;
    let browser = server.signed_in(&server.admin("root")).await;
    manager.call("PUT", ONE, body()).await;
    server.clock.advance(seconds(1));
    browser.api("PUT", ONE, Some(body())).await;
    manager.call("PUT", ONE, json!({})).await;
    server.clock.advance(seconds(1));
    manager.send("DELETE", ONE, None).await;
    manager.send("DELETE", ONE, None).await;
    let entries: Vec<(String, String, Option<String>)> = server.write(|tx| {
        let entries = audit_events::table.filter(audit_events::event.like("forward_auth_policy.%"));
        let entries = entries.order(audit_events::id).select((
            audit_events::event,
            audit_events::actor,
            audit_events::detail,
        ));
        Ok(entries.load(&mut **tx)?)
    });
    let whats: Vec<&str> = entries.iter().map(|(event, _, _)| event.as_str()).collect();
    let expected =
        ["created", "changed", "removed"].map(|what| format!("forward_auth_policy.{what}"));
    assert_eq!(whats, expected);
    let actors = entries
        .iter()
        .map(|(_, actor, _)| actor.split(':').next().unwrap());
    assert_eq!(actors.collect::<Vec<_>>(), ["client", "user", "client"]);
    assert!(
        entries
            .iter()
            .all(|(_, _, detail)| detail.as_deref() == Some("notes"))
    );
}

/// A server that was there before this was has the new scopes after its upgrade.
#[actix_web::test]
async fn an_older_server_gets_the_new_scopes() {
    let server = Server::start().await;
    server.write(|tx| {
        let new = scopes::table.filter(scopes::name.like("policies:%"));
        Ok(diesel::delete(new).execute(&mut **tx)?)
    });
    server.another_node().await;
    let reserved: Vec<(String, bool)> = server.write(|tx| {
        let ours = scopes::table.order(scopes::name);
        Ok(ours
            .select((scopes::name, scopes::reserved))
            .load(&mut **tx)?)
    });
    let names: Vec<&str> = reserved.iter().map(|(name, _)| name.as_str()).collect();
    let ours = "audit:read introspection pat:rotate_self pats:read pats:revoke pats:write policies:read policies:write";
    assert_eq!(names.join(" "), ours);
    let open: Vec<&String> = reserved
        .iter()
        .filter(|(_, reserved)| !reserved)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(open, ["pat:rotate_self"]);
}

/// The command line makes, shows, changes and removes policies, for a server that runs.
#[actix_web::test]
async fn the_command_line_does_all_of_it() {
    let jeton = Jeton::new();
    jeton.notes("");
    jeton.user("alice", PASSWORD);
    let token = jeton.token("alice", "laptop")["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let server = jeton.serve();
    let judges = async || {
        let question = client().get(format!("{}/forward-auth/notes/notes/1", server.url));
        question.bearer_auth(&token).send().await.unwrap().status()
    };
    assert_eq!(judges().await, 403);
    let create = [
        "forward-auth",
        "create",
        "notes",
        "--resource=https://notes.example",
    ];
    let made = jeton.json(
        &[
            &create[..],
            &[
                "--rule=GET,HEAD /notes/* notes:read",
                "--rule=*  /notes/*  notes:write",
                "--header=username=X-User",
            ],
        ]
        .concat(),
    );
    let mut expected = json!({
        "name": "notes",
        "resource": "https://notes.example",
        "rules": ["GET,HEAD /notes/* notes:read", "* /notes/* notes:write"],
        "otherwise": "deny",
        "headers": {
            "subject": "X-Auth-Subject",
            "username": "X-User",
            "scopes": "X-Auth-Scopes",
            "tokenId": "X-Auth-Token-Id",
            "clientId": "X-Auth-Client-Id",
            "expiresAt": "X-Token-Expires-At",
        },
    });
    assert_eq!(made, expected);
    assert_eq!(judges().await, 200);
    let again = jeton.run(&[&create[..], &["--otherwise=allow"]].concat());
    assert_eq!(
        (again.code, again.stderr.as_str()),
        (1, "jeton: there is a policy notes already\n")
    );
    assert_eq!(jeton.json(&["forward-auth", "list"]), json!([expected]));
    jeton.json(&[&create[..], &["--replace", "--rule=* /* notes:write"]].concat());
    assert_eq!(judges().await, 403);
    expected["rules"] = json!(["* /* notes:write"]);
    expected["headers"]["username"] = json!("X-Auth-Username");
    assert_eq!(jeton.json(&["forward-auth", "list"]), json!([expected]));
    let list = jeton.run(&["forward-auth", "list"]).stdout;
    assert!(list.starts_with("NAME"), "{list}");
    jeton.json(&[&create[..], &["--replace", "--otherwise=allow"]].concat());
    assert_eq!(judges().await, 200);
    assert_eq!(
        jeton.json(&["forward-auth", "remove", "notes"]),
        json!({"name": "notes"})
    );
    assert_eq!(judges().await, 403);
}
