//! Who may manage everybody's tokens, and what the API does with bodies that are wrong.

use serde_json::{Value, json};

use crate::support::{AppOptions, Server, json as answered, seconds, tokens};

/// Every call of a manager, with the scope it takes.
fn calls(path: &str) -> Vec<(&'static str, String, Value, &'static str)> {
    let body = json!({"name": "more", "scopes": ["notes:read"]});
    let rename = json!({"currentName": "token 1", "name": "x"});
    let (one, delete) = (format!("{path}/token%201"), format!("{path}/delete"));
    let name = json!({"name": "token 1"});
    vec![
        ("GET", path.to_owned(), Value::Null, "pats:read"),
        ("GET", one.clone(), Value::Null, "pats:read"),
        ("POST", path.to_owned(), body, "pats:write"),
        ("PATCH", path.to_owned(), rename, "pats:write"),
        ("PATCH", one.clone(), json!({"name": "x"}), "pats:write"),
        ("POST", delete, name, "pats:revoke"),
        ("DELETE", one, Value::Null, "pats:revoke"),
    ]
}

/// A person with one token, and the path of their tokens.
fn alice(server: &Server) -> (String, String) {
    server.notes();
    let alice = server.user("alice");
    let token = server.personal_token(&alice, "notes:read");
    let path = format!("/api/users/{}/personal-access-tokens", alice.id);
    (token, path)
}

/// Each scope of the API opens what it is for, and nothing else.
#[actix_web::test]
async fn each_scope_opens_its_own_calls() {
    for scope in ["pats:read", "pats:write", "pats:revoke"] {
        let server = Server::start().await;
        let (_, path) = alice(&server);
        let manager = server.manager(scope).await;
        for (method, path, body, needed) in calls(&path) {
            if needed == scope {
                let (status, answer) = manager.call(method, &path, body).await;
                // A call may have renamed or ended what the next one names.
                assert!(status < 300 || status == 404, "{method} {path}: {answer}");
                continue;
            }
            let body = (!body.is_null()).then_some(body);
            let answer = manager.send(method, &path, body.as_ref()).await;
            let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
            let expected = format!("error=\"insufficient_scope\", scope=\"{needed}\"");
            assert!(
                challenge.contains(&expected),
                "{scope} {method}: {challenge}"
            );
            let answer = answered(answer, 403).await;
            assert_eq!(
                answer["code"], "auth.insufficient_scope",
                "{scope} {method}"
            );
        }
    }
}

/// A token that is not good, or not for this API, is told so in the header too (RFC 6750 §3).
#[actix_web::test]
async fn a_token_that_is_not_for_this_api_is_refused() {
    let server = Server::start().await;
    let (theirs, path) = alice(&server);
    let other = server.resource("https://other.example", &["pats:read"]);
    let app = server.app(AppOptions {
        scope: "notes:read pats:read pats:write pats:revoke",
        ..AppOptions::default()
    });
    let root = server.admin("root");
    let browser = server.signed_in(&root).await;
    let let_in = app
        .let_in(&browser, "pats:read pats:write pats:revoke")
        .await;
    let elsewhere = app
        .token(&[
            ("grant_type", "client_credentials"),
            ("scope", "pats:read"),
            ("resource", &other.uri),
        ])
        .await;
    let revoked = app.own_token("pats:read").await.access;
    app.revoke(&revoked).await;
    for (case, token) in [
        ("garbage", "garbage"),
        ("empty", ""),
        ("the person's own", &theirs),
        ("for another audience", &tokens(elsewhere).await.access),
        (
            "without the API in it",
            &app.own_token("notes:read").await.access,
        ),
        ("refresh token", let_in.refresh()),
        ("revoked", &revoked),
        ("client secret", app.client_secret.as_deref().unwrap()),
    ] {
        for (method, path, body, _) in calls(&path) {
            let body = (!body.is_null()).then_some(body);
            let script = server.script(token);
            let answer = script.send(method, &path, body.as_ref()).await;
            let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
            assert!(
                challenge.contains("error=\"invalid_token\""),
                "{case} {method}"
            );
            let answer = answered(answer, 401).await;
            assert_eq!(answer["code"], "auth.invalid_token", "{case} {method}");
        }
    }
    // Clients have the token endpoint for their secrets.
    let basic = server
        .get(&path)
        .basic_auth(&app.client_id, app.client_secret.clone());
    assert_eq!(basic.send().await.unwrap().status(), 401);
    let in_query = format!("{path}?access_token={}", let_in.access);
    assert_eq!(server.get(&in_query).send().await.unwrap().status(), 401);
}

/// An administrator's personal token may look and revoke, if it has the scopes; making and changing tokens it can't, so
/// that what a token can do does not outlive it.
#[actix_web::test]
async fn a_personal_token_makes_and_changes_no_token() {
    let server = Server::start().await;
    let (_, path) = alice(&server);
    let root = server.admin("root");
    let token = server.personal_token(&root, "pats:read pats:revoke");
    let script = server.script(&token);
    for (method, path, body, needed) in calls(&path) {
        let (status, answer) = script.call(method, &path, body).await;
        if needed == "pats:write" {
            let code = json!("pat.cannot_manage_tokens");
            assert_eq!((status, &answer["code"]), (403, &code), "{method} {path}");
        } else {
            assert!(status < 300 || status == 404, "{method} {path}: {answer}");
        }
    }
    let (_, list) = script.get(&path).await;
    assert_eq!(list[0]["status"], "revoked");
    assert_eq!(list.as_array().unwrap().len(), 1);
}

/// An administrator may let an app manage; when they are one no longer, the app may not either.
#[actix_web::test]
async fn an_apps_right_is_its_owners_right_now() {
    let server = Server::start().await;
    let (_, path) = alice(&server);
    let app = server.app(AppOptions {
        scope: "pats:read",
        ..AppOptions::default()
    });
    let root = server.admin("root");
    let browser = server.signed_in(&root).await;
    let script = server.script(&app.let_in(&browser, "pats:read").await.access);
    for (is_admin, status) in [(true, 200), (false, 403), (true, 200)] {
        server.set_admin(&root, is_admin);
        assert_eq!(script.get(&path).await.0, status, "{is_admin}");
    }
    server.write(|tx| Ok(root.disable(tx)?));
    assert_eq!(script.get(&path).await.0, 401);
}

/// An administrator at a browser manages too; nobody else at one does, not even their own tokens.
#[actix_web::test]
async fn at_a_browser_it_takes_an_administrator() {
    let server = Server::start().await;
    server.notes();
    let (person, root) = (server.user("alice"), server.admin("root"));
    server.personal_token(&person, "notes:read");
    let path = format!("/api/users/{}/personal-access-tokens", person.id);
    let herself = server.signed_in(&person).await;
    let browser = server.signed_in(&root).await;
    for (method, path, body, _) in calls(&path) {
        let body = (!body.is_null()).then_some(body);
        let (status, answer) = herself.api(method, &path, body.clone()).await;
        let code = json!("auth.not_an_administrator");
        assert_eq!((status, &answer["code"]), (403, &code), "{method} {path}");
        let stranger = server.request(method, &path).send().await.unwrap();
        assert!(stranger.headers().contains_key("www-authenticate"));
        assert_eq!(stranger.status(), 401, "{method} {path}");
        let (status, answer) = browser.api(method, &path, body).await;
        assert!(status < 300 || status == 404, "{method} {path}: {answer}");
    }
}

/// An administrator at a browser makes and changes tokens with a password entered lately and with the page's own
/// header; to look and to revoke, the password is not asked for again.
#[actix_web::test]
async fn an_administrator_steps_up_to_make_tokens() {
    let server = Server::start().await;
    let (_, path) = alice(&server);
    let browser = server.signed_in(&server.admin("root")).await;
    for (method, path, body, _) in calls(&path).into_iter().filter(|call| call.0 != "GET") {
        let request = server.request(method, &path).json(&body);
        let request = request.header("Cookie", browser.cookies());
        let answer = answered(request.send().await.unwrap(), 403).await;
        assert_eq!(answer["code"], "auth.csrf", "{method} {path}");
    }
    server.clock.advance(seconds(600));
    for (method, path, body, needed) in calls(&path) {
        let body = (!body.is_null()).then_some(body);
        let (status, answer) = browser.api(method, &path, body).await;
        if needed == "pats:write" {
            let code = json!("auth.step_up_required");
            assert_eq!((status, &answer["code"]), (403, &code), "{method} {path}");
        } else {
            assert!(status < 300 || status == 404, "{method} {path}: {answer}");
        }
    }
}

/// A body that is not what a call takes gets 400, in the API's words, and never a fault of ours.
#[actix_web::test]
async fn a_body_that_is_wrong_gets_400() {
    let server = Server::start().await;
    let (_, path) = alice(&server);
    let manager = server.manager("pats:read pats:write pats:revoke").await;
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let nested = format!("{}{}", "{\"name\":".repeat(1000), "}".repeat(1000));
    let all = calls(&path).into_iter();
    for (method, path, _, _) in all.filter(|call| matches!(call.0, "POST" | "PATCH")) {
        for body in [
            "",
            " ",
            "null",
            "true",
            "1",
            "[]",
            "\"name\"",
            "{",
            "{]",
            "{\"name\"}",
            "{\"name\":1}",
            "{\"name\":null,\"name\":\"x\"}",
            "{\"name\":\"x\",\"name\":\"y\"}",
            "{\"name\":[\"x\"]}",
            "{\"name\":{}}",
            "{\"name\":\"x\",\"scopes\":\"notes:read\"}",
            "{\"name\":\"x\",\"scopes\":[1]}",
            "{\"name\":\"x\",\"scopes\":[null]}",
            "{\"name\":\"x\",\"audience\":{}}",
            "{\"name\":\"x\",\"expiresAt\":9223372036854775808}",
            "{\"name\":\"x\",\"expiresAt\":-9223372036854775809}",
            "{\"name\":\"x\",\"expiresAt\":1e400}",
            "{\"name\":\"x\",\"expiresAt\":true}",
            "{\"name\":\"x\",\"neverExpires\":\"true\"}",
            "{\"name\":\"x\",\"surprise\":1}",
            "{\"name\":\"\\ud800\"}",
            "{\"name\":\"x\"} trailing",
            "name=x&scopes=notes%3Aread",
            &deep,
            &nested,
        ] {
            let request = server
                .request(method, &path)
                .bearer_auth(manager.token())
                .header("Content-Type", "application/json")
                .body(body.to_owned());
            let answer = answered(request.send().await.unwrap(), 400).await;
            let got = &answer["code"];
            assert_eq!(got, "request.malformed", "{method} {path} {body:.60}");
        }
    }
    let invalid = server
        .request("POST", &path)
        .bearer_auth(manager.token())
        .body(b"{\"name\":\"\xff\"}".to_vec());
    answered(invalid.send().await.unwrap(), 400).await;
}

/// A body beyond 16 KiB is 413, at every call that takes one.
#[actix_web::test]
async fn a_body_that_is_too_large_gets_413() {
    let server = Server::start().await;
    let (_, path) = alice(&server);
    let manager = server.manager("pats:read pats:write pats:revoke").await;
    let long = format!("{{\"name\":\"{}\"}}", "a".repeat(17 * 1024));
    let all = calls(&path).into_iter();
    for (method, path, _, _) in all.filter(|call| matches!(call.0, "POST" | "PATCH")) {
        let request = server
            .request(method, &path)
            .bearer_auth(manager.token())
            .header("Content-Type", "application/json")
            .body(long.clone());
        let answer = answered(request.send().await.unwrap(), 413).await;
        assert_eq!(answer["code"], "request.too_large", "{method} {path}");
    }
}

/// Strange letters in a name are letters, or are refused; a NUL never reaches the database.
#[actix_web::test]
async fn strange_letters_are_kept_or_refused() {
    let server = Server::start().await;
    let (_, path) = alice(&server);
    let manager = server.manager("pats:read pats:write pats:revoke").await;
    for (name, status) in [
        ("\u{202e}evil", 201),
        ("👩‍👩‍👧", 201),
        ("'; DROP TABLE grants; --", 201),
        ("${jndi:ldap://x}", 201),
        ("%", 201),
        ("_", 201),
        ("\u{10ffff}", 201),
        ("a\0b", 400),
        ("a\u{85}b", 400),
        ("a\u{1b}[31m", 400),
        ("\u{3000}", 400),
    ] {
        let body = json!({"name": name, "scopes": ["notes:read"]});
        let (got, answer) = manager.call("POST", &path, body).await;
        assert_eq!(got, status, "{name:?} {answer}");
        let delete = format!("{path}/delete");
        let (got, _) = manager.call("POST", &delete, json!({"name": name})).await;
        let expected = if status == 201 { 204 } else { 404 };
        assert_eq!(got, expected, "{name:?}");
    }
}
