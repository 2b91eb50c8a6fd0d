//! What a proxy is told of a token, and of what in it: what the service behind it would be told by introspection
//! (RFC 7662 §2.2), in the words of RFC 6750.

use diesel::prelude::*;
use jeton::db::schema::users;
use jeton::domain::forward_policy::{ForwardPolicy, Headers};
use jeton::domain::personal_token::End;
use jeton::domain::secret::SecretKind;
use reqwest::Response;
use serde_json::Value;

use crate::support::{AppOptions, START, Server, basic, challenges, policy, seconds};

const READ: [&str; 1] = ["GET /notes/* notes:read"];

async fn ask(server: &Server, authorization: &str) -> Response {
    let question = server.asks("GET", "/notes/1");
    let question = question.header("Authorization", authorization);
    question.send().await.unwrap()
}

async fn ask_with(server: &Server, token: &str) -> Response {
    ask(server, &format!("Bearer {token}")).await
}

/// What an answer says by headers of this name.
fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    let value = answer.headers().get(name);
    value.map(|value| value.to_str().expect("ASCII"))
}

/// Who is behind a request is told in the same words as by introspection.
#[actix_web::test]
async fn a_good_token_passes_and_the_service_is_told_whose_it_is() {
    let server = Server::start().await;
    let notes = server.notes();
    server.put_policy(policy(&READ));
    server.resource("https://photos.example", &["photos:read"]);
    let alice = server.user("alice");
    let token = server.personal_token(&alice, "notes:read notes:write photos:read");
    let told = notes.introspect(&token).await;
    let answer = ask_with(&server, &token).await;
    assert_eq!(answer.status(), 200);
    let exp = told["exp"].to_string();
    for (name, value) in [
        ("x-auth-subject", told["sub"].as_str()),
        ("x-auth-username", Some("alice")),
        ("x-auth-scopes", Some("notes:read notes:write")),
        ("x-auth-token-id", told["jti"].as_str()),
        ("x-auth-client-id", Some("personal-access-token")),
        ("x-token-expires-at", Some(exp.as_str())),
        ("cache-control", Some("no-store")),
        ("content-length", Some("0")),
        ("www-authenticate", None),
    ] {
        assert_eq!(header(&answer, name), value, "{name}");
    }
}

/// A service that acts for itself has no name, and a token without an end no end. That is said too, by nothing: else some
/// proxies would let the client say something.
#[actix_web::test]
async fn what_there_is_not_is_told_as_nothing() {
    let server = Server::start().await;
    server.guard_notes(&READ);
    let app = server.app(AppOptions::default());
    let service = app.own_token("notes:read").await.access;
    let answer = ask_with(&server, &service).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "x-auth-username"), Some(""));
    assert_eq!(header(&answer, "x-auth-subject"), Some(&*app.client_id));
    assert_eq!(header(&answer, "x-auth-client-id"), Some(&*app.client_id));
    let endless = server.personal_token_until(&server.user("alice"), "notes:read", End::Never);
    let answer = ask_with(&server, &endless).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "x-token-expires-at"), Some(""));
}

/// An app's token speaks for the person who let it in.
#[actix_web::test]
async fn an_apps_token_passes_for_its_person() {
    let server = Server::start().await;
    server.guard_notes(&READ);
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    let got = app.let_in(&browser, "notes:read").await;
    let answer = ask_with(&server, &got.access).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "x-auth-username"), Some("alice"));
    assert_eq!(header(&answer, "x-auth-client-id"), Some(&*app.client_id));
}

/// "The user-id and password MUST NOT contain any control characters" (RFC 7617 §2): all else may be a user's name, and
/// what counts is the token behind the first colon.
#[actix_web::test]
async fn a_token_is_a_password_whoever_the_user_is() {
    let server = Server::start().await;
    server.guard_notes(&READ);
    let token = server.personal_token(&server.user("alice"), "notes:read");
    for user in ["alice", "", "nobody", "x-access-token", "b%C3%BC%", "é"] {
        let answer = ask(&server, &basic(user, &token)).await;
        assert_eq!(answer.status(), 200, "{user}");
        assert_eq!(header(&answer, "x-auth-username"), Some("alice"), "{user}");
    }
    // A name that is not UTF-8.
    use base64::Engine as _;
    let pair = [b"\xff\xfe:", token.as_bytes()].concat();
    let pair = base64::engine::general_purpose::STANDARD.encode(pair);
    assert_eq!(ask(&server, &format!("bAsIc {pair}")).await.status(), 200);
    assert_eq!(ask(&server, &format!("bearer {token}")).await.status(), 200);
    for (case, authorization) in [
        ("an empty password", basic("alice", "")),
        ("the token as the user", basic(&token, "")),
        (
            "the token as the user, and something",
            basic(&token, "x-oauth-basic"),
        ),
        (
            "another word before it",
            basic("alice", &format!("a:{token}")),
        ),
        ("no base64", format!("Basic {token}")),
        ("no colon", "Basic YWxpY2U=".to_owned()),
        ("another scheme", format!("Token {token}")),
        ("no scheme", token.clone()),
        ("a scheme alone", "Bearer".to_owned()),
        ("nothing", String::new()),
    ] {
        let answer = ask(&server, &authorization).await;
        assert_eq!(answer.status(), 401, "{case}");
    }
}

/// "If the request lacks any authentication information [...], the resource server SHOULD NOT include an error code"
/// (RFC 6750 §3.1); by the challenge of Basic, git and its like know to ask for a password.
#[actix_web::test]
async fn without_a_token_it_is_401_without_an_error() {
    let server = Server::start().await;
    server.guard_notes(&READ);
    let answer = server.asks("GET", "/notes/1").send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(
        challenges(&answer),
        [
            "Basic realm=\"jeton\", charset=\"UTF-8\"",
            "Bearer realm=\"jeton\""
        ]
    );
}

/// "The access token provided is expired, revoked, malformed, or invalid for other reasons" (RFC 6750 §3.1): 401, and
/// nothing tells one from the other.
#[actix_web::test]
async fn a_token_that_is_not_good_here_is_401_whatever_is_wrong() {
    let server = Server::start().await;
    let notes = server.notes();
    server.put_policy(policy(&["* /*"]));
    server.resource("https://photos.example", &["photos:read"]);
    let (app, other) = (
        server.app(AppOptions::default()),
        server.app(AppOptions::default()),
    );
    let (alice, bob) = (server.user("alice"), server.user("bob"));
    let browser = server.signed_in(&alice).await;
    let got = app.let_in(&browser, "notes:read").await;
    let flow = app.asks("notes:read");
    let code = app.code(&browser, &flow).await;
    let end = End::At(START + seconds(60));
    let short = server.personal_token_until(&alice, "notes:read", end);
    let [revoked, good] = [&alice, &alice].map(|who| server.personal_token(who, "notes:read"));
    app.revoke(&revoked).await;
    let bobs = server.personal_token(&bob, "notes:read");
    let disabled = other.own_token("notes:read").await.access;
    for token in [&short, &bobs, &disabled, &got.access] {
        assert_eq!(ask_with(&server, token).await.status(), 200);
    }
    server.write(|tx| Ok(bob.disable(tx)?));
    server.disable_client(&other.client_id);
    server.clock.advance(seconds(60));
    let unknown = server.app.policy().brands.mint(SecretKind::AccessToken);
    let id = notes.introspect(&good).await["jti"]
        .as_str()
        .unwrap()
        .to_owned();
    let elsewhere = server.personal_token(&alice, "photos:read");
    let mut answers = vec![];
    for (case, token) in [
        ("garbage", "garbage"),
        ("shortened", &good[..good.len() - 1]),
        ("unknown", unknown.expose()),
        ("expired in this second", &short),
        ("revoked", &revoked),
        ("of a disabled person", &bobs),
        ("of a disabled client", &disabled),
        ("for another audience", &elsewhere),
        ("a refresh token", got.refresh()),
        ("a code", &code),
        ("a secret of an app", app.client_secret.as_deref().unwrap()),
        ("a secret of the service", &notes.client_secret),
        ("a public id", &id),
    ] {
        for authorization in [format!("Bearer {token}"), basic("alice", token)] {
            let answer = ask(&server, &authorization).await;
            assert_eq!(answer.status(), 401, "{case}");
            assert_eq!(
                challenges(&answer)[1],
                "Bearer realm=\"jeton\", error=\"invalid_token\"",
                "{case}"
            );
            answers.push(answer.text().await.unwrap());
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(ask_with(&server, &good).await.status(), 200);
}

/// Of two headers a service may look at the other one.
#[actix_web::test]
async fn two_authorizations_are_none() {
    let server = Server::start().await;
    server.guard_notes(&READ);
    let token = server.personal_token(&server.user("alice"), "notes:read");
    for other in [format!("Bearer {token}"), "Basic YTpi".to_owned()] {
        let twice = server.asks("GET", "/notes/1").bearer_auth(&token);
        let twice = twice.header("Authorization", other);
        assert_eq!(twice.send().await.unwrap().status(), 401);
    }
}

/// "insufficient_scope: [...] The resource server SHOULD respond with the HTTP 403 (Forbidden) status code and MAY
/// include the "scope" attribute with the scope necessary to access the protected resource" (RFC 6750 §3.1).
#[actix_web::test]
async fn a_scope_that_is_missing_is_named() {
    let server = Server::start().await;
    server.resource("https://notes.example", &["a:one", "b:two", "c:three"]);
    server.put_policy(policy(&["* /both c:three b:two a:one"]));
    let token = server.personal_token(&server.user("alice"), "b:two");
    let answer = server.asks("GET", "/both").bearer_auth(&token);
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert_eq!(
        challenges(&answer),
        ["Bearer realm=\"jeton\", error=\"insufficient_scope\", scope=\"a:one c:three\""]
    );
    assert_eq!(header(&answer, "x-auth-subject"), None);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error"], "insufficient_scope");
    let sentence = "the access token lacks a scope that this takes: a:one c:three";
    assert_eq!(body["error_description"], sentence);
}

/// What counts is what the owner may still have: a scope that is kept for administrators falls away with the office.
#[actix_web::test]
async fn a_demoted_owner_is_let_through_no_more() {
    let server = Server::start().await;
    server.guard_notes(&["GET /notes/* notes:admin"]);
    let root = server.admin("root");
    let token = server.personal_token(&root, "notes:read notes:admin");
    for (is_admin, status) in [(true, 200), (false, 403), (true, 200)] {
        server.set_admin(&root, is_admin);
        assert_eq!(ask_with(&server, &token).await.status(), status);
    }
}

/// A token for two services shows each what is its own, even if both have a scope of that name.
#[actix_web::test]
async fn another_services_scope_is_worth_nothing_here() {
    let server = Server::start().await;
    server.guard_notes(&READ);
    server.resource("https://photos.example", &["photos:read"]);
    server.put_policy(ForwardPolicy {
        name: "photos".to_owned(),
        audience: "https://photos.example".to_owned(),
        ..policy(&["* /* photos:read"])
    });
    let token = server.personal_token(&server.user("alice"), "notes:write photos:read");
    assert_eq!(ask_with(&server, &token).await.status(), 403);
    let photos = server.get("/forward-auth/photos").bearer_auth(&token);
    let photos = photos
        .header("X-Original-Method", "GET")
        .header("X-Original-URI", "/");
    let photos = photos.send().await.unwrap();
    assert_eq!(photos.status(), 200);
    assert_eq!(header(&photos, "x-auth-scopes"), Some("photos:read"));
}

/// By a policy that there is not nobody gets anything, and nobody is told whether their token is good.
#[actix_web::test]
async fn an_unknown_policy_is_403_for_everybody() {
    let server = Server::start().await;
    server.guard_notes(&["* /*"]);
    let token = server.personal_token(&server.user("alice"), "notes:read");
    for path in [
        "nothing",
        "Notes",
        "notes%20",
        "n%6ftes",
        "%00",
        "notes;",
        "nothing/notes/1",
    ] {
        let mut bodies = vec![];
        for authorization in [
            None,
            Some("Bearer garbage"),
            Some(&*format!("Bearer {token}")),
        ] {
            let question = server.get(&format!("/forward-auth/{path}"));
            let question = question.header("X-Original-Method", "GET");
            let mut question = question.header("X-Original-URI", "/notes/1");
            if let Some(authorization) = authorization {
                question = question.header("Authorization", authorization);
            }
            let answer = question.send().await.unwrap();
            assert_eq!(answer.status(), 403, "{path}");
            bodies.push(answer.text().await.unwrap());
        }
        bodies.dedup();
        assert_eq!(bodies.len(), 1, "{path}: {bodies:?}");
        assert!(
            bodies[0].contains("no forward-auth policy"),
            "{path}: {bodies:?}"
        );
    }
}

/// A policy says which headers the service reads; whatever a name is made of, they stay one line of ASCII.
#[actix_web::test]
async fn headers_are_named_by_the_policy_and_are_safe() {
    let server = Server::start().await;
    server.notes();
    let names = [("username", "X-WEBAUTH-USER"), ("subject", "Remote-User")];
    server.put_policy(ForwardPolicy {
        headers: Headers::of(names).unwrap(),
        ..policy(&READ)
    });
    let alice = server.user("alice");
    let token = server.personal_token(&alice, "notes:read");
    let rename = |name: &str| {
        server.write(|tx| {
            diesel::update(users::table.find(alice.id))
                .set(users::username.eq(name))
                .execute(&mut **tx)?;
            Ok(())
        });
    };
    for (name, told) in [
        ("alice", "alice"),
        ("a b", "a b"),
        ("bürger 100%", "b%C3%BCrger 100%25"),
        ("a\r\nX-Auth-Scopes: all", "a%0D%0AX-Auth-Scopes: all"),
        ("\u{7f}\u{202e}", "%7F%E2%80%AE"),
    ] {
        rename(name);
        let answer = ask_with(&server, &token).await;
        assert_eq!(answer.status(), 200, "{name:?}");
        assert_eq!(header(&answer, "x-webauth-user"), Some(told), "{name:?}");
        assert_eq!(header(&answer, "remote-user"), Some(&*alice.id.to_string()));
        assert_eq!(header(&answer, "x-auth-scopes"), Some("notes:read"));
        for gone in ["x-auth-username", "x-auth-subject"] {
            assert_eq!(header(&answer, gone), None);
        }
    }
}
