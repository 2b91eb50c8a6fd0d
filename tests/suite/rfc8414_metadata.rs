//! Authorization server metadata, RFC 8414, and which answers scripts of any web page may read.

use std::collections::BTreeSet;

use jeton::web::routes;
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{AppOptions, Server, json as body};

const METADATA: &str = "/.well-known/oauth-authorization-server";

async fn metadata(server: &Server) -> Value {
    body(server.get(METADATA).send().await.unwrap(), 200).await
}

/// "The well-known URI path suffix ... is "/.well-known/oauth-authorization-server"" and the answer is
/// "application/json" (§3, §3.2)
#[actix_web::test]
async fn s3_metadata_is_at_its_url_for_everybody() {
    let server = Server::start().await;
    let answer = server.get(METADATA).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.headers()["cache-control"], "public, max-age=300");
    assert_eq!(answer.status(), 200);
}

/// "The "issuer" value returned MUST be identical to the authorization server's issuer identifier value into which the
/// well-known URI string was inserted" (§3.3), to the character: with no slash behind it.
#[actix_web::test]
async fn s3_3_the_issuer_is_the_url_it_was_found_under() {
    let server = Server::start().await;
    assert_eq!(metadata(&server).await["issuer"], server.url.as_str());
    let named = Server::with(&[("issuer", "https://id.example/")]).await;
    let told = metadata(&named).await;
    assert_eq!(told["issuer"], "https://id.example");
    assert_eq!(told["token_endpoint"], "https://id.example/oauth/token");
}

/// The issuer of the metadata is that of introspection answers (RFC 7662 §2.2).
#[actix_web::test]
async fn s3_3_tokens_have_the_same_issuer() {
    let server = Server::with(&[("issuer", "https://id.example")]).await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    let told = notes.introspect(&token).await;
    assert_eq!(told["iss"], metadata(&server).await["issuer"]);
}

/// Every endpoint that is named is in the route table (§2), and every OAuth endpoint in the table is named: clients find
/// them here and nowhere else.
#[actix_web::test]
async fn s2_the_endpoints_are_those_of_the_route_table() {
    let server = Server::start().await;
    let told = metadata(&server).await;
    let named: BTreeSet<String> = told
        .as_object()
        .expect("an object")
        .iter()
        .filter(|(name, _)| name.ends_with("_endpoint"))
        .map(|(name, url)| {
            let url = url.as_str().expect("an endpoint is a URL");
            let path = url.strip_prefix(&server.url);
            path.unwrap_or_else(|| panic!("{name} is elsewhere: {url}"))
                .to_owned()
        })
        .collect();
    let in_table: BTreeSet<String> = routes::all()
        .iter()
        .map(|route| route.path.to_owned())
        .filter(|path| path.starts_with("/oauth/") && path != routes::DECISION)
        .collect();
    assert_eq!(named, in_table);
}

/// What the server can do, as the tests beside this one hold it to (§2, RFC 7636 §5, RFC 9207 §3).
#[actix_web::test]
async fn s2_it_says_what_the_server_can_do() {
    let server = Server::start().await;
    server.notes();
    let told = metadata(&server).await;
    let or_none = json!(["client_secret_basic", "client_secret_post", "none"]);
    let with_secret = json!(["client_secret_basic", "client_secret_post"]);
    for (name, value) in [
        ("response_types_supported", json!(["code"])),
        ("response_modes_supported", json!(["query"])),
        ("code_challenge_methods_supported", json!(["S256"])),
        (
            "authorization_response_iss_parameter_supported",
            json!(true),
        ),
        (
            "grant_types_supported",
            json!(["authorization_code", "refresh_token", "client_credentials"]),
        ),
        ("token_endpoint_auth_methods_supported", or_none.clone()),
        ("revocation_endpoint_auth_methods_supported", or_none),
        ("introspection_endpoint_auth_methods_supported", with_secret),
    ] {
        assert_eq!(told[name], value, "{name}");
    }
}

/// "Servers MAY choose not to advertise some supported scope values" (§2): those kept for administrators are not.
#[actix_web::test]
async fn s2_scopes_for_administrators_are_not_advertised() {
    let server = Server::start().await;
    server.notes();
    let told = metadata(&server).await;
    let scopes = told["scopes_supported"].as_array().expect("scopes");
    assert!(scopes.contains(&json!("notes:read")));
    assert!(!scopes.contains(&json!("notes:admin")));
}

/// What a browser is told about who may read an answer.
fn allowed_origin(answer: &Response) -> Option<&str> {
    let header = answer.headers().get("access-control-allow-origin")?;
    Some(header.to_str().expect("ASCII"))
}

/// Scripts of any web page may find the server, get tokens and give them back (RFC 9700 §2.6): cookies play no part.
/// A refusal is to be read as well.
#[actix_web::test]
async fn cors_metadata_token_and_revocation_are_for_every_origin() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let form = [("grant_type", "client_credentials"), ("token", "x")];
    for (case, request, status) in [
        ("metadata", server.get(METADATA), 200),
        ("a token", app.form("/oauth/token", &form), 200),
        ("revocation", app.form("/oauth/revoke", &form), 200),
        ("no client", server.post("/oauth/token", &form), 401),
        (
            "no token to revoke",
            app.form("/oauth/revoke", &form[..1]),
            400,
        ),
        ("another method", server.get("/oauth/token"), 405),
        ("another method", server.get("/oauth/revoke"), 405),
    ] {
        let answer = request
            .header("Origin", "https://page.example")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{case}");
        assert_eq!(allowed_origin(&answer), Some("*"), "{case}");
        assert!(
            !answer
                .headers()
                .contains_key("access-control-allow-credentials"),
            "{case}"
        );
    }
}

/// The question a browser asks before it sends a form with an `Authorization` header.
async fn preflight(server: &Server, path: &str, method: &str) -> Response {
    let request = server
        .request("OPTIONS", path)
        .header("Origin", "https://page.example")
        .header("Access-Control-Request-Method", method)
        .header(
            "Access-Control-Request-Headers",
            "authorization, content-type",
        );
    request.send().await.expect("the server answers")
}

#[actix_web::test]
async fn cors_the_preflight_is_answered() {
    let server = Server::start().await;
    for (path, method) in [
        (METADATA, "GET"),
        ("/oauth/token", "POST"),
        ("/oauth/revoke", "POST"),
    ] {
        let answer = preflight(&server, path, method).await;
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        assert_eq!(allowed_origin(&answer), Some("*"), "{path}");
        let allowed = |name: &str| {
            let header = answer.headers()[name].to_str().expect("ASCII");
            header.to_ascii_lowercase()
        };
        assert!(allowed("access-control-allow-methods").contains(&method.to_lowercase()));
        let headers = allowed("access-control-allow-headers");
        assert!(
            headers.contains("authorization") && headers.contains("content-type"),
            "{path}"
        );
    }
}

/// Pages, the authorization endpoint (RFC 9700 §2.6: it "MUST NOT support CORS"), introspection and the API are for
/// their own: no answer of theirs may be read by another origin's script.
#[actix_web::test]
async fn cors_nothing_else_is_for_other_origins() {
    let server = Server::start().await;
    let open = [
        METADATA,
        "/.well-known/secret-scanning",
        "/api/openapi.json",
        "/oauth/token",
        "/oauth/revoke",
    ];
    for route in routes::all() {
        if open.contains(&route.path) {
            continue;
        }
        let path = route.path.replace(['{', '}'], "");
        let case = format!("{} {path}", route.method);
        let asked = server
            .request(route.method.as_str(), &path)
            .header("Origin", "https://page.example");
        let asked = asked.send().await.expect("the server answers");
        assert_eq!(allowed_origin(&asked), None, "{case}");
        let preflight = preflight(&server, &path, route.method.as_str()).await;
        assert_eq!(allowed_origin(&preflight), None, "the preflight of {case}");
        // A proxy's question may come by any method, and is answered as such.
        let refused = if route.any_method { 403 } else { 405 };
        assert_eq!(preflight.status(), refused, "the preflight of {case}");
    }
}
