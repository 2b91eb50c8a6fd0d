//! Knocking on every door of the route table: as a stranger, with a token that is none, as a person without a right.
//! What has to happen is said by door, so that a new route is knocked on without a word here.

use jeton::web::routes::{Route, all};
use reqwest::{RequestBuilder, Response};

use crate::support::{Browser, Server};

/// Where a stranger may come in, by door. A door that was changed by mistake can't open a route that is not here.
const OPEN: [(&str, &str); 12] = [
    ("public", "GET /"),
    ("public", "GET /.well-known/oauth-authorization-server"),
    ("public", "GET /.well-known/secret-scanning"),
    ("public", "GET /api/openapi.json"),
    ("public", "GET /healthz"),
    ("public", "GET /readyz"),
    ("public", "GET /static/{file}"),
    ("public", "POST /api/leaked-tokens"),
    ("visitor", "GET /oauth/authorize"),
    ("visitor", "GET /sign-in"),
    ("visitor's form", "POST /sign-in"),
    ("visitor's form", "POST /sign-out"),
];

/// A secret of the right form and length that nobody has.
const WRONG: &str = "jeton_at_0000000000000000000000000000000000000000000000000";

fn name(route: &Route) -> String {
    format!("{} {} ({})", route.method, route.path, route.door)
}

/// A path of this route, with something in the place of every variable.
fn path(route: &Route) -> String {
    route
        .path
        .replace("{user}", "alice")
        .replace("{token}", "0190d3a4-8a1b-7c3d-9e5f-0123456789ab")
        .replace("{client}", "nobody")
        .replace("{account}", "nobody")
        .replace("{policy}", "nothing")
        .replace("{path:.*}", "a/b")
        .replace("{file}", "jeton.css")
}

/// The request this route is there for, with a body that says nothing.
fn knock(server: &Server, route: &Route) -> RequestBuilder {
    let request = server.request(route.method.as_str(), &path(route));
    match route.method.as_str() {
        "GET" => request,
        _ if route.path.starts_with("/api/") => request.json(&serde_json::json!({})),
        _ => request.form(&[("token", WRONG)]),
    }
}

async fn send(request: RequestBuilder, name: &str) -> Response {
    let answer = request.send().await.expect("the server answers");
    assert!(answer.status().as_u16() < 500, "{name}: {answer:?}");
    answer
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    let value = answer.headers().get(name);
    value.map_or("", |value| value.to_str().expect("ASCII"))
}

#[test]
fn strangers_come_in_here_and_nowhere_else() {
    let mut open: Vec<(&str, String)> = all()
        .iter()
        .filter(|route| route.door.starts_with("public") || route.door.starts_with("visitor"))
        .map(|route| (route.door, format!("{} {}", route.method, route.path)))
        .collect();
    open.sort();
    assert_eq!(open, OPEN.map(|(door, route)| (door, route.to_owned())));
}

#[actix_web::test]
async fn a_stranger_is_answered_as_the_door_says() {
    let server = Server::start().await;
    for route in all() {
        let name = name(&route);
        let answer = send(knock(&server, &route), &name).await;
        let status = answer.status().as_u16();
        match route.door {
            "public" | "visitor" => assert!(![401, 403].contains(&status), "{name}: {status}"),
            "visitor's form" => assert_eq!(status, 403, "{name}"),
            "signed in"
            | "recently signed in"
            | "administrator"
            | "administrator's form"
            | "signed-in person's form"
            | "recently signed-in person's form" => {
                assert_eq!(status, 303, "{name}");
                let to = header(&answer, "location");
                assert!(to.starts_with("/sign-in?next="), "{name}: {to}");
            }
            "client" | "confidential client" => {
                assert_eq!(status, 401, "{name}");
                let challenge = header(&answer, "www-authenticate").to_owned();
                assert!(challenge.starts_with("Basic "), "{name}: {challenge}");
            }
            // To revoke what is no token is no error, whoever asks (RFC 7009 §2.2).
            "client or holder" => assert_eq!(status, 200, "{name}"),
            // There is no such policy, and that is all that anybody is told.
            "proxy" => assert_eq!(status, 403, "{name}"),
            // Unless the server has GitHub's keys, there is no such door.
            "GitHub's signature" => assert_eq!(status, 404, "{name}"),
            "account"
            | "holder"
            | "manager (pats:read)"
            | "manager (pats:write)"
            | "manager (pats:revoke)"
            | "manager (policies:read)"
            | "manager (policies:write)"
            | "manager (audit:read)" => {
                assert_eq!(status, 401, "{name}");
                let challenge = header(&answer, "www-authenticate").to_owned();
                assert!(challenge.starts_with("Bearer "), "{name}: {challenge}");
            }
            other => panic!("nobody has said who may pass the door {other:?} of {name}"),
        }
    }
}

#[actix_web::test]
async fn a_token_that_is_none_opens_nothing() {
    let server = Server::start().await;
    for route in all() {
        let name = name(&route);
        let knock = knock(&server, &route).bearer_auth(WRONG);
        let status = send(knock, &name).await.status().as_u16();
        match route.door {
            "public" => assert!(![401, 403].contains(&status), "{name}: {status}"),
            "GitHub's signature" => assert_eq!(status, 404, "{name}"),
            // It takes a person at a browser: no token is any good here.
            "account" | "proxy" => assert_eq!(status, 403, "{name}"),
            _ => assert_eq!(status, 401, "{name}"),
        }
    }
}

/// Pages are for people: even a good token does not open one.
#[actix_web::test]
async fn a_token_that_is_good_opens_no_page_and_manages_nothing() {
    let server = Server::start().await;
    server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    for route in all() {
        let name = name(&route);
        let knock = knock(&server, &route).bearer_auth(&token);
        let status = send(knock, &name).await.status().as_u16();
        match route.door {
            "public" => assert!(![401, 403].contains(&status), "{name}: {status}"),
            "holder" if route.path.contains("/rotate") => assert_eq!(status, 403, "{name}"),
            "GitHub's signature" => assert_eq!(status, 404, "{name}"),
            // Its own affairs, of which the last route of that door ends it.
            "holder" => assert!([200, 204].contains(&status), "{name}: {status}"),
            "account" | "proxy" => assert_eq!(status, 403, "{name}"),
            // It is for another API than this server's own.
            _ => assert_eq!(status, 401, "{name}"),
        }
        if route.door == "holder" && route.method == "DELETE" {
            return;
        }
    }
    panic!("a holder has no way to end their token");
}

/// A person in whose browser somebody else's page sends the form: it has the cookie, and not the token.
#[actix_web::test]
async fn a_form_or_a_call_from_elsewhere_does_nothing() {
    let server = Server::start().await;
    let browser = server.signed_in(&server.admin("alice")).await;
    let cookies = browser.cookies();
    for route in all().iter().filter(|route| route.method != "GET") {
        let name = name(route);
        let knock = knock(&server, route).header("Cookie", &cookies);
        let status = send(knock, &name).await.status().as_u16();
        match route.door {
            "client" | "confidential client" | "holder" => assert_eq!(status, 401, "{name}"),
            "client or holder" => assert_eq!(status, 200, "{name}"),
            // Whoever sends it: it says nothing, and that is refused.
            "public" => assert_eq!(status, 400, "{name}"),
            "GitHub's signature" => assert_eq!(status, 404, "{name}"),
            _ => assert_eq!(status, 403, "{name}"),
        }
    }
}

#[actix_web::test]
async fn an_ordinary_person_manages_nobody_and_has_their_own_pages() {
    let server = Server::start().await;
    let browser = server.signed_in(&server.user("alice")).await;
    let (cookies, csrf) = (browser.cookies(), csrf(&browser).await);
    for route in all() {
        let name = name(&route);
        if route.path == "/sign-out" {
            continue;
        }
        let knock = knock(&server, &route)
            .header("Cookie", &cookies)
            .header("X-CSRF-Token", &csrf);
        let answer = send(knock, &name).await;
        let status = answer.status().as_u16();
        match route.door {
            "public" | "visitor" => assert!(![401, 403].contains(&status), "{name}: {status}"),
            "signed in" | "recently signed in" => assert!(
                [200, 404].contains(&status) || header(&answer, "location").starts_with('/'),
                "{name}: {status}"
            ),
            "administrator" => assert_eq!(status, 403, "{name}"),
            // The header is for calls; a form carries its token itself.
            door if door.ends_with("form") => assert_eq!(status, 403, "{name}"),
            "account" => assert!(![401, 403].contains(&status), "{name}: {status}"),
            "client" | "confidential client" | "holder" => assert_eq!(status, 401, "{name}"),
            "client or holder" => assert_eq!(status, 200, "{name}"),
            "proxy" => assert_eq!(status, 403, "{name}"),
            "GitHub's signature" => assert_eq!(status, 404, "{name}"),
            _ => {
                assert_eq!(status, 403, "{name}");
                let refusal: serde_json::Value = answer.json().await.unwrap();
                assert_eq!(refusal["code"], "auth.not_an_administrator", "{name}");
            }
        }
    }
}

async fn csrf(browser: &Browser) -> String {
    browser.get("/settings/password").await.input("csrf")
}

/// "The origin server MUST generate an Allow header field in a 405 response containing a list of the target resource's
/// currently supported methods." (RFC 9110 §15.5.6)
#[actix_web::test]
async fn rfc9110_s15_5_6_any_other_method_is_405_and_allow_has_the_others() {
    let server = Server::start().await;
    for route in all().iter().filter(|route| !route.any_method) {
        let here = all().into_iter().filter(|other| other.path == route.path);
        let mut allowed: Vec<String> = here.map(|other| other.method.to_string()).collect();
        if allowed.iter().any(|method| method == "GET") {
            allowed.push("HEAD".to_owned());
        }
        allowed.sort();
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW",
        ] {
            if allowed.iter().any(|known| known == method) {
                continue;
            }
            let name = format!("{method} {}", route.path);
            let answer = send(server.request(method, &path(route)), &name).await;
            assert_eq!(answer.status(), 405, "{name}");
            let mut allow: Vec<&str> = header(&answer, "allow").split(", ").collect();
            allow.sort();
            assert_eq!(allow, allowed, "{name}");
        }
    }
}

/// "The HEAD method is identical to GET except that the server MUST NOT send content in the response" (RFC 9110 §9.3.2)
#[actix_web::test]
async fn rfc9110_s9_3_2_head_is_get_without_its_body() {
    let server = Server::start().await;
    for route in all().iter().filter(|route| route.method == "GET") {
        let name = name(route);
        let get = send(server.get(&path(route)), &name).await;
        let head = send(server.request("HEAD", &path(route)), &name).await;
        assert_eq!(head.status(), get.status(), "{name}");
        for same in ["content-type", "content-length", "location"] {
            assert_eq!(header(&head, same), header(&get, same), "{name}: {same}");
        }
        assert_eq!(head.bytes().await.unwrap().len(), 0, "{name}");
    }
}

#[actix_web::test]
async fn a_path_that_there_is_not_is_404_for_everybody() {
    let server = Server::start().await;
    let browser = server.signed_in(&server.admin("alice")).await;
    for path in [
        "/nothing",
        "/api",
        "/api/nothing",
        "/api/users",
        "/oauth/nothing",
        "/oauth/token/",
        "/OAuth/token",
        "//oauth/token",
        "/static/%2e%2e%2fCargo.toml",
        "/static/nothing.css",
        "/settings",
        "/%00",
        "/%ff",
        "/.well-known/openid-configuration",
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let request = server.request(method, path);
            let answer = send(request.header("Cookie", browser.cookies()), path).await;
            // The one folder whose files are looked for by name takes GET alone.
            let expected = match (path.starts_with("/static/"), method) {
                (true, "POST" | "DELETE") => 405,
                _ => 404,
            };
            assert_eq!(answer.status(), expected, "{method} {path}");
        }
    }
}
