//! The log: one line an answer under an id that the answer has too, and never a secret, however much is logged.

use serde_json::Value;

use crate::support::{Browser, Jeton, PASSWORD, Running, tokens};

/// Use the server in every way there is; all that was secret in it.
async fn a_busy_day(jeton: &Jeton, server: &Running) -> Vec<String> {
    server.output.wait_for("shown this once");
    let first_password = server.output.text().lines().nth(1).unwrap().to_owned();
    let (notes, app) = (jeton.notes(&server.url), jeton.app(&server.url));
    jeton.user("alice", PASSWORD);
    let browser = Browser::new(&server.url);
    let wrong = browser
        .sign_in("alice", "correct horse battery stable")
        .await;
    assert_eq!(wrong.status, 401);
    let before = browser.cookies();
    assert_eq!(browser.sign_in("alice", PASSWORD).await.status, 303);
    let csrf = browser.get("/settings/password").await.input("csrf");

    let flow = app.asks("notes:read notes:write");
    let code = app.code(&browser, &flow).await;
    let first = tokens(app.redeem(&flow, &code).await).await;
    assert!(notes.accepts(&first.access).await);
    let second = tokens(app.refresh(first.refresh()).await).await;
    assert_eq!(app.refresh(&flow.verifier).await.status(), 400);
    // Secrets in a URL are refused, and the log has no queries.
    let misplaced = format!("/oauth/token?code={code}");
    assert_eq!(browser.post(&misplaced, &[]).await.status, 401);

    let form = browser.get("/settings/tokens/new").await;
    let fields = [
        ("name", "laptop"),
        ("scope", "https://notes.example notes:read"),
        ("expires", "30d"),
    ];
    let page = browser
        .submit_with(&form.input("csrf"), "/settings/tokens", &fields)
        .await;
    assert_eq!(page.status, 201, "{}", page.body);
    let start = page.body.find("jeton_pat_").expect("the secret");
    let personal = page.body[start..start + 59].to_owned();
    assert!(notes.accepts(&personal).await);
    let own = browser.get("/settings/tokens").await;
    assert_eq!(own.status, 200);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let path = format!("{}/api/personal-access-tokens/self", server.url);
    let answer = http.get(&path).bearer_auth(&personal).send().await;
    assert_eq!(answer.unwrap().status(), 200);
    let cut = &personal[..personal.len() - 1];
    let answer = http.get(&path).bearer_auth(cut).send().await;
    assert_eq!(answer.unwrap().status(), 401);
    // A slip of the hand puts a secret into a path, known and unknown.
    for path in ["/settings/tokens", "/api"] {
        let slip = format!("{}{path}/{personal}", server.url);
        assert!(http.get(&slip).send().await.is_ok());
    }
    // A proxy shows the token as a password, and a slip of the hand has it in the path too.
    let asked = format!("{}/forward-auth/notes/{personal}", server.url);
    let asked = http.get(&asked).basic_auth("alice", Some(&personal));
    assert_eq!(asked.send().await.unwrap().status(), 403);
    assert_eq!(app.revoke(&personal).await.status(), 200);
    assert_eq!(app.revoke(second.refresh()).await.status(), 200);
    assert_eq!(app.redeem(&flow, &code).await.status(), 400);

    let cookies = [before, browser.cookies()];
    let cookies = cookies.iter().map(|cookie| {
        let (_, value) = cookie.split_once('=').expect("a cookie");
        value.to_owned()
    });
    let mut secrets: Vec<String> = cookies.collect();
    secrets.extend([
        first_password,
        PASSWORD.to_owned(),
        "correct horse battery stable".to_owned(),
        csrf,
        code,
        flow.verifier,
        first.refresh().to_owned(),
        first.access,
        second.refresh().to_owned(),
        second.access,
        cut.to_owned(),
        notes.client_secret,
        app.client_secret.expect("a secret"),
    ]);
    secrets
}

fn lines_of_answers(log: &str) -> Vec<&str> {
    log.lines()
        .filter(|line| line.contains("answered"))
        .collect()
}

#[actix_web::test]
async fn json_lines_have_an_id_each_and_never_a_secret() {
    let jeton = Jeton::with(&[("log", "trace"), ("log_format", "json")]);
    let mut server = jeton.serve();
    let secrets = a_busy_day(&jeton, &server).await;
    server.stop();
    let log = server.errors.text();
    let mut ids = std::collections::BTreeSet::new();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        if line["message"] == "answered" {
            assert!(ids.insert(line["request"].as_str().expect("an id").to_owned()));
            assert!(line["status"].is_u64() && line["ms"].is_u64(), "{line}");
            assert_eq!(line["from"], "127.0.0.1");
        }
    }
    assert!(ids.len() > 20, "{} answers", ids.len());
    hides(&log, &secrets);
}

#[actix_web::test]
async fn text_lines_have_an_id_each_and_never_a_secret() {
    let jeton = Jeton::with(&[("log", "trace")]);
    let mut server = jeton.serve();
    let secrets = a_busy_day(&jeton, &server).await;
    server.stop();
    let log = server.errors.text();
    let answers = lines_of_answers(&log);
    assert!(answers.len() > 20, "{} answers", answers.len());
    for line in answers {
        assert!(line.contains(" request=0"), "{line}");
        assert!(line.contains(" path=\"/"), "{line}");
    }
    hides(&log, &secrets);
}

fn hides(log: &str, secrets: &[String]) {
    assert!(secrets.len() > 12, "{} secrets", secrets.len());
    for secret in secrets {
        assert!(secret.len() > 12, "{secret} is too short to be looked for");
        let line = log.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(line, None, "the log has {secret}");
    }
}

/// Who has an error page or an answer in hand can be found in the log by what it says.
#[actix_web::test]
async fn an_answer_has_the_id_under_which_it_is_logged() {
    let jeton = Jeton::with(&[("log_format", "json")]);
    let mut server = jeton.serve();
    let browser = Browser::new(&server.url);
    let answer = browser.get("/oauth/token?code=not-for-the-log").await;
    assert_eq!(answer.status, 405);
    let id = answer.header("x-request-id").to_owned();
    assert!(!id.is_empty());
    server.stop();
    let log = server.errors.text();
    let line = log.lines().find(|line| line.contains(&id)).expect("a line");
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["method"], "GET");
    assert_eq!(line["path"], "/oauth/token");
    assert_eq!(line["status"], 405);
    assert!(!log.contains("not-for-the-log"));
}

/// A resource server asks on every request it serves: only a question that fails is worth a line, unless the log is to say
/// all.
#[actix_web::test]
async fn an_answered_introspection_is_logged_for_who_looks_closely() {
    for (level, lines) in [("info", 0), ("debug", 2)] {
        let jeton = Jeton::with(&[("log", level), ("log_format", "json")]);
        let mut server = jeton.serve();
        let notes = jeton.notes(&server.url);
        assert!(!notes.accepts("garbage").await);
        assert!(!notes.accepts("more garbage").await);
        assert_eq!(notes.ask(&[]).await.status(), 400);
        server.stop();
        let log = server.errors.text();
        let of_status = |status: u16| {
            let lines = lines_of_answers(&log).into_iter();
            let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
            lines.filter(|line| line["status"] == status).count()
        };
        assert_eq!((of_status(200), of_status(400)), (lines, 1), "{level}");
    }
}

/// A proxy asks about every request of others, good and bad ones.
#[actix_web::test]
async fn a_proxys_question_is_logged_for_who_looks_closely() {
    for (level, lines) in [("info", 0), ("debug", 2)] {
        let jeton = Jeton::with(&[("log", level)]);
        let mut server = jeton.serve();
        for path in ["/forward-auth/notes", "/forward-auth/notes/1"] {
            assert_eq!(server.status(path).await, 403);
        }
        server.stop();
        let log = server.errors.text();
        let asked = lines_of_answers(&log).into_iter();
        let asked = asked.filter(|line| line.contains("path=\"/forward-auth/{policy}"));
        assert_eq!(asked.count(), lines, "{level}: {log}");
    }
}

/// A fault of ours is logged with its cause, under the id that the page shows, and the page has no cause.
#[actix_web::test]
async fn a_fault_is_told_to_the_log_and_not_to_the_other_side() {
    let jeton = Jeton::with(&[("log_format", "json")]);
    let mut server = jeton.serve();
    let browser = Browser::new(&server.url);
    browser.get("/sign-in").await;
    jeton.database.destroy();
    let page = browser.get("/settings/tokens").await;
    assert_eq!(page.status, 503);
    let id = page.header("x-request-id").to_owned();
    assert!(page.body.contains(&id), "{}", page.body);
    server.stop();
    let log = server.errors.text();
    let failed = log.lines().find(|line| line.contains("a request failed"));
    let failed: Value = serde_json::from_str(failed.expect("a line")).unwrap();
    assert_eq!(failed["request"], id);
    let cause = failed["fault"].as_str().unwrap();
    assert!(cause.contains("database"), "{cause}");
    for word in ["SELECT", "no such table", "jeton.db", "connection"] {
        assert!(!page.body.contains(word), "{word}");
    }
}
