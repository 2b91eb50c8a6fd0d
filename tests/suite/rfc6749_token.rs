//! The token endpoint, RFC 6749 §3.2, §4.4 and §5: what every grant type has in common, and the tokens of services.

use jeton::domain::client::GrantType;

use crate::support::{AppOptions, Server, refused, seconds, tokens};

const OWN_TOKEN: [(&str, &str); 2] = [
    ("grant_type", "client_credentials"),
    ("scope", "notes:read"),
];

/// "invalid_request: The request is missing a required parameter" and "unsupported_grant_type: The authorization grant
/// type is not supported by the authorization server" (§5.2)
#[actix_web::test]
async fn s5_2_the_grant_type_has_to_be_one_of_ours() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    for (grant_type, code) in [
        ("", "invalid_request"),
        ("password", "unsupported_grant_type"),
        ("implicit", "unsupported_grant_type"),
        ("Client_Credentials", "unsupported_grant_type"),
        ("client_credentials ", "unsupported_grant_type"),
        (
            "urn:ietf:params:oauth:grant-type:device_code",
            "unsupported_grant_type",
        ),
        ("<script>", "unsupported_grant_type"),
    ] {
        let form = [("grant_type", grant_type), ("scope", "notes:read")];
        refused(app.token(&form).await, 400, code, grant_type).await;
    }
    refused(
        app.token(&[("scope", "notes:read")]).await,
        400,
        "invalid_request",
        "none",
    )
    .await;
}

/// "unauthorized_client: The authenticated client is not authorized to use this authorization grant type." (§5.2)
#[actix_web::test]
async fn s5_2_a_client_keeps_to_its_grant_types() {
    let server = Server::start().await;
    server.notes();
    for mine in GrantType::ALL {
        let app = server.app(AppOptions {
            grants: vec![mine],
            ..AppOptions::default()
        });
        for asked in GrantType::ALL.into_iter().filter(|grant| *grant != mine) {
            let form = [
                ("grant_type", asked.as_str()),
                ("scope", "notes:read"),
                ("code", "x"),
                ("refresh_token", "x"),
            ];
            let case = format!("{asked:?} with {mine:?}");
            refused(app.token(&form).await, 400, "unauthorized_client", &case).await;
        }
    }
}

/// Without the right to refresh there is nothing to refresh with (§1.5).
#[actix_web::test]
async fn s5_1_no_refresh_token_for_who_may_not_refresh() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions {
        grants: vec![GrantType::AuthorizationCode],
        ..AppOptions::default()
    });
    let alice = server.signed_in(&server.user("alice")).await;
    let got = app.let_in(&alice, "notes:read").await;
    assert!(got.refresh.is_none(), "{}", got.answer);
}

/// "Request and response parameters MUST NOT be included more than once." (§3.2)
#[actix_web::test]
async fn s3_2_a_parameter_comes_once() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let id = app.client_id.as_str();
    for twice in [
        [("grant_type", "client_credentials"); 2],
        [("scope", "notes:read"), ("scope", "notes:write")],
        [("client_id", id); 2],
        [("made_up", "x"); 2],
        [("code", "x"); 2],
    ] {
        let form = [OWN_TOKEN.as_slice(), &twice].concat();
        refused(app.token(&form).await, 400, "invalid_request", twice[0].0).await;
    }
}

/// "Parameters sent without a value MUST be treated as if they were omitted from the request. The authorization server
/// MUST ignore unrecognized request parameters." (§3.2)
#[actix_web::test]
async fn s3_2_empty_is_absent_and_unknown_is_ignored() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    for more in [
        [("scope", ""), ("scope", "")],
        [("client_id", ""), ("client_secret", "")],
        [("resource", ""), ("code", "")],
        [("made_up", "x"), ("code", "x")],
    ] {
        let form = [OWN_TOKEN.as_slice(), &more].concat();
        assert_eq!(app.token(&form).await.status(), 200, "{more:?}");
    }
}

/// "The authorization server MUST include the HTTP "Cache-Control" response header field with a value of "no-store" in
/// any response containing tokens" (§5.1), and `token_type`, `expires_in` and `scope` with them.
#[actix_web::test]
async fn s5_1_a_token_comes_with_all_that_is_to_be_known_of_it() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let answer = app.token(&OWN_TOKEN).await;
    let headers = answer.headers().clone();
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["pragma"], "no-cache");
    assert_eq!(headers["content-type"], "application/json");
    let got = tokens(answer).await;
    assert_eq!(got.answer["token_type"], "Bearer");
    assert_eq!(got.answer["expires_in"], 3600);
    assert_eq!(got.answer["scope"], "notes:read");
    let told = notes.introspect(&got.access).await;
    assert_eq!(
        told["exp"].as_i64(),
        told["iat"].as_i64().map(|iat| iat + 3600)
    );
}

/// "If omitted, the authorization server SHOULD provide the expiration time via other means" (§5.1): it is never
/// omitted, and says the client's own lifetime if it has one.
#[actix_web::test]
async fn s5_1_expires_in_is_the_lifetime_that_holds() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions {
        access_token_ttl: Some(seconds(120)),
        ..AppOptions::default()
    });
    let got = app.own_token("notes:read").await;
    assert_eq!(got.answer["expires_in"], 120);
    server.clock.advance(seconds(119));
    assert!(notes.accepts(&got.access).await);
    server.clock.advance(seconds(1));
    assert!(!notes.accepts(&got.access).await);
}

/// "If the issued access token scope is different from the one requested by the client, the authorization server MUST
/// include the "scope" response parameter" (§3.3). A scope that was not named is all that the client may ask for.
#[actix_web::test]
async fn s3_3_the_scope_that_was_given_is_told() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions {
        scope: "notes:read notes:write gone:read",
        ..AppOptions::default()
    });
    let got = tokens(app.token(&[("grant_type", "client_credentials")]).await).await;
    assert_eq!(got.answer["scope"], "notes:read notes:write");
    assert_eq!(
        notes.introspect(&got.access).await["scope"],
        "notes:read notes:write"
    );
}

/// "invalid_scope: The requested scope is invalid, unknown, malformed, or exceeds the scope granted" (§5.2)
#[actix_web::test]
async fn s5_2_a_scope_that_cannot_be_given_is_refused() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions {
        scope: "notes:read openid offline_access gone:read",
        ..AppOptions::default()
    });
    for scope in [
        "notes:write",
        "notes:read notes:write",
        "notes:read openid",
        "notes:read offline_access",
        "gone:read",
        "NOTES:READ",
        "notes:read\nnotes:write",
        "notes:read\t",
        "notes:réad",
        "\"notes:read\"",
        "notes\\read",
    ] {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        refused(app.token(&form).await, 400, "invalid_scope", scope).await;
    }
}

/// "The client credentials grant type MUST only be used by confidential clients." (§4.4)
#[actix_web::test]
async fn s4_4_a_public_client_has_no_token_of_its_own() {
    let server = Server::start().await;
    server.notes();
    let public = server.app(AppOptions {
        grants: GrantType::ALL.to_vec(),
        ..AppOptions::public()
    });
    refused(
        public.token(&OWN_TOKEN).await,
        400,
        "unauthorized_client",
        "public",
    )
    .await;
}

/// "A refresh token SHOULD NOT be included." (§4.4.3)
#[actix_web::test]
async fn s4_4_3_a_service_gets_an_access_token_and_nothing_else() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let got = app.own_token("notes:read").await;
    let members: Vec<&String> = got.answer.as_object().expect("an object").keys().collect();
    assert_eq!(
        members,
        ["access_token", "expires_in", "scope", "token_type"]
    );
    let told = notes.introspect(&got.access).await;
    assert_eq!(
        (told["sub"].as_str(), told.get("username")),
        (Some(app.client_id.as_str()), None)
    );
}

/// "invalid_target: The requested resource is invalid, missing, unknown, or malformed." (RFC 8707 §2)
#[actix_web::test]
async fn rfc8707_s2_a_resource_that_is_not_meant_is_refused() {
    let server = Server::start().await;
    let notes = server.notes();
    let photos = server.resource("https://photos.example", &["photos:read"]);
    let app = server.app(AppOptions {
        scope: "notes:read photos:read",
        ..AppOptions::default()
    });
    let alice = server.signed_in(&server.user("alice")).await;
    let flow = app.asks("notes:read");
    let code = app.code(&alice, &flow).await;
    let with_code = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", app.redirect_uri.as_str()),
        ("code_verifier", flow.verifier.as_str()),
    ];
    for resource in [
        "https://unknown.example",
        "notes",
        "/notes",
        "https://notes.example#part",
        "https://notes.example/elsewhere",
    ] {
        for form in [OWN_TOKEN.as_slice(), &with_code] {
            let form = [form, &[("resource", resource)]].concat();
            let case = format!("{resource} with {}", form[0].1);
            refused(app.token(&form).await, 400, "invalid_target", &case).await;
        }
    }
    let beyond = [with_code.as_slice(), &[("resource", photos.uri.as_str())]].concat();
    refused(
        app.token(&beyond).await,
        400,
        "invalid_target",
        "beyond the grant",
    )
    .await;
    let one_of_two = [beyond.as_slice(), &[("resource", notes.uri.as_str())]].concat();
    refused(
        app.token(&one_of_two).await,
        400,
        "invalid_target",
        "one of two",
    )
    .await;

    let good = [with_code.as_slice(), &[("resource", notes.uri.as_str())]].concat();
    let got = tokens(app.token(&good).await).await;
    assert_eq!(
        notes.introspect(&got.access).await["aud"],
        serde_json::json!([notes.uri])
    );
}

/// A scope of one resource is not asked of another (RFC 8707 §2.2).
#[actix_web::test]
async fn rfc8707_s2_2_a_token_is_for_the_resource_that_was_named() {
    let server = Server::start().await;
    let notes = server.notes();
    let photos = server.resource("https://photos.example", &["photos:read"]);
    let app = server.app(AppOptions {
        scope: "notes:read photos:read",
        ..AppOptions::default()
    });
    let at_photos = [OWN_TOKEN.as_slice(), &[("resource", photos.uri.as_str())]].concat();
    refused(
        app.token(&at_photos).await,
        400,
        "invalid_scope",
        "a scope of notes",
    )
    .await;
    let named = [
        ("grant_type", "client_credentials"),
        ("resource", photos.uri.as_str()),
    ];
    let got = tokens(app.token(&named).await).await;
    assert_eq!(got.answer["scope"], "photos:read");
    assert!(photos.accepts(&got.access).await && !notes.accepts(&got.access).await);
}
