//! Authorization codes at the token endpoint, RFC 6749 §4.1 and RFC 7636 §4, sentence by sentence.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Response;
use sha2::{Digest, Sha256};

use crate::support::{App, AppOptions, Browser, CodeFlow, Server, refused, seconds, tokens};

/// What an app sends with a code, but with another redirect URI or verifier, or without.
async fn redeem(
    app: &App,
    code: &str,
    redirect_uri: Option<&str>,
    verifier: Option<&str>,
) -> Response {
    let mut form = vec![("grant_type", "authorization_code"), ("code", code)];
    form.extend(redirect_uri.map(|uri| ("redirect_uri", uri)));
    form.extend(verifier.map(|verifier| ("code_verifier", verifier)));
    app.token(&form).await
}

async fn alice(server: &Server) -> Browser {
    server.signed_in(&server.user("alice")).await
}

/// A request whose challenge belongs to this verifier, however odd it is.
fn proven_by(app: &App, verifier: &str) -> CodeFlow {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let mut flow = app.asks("notes:read").set("code_challenge", &challenge);
    flow.verifier = verifier.to_owned();
    flow
}

/// "The client MUST NOT use the authorization code more than once. If an authorization code is used more than once, the
/// authorization server MUST deny the request and SHOULD revoke (when possible) all tokens previously issued based on
/// that authorization code." (§4.1.2)
#[actix_web::test]
async fn s4_1_2_a_second_use_ends_what_the_first_gave() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let alice = alice(&server).await;
    let unrelated = app.let_in(&alice, "notes:read").await;
    let flow = app.asks("notes:read");
    let code = app.code(&alice, &flow).await;
    let first = tokens(app.redeem(&flow, &code).await).await;
    let next = tokens(app.refresh(first.refresh()).await).await;
    assert!(notes.accepts(&first.access).await && notes.accepts(&next.access).await);

    refused(
        app.redeem(&flow, &code).await,
        400,
        "invalid_grant",
        "the second use",
    )
    .await;

    for token in [&first.access, &next.access] {
        assert!(!notes.accepts(token).await);
    }
    refused(
        app.refresh(next.refresh()).await,
        400,
        "invalid_grant",
        "its refresh token",
    )
    .await;
    assert!(notes.accepts(&unrelated.access).await);
}

/// Whoever saw a code go by has neither its verifier nor its client: sending it again ends nothing.
#[actix_web::test]
async fn s4_1_2_a_replay_without_the_proof_ends_nothing() {
    let server = Server::start().await;
    let notes = server.notes();
    let (app, other) = (
        server.app(AppOptions::default()),
        server.app(AppOptions::default()),
    );
    let flow = app.asks("notes:read");
    let code = app.code(&alice(&server).await, &flow).await;
    let got = tokens(app.redeem(&flow, &code).await).await;

    let uri = Some(app.redirect_uri.as_str());
    let wrong = "wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong";
    for (case, answer) in [
        (
            "a wrong verifier",
            redeem(&app, &code, uri, Some(wrong)).await,
        ),
        ("no verifier", redeem(&app, &code, uri, None).await),
        ("another client", other.redeem(&flow, &code).await),
        (
            "another redirect URI",
            redeem(
                &app,
                &code,
                Some("https://app.example/"),
                Some(&flow.verifier),
            )
            .await,
        ),
    ] {
        refused(answer, 400, "invalid_grant", case).await;
        assert!(notes.accepts(&got.access).await, "{case}");
    }
    assert_eq!(app.refresh(got.refresh()).await.status(), 200);
}

/// "ensure that the authorization code was issued to the authenticated confidential client, or if the client is public,
/// ensure that the code was issued to "client_id" in the request" (§4.1.3)
#[actix_web::test]
async fn s4_1_3_a_code_is_its_clients_alone() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let alice = alice(&server).await;
    let flow = app.asks("notes:read");
    let code = app.code(&alice, &flow).await;
    let thieves = [
        ("a confidential client", server.app(AppOptions::default())),
        (
            "a public client",
            server.app(AppOptions {
                redirect_uris: vec!["https://app.example/cb"],
                ..AppOptions::public()
            }),
        ),
    ];
    for (case, thief) in thieves {
        refused(thief.redeem(&flow, &code).await, 400, "invalid_grant", case).await;
    }
    assert_eq!(
        app.redeem(&flow, &code).await.status(),
        200,
        "the code is not burnt"
    );
}

/// "ensure that the "redirect_uri" parameter is present if the "redirect_uri" parameter was included in the initial
/// authorization request ... and if included ensure that their values are identical" (§4.1.3)
#[actix_web::test]
async fn s4_1_3_the_redirect_uri_is_repeated_to_the_character() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions {
        redirect_uris: vec!["https://app.example/cb", "https://app.example/other"],
        ..AppOptions::default()
    });
    let flow = app.asks("notes:read");
    let code = app.code(&alice(&server).await, &flow).await;
    for uri in [
        None,
        Some(""),
        Some("https://app.example/other"),
        Some("https://app.example/cb/"),
        Some("https://app.example/CB"),
        Some("https://APP.example/cb"),
        Some("https://app.example:443/cb"),
        Some("https://app.example/cb?"),
        Some("https://app.example/%63b"),
    ] {
        let answer = redeem(&app, &code, uri, Some(&flow.verifier)).await;
        refused(answer, 400, "invalid_grant", &format!("{uri:?}")).await;
    }
    assert_eq!(
        app.redeem(&flow, &code).await.status(),
        200,
        "the code is not burnt"
    );
}

/// The port of a loopback address is free when it is asked for (RFC 8252 §7.3), and settled from then on (§4.1.3).
#[actix_web::test]
async fn s4_1_3_a_loopback_port_is_settled_by_the_request() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::public());
    let flow = app
        .asks("notes:read")
        .set("redirect_uri", "http://127.0.0.1:51004/cb");
    let code = app.code(&alice(&server).await, &flow).await;
    for uri in ["http://127.0.0.1:51005/cb", "http://127.0.0.1/cb"] {
        let answer = redeem(&app, &code, Some(uri), Some(&flow.verifier)).await;
        refused(answer, 400, "invalid_grant", uri).await;
    }
    let same = Some("http://127.0.0.1:51004/cb");
    let answer = redeem(&app, &code, same, Some(&flow.verifier)).await;
    assert_eq!(answer.status(), 200);
}

/// What was not sent need not be repeated (§4.1.3); if it is sent, it still has to be the right one.
#[actix_web::test]
async fn s4_1_3_a_redirect_uri_that_was_not_sent_may_be_left_out() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let flow = app.asks("notes:read").without("redirect_uri");
    let code = app.code(&alice(&server).await, &flow).await;
    let wrong = redeem(
        &app,
        &code,
        Some("https://app.example/"),
        Some(&flow.verifier),
    )
    .await;
    refused(wrong, 400, "invalid_grant", "a wrong one").await;
    let left_out = redeem(&app, &code, None, Some(&flow.verifier)).await;
    assert_eq!(left_out.status(), 200);
}

/// "The authorization code MUST expire shortly after it is issued" (§4.1.2): here after 60 seconds.
#[actix_web::test]
async fn s4_1_2_a_code_lives_for_a_minute() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let alice = alice(&server).await;
    let flow = app.asks("notes:read");
    let (in_time, late) = (app.code(&alice, &flow).await, app.code(&alice, &flow).await);
    server
        .clock
        .advance(std::time::Duration::from_millis(59_999));
    assert_eq!(app.redeem(&flow, &in_time).await.status(), 200);
    server.clock.advance(std::time::Duration::from_millis(1));
    refused(
        app.redeem(&flow, &late).await,
        400,
        "invalid_grant",
        "after 60 seconds",
    )
    .await;
}

/// An expired code that was used before is still a replay: what it gave ends (§4.1.2).
#[actix_web::test]
async fn s4_1_2_a_replay_after_the_minute_is_a_replay() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let flow = app.asks("notes:read");
    let code = app.code(&alice(&server).await, &flow).await;
    let got = tokens(app.redeem(&flow, &code).await).await;
    server.clock.advance(seconds(61));
    refused(app.redeem(&flow, &code).await, 400, "invalid_grant", "late").await;
    assert!(!notes.accepts(&got.access).await);
}

/// "If the values are not equal, an error response indicating "invalid_grant" ... MUST be returned." (RFC 7636 §4.6).
/// The code is not used up by it.
#[actix_web::test]
async fn rfc7636_s4_6_a_wrong_verifier_is_refused_and_burns_nothing() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let flow = app.asks("notes:read");
    let code = app.code(&alice(&server).await, &flow).await;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&flow.verifier));
    let good = flow.verifier.as_str();
    for verifier in [
        None,
        Some(""),
        Some("wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong"),
        Some(challenge.as_str()),
        Some(&good[..42]),
        Some(&format!("{good}=")),
        Some(&format!(" {good}")),
        Some(&good.to_lowercase()),
        Some(&good.repeat(3)),
    ] {
        let answer = redeem(&app, &code, Some(&app.redirect_uri), verifier).await;
        refused(answer, 400, "invalid_grant", &format!("{verifier:?}")).await;
    }
    assert_eq!(
        app.redeem(&flow, &code).await.status(),
        200,
        "the code is not burnt"
    );
}

/// A verifier has 43 to 128 unreserved characters (RFC 7636 §4.1), even if its hash is the challenge.
#[actix_web::test]
async fn rfc7636_s4_1_a_verifier_has_its_length_and_letters() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let alice = alice(&server).await;
    for (verifier, fits) in [
        ("a".repeat(42), false),
        ("a".repeat(43), true),
        ("a".repeat(128), true),
        ("a".repeat(129), false),
        (format!("{}-._~", "Aa0".repeat(20)), true),
        (format!("{}=", "a".repeat(43)), false),
        (format!("{} a", "a".repeat(43)), false),
        (format!("{}é", "a".repeat(43)), false),
    ] {
        let flow = proven_by(&app, &verifier);
        let code = app.code(&alice, &flow).await;
        let answer = app.redeem(&flow, &code).await;
        match fits {
            true => assert_eq!(answer.status(), 200, "{verifier}"),
            false => drop(refused(answer, 400, "invalid_grant", &verifier).await),
        }
    }
}

/// The account behind a code is asked again when the code is redeemed (§4.1.3, §5.2).
#[actix_web::test]
async fn s5_2_a_code_of_a_closed_account_is_refused() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let alice = server.user("alice");
    let flow = app.asks("notes:read");
    let code = app.code(&server.signed_in(&alice).await, &flow).await;
    server.write(|tx| Ok(alice.disable(tx)?));
    refused(
        app.redeem(&flow, &code).await,
        400,
        "invalid_grant",
        "a closed account",
    )
    .await;
    server.write(|tx| Ok(alice.enable(tx)?));
    assert_eq!(app.redeem(&flow, &code).await.status(), 200);
}
