//! Client authentication at the token endpoint, RFC 6749 §2.3 and §3.2, sentence by sentence.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jeton::domain::client::{AuthMethod, Client};
use reqwest::header::HeaderValue;
use reqwest::{RequestBuilder, Response};

use crate::support::{App, AppOptions, Server, refused};

const OWN_TOKEN: [(&str, &str); 2] = [
    ("grant_type", "client_credentials"),
    ("scope", "notes:read"),
];

/// A request for a token of the client itself, without credentials yet.
fn own_token(server: &Server, more: &[(&str, &str)]) -> RequestBuilder {
    server.post("/oauth/token", &[&OWN_TOKEN, more].concat())
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("the server answers")
}

fn secret(app: &App) -> &str {
    app.client_secret
        .as_deref()
        .expect("a confidential app has a secret")
}

fn confidential(server: &Server, auth_method: AuthMethod) -> App {
    server.app(AppOptions {
        auth_method,
        ..AppOptions::default()
    })
}

/// "The client MUST use the HTTP "POST" method when making access token requests." (§3.2)
#[actix_web::test]
async fn s3_2_only_post_is_taken() {
    let server = Server::start().await;
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH"] {
        let answer = send(server.request(method, "/oauth/token")).await;
        assert_eq!(answer.status(), 405, "{method}");
        assert_eq!(answer.headers()["allow"], "POST", "{method}");
        assert_eq!(answer.headers()["cache-control"], "no-store", "{method}");
    }
}

/// Parameters come in `application/x-www-form-urlencoded` (§4.1.3, Appendix B), and in nothing else.
#[actix_web::test]
async fn s3_2_a_body_of_another_type_is_refused() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let form = "grant_type=client_credentials&scope=notes:read";
    let json = r#"{"grant_type":"client_credentials","scope":"notes:read"}"#;
    for (content_type, body) in [
        (Some("application/json"), json),
        (Some("application/json"), form),
        (Some("multipart/form-data; boundary=x"), form),
        (Some("text/plain"), form),
        (Some("application/x-www-form-urlencoded-not"), form),
        (None, form),
    ] {
        let mut request = server.request("POST", "/oauth/token");
        if let Some(content_type) = content_type {
            request = request.header("Content-Type", content_type);
        }
        let request = request
            .basic_auth(&app.client_id, Some(secret(&app)))
            .body(body);
        let case = format!("{content_type:?}");
        refused(send(request).await, 400, "invalid_request", &case).await;
    }
    let request = server
        .request("POST", "/oauth/token")
        .header(
            "Content-Type",
            "Application/X-WWW-Form-URLEncoded; charset=UTF-8",
        )
        .basic_auth(&app.client_id, Some(secret(&app)))
        .body(form);
    assert_eq!(send(request).await.status(), 200);
}

/// "The parameters can only be transmitted in the request-body and MUST NOT be included in the request URI." (§2.3.1)
#[actix_web::test]
async fn s2_3_1_credentials_and_codes_in_the_query_are_refused() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    for query in [
        &format!("client_secret={}", secret(&app)),
        "code=x",
        "code_verifier=x",
        "refresh_token=x",
        "password=x",
    ] {
        let request = server
            .post(&format!("/oauth/token?{query}"), &OWN_TOKEN)
            .basic_auth(&app.client_id, Some(secret(&app)));
        refused(send(request).await, 400, "invalid_request", query).await;
    }
}

/// A form in the query counts for nothing: it is not read.
#[actix_web::test]
async fn s2_3_1_credentials_in_the_query_authenticate_nobody() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let query = format!(
        "/oauth/token?client_id={}&client_secret={}&grant_type=client_credentials",
        app.client_id,
        secret(&app)
    );
    let answer = send(server.post(&query, &[("scope", "notes:read")])).await;
    refused(answer, 401, "invalid_client", "everything in the query").await;
}

/// "The client MUST NOT use more than one authentication method in each request." (§2.3)
#[actix_web::test]
async fn s2_3_two_ways_at_once_are_refused() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let other = server.app(AppOptions::default());
    let secrets = [("client_secret", secret(&app))];
    let both = [
        ("client_id", app.client_id.as_str()),
        ("client_secret", secret(&app)),
    ];
    let another = [("client_id", other.client_id.as_str())];
    for (case, more) in [
        ("the secret twice", secrets.as_slice()),
        ("both credentials twice", &both),
        ("another client_id in the body", &another),
    ] {
        let request = own_token(&server, more).basic_auth(&app.client_id, Some(secret(&app)));
        refused(send(request).await, 400, "invalid_request", case).await;
    }
    let same = [("client_id", app.client_id.as_str())];
    let request = own_token(&server, &same).basic_auth(&app.client_id, Some(secret(&app)));
    assert_eq!(send(request).await.status(), 200);
}

/// "If the client attempted to authenticate via the "Authorization" request header field, the authorization server
/// MUST respond with an HTTP 401 (Unauthorized) status code and include the "WWW-Authenticate" response header field"
/// (§5.2). Who guesses does not learn which client exists.
#[actix_web::test]
async fn s5_2_unknown_disabled_and_wrong_look_alike() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let other = server.app(AppOptions::default());
    let disabled = server.app(AppOptions::default());
    server.write(|tx| {
        let client = Client::find(tx, &disabled.client_id)?.expect("the app is registered");
        Ok(client.disable(tx)?)
    });
    let unheard_of = "01890a5d-ac96-774b-bcce-b302099a8057";
    let mut seen = vec![];
    for (case, id, secret) in [
        ("an unknown client", unheard_of, secret(&app)),
        ("another's secret", &app.client_id, secret(&other)),
        ("a made-up secret", &app.client_id, "guess"),
        ("a disabled client", &disabled.client_id, secret(&disabled)),
        ("an odd client", "\u{202e} '\"--", secret(&app)),
    ] {
        let answer = send(own_token(&server, &[]).basic_auth(id, Some(secret))).await;
        let challenge = answer.headers()["www-authenticate"].clone();
        assert!(challenge.to_str().unwrap().starts_with("Basic "), "{case}");
        let mut headers = answer.headers().clone();
        for unlike_anyway in ["date", "x-request-id"] {
            headers.remove(unlike_anyway);
        }
        let refusal = refused(answer, 401, "invalid_client", case).await;
        seen.push((case, headers, refusal));
    }
    for (case, headers, refusal) in &seen {
        assert_eq!((headers, refusal), (&seen[0].1, &seen[0].2), "{case}");
    }
}

/// A public client has nothing to prove itself by, a confidential one has to use what it has (§2.3, §3.2.1).
#[actix_web::test]
async fn s2_3_the_proof_fits_the_client() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let public = server.app(AppOptions::public());
    let (app_id, public_id) = (app.client_id.as_str(), public.client_id.as_str());
    let post = |id, secret| own_token(&server, &[("client_id", id), ("client_secret", secret)]);
    let basic = |id, secret| own_token(&server, &[]).basic_auth(id, Some(secret));
    for (case, request) in [
        (
            "a public client, a secret in the body",
            post(public_id, secret(&app)),
        ),
        (
            "a public client, a secret in the header",
            basic(public_id, secret(&app)),
        ),
        (
            "a public client, a blank secret in the header",
            basic(public_id, ""),
        ),
        (
            "a confidential client, no secret",
            own_token(&server, &[("client_id", app_id)]),
        ),
        (
            "a confidential client, a blank secret in the body",
            post(app_id, ""),
        ),
        (
            "a confidential client, a blank secret in the header",
            basic(app_id, ""),
        ),
        (
            "a secret without a client",
            own_token(&server, &[("client_secret", secret(&app))]),
        ),
        ("nobody", own_token(&server, &[])),
    ] {
        refused(send(request).await, 401, "invalid_client", case).await;
    }
}

/// `token_endpoint_auth_method` (RFC 7591 §2): a client that is registered for one way may not use the other.
#[actix_web::test]
async fn s2_3_1_a_client_keeps_to_the_way_it_is_registered_for() {
    let server = Server::start().await;
    server.notes();
    for (method, basic, post) in [
        (AuthMethod::ClientSecret, 200, 200),
        (AuthMethod::ClientSecretBasic, 200, 401),
        (AuthMethod::ClientSecretPost, 401, 200),
    ] {
        let app = confidential(&server, method);
        let in_header = own_token(&server, &[]).basic_auth(&app.client_id, Some(secret(&app)));
        assert_eq!(send(in_header).await.status(), basic, "{method:?} by Basic");
        let in_body = [
            ("client_id", app.client_id.as_str()),
            ("client_secret", secret(&app)),
        ];
        let in_body = send(own_token(&server, &in_body)).await;
        assert_eq!(in_body.status(), post, "{method:?} in the body");
    }
}

/// "The client identifier is encoded using the "application/x-www-form-urlencoded" encoding algorithm per Appendix B,
/// and the encoded value is used as the username" (§2.3.1), and the password likewise.
#[actix_web::test]
async fn s2_3_1_basic_credentials_are_form_encoded() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let (id, secret) = (app.client_id.as_str(), secret(&app));
    let encoded_id = id.replace('-', "%2D");
    let encoded_secret = secret.replace('_', "%5f");
    for (case, credentials, status) in [
        ("as they are", format!("{id}:{secret}"), 200),
        ("encoded", format!("{encoded_id}:{encoded_secret}"), 200),
        ("a plus is a space", format!("{id}:+{secret}"), 401),
        (
            "encoded twice",
            format!("{}:{secret}", id.replace('-', "%252D")),
            401,
        ),
        ("a colon in the secret", format!("{id}:%3A{secret}"), 401),
        ("a percent sign by itself", format!("{id}:%{secret}"), 401),
        ("NUL", format!("{id}:{secret}%00"), 401),
        ("no UTF-8 once decoded", format!("{id}:{secret}%ff"), 401),
        ("no colon", id.to_owned(), 401),
        ("nothing", String::new(), 401),
    ] {
        let header = format!("Basic {}", STANDARD.encode(&credentials));
        let answer = send(own_token(&server, &[]).header("Authorization", header)).await;
        match status {
            200 => assert_eq!(answer.status(), 200, "{case}"),
            _ => drop(refused(answer, 401, "invalid_client", case).await),
        }
    }
}

/// A header that can't be read is a failed authentication, not a fault (§5.2).
#[actix_web::test]
async fn s2_3_1_a_header_that_cannot_be_read_proves_nothing() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let good = STANDARD.encode(format!("{}:{}", app.client_id, secret(&app)));
    let with_token = format!("Bearer {}", app.own_token("notes:read").await.access);
    let cases: [&[u8]; 8] = [
        b"Basic",
        b"Basic ",
        b"Basic !!!!",
        b"Basic \xff\xfe",
        b"Basic /////w==",
        b"Digest username=\"x\"",
        good.as_bytes(),
        with_token.as_bytes(),
    ];
    for header in cases {
        let value = HeaderValue::from_bytes(header).expect("a header may have these bytes");
        let request = own_token(&server, &[("client_id", &app.client_id)]);
        let answer = send(request.header("Authorization", value)).await;
        let case = String::from_utf8_lossy(header);
        refused(answer, 401, "invalid_client", &case).await;
    }
    let any_case = own_token(&server, &[]).header("Authorization", format!("bAsIc {good}"));
    assert_eq!(send(any_case).await.status(), 200);
}
