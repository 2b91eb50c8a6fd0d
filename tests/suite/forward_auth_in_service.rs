//! Forward-auth in service: its uses are noted and its answers counted, it is never stale, and a fault lets nothing
//! through.

use diesel::prelude::*;
use jeton::db::schema::forward_auth_policies as policies;
use jeton::domain::personal_token::PersonalToken;
use jeton::domain::user::User;

use crate::support::{AppOptions, Log, Server, Watch, basic, policy};

const READ: [&str; 1] = ["GET /notes/* notes:read"];

fn last_use(server: &Server, owner: &User) -> (bool, Option<String>) {
    let tokens = server.write(|tx| Ok(PersonalToken::all_of(tx, owner.id)?));
    let grant = &tokens[0].grant;
    (grant.last_used_at.is_some(), grant.last_used_from.clone())
}

/// A use is noted, and from where as far as a proxy that is trusted says: never the proxy's own address.
#[actix_web::test]
async fn a_use_is_noted_with_the_clients_address() {
    for (trusted, forwarded, from) in [
        ("127.0.0.1", Some("192.0.2.7"), Some("192.0.2.7")),
        ("127.0.0.1", None, None),
        ("198.51.100.1", Some("192.0.2.7"), None),
    ] {
        let server = Server::with(&[("trusted_proxies", trusted)]).await;
        server.guard_notes(&READ);
        let alice = server.user("alice");
        let token = server.personal_token(&alice, "notes:read");
        let mut question = server.asks("GET", "/notes/1").bearer_auth(&token);
        if let Some(address) = forwarded {
            question = question.header("X-Forwarded-For", address);
        }
        assert_eq!(question.send().await.unwrap().status(), 200);
        server.note_uses().await;
        let used = (true, from.map(str::to_owned));
        assert_eq!(last_use(&server, &alice), used, "{trusted} {forwarded:?}");
    }
}

/// A token that is refused for what it lacks was used; one that is not good here was not.
#[actix_web::test]
async fn only_a_good_token_is_used() {
    let server = Server::start().await;
    server.guard_notes(&["GET /notes/* notes:write"]);
    server.resource("https://photos.example", &["photos:read"]);
    let (alice, bob) = (server.user("alice"), server.user("bob"));
    let lacking = server.personal_token(&alice, "notes:read");
    let foreign = server.personal_token(&bob, "photos:read");
    assert_eq!(server.judges(&lacking, "GET", "/notes/1").await, 403);
    assert_eq!(server.judges(&foreign, "GET", "/notes/1").await, 401);
    server.note_uses().await;
    assert!(last_use(&server, &alice).0);
    assert!(!last_use(&server, &bob).0);
}

/// What a proxy is told moves one counter: what became of the request, by what kind of token, and why.
#[actix_web::test]
async fn an_answer_is_counted_by_what_became_of_the_request() {
    let server = Server::start().await;
    server.guard_notes(&["GET /notes/* notes:read", "PUT /notes/* notes:write"]);
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    let got = app.let_in(&browser, "notes:read").await;
    let token = server.personal_token(&server.user("bob"), "notes:read");
    let mut watch = Watch::on(&server);
    let mut saw = |outcome: &str, kind: &str, reason: &str| {
        let labels = format!("kind=\"{kind}\",outcome=\"{outcome}\",reason=\"{reason}\"");
        let series = format!("jeton_forward_auths_total{{{labels}}}");
        watch.saw(reason, &[(&series, 1.0)]);
    };
    for (token, method, target, outcome, kind, reason) in [
        (&*token, "GET", "/notes/1", "allowed", "pat", ""),
        (&got.access, "GET", "/notes/1", "allowed", "access", ""),
        (
            "garbage",
            "GET",
            "/notes/1",
            "unauthorized",
            "none",
            "malformed",
        ),
        (
            got.refresh(),
            "GET",
            "/notes/1",
            "unauthorized",
            "refresh",
            "not_for_caller",
        ),
        (
            &token,
            "PUT",
            "/notes/1",
            "forbidden",
            "pat",
            "missing_scope",
        ),
        (&got.access, "GET", "/", "forbidden", "access", "no_rule"),
        (
            &token,
            "GET",
            "/notes/..",
            "forbidden",
            "pat",
            "unclear_path",
        ),
        (
            &token,
            "get",
            "/notes/1",
            "forbidden",
            "pat",
            "unclear_method",
        ),
    ] {
        server.judges(token, method, target).await;
        saw(outcome, kind, reason);
    }
    server.asks("GET", "/").send().await.unwrap();
    saw("unauthorized", "none", "no_token");
    let nameless = server.get("/forward-auth/notes").bearer_auth(&token);
    nameless.send().await.unwrap();
    saw("forbidden", "pat", "no_request");
    let half = server.asks("GET", "/").header("X-Forwarded-Uri", "/");
    half.bearer_auth(&token).send().await.unwrap();
    saw("forbidden", "pat", "contradictory_request");
    server.get("/forward-auth/nothing").send().await.unwrap();
    saw("forbidden", "none", "unknown_policy");
}

/// A database that fails lets nobody through, and calls no good token bad. The log has no secret.
#[actix_web::test]
async fn a_fault_is_503_and_lets_nothing_through() {
    let log = Log::listen();
    let server = Server::start().await;
    server.guard_notes(&READ);
    let token = server.personal_token(&server.user("alice"), "notes:read");
    let pair = basic("alice", &token);
    // A node that has answered nothing yet has to read the policies too.
    for table in ["forward_auth_policies", "tokens", "grants", "registry"] {
        server.rename_table(table, "elsewhere");
        for authorization in [format!("Bearer {token}"), pair.clone()] {
            let question = server.asks("GET", "/notes/1");
            let question = question.header("Authorization", authorization);
            let answer = question.send().await.unwrap();
            assert_eq!(answer.status(), 503, "{table}");
            assert_eq!(answer.headers()["retry-after"], "1", "{table}");
            assert!(!answer.headers().contains_key("x-auth-subject"), "{table}");
        }
        server.rename_table("elsewhere", table);
        assert_eq!(
            server.judges(&token, "GET", "/notes/1").await,
            200,
            "{table}"
        );
    }
    for secret in [&token, pair.trim_start_matches("Basic ")] {
        assert!(!log.text().contains(secret), "a secret is in the log");
    }
}

/// Whoever writes nonsense into the table has closed a door, and harmed nobody else.
#[actix_web::test]
async fn a_policy_that_cannot_be_read_lets_nothing_through() {
    let server = Server::start().await;
    let notes = server.notes();
    server.put_policy(policy(&["* /*"]));
    let token = server.personal_token(&server.user("alice"), "notes:read");
    assert_eq!(server.judges(&token, "GET", "/notes/1").await, 200);
    for (rules, otherwise, headers) in [
        ("* /*\nnonsense", "deny", ""),
        ("* /*", "maybe", ""),
        ("* /*", "deny", "username=Set-Cookie"),
    ] {
        server.write(|tx| {
            let row = (
                policies::rules.eq(rules),
                policies::otherwise.eq(otherwise),
                policies::headers.eq(headers),
            );
            Ok(diesel::update(policies::table)
                .set(row)
                .execute(&mut **tx)?)
        });
        assert_eq!(
            server.judges(&token, "GET", "/notes/1").await,
            403,
            "{rules:?}"
        );
        assert!(notes.accepts(&token).await, "{rules:?}");
    }
}

/// No answer is older than its question: what was changed at one node holds at another for every question after that.
#[actix_web::test]
async fn a_change_is_known_everywhere_at_once() {
    let server = Server::start().await;
    let node = server.another_node().await;
    server.guard_notes(&READ);
    let alice = server.user("alice");
    let token = server.personal_token(&alice, "notes:read");
    let judges = async || node.judges(&token, "GET", "/notes/1").await;
    // By connections of their own, so that every worker of that node has answered.
    for _ in 0..4 {
        let question = node.asks("GET", "/notes/1").header("Connection", "close");
        let answer = question.bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    server.put_policy(policy(&["GET /notes/* notes:write"]));
    assert_eq!(judges().await, 403, "it takes more now");
    server.put_policy(policy(&READ));
    assert_eq!(judges().await, 200, "as before");
    server.write(|tx| Ok(diesel::delete(policies::table).execute(&mut **tx)?));
    assert_eq!(judges().await, 403, "it is gone");
    server.put_policy(policy(&READ));
    assert_eq!(judges().await, 200, "it is back");
    server.write(|tx| Ok(alice.disable(tx)?));
    assert_eq!(judges().await, 401, "its owner is disabled");
    server.write(|tx| Ok(alice.enable(tx)?));
    assert_eq!(judges().await, 200, "and enabled");
    let app = server.app(AppOptions::default());
    app.revoke(&token).await;
    assert_eq!(judges().await, 401, "it is revoked");
}

/// Of many questions at once, of proxies and of resource servers, each gets its own answer.
#[actix_web::test]
async fn each_question_of_many_gets_its_own_answer() {
    let server = Server::start().await;
    let notes = server.notes();
    server.put_policy(policy(&[
        "GET /notes/* notes:read",
        "PUT /notes/* notes:write",
    ]));
    let people: Vec<User> = (0..8).map(|n| server.user(&format!("person{n}"))).collect();
    let all: Vec<String> = people
        .iter()
        .map(|person| server.personal_token(person, "notes:read"))
        .collect();
    server.write(|tx| Ok(people[0].disable(tx)?));
    let (server, notes, all) = (&server, &notes, &all);
    let ask = |number: usize| async move {
        let (whose, method) = (number % 8, ["GET", "PUT"][number / 8 % 2]);
        if number.is_multiple_of(3) {
            assert_eq!(notes.accepts(&all[whose]).await, whose != 0, "{number}");
            return;
        }
        let question = server.asks(method, "/notes/1").bearer_auth(&all[whose]);
        let answer = question.send().await.unwrap();
        let expected = match (whose, method) {
            (0, _) => 401,
            (_, "GET") => 200,
            _ => 403,
        };
        assert_eq!(answer.status(), expected, "{number}");
        if expected == 200 {
            let name = format!("person{whose}");
            assert_eq!(answer.headers()["x-auth-username"], name, "{number}");
        }
    };
    futures_util::future::join_all((0..160).map(ask)).await;
}
