//! The authorization endpoint, RFC 6749 §3.1 and §4.1: who is sent back to the app, with what, and who is not.

use std::net::TcpListener;

use jeton::domain::client::GrantType;

use crate::support::{AppOptions, Server};

const CB: &str = "https://app.example/cb";

/// "If the request fails due to … the client identifier is missing or invalid, the authorization server SHOULD inform
/// the resource owner of the error and MUST NOT automatically redirect the user-agent" (§4.1.2.1)
#[actix_web::test]
async fn s4_1_2_1_an_app_that_is_not_known_gets_no_redirect() {
    let server = Server::start().await;
    let (app, off) = (
        server.app(AppOptions::default()),
        server.app(AppOptions::default()),
    );
    server.disable_app(&off);
    let good = app.asks("");
    let requests = [
        ("missing", good.clone().without("client_id")),
        ("empty", good.clone().set("client_id", "")),
        ("unknown", good.clone().set("client_id", "nobody")),
        ("twice", good.clone().and("client_id", &app.client_id)),
        ("switched off", off.asks("")),
    ];
    let browser = server.browser();
    for (case, request) in requests {
        let page = browser.get(&request.path()).await;
        assert!(page.is_dead_end(), "{case}: {page:?}");
    }
}

/// "If the request fails due to a missing, invalid, or mismatching redirection URI … MUST NOT automatically redirect
/// the user-agent to the invalid redirection URI" (§4.1.2.1)
#[actix_web::test]
async fn s4_1_2_1_an_address_that_is_not_registered_is_not_gone_to() {
    let server = Server::start().await;
    let app = server.app(AppOptions::default());
    let other = "https://other.example/cb";
    let two = server.app(AppOptions {
        redirect_uris: vec![CB, other],
        ..AppOptions::default()
    });
    let good = app.asks("");
    let requests = [
        (
            "not registered",
            good.clone().set("redirect_uri", "https://evil.example/cb"),
        ),
        (
            "registered by another",
            good.clone().set("redirect_uri", other),
        ),
        ("sent twice", good.clone().and("redirect_uri", CB)),
        (
            "sent twice, one foreign",
            good.clone().and("redirect_uri", other),
        ),
        (
            "missing, and two are registered",
            two.asks("").without("redirect_uri"),
        ),
        (
            "empty, and two are registered",
            two.asks("").set("redirect_uri", ""),
        ),
        (
            "wrong in other ways too",
            good.clone()
                .set("redirect_uri", other)
                .without("response_type"),
        ),
    ];
    let browser = server.browser();
    for (case, request) in requests {
        let page = browser.get(&request.path()).await;
        assert!(page.is_dead_end(), "{case}: {page:?}");
    }
    for (case, request) in [
        ("first", two.asks("")),
        ("second", two.asks("").set("redirect_uri", other)),
    ] {
        let page = browser.get(&request.path()).await;
        assert!(page.asks_to_sign_in(), "{case} of two: {page:?}");
    }
}

/// A client with one registered redirect URI need not send it (§3.1.2.3).
#[actix_web::test]
async fn s3_1_2_3_the_only_redirect_uri_may_be_left_out() {
    let server = Server::start().await;
    let app = server.app(AppOptions::default());
    let request = app.asks("").without("redirect_uri");
    let page = server
        .browser()
        .get(&request.clone().without("response_type").path())
        .await;
    assert_eq!(page.error_at(CB), "invalid_request");
    let page = server.browser().get(&request.path()).await;
    assert!(page.asks_to_sign_in(), "{page:?}");
}

/// "The endpoint URI MAY include an "application/x-www-form-urlencoded" formatted query component, which MUST be
/// retained when adding additional query parameters" (§3.1.2)
#[actix_web::test]
async fn s3_1_2_the_query_of_a_redirect_uri_is_kept() {
    let server = Server::start().await;
    let registered = "https://app.example/cb?tenant=a%20b";
    let app = server.app(AppOptions {
        redirect_uris: vec![registered],
        ..AppOptions::default()
    });
    let page = server
        .browser()
        .get(&app.asks("").without("response_type").path())
        .await;
    let answer = page.brings(registered);
    assert_eq!(answer["tenant"], "a b");
    assert_eq!(answer["error"], "invalid_request");
}

/// "If an authorization request is missing the "response_type" parameter, or if the response type is not understood,
/// the authorization server MUST return an error response" (§3.1.1): in the query, for there is no implicit grant.
#[actix_web::test]
async fn s3_1_1_the_only_response_type_is_code() {
    let server = Server::start().await;
    let app = server.app(AppOptions::default());
    let browser = server.browser();
    let page = browser
        .get(&app.asks("").without("response_type").path())
        .await;
    assert_eq!(page.error_at(CB), "invalid_request", "missing");
    let page = browser
        .get(&app.asks("").set("response_type", "").path())
        .await;
    assert_eq!(page.error_at(CB), "invalid_request", "empty");
    for other in [
        "token",
        "id_token token",
        "code token",
        "code id_token",
        "none",
        "CODE",
    ] {
        let page = browser
            .get(&app.asks("").set("response_type", other).path())
            .await;
        assert_eq!(page.error_at(CB), "unsupported_response_type", "{other}");
    }
    for mode in ["fragment", "form_post"] {
        let page = browser
            .get(&app.asks("").set("response_mode", mode).path())
            .await;
        assert_eq!(page.error_at(CB), "invalid_request", "{mode}");
    }
}

/// "Request and response parameters MUST NOT be included more than once" (§3.1)
#[actix_web::test]
async fn s3_1_no_parameter_may_come_twice() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.browser();
    let request = app
        .asks("notes:read")
        .and("prompt", "consent")
        .and("foo", "bar");
    for (name, value) in &request.params {
        if ["client_id", "redirect_uri"].contains(&name.as_str()) {
            continue;
        }
        for again in [value.as_str(), "other"] {
            let answer = browser
                .get(&request.clone().and(name, again).path())
                .await
                .brings(CB);
            assert_eq!(answer["error"], "invalid_request", "{name}");
            let state = answer.get("state").map(String::as_str);
            let expected = (name != "state").then_some("af0ifjsldkj");
            assert_eq!(
                state, expected,
                "the state that came back when {name} came twice"
            );
        }
    }
}

/// "Parameters sent without a value MUST be treated as if they were omitted from the request. The authorization server
/// MUST ignore unrecognized request parameters." (§3.1)
#[actix_web::test]
async fn s3_1_empty_and_unknown_parameters_are_ignored() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let good = app.asks("notes:read");
    let requests = [
        ("unknown", good.clone().and("nonsense", "1")),
        (
            "empty twice",
            good.clone()
                .and("state", "")
                .and("scope", "")
                .and("state", ""),
        ),
        (
            "empty request",
            good.clone().and("request", "").and("request_uri", ""),
        ),
        ("empty prompt", good.clone().and("prompt", "")),
        ("empty resource", good.clone().and("resource", "")),
    ];
    for (case, request) in requests {
        let page = server.browser().get(&request.path()).await;
        assert!(page.asks_to_sign_in(), "{case}: {page:?}");
    }
}

/// Parameters are text in UTF-8 (Appendix B). What is not, or has a NUL in it, goes neither to a database nor to an app.
#[actix_web::test]
async fn appendix_b_a_request_that_is_not_text_is_not_taken() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    let good = app.asks("notes:read").without("state").path();
    for broken in ["%00", "%ff", "%c3", "%ed%a0%80", "a%00b"] {
        for name in ["state", "nonsense", "client_id", "prompt"] {
            let page = browser.get(&format!("{good}&{name}={broken}")).await;
            assert!(page.is_dead_end(), "{name}={broken}: {page:?}");
        }
    }
}

/// "invalid_scope: The requested scope is invalid, unknown, or malformed." (§4.1.2.1), and its letters are `%x21 /
/// %x23-5B / %x5D-7E` (§3.3)
#[actix_web::test]
async fn s4_1_2_1_a_scope_that_the_app_may_not_have_is_refused() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions {
        scope: "notes:read ghost",
        ..AppOptions::default()
    });
    let scopes = [
        ("not allowed to the app", "notes:write"),
        ("one allowed, one not", "notes:read notes:write"),
        ("unknown", "nonsense"),
        ("allowed, but defined by no resource", "ghost"),
        ("other case", "NOTES:READ"),
        ("control character", "notes:read\tnotes:read"),
        ("line feed", "notes:read\n"),
        ("not ASCII", "notes:r\u{e9}ad"),
        ("quotation mark", "notes:\"read\""),
        ("backslash", "notes\\read"),
    ];
    for (case, scope) in scopes {
        let page = server.browser().get(&app.asks(scope).path()).await;
        assert_eq!(page.error_at(CB), "invalid_scope", "{case}");
    }
}

/// "If the client omits the scope parameter … the authorization server MUST either process the request using a
/// pre-defined default value or fail" (§3.3): the default is all that the app may ask for.
#[actix_web::test]
async fn s3_3_without_a_scope_all_that_the_app_may_have_is_asked_for() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let app = server.app(AppOptions::default());
    let page = browser.get(&app.asks("").path()).await;
    assert_eq!(page.offered(), ["notes:read", "notes:write"]);
}

/// "unauthorized_client: The client is not authorized to request an authorization code using this method." (§4.1.2.1)
#[actix_web::test]
async fn s4_1_2_1_an_app_without_the_code_grant_gets_no_code() {
    let server = Server::start().await;
    let app = server.app(AppOptions {
        grants: vec![GrantType::ClientCredentials],
        ..AppOptions::default()
    });
    let page = server.browser().get(&app.asks("").path()).await;
    assert_eq!(page.error_at(CB), "unauthorized_client");
}

/// A request object that is not understood is refused by name (OpenID Connect Core §3.1.2.6, RFC 9101), and nothing is
/// fetched: not from the address in it, and not by a request that is wrong in other ways.
#[actix_web::test]
async fn request_objects_are_refused_and_not_fetched() {
    let server = Server::start().await;
    let app = server.app(AppOptions::default());
    let bait = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    bait.set_nonblocking(true).expect("a socket need not block");
    let uri = format!("http://{}/request", bait.local_addr().expect("an address"));
    let good = app.asks("");
    let requests = [
        (
            good.clone().and("request", "eyJhbGciOiJub25lIn0.e30."),
            "request_not_supported",
        ),
        (
            good.clone().and("request_uri", &uri),
            "request_uri_not_supported",
        ),
        (
            good.without("response_type").and("request_uri", &uri),
            "request_uri_not_supported",
        ),
    ];
    for (request, error) in requests {
        let page = server.browser().get(&request.path()).await;
        assert_eq!(page.error_at(CB), error);
    }
    let knocked = bait.accept().map_err(|error| error.kind());
    assert_eq!(knocked.err(), Some(std::io::ErrorKind::WouldBlock));
}

/// "state: REQUIRED if the "state" parameter was present in the client authorization request. The exact value received
/// from the client." (§4.1.2, §4.1.2.1)
#[actix_web::test]
async fn s4_1_2_the_state_comes_back_as_it_came() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    app.code(&browser, &app.asks("notes:read")).await;
    let plain = browser.get(&app.asks("notes:read").path()).await;
    let long = "a".repeat(8192);
    let states = [
        "1",
        "a b+c%20d",
        "x\r\nSet-Cookie: jeton=planted\r\n\r\n<html>",
        "<script>alert(1)</script>\"'&code=planted&iss=evil#fragment",
        "\u{fc}\u{2602}\u{202e}",
        "\\",
        &long,
    ];
    for state in states {
        for (request, part) in [
            (app.asks("notes:read"), "code"),
            (app.asks("notes:read").without("response_type"), "error"),
        ] {
            let page = browser.get(&request.set("state", state).path()).await;
            let answer = page.brings(CB);
            assert_eq!(answer["state"], state);
            assert!(answer.contains_key(part), "{state}: {answer:?}");
            assert_ne!(answer.get("code").map(String::as_str), Some("planted"));
            assert_eq!(page.headers.len(), plain.headers.len(), "{state}: {page:?}");
        }
    }
    let page = browser
        .get(&app.asks("notes:read").without("state").path())
        .await;
    assert!(
        !page.brings(CB).contains_key("state"),
        "none came, none goes"
    );
}

/// The state also survives the person's being asked, which keeps it on the server meanwhile (§4.1.2).
#[actix_web::test]
async fn s4_1_2_the_state_outlasts_the_consent_page() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    let state = "x\r\n<b>\"'&\u{2602}+%";
    for decision in ["deny", "allow"] {
        let request = app.asks("notes:read").set("state", state);
        let page = browser.get(&request.path()).await;
        let back = browser.decide(&page, decision, &["notes:read"]).await;
        assert_eq!(back.brings(CB)["state"], state, "{decision}");
    }
}
