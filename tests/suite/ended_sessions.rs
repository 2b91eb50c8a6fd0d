//! Sessions that end while a request is under way: what had come through the door makes nothing any more. The doors and
//! handlers are called as the server calls them, with the end of the session between the two.

use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use actix_web::{FromRequest, HttpRequest, ResponseError, web};
use diesel::prelude::*;
use jeton::db::Fault;
use jeton::db::schema::{authorization_requests, consents, grants, sessions, sign_in_failures};
use jeton::domain::password::Password;
use jeton::domain::personal_token::days;
use jeton::domain::secret::Digest;
use jeton::domain::session::Session;
use jeton::domain::user::User;
use jeton::web::api::{my_tokens, user_tokens};
use jeton::web::doors::{Account, Manager, Posted, SignedIn, Visitor, Write};
use jeton::web::endpoints::authorize;
use jeton::web::pages::{Error, consent, password, sign_in, tokens};
use jeton::web::whose::Meant;
use serde_json::{Value, json};

use crate::support::{AppOptions, Browser, PASSWORD, Server, Steps};

const NEW: &str = "an entirely different sentence";

/// What ends a person's sessions.
type End = fn(&Server, &User);

/// How a session ends, whoever does it.
const ENDS: [(&str, End); 3] = [
    ("the password is changed", |server, user| {
        let hash = Password::new(NEW.to_owned()).hash();
        server.write(|tx| Ok(user.set_password(tx, &hash)?));
    }),
    ("the account is disabled", |server, user| {
        server.write(|tx| Ok(user.disable(tx)?));
    }),
    ("every session is ended", |server, user| {
        server.write(|tx| Ok(Session::end_all_of(tx, user.id)?));
    }),
];

/// A request from this browser, with what it proves about itself, before any door.
fn request(server: &Server, browser: &Browser, uri: &str) -> TestRequest {
    TestRequest::default()
        .uri(uri)
        .app_data(server.app.clone())
        .insert_header(("cookie", browser.cookies()))
}

/// A form that has come through door `D`.
async fn posted<D>(server: &Server, browser: &Browser, fields: &[(&str, &str)]) -> Posted<D>
where
    Posted<D>: FromRequest<Error = Error>,
{
    let request = request(server, browser, "/").method(Method::POST);
    let (request, mut payload) = request.set_form(fields).to_http_parts();
    let posted = Posted::<D>::from_request(&request, &mut payload).await;
    posted.unwrap_or_else(|error| panic!("the door is open: {error}"))
}

/// A call of the JSON API that has come through door `D`.
async fn called<D: FromRequest>(server: &Server, browser: &Browser, body: Value) -> D
where
    D::Error: std::fmt::Debug,
{
    let csrf = browser.get("/settings/tokens").await.input("csrf");
    let request = request(server, browser, "/")
        .method(Method::POST)
        .insert_header(("x-csrf-token", csrf));
    let (request, mut payload) = request.set_json(body).to_http_parts();
    let opened = D::from_request(&request, &mut payload).await;
    opened.expect("the door is open")
}

/// What has been made since a server began: grants, codes and consents.
fn made(server: &Server) -> [i64; 3] {
    let counted = server.app.read_blocking(|rx| {
        let codes = authorization_requests::table
            .filter(authorization_requests::code_hash.is_not_null())
            .count();
        Ok::<_, Fault>([
            grants::table.count().get_result(&mut **rx)?,
            codes.get_result(&mut **rx)?,
            consents::table.count().get_result(&mut **rx)?,
        ])
    });
    counted.expect("the rows are counted")
}

/// The person is sent to sign in again.
fn signs_in_again<T>(outcome: Result<T, Error>, case: &str) {
    let Err(error) = outcome else {
        panic!("{case}: it was done");
    };
    let answer = error.error_response();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{case}: {error}");
    let location = answer.headers().get("location").expect("a way on");
    assert_eq!(location, "/sign-in", "{case}");
}

/// Holding a session tells whether it still is one.
#[actix_web::test]
async fn a_session_that_has_ended_is_not_held() {
    for (case, end) in ENDS {
        let server = Server::start().await;
        let (alice, bob) = (server.user("alice"), server.user("bob"));
        let sessions = [&alice, &bob].map(|user| {
            let id = Digest::of(&user.username);
            server.write(|tx| {
                Session::begin(tx, id, user)?;
                let found = sessions::table.find(id).select(Session::as_select());
                Ok(found.get_result::<Session>(&mut **tx)?)
            })
        });
        let held = || {
            let hold = |session: &Session| server.write(|tx| Ok(session.hold(tx)?));
            [hold(&sessions[0]), hold(&sessions[1])]
        };
        assert_eq!(held(), [true, true], "before {case}");
        end(&server, &alice);
        assert_eq!(held(), [false, true], "{case}");
        server.clock.advance(days(14));
        assert_eq!(held(), [false, false], "its time is over");
    }
}

/// A personal access token outlives every session, so none is made by a session that has ended: on the page or by a call.
#[actix_web::test]
async fn no_token_comes_of_a_session_that_has_ended() {
    for (case, end) in ENDS {
        let server = Server::start().await;
        server.notes();
        let alice = server.user("alice");
        let browser = server.signed_in(&alice).await;
        let csrf = browser.get("/settings/tokens").await.input("csrf");
        let fields = [
            ("csrf", csrf.as_str()),
            ("name", "ci"),
            ("scope", "https://notes.example notes:read"),
            ("expires", "30d"),
        ];
        let form = posted::<SignedIn>(&server, &browser, &fields).await;
        let body = json!({"name": "ci", "scopes": ["notes:read"]});
        let call: Account = called(&server, &browser, body).await;
        end(&server, &alice);
        let mine = || web::Path::from(Meant::default());
        signs_in_again(tokens::new::post(form, mine()).await, case);
        let refused = my_tokens::create(call, mine()).await.err().expect(case);
        assert_eq!(refused.status_code(), StatusCode::UNAUTHORIZED, "{case}");
        assert_eq!(made(&server), [0, 0, 0], "{case}");
    }
}

/// Nor does an administrator's make one for somebody else.
#[actix_web::test]
async fn no_token_for_another_comes_of_a_session_that_has_ended() {
    for (case, end) in ENDS {
        let server = Server::start().await;
        server.notes();
        let (root, alice) = (server.admin("root"), server.user("alice"));
        let browser = server.signed_in(&root).await;
        let body = json!({"name": "ci", "scopes": ["notes:read"]});
        let call: Manager<Write> = called(&server, &browser, body).await;
        end(&server, &root);
        let made_for = web::Path::from(alice.id.to_string());
        let refused = user_tokens::create(call, made_for).await.err().expect(case);
        assert_eq!(refused.status_code(), StatusCode::UNAUTHORIZED, "{case}");
        assert_eq!(made(&server), [0, 0, 0], "{case}");
    }
}

/// A yes counts only from somebody who is signed in when it is written down.
#[actix_web::test]
async fn no_consent_comes_of_a_session_that_has_ended() {
    for (case, end) in ENDS {
        let server = Server::start().await;
        server.notes();
        let alice = server.user("alice");
        let browser = server.signed_in(&alice).await;
        let app = server.app(AppOptions::default());
        let page = browser.get(&app.asks("notes:read").path()).await;
        let (csrf, request) = (page.input("csrf"), page.input("request"));
        let fields = [
            ("csrf", csrf.as_str()),
            ("request", &request),
            ("scope", "notes:read"),
            ("decision", "allow"),
        ];
        let form = posted::<SignedIn>(&server, &browser, &fields).await;
        end(&server, &alice);
        signs_in_again(consent::post(form).await, case);
        assert_eq!(made(&server), [0, 0, 0], "{case}");
    }
}

/// Nor does a code, where the person would not even have been asked.
#[actix_web::test]
async fn no_code_comes_of_a_session_that_has_ended() {
    for (case, end) in ENDS {
        let server = Server::start().await;
        server.notes();
        let alice = server.user("alice");
        let browser = server.signed_in(&alice).await;
        let app = server.app(AppOptions::default());
        let flow = app.asks("notes:read");
        app.code(&browser, &flow).await;
        let request: HttpRequest = request(&server, &browser, &flow.path()).to_http_request();
        let visitor = Visitor::extract(&request).await.expect("the door is open");
        assert!(visitor.person.is_some());
        end(&server, &alice);
        let before = made(&server);
        signs_in_again(authorize::get(visitor, request).await, case);
        assert_eq!(made(&server), before, "{case}");
    }
}

/// Of two who change a password at once, with the old one both know, the second does not undo what the first did.
#[actix_web::test]
async fn no_new_password_comes_of_a_session_that_has_ended() {
    let server = Server::start().await;
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    let csrf = browser.get("/settings/password").await.input("csrf");
    let theirs = "the password of a thief";
    let fields = [
        ("csrf", csrf.as_str()),
        ("current_password", PASSWORD),
        ("new_password", theirs),
        ("repeat_password", theirs),
    ];
    let form = posted::<SignedIn>(&server, &browser, &fields).await;
    server.browser().sign_in("alice", "wrong").await;
    let mut late = Steps::of(password::post(form));
    late.until(|| failures(&server) == 0).await; // The old password was right.
    ENDS[0].1(&server, &alice);
    signs_in_again(late.rest().await, "changed meanwhile");
    let with = |password| {
        let browser = server.browser();
        async move { browser.sign_in("alice", password).await.status }
    };
    assert_eq!((with(theirs).await, with(NEW).await), (401, 303));
}

/// A password that was right when it was checked, and is another or useless by now, begins no session.
#[actix_web::test]
async fn a_password_that_was_changed_meanwhile_signs_nobody_in() {
    for (case, end) in &ENDS[..2] {
        let server = Server::start().await;
        let alice = server.user("alice");
        let browser = server.browser();
        browser.sign_in("alice", "wrong").await;
        let csrf = browser.get("/sign-in").await.input("csrf");
        let fields = [
            ("csrf", csrf.as_str()),
            ("username", "alice"),
            ("password", PASSWORD),
        ];
        let form = posted::<Visitor>(&server, &browser, &fields).await;
        let mut late = Steps::of(sign_in::post(form));
        late.until(|| failures(&server) == 0).await; // The password was right.
        end(&server, &alice);
        signs_in_again(late.rest().await, case);
        let sessions = server.app.read_blocking(|rx| {
            Ok::<_, Fault>(sessions::table.count().get_result::<i64>(&mut **rx)?)
        });
        assert_eq!(sessions.expect("the sessions are counted"), 0, "{case}");
    }
}

/// How many failures of alice are remembered.
fn failures(server: &Server) -> i64 {
    let counted = server.app.read_blocking(|rx| {
        let hers = sign_in_failures::table.find("account alice");
        Ok::<_, Fault>(hers.count().get_result(&mut **rx)?)
    });
    counted.expect("the failures are counted")
}
