//! Proof Key for Code Exchange, RFC 7636, at the authorization endpoint.

use crate::support::{App, AppOptions, CodeFlow, Server};

const CB: &str = "https://app.example/cb";

/// Both kinds of app: a secret is no substitute for the proof (RFC 9700 §2.1.1).
fn apps(server: &Server) -> [App; 2] {
    let public = AppOptions {
        redirect_uris: vec![CB],
        ..AppOptions::public()
    };
    [server.app(AppOptions::default()), server.app(public)]
}

async fn error_of(server: &Server, request: CodeFlow) -> String {
    server.browser().get(&request.path()).await.error_at(CB)
}

/// "If the server requires Proof Key for Code Exchange (PKCE) by OAuth public clients and the client does not send the
/// "code_challenge" in the request, the authorization endpoint MUST return the authorization error response with the
/// "error" value set to "invalid_request"" (§4.4.1)
#[actix_web::test]
async fn s4_4_1_no_app_is_let_in_without_a_challenge() {
    let server = Server::start().await;
    for app in apps(&server) {
        let bare = app.asks("").without("code_challenge");
        assert_eq!(error_of(&server, bare.clone()).await, "invalid_request");
        let bare = bare.without("code_challenge_method");
        assert_eq!(error_of(&server, bare).await, "invalid_request");
    }
}

/// "code_challenge_method: OPTIONAL, defaults to "plain" if not present" (§4.3): and plain is not supported (§4.4.1).
#[actix_web::test]
async fn s4_3_the_only_method_is_s256() {
    let server = Server::start().await;
    for app in apps(&server) {
        let left_out = app.asks("").without("code_challenge_method");
        assert_eq!(
            error_of(&server, left_out).await,
            "invalid_request",
            "left out"
        );
        for method in ["plain", "", "s256", "S512", "S256 plain"] {
            let request = app.asks("").set("code_challenge_method", method);
            assert_eq!(
                error_of(&server, request).await,
                "invalid_request",
                "{method:?}"
            );
        }
    }
}

/// A challenge is `BASE64URL-ENCODE(SHA256(ASCII(code_verifier)))` (§4.2): 43 letters, digits, `-` and `_`.
#[actix_web::test]
async fn s4_2_a_challenge_has_its_length_and_its_letters() {
    let server = Server::start().await;
    let [app, _] = apps(&server);
    let good = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let page = server
        .browser()
        .get(&app.asks("").set("code_challenge", good).path())
        .await;
    assert!(page.asks_to_sign_in(), "{page:?}");
    let with = |last: &str| format!("{}{last}", &good[..42]);
    let challenges = [
        ("empty", String::new()),
        ("42 characters", with("")),
        ("44 characters", with("MM")),
        ("129 characters", "a".repeat(129)),
        ("padding", with("=")),
        ("padding beyond", format!("{good}=")),
        ("plus", with("+")),
        ("slash", with("/")),
        ("space", with(" ")),
        ("tilde, as a verifier may have", with("~")),
        ("not ASCII", with("\u{e9}")),
        ("line feed", with("\n")),
    ];
    for (case, challenge) in challenges {
        let request = app.asks("").set("code_challenge", &challenge);
        assert_eq!(
            error_of(&server, request).await,
            "invalid_request",
            "{case}"
        );
    }
}
