//! Token introspection, RFC 7662, sentence by sentence: what is asked and what is answered.

use serde_json::{Value, json};

use crate::support::{AppOptions, START, Server, seconds};
use jeton::domain::personal_token::End;

/// "token: REQUIRED. The string value of the token" (§2.1)
#[actix_web::test]
async fn s2_1_the_token_is_required_and_no_parameter_comes_twice() {
    let server = Server::start().await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    let token = token.as_str();
    for form in [
        vec![],
        vec![("token", "")],
        vec![("token_type_hint", "pat")],
        vec![("token", token), ("token", token)],
        vec![("token", token), ("token", "garbage")],
        vec![
            ("token", token),
            ("token_type_hint", "a"),
            ("token_type_hint", "b"),
        ],
        vec![
            ("token", token),
            ("client_ip", "192.0.2.1"),
            ("client_ip", "192.0.2.2"),
        ],
    ] {
        let answer = notes.ask(&form).await;
        assert_eq!(answer.status(), 400, "{form:?}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["error"], "invalid_request", "{form:?}");
    }
}

/// "The protected resource calls the introspection endpoint using an HTTP POST request with parameters sent as
/// application/x-www-form-urlencoded data" (§2.1): a query ends in logs, and no other method is served.
#[actix_web::test]
async fn s2_1_the_token_comes_by_post_in_a_form() {
    let server = Server::start().await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    let query = format!("/oauth/introspect?token={token}");
    let signed = |request: reqwest::RequestBuilder| {
        request.basic_auth(&notes.client_id, Some(&notes.client_secret))
    };
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH"] {
        let answer = signed(server.request(method, &query)).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{method}");
        assert_eq!(answer.headers()["allow"], "POST", "{method}");
    }
    let in_query = signed(server.post(&query, &[])).send().await.unwrap();
    assert_eq!(in_query.status(), 400);
    let in_both = signed(server.post(&query, &[("token", "garbage")]));
    let in_both: Value = in_both.send().await.unwrap().json().await.unwrap();
    assert_eq!(in_both, json!({"active": false}));
    for media_type in ["application/json", "multipart/form-data", "text/plain"] {
        let answer = signed(server.request("POST", "/oauth/introspect"))
            .header("Content-Type", media_type)
            .body(format!("token={token}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400, "{media_type}");
    }
}

/// "If the server is unable to locate the token using the given hint, it MUST extend its search across all of its
/// supported token types" (§2.1)
#[actix_web::test]
async fn s2_1_a_wrong_hint_does_not_hide_the_token() {
    let server = Server::start().await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    for hint in ["refresh_token", "access_token", "pat", "nonsense"] {
        let answer = notes
            .ask(&[("token", &token), ("token_type_hint", hint)])
            .await;
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["active"], true, "{hint}");
    }
}

/// "The endpoint MAY accept other parameters to provide further context to the query" (§2.1): the address that the
/// token came from has to be one.
#[actix_web::test]
async fn s2_1_client_ip_is_an_address() {
    let server = Server::start().await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    for (client_ip, status) in [
        ("192.0.2.7", 200),
        ("2001:db8::7", 200),
        ("::ffff:192.0.2.7", 200),
        ("", 200),
        ("300.0.2.7", 400),
        ("192.0.2.7:443", 400),
        ("192.0.2.0/24", 400),
        ("notes.example", 400),
        ("192.0.2.7, 192.0.2.8", 400),
        ("' OR 1=1", 400),
    ] {
        let answer = notes
            .ask(&[("token", &token), ("client_ip", client_ip)])
            .await;
        assert_eq!(answer.status(), status, "{client_ip:?}");
    }
}

/// "a properly formed and authorized query for an inactive or otherwise invalid token [...] is not considered an error
/// response" (§2.3)
#[actix_web::test]
async fn s2_3_garbage_is_inactive_and_no_error() {
    let server = Server::start().await;
    let notes = server.notes();
    let good = server.personal_token(&server.user("alice"), "notes:read");
    let (shorter, middle) = (&good[..good.len() - 1], good.len() / 2);
    let without_body = good.split_inclusive('_').take(2).collect::<String>();
    for token in [
        "x",
        shorter,
        &good[1..],
        &format!("{good}0"),
        &format!("{good}="),
        &good.to_uppercase(),
        &good.to_lowercase(),
        &format!(" {good}"),
        &format!("{good} "),
        &format!("{good}\n"),
        &format!("Bearer {good}"),
        &good.replace("_pat_", "_at_"),
        &format!("{}{}", &good[middle..], &good[..middle]),
        &without_body,
        "jeton_pat_",
        "eyJhbGciOiJub25lIn0.eyJhY3RpdmUiOnRydWV9.",
        "' OR '1'='1",
        "%00",
        "ünïcödé ☃ \u{202e}",
        &"a".repeat(10_000),
        &"_".repeat(10_000),
    ] {
        assert!(!notes.accepts(token).await, "{token:.80}");
    }
    assert!(notes.accepts(&good).await);
}

/// What is no text at all, or larger than any token, is refused before it is looked up (RFC 6749 Appendix B).
#[actix_web::test]
async fn s2_3_what_can_be_no_token_is_a_bad_request() {
    let server = Server::start().await;
    let notes = server.notes();
    let good = server.personal_token(&server.user("alice"), "notes:read");
    for body in [
        b"token=%00".to_vec(),
        format!("token={good}%00").into_bytes(),
        b"token=%ff%fe".to_vec(),
        b"token=\xc3\x28".to_vec(),
        b"token=a\0b".to_vec(),
        format!("token={}", "a".repeat(17 * 1024)).into_bytes(),
        format!("token={}", "a".repeat(1024 * 1024)).into_bytes(),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let answer = server
            .post_raw("/oauth/introspect", body)
            .basic_auth(&notes.client_id, Some(&notes.client_secret))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400, "{shown:?}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["error"], "invalid_request", "{shown:?}");
    }
}

/// What is told of a personal access token: this and no more (§2.2).
#[actix_web::test]
async fn s2_2_all_that_is_told_of_a_personal_token() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let token = server.personal_token(&alice, "notes:write notes:read");
    let mut answer = notes.introspect(&token).await;
    let jti = answer.as_object_mut().unwrap().remove("jti").unwrap();
    assert_eq!(jti.as_str().unwrap().len(), 36);
    assert_eq!(
        answer,
        json!({
            "active": true,
            "iss": server.url,
            "sub": alice.id.to_string(),
            "aud": ["https://notes.example"],
            "client_id": "personal-access-token",
            "scope": "notes:read notes:write",
            "exp": START.seconds() + 90 * 86_400,
            "iat": START.seconds(),
            "token_type": "Bearer",
            "token_kind": "pat",
            "username": "alice",
        })
    );
}

/// What is told of an app's access token: whose it is, whose app it is, and when they proved who they are (§2.2).
#[actix_web::test]
async fn s2_2_all_that_is_told_of_an_apps_token() {
    let server = Server::start().await;
    let notes = server.notes();
    let (alice, app) = (server.user("alice"), server.app(AppOptions::default()));
    let browser = server.signed_in(&alice).await;
    server.clock.advance(seconds(60));
    let token = app.let_in(&browser, "notes:read").await.access;
    let mut answer = notes.introspect(&token).await;
    answer.as_object_mut().unwrap().remove("jti").unwrap();
    assert_eq!(
        answer,
        json!({
            "active": true,
            "iss": server.url,
            "sub": alice.id.to_string(),
            "aud": ["https://notes.example"],
            "client_id": app.client_id,
            "scope": "notes:read",
            "exp": START.seconds() + 60 + 3600,
            "iat": START.seconds() + 60,
            "token_type": "Bearer",
            "token_kind": "access",
            "username": "alice",
            "auth_time": START.seconds(),
        })
    );
}

/// "sub: Subject of the token [...]. Usually a machine-readable identifier of the resource owner who authorized this
/// token" (§2.2): a service that acts for itself is that itself, and has no username.
#[actix_web::test]
async fn s2_2_the_subject_of_a_services_own_token_is_the_service() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let answer = notes
        .introspect(&app.own_token("notes:read").await.access)
        .await;
    assert_eq!(answer["sub"], app.client_id.as_str());
    assert_eq!(answer["client_id"], app.client_id.as_str());
    assert_eq!(answer.get("username"), None);
    assert_eq!(answer.get("auth_time"), None);
}

/// "exp: OPTIONAL" (§2.2): a token without an end has none, neither 0 nor null.
#[actix_web::test]
async fn s2_2_a_token_without_an_end_has_no_exp() {
    let server = Server::start().await;
    let notes = server.notes();
    let token = server.personal_token_until(&server.user("alice"), "notes:read", End::Never);
    server.clock.advance(seconds(100 * 365 * 86_400));
    let answer = notes.introspect(&token).await;
    assert_eq!(answer["active"], true);
    assert_eq!(answer.get("exp"), None);
}

/// "exp: Integer timestamp, measured in the number of seconds since January 1 1970 UTC, indicating when this token will
/// expire" (§2.2): in that second it has.
#[actix_web::test]
async fn s2_2_a_token_is_inactive_from_its_very_end() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let token = app.own_token("notes:read").await.access;
    // This one ends in the middle of a second, and is told to end at its beginning.
    let in_an_hour = End::At(START + seconds(3600));
    let personal = server.personal_token_until(&server.user("alice"), "notes:read", in_an_hour);
    server.clock.advance(seconds(3599));
    for token in [&token, &personal] {
        assert!(notes.accepts(token).await);
    }
    server.clock.advance(std::time::Duration::from_millis(500));
    for token in [&token, &personal] {
        assert!(!notes.accepts(token).await);
    }
}

/// "If the token is not active [...] the authorization server SHOULD NOT include any additional information about an
/// inactive token" (§2.2): by no header, nor by its length, can one reason be told from another.
#[actix_web::test]
async fn s2_2_every_reason_for_no_looks_alike() {
    let server = Server::start().await;
    let notes = server.notes();
    server.resource("https://photos.example", &["photos:read"]);
    let alice = server.user("alice");
    let soon = End::At(server.clock.now() + seconds(60));
    let expired = server.personal_token_until(&alice, "notes:read", soon);
    let foreign = server.personal_token(&alice, "photos:read");
    let revoked = server.personal_token(&alice, "notes:read");
    let done = server.post("/oauth/revoke", &[("token", &revoked)]);
    done.send().await.unwrap();
    server.clock.advance(seconds(60));
    let mut seen: Vec<(Vec<(String, String)>, String)> = vec![];
    for token in ["garbage", &expired, &foreign, &revoked] {
        let answer = notes.ask(&[("token", token)]).await;
        let own = ["date", "x-request-id"];
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| match name.as_str() {
                name if own.contains(&name) => (name.to_owned(), String::new()),
                name => (name.to_owned(), value.to_str().unwrap().to_owned()),
            });
        seen.push((headers.collect(), answer.text().await.unwrap()));
    }
    for (index, answer) in seen.iter().enumerate() {
        assert_eq!(answer, &seen[0], "{index}");
        assert_eq!(answer.1, r#"{"active":false}"#);
    }
}

/// What is said of a token holds for this moment: no cache may keep it (§4).
#[actix_web::test]
async fn s4_no_answer_may_be_kept() {
    let server = Server::start().await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    let stranger = server.post("/oauth/introspect", &[("token", &token)]);
    for (status, answer) in [
        (200, notes.ask(&[("token", &token)]).await),
        (200, notes.ask(&[("token", "garbage")]).await),
        (400, notes.ask(&[]).await),
        (401, stranger.send().await.unwrap()),
    ] {
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["cache-control"], "no-store", "{status}");
    }
}
