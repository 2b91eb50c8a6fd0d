//! What is told to Prometheus: every metric moves by the act that it names and by nothing else.

use jeton::db::Fault;
use jeton::domain::audit;
use jeton::domain::bearer::Bearer;
use jeton::domain::grant::{Because, Grant};
use jeton::domain::personal_token::End;
use jeton::domain::secret::Digest;
use jeton::domain::tx::Caller;

use crate::support::{
    AppOptions, Exposition, PASSWORD, ResourceServer, START, Server, Watch, seconds, tokens,
};

const ISSUED: &str = "jeton_tokens_issued_total";
const EVENTS: &str = "jeton_audit_events_total";

fn issued(kind: &str, by: &str) -> String {
    format!("{ISSUED}{{grant_type=\"{by}\",kind=\"{kind}\"}}")
}

fn event(what: &str) -> String {
    format!("{EVENTS}{{event=\"{what}\"}}")
}

/// Each line is Prometheus' text format, after a day in which everything was used, and each metric says what it is.
#[actix_web::test]
async fn every_line_is_in_prometheus_text_format() {
    let server = Server::start().await;
    let (notes, app) = (server.notes(), server.app(AppOptions::default()));
    let browser = server.signed_in(&server.user("alice")).await;
    let first = app.let_in(&browser, "notes:read").await;
    assert!(notes.accepts(&first.access).await);
    app.refresh(first.refresh()).await;
    jeton::jobs::sweep::sweep(&server.app).await.unwrap();
    jeton::jobs::census::count(&server.app).await.unwrap();
    let seen = Exposition::of(&server);
    for begin in [
        "jeton_build_info{",
        "jeton_http_requests_total{",
        "jeton_http_request_duration_seconds_bucket{",
        "jeton_introspections_total{",
        "jeton_forward_auths_total{",
        "jeton_tokens_issued_total{",
        "jeton_refresh_replays_total{",
        "jeton_audit_events_total{",
        "jeton_password_checks_total{",
        "jeton_password_threads_in_use",
        "jeton_password_queue_length",
        "jeton_desk_batch_size_bucket{",
        "jeton_desk_batch_seconds_bucket{",
        "jeton_desk_queue_length{",
        "jeton_database_connections{",
        "jeton_database_connections_idle{",
        "jeton_database_size_bytes",
        "jeton_tokens{",
        "jeton_swept_rows_total{",
        "process_start_time_seconds",
        "process_resident_memory_bytes",
        "process_open_fds",
    ] {
        let there = seen.values.keys().any(|series| series.starts_with(begin));
        assert!(there, "{begin} is not in\n{}", seen.text);
    }
}

/// A request is counted once, under the pattern of its route, and its time is in the histogram.
#[actix_web::test]
async fn a_request_is_counted_by_pattern_method_and_status() {
    let server = Server::start().await;
    let before = Exposition::of(&server);
    for path in ["/settings/tokens/one", "/settings/tokens/two"] {
        assert_eq!(server.get(path).send().await.unwrap().status(), 303);
    }
    let answer = server.request("DELETE", "/oauth/token").send().await;
    assert_eq!(answer.unwrap().status(), 405);
    let now = Exposition::of(&server);
    let requests = |series: &&String| series.starts_with("jeton_http_requests_total");
    let counted: Vec<(&String, f64)> = now
        .values
        .keys()
        .filter(requests)
        .map(|series| (series, now.value(series) - before.value(series)))
        .collect();
    let token =
        r#"jeton_http_requests_total{endpoint="/oauth/token",method="DELETE",status="405"}"#;
    let page = r#"jeton_http_requests_total{endpoint="/settings/tokens/{token}",method="GET",status="303"}"#;
    assert_eq!(counted, [(&token.to_owned(), 1.0), (&page.to_owned(), 2.0)]);
    let times = |suffix: &str, more: &str| {
        let name = "jeton_http_request_duration_seconds";
        now.value(&format!(
            "{name}_{suffix}{{endpoint=\"/settings/tokens/{{token}}\"{more}}}"
        ))
    };
    assert_eq!(times("count", ""), 2.0);
    assert_eq!(times("bucket", ",le=\"+Inf\""), 2.0);
    assert!(times("sum", "") > 0.0);
}

/// Whatever paths, methods, names and tokens are sent, the text has none of them and does not grow.
#[actix_web::test]
async fn nothing_that_anybody_sends_becomes_a_label() {
    let server = Server::start().await;
    let (notes, app) = (server.notes(), server.app(AppOptions::default()));
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    let got = app.let_in(&browser, "notes:read").await;
    notes.accepts(&got.access).await;
    let strange = |number: usize| {
        let methods = ["GET", "POST", "BREW", "PROPFIND"];
        let method = match number {
            0..1000 => methods[number % 4].to_owned(),
            _ => format!("SPELL{number}"),
        };
        (method, format!("/nowhere/{number}/nothing?q=nothing"))
    };
    let ask = async |numbers: std::ops::Range<usize>| {
        for number in numbers {
            let (method, path) = strange(number);
            let answer = server.request(&method, &path).send().await.unwrap();
            assert_eq!(answer.status(), 404);
        }
    };
    ask(0..4).await;
    let few = Exposition::of(&server);
    ask(4..1020).await;
    let many = Exposition::of(&server);
    let series = |seen: &Exposition| -> Vec<String> {
        let ours = seen.values.keys().filter(|name| name.starts_with("jeton_"));
        ours.cloned().collect()
    };
    assert_eq!(series(&few), series(&many));
    let unknown = |method: &str| {
        let series = "jeton_http_requests_total{endpoint=\"unknown\"";
        many.value(&format!("{series},method=\"{method}\",status=\"404\"}}"))
    };
    let counted = ["GET", "POST", "_OTHER"].map(unknown);
    assert_eq!(counted, [250.0, 250.0, 520.0]);
    for word in [
        "alice",
        "Backup",
        "nothing",
        "BREW",
        "SPELL",
        "notes",
        &app.client_id,
        &alice.id.to_string(),
        &got.access,
        &server.url,
        &server.database_url(),
        PASSWORD,
    ] {
        assert!(!many.text.contains(word), "{word} is told:\n{}", many.text);
    }
}

/// A token that is made moves the counter of its kind and of the way it was made.
#[actix_web::test]
async fn a_token_is_counted_when_it_is_made() {
    let server = Server::start().await;
    let app = server.app(AppOptions::default());
    server.notes();
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    let created = event("grant.created");
    let mut watch = Watch::on(&server);

    app.own_token("notes:read").await;
    let own = issued("access", "client_credentials");
    watch.saw("a service's", &[(&own, 1.0), (&created, 1.0)]);
    app.own_token("notes:read").await;
    watch.saw("its second, under the same grant", &[(&own, 1.0)]);

    let flow = app.asks("notes:read");
    let code = app.code(&browser, &flow).await;
    watch.saw("consent", &[(&event("app.allowed"), 1.0)]);
    let got = tokens(app.redeem(&flow, &code).await).await;
    let redeemed = [
        (&*issued("access", "authorization_code"), 1.0),
        (&*issued("refresh", "authorization_code"), 1.0),
        (&*created, 1.0),
    ];
    watch.saw("a code", &redeemed);
    tokens(app.refresh(got.refresh()).await).await;
    let refreshed = [
        (&*issued("access", "refresh_token"), 1.0),
        (&*issued("refresh", "refresh_token"), 1.0),
    ];
    watch.saw("a refresh", &refreshed);

    server.personal_token(&alice, "notes:read");
    let personal = issued("pat", "none");
    let made = event("token.created");
    watch.saw("a personal one", &[(&personal, 1.0), (&made, 1.0)]);
    assert_eq!(app.redeem(&flow, "no code").await.status(), 400);
    watch.saw("a refusal", &[]);
}

/// What is undone was never done: a transaction that fails counts nothing, and one that refuses counts what it keeps.
#[actix_web::test]
async fn what_is_undone_is_not_counted() {
    let server = Server::start().await;
    server.notes();
    let mut watch = Watch::on(&server);
    let alice = server.user("alice");
    watch.saw("an account", &[(&event("user.created"), 1.0)]);
    let failed = server.app.write_blocking(&Caller::system(), |tx| {
        alice.disable(tx)?;
        tx.record(audit::Event::new(audit::What::SignedIn))?;
        Err::<(), _>(Fault::Busy)
    });
    assert!(failed.is_err());
    watch.saw("a fault", &[]);
}

/// A resource server's question moves one counter: what it was told, of which kind, and why.
#[actix_web::test]
async fn an_introspection_is_counted_by_what_it_found() {
    let server = Server::start().await;
    let (notes, app) = (server.notes(), server.app(AppOptions::default()));
    let other = server.resource("https://other.example", &["other:read"]);
    let (alice, bob) = (server.user("alice"), server.user("bob"));
    let browser = server.signed_in(&alice).await;
    let got = app.let_in(&browser, "notes:read").await;
    let soon = End::At(START + seconds(60));
    let [kept, ended] = [&alice, &alice].map(|who| server.personal_token(who, "notes:read"));
    let short = server.personal_token_until(&alice, "notes:read", soon);
    let bobs = server.personal_token(&bob, "notes:read");
    let spent = app.let_in(&browser, "notes:read").await;
    tokens(app.refresh(spent.refresh()).await).await;
    let revoked = app.own_token("notes:read").await;
    app.revoke(&revoked.access).await;
    server.write(|tx| {
        let bearer = Bearer::find(tx, Digest::of(&ended))?.expect("the second");
        let grant = Grant::find(tx, bearer.grant.id)?.expect("its grant");
        grant.revoke(tx, &Because::Asked(None))?;
        Ok(bob.disable(tx)?)
    });
    server.clock.advance(seconds(60));

    let mut watch = Watch::on(&server);
    let mut asked = async |by: &ResourceServer, token: &str, outcome, kind, reason| {
        by.accepts(token).await;
        let labels = format!("kind=\"{kind}\",outcome=\"{outcome}\",reason=\"{reason}\"");
        let series = format!("jeton_introspections_total{{{labels}}}");
        watch.saw(reason, &[(&series, 1.0)]);
    };
    asked(&notes, &got.access, "active", "access", "").await;
    asked(&notes, &kept, "active", "pat", "").await;
    asked(&notes, "garbage", "inactive", "none", "malformed").await;
    let unknown = server
        .app
        .policy()
        .brands
        .mint(jeton::domain::secret::SecretKind::AccessToken);
    asked(&notes, unknown.expose(), "inactive", "none", "unknown").await;
    asked(&notes, &short, "inactive", "pat", "expired").await;
    asked(&notes, &ended, "inactive", "pat", "grant_revoked").await;
    asked(&notes, &revoked.access, "inactive", "access", "revoked").await;
    asked(&notes, spent.refresh(), "inactive", "refresh", "spent").await;
    asked(&notes, &bobs, "inactive", "pat", "owner_disabled").await;
    asked(&other, &kept, "inactive", "pat", "not_for_caller").await;
    asked(
        &notes,
        got.refresh(),
        "inactive",
        "refresh",
        "not_for_caller",
    )
    .await;
    server.disable_client(&app.client_id);
    watch.before = Exposition::of(&server);
    let by_app = "jeton_introspections_total{kind=\"access\",outcome=\"inactive\",reason=\"client_disabled\"}";
    notes.accepts(&got.access).await;
    watch.saw("a disabled client", &[(by_app, 1.0)]);
    let refused = notes.ask(&[]).await;
    assert_eq!(refused.status(), 400);
    watch.saw("a question without a token", &[]);
}

/// A spent refresh token that comes again is grace at first, and theft later.
#[actix_web::test]
async fn a_replay_is_told_from_a_theft() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    let first = app.let_in(&browser, "notes:read").await;
    tokens(app.refresh(first.refresh()).await).await;
    let mut watch = Watch::on(&server);
    tokens(app.refresh(first.refresh()).await).await;
    let grace = "jeton_refresh_replays_total{verdict=\"grace\"}";
    watch.saw("a lost answer: nothing new is made", &[(grace, 1.0)]);
    server.clock.advance(seconds(31));
    assert_eq!(app.refresh(first.refresh()).await.status(), 400);
    let theft = [
        ("jeton_refresh_replays_total{verdict=\"theft\"}", 1.0),
        (&*event("refresh_token.replayed"), 1.0),
        (&*event("grant.revoked"), 1.0),
    ];
    watch.saw("a replay", &theft);
}

/// A password that is entered moves one counter by what came of it; that many wait is told while they do.
#[actix_web::test]
async fn passwords_are_counted_and_those_that_wait_are_seen() {
    let server = Server::with(&[("password_threads", "1")]).await;
    server.user("alice");
    let sign_in = async |name, password| server.browser().sign_in(name, password).await.status;
    let check = |outcome: &str| format!("jeton_password_checks_total{{outcome=\"{outcome}\"}}");
    let mut watch = Watch::on(&server);
    assert_eq!(sign_in("alice", PASSWORD).await, 303);
    watch.saw(
        "the right one",
        &[(&check("right"), 1.0), (&event("user.signed_in"), 1.0)],
    );
    for _ in 0..6 {
        assert_eq!(sign_in("alice", "wrong").await, 401);
    }
    let wrong = [
        (&*check("wrong"), 6.0),
        (&*event("user.sign_in_failed"), 6.0),
    ];
    watch.saw("wrong ones", &wrong);
    assert_eq!(sign_in("alice", PASSWORD).await, 429);
    watch.saw("one too early", &[(&check("braked"), 1.0)]);

    let (end, ends) = std::sync::mpsc::channel::<()>();
    let ends = std::sync::Arc::new(std::sync::Mutex::new(ends));
    let slow: Vec<_> = (0..65)
        .map(|_| {
            let (app, ends) = (server.app.clone(), ends.clone());
            actix_web::rt::spawn(async move {
                let wait = move || Ok::<_, Fault>(ends.lock().unwrap().recv().is_err());
                app.with_password(wait).await
            })
        })
        .collect();
    tokio::task::yield_now().await;
    assert_eq!(sign_in("bob", PASSWORD).await, 503);
    watch.saw("one too many", &[(&check("busy"), 1.0)]);
    let seen = Exposition::of(&server);
    assert_eq!(seen.value("jeton_password_threads_in_use"), 1.0);
    assert_eq!(seen.value("jeton_password_queue_length"), 64.0);
    drop(end);
    for each in slow {
        assert!(each.await.unwrap().unwrap());
    }
    let seen = Exposition::of(&server);
    assert_eq!(seen.value("jeton_password_threads_in_use"), 0.0);
    assert_eq!(seen.value("jeton_password_queue_length"), 0.0);
}

/// What asks at the lookup desk is counted with the batch it was in, and waits no longer.
#[actix_web::test]
async fn each_lookup_is_in_one_batch() {
    let server = Server::start().await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    let before = Exposition::of(&server);
    for _ in 0..3 {
        assert!(notes.accepts(&token).await);
    }
    let now = Exposition::of(&server);
    let moved = |series: &str| now.value(series) - before.value(series);
    for name in ["batch_size_count", "batch_size_sum", "batch_seconds_count"] {
        let series = format!("jeton_desk_{name}{{desk=\"lookup\"}}");
        assert_eq!(moved(&series), 3.0, "{series}");
    }
    assert_eq!(now.value("jeton_desk_queue_length{desk=\"lookup\"}"), 0.0);
    assert_eq!(now.value("jeton_desk_queue_length{desk=\"write\"}"), 0.0);
}
