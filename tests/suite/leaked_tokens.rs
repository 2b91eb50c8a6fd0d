//! Leaked tokens: whoever has found one may have it ended, and when they are answered it has.

use jeton::domain::bearer::Bearer;
use jeton::domain::client::Client;
use jeton::domain::id::Id;
use jeton::domain::secret::Digest;
use jeton::domain::tx::Rx;
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{AppOptions, Jeton, PASSWORD, Server, seconds, trail};

const REPORT: &str = "/api/leaked-tokens";
const PASTE: &str = "https://paste.example/a?b";

async fn send(server: &Server, body: &Value) -> Response {
    let sent = server.request("POST", REPORT).json(body).send().await;
    sent.expect("the server answers")
}

/// Report these, as found at [`PASTE`].
async fn report(server: &Server, tokens: &[&str]) {
    let answer = send(server, &json!({"tokens": tokens, "url": PASTE})).await;
    assert_eq!(answer.status(), 202);
    assert_eq!(answer.text().await.unwrap(), "");
}

fn grant_of(server: &Server, token: &str) -> Id {
    let bearer = server.write(|tx| Ok(Bearer::find(tx, Digest::of(token))?));
    bearer.expect("the token is there").grant.id
}

/// When the answer is out the token is inactive, on every node. Its owner sees why, and the trail has where it was found.
#[actix_web::test]
async fn a_personal_token_has_ended_everywhere_when_the_answer_is_out() {
    let server = Server::start().await;
    let (notes, alice) = (server.notes(), server.user("alice"));
    let [leaked, kept] = [(); 2].map(|()| server.personal_token(&alice, "notes:read"));
    let other = server.another_node().await;
    let elsewhere = notes.at(&other);
    let body = json!({"tokens": [leaked], "url": PASTE, "note": "seen by\nour scanner"});
    assert_eq!(send(&server, &body).await.status(), 202);
    for api in [&notes, &elsewhere] {
        assert!(!api.accepts(&leaked).await);
        assert!(api.accepts(&kept).await);
    }
    let path = format!("/api/users/{}/personal-access-tokens/token%201", alice.id);
    let manager = server.manager("pats:read").await;
    // Its name is free again, so that it is asked for by its id.
    assert_eq!(manager.get(&path).await.0, 404);
    let (_, all) = manager.get(path.trim_end_matches("/token%201")).await;
    let told = all
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["name"] == "token 1");
    let told = told.expect("it is still shown");
    assert_eq!(told["status"], "revoked");
    assert_eq!(told["revokeReason"], "reported as leaked");
    assert_eq!(told["revokedBy"], "anyone");
    let entries = trail(&server, "token.leaked");
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].user_id, Some(alice.id));
    assert_eq!(entries[0].grant_id, Some(grant_of(&server, &leaked)));
    assert_eq!(entries[0].address.as_deref(), Some("127.0.0.1"));
    let words = format!("{} {PASTE} seen by\nour scanner", &leaked[..14]);
    assert_eq!(entries[0].detail(), words);
}

/// A refresh token takes all of its grant with it, even a spent one; an access token goes alone.
#[actix_web::test]
async fn an_app_loses_what_the_leaked_token_stands_for() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    let one = app.let_in(&browser, "notes:read").await;
    report(&server, &[&one.access]).await;
    assert!(!notes.accepts(&one.access).await);
    let two = crate::support::tokens(app.refresh(one.refresh()).await).await;
    assert!(notes.accepts(&two.access).await, "the grant goes on");
    report(&server, &[one.refresh()]).await;
    assert!(!notes.accepts(&two.access).await);
    assert_eq!(app.refresh(two.refresh()).await.status(), 400);
    let service = app.own_token("notes:read").await.access;
    report(&server, &[&service]).await;
    assert!(!notes.accepts(&service).await);
    let next = app.own_token("notes:read").await.access;
    assert!(notes.accepts(&next).await);
    assert_eq!(trail(&server, "token.leaked").len(), 3);
}

/// To end a client's secret would stop the client: it works on, and the operator is told, once.
#[actix_web::test]
async fn a_client_secret_works_on_and_the_operator_is_told() {
    let jeton = Jeton::new();
    let server = jeton.serve();
    jeton.notes(&server.url);
    let app = jeton.app(&server.url);
    let secret = app.client_secret.clone().expect("a secret");
    let before = jeton.json(&["client", "list"]);
    assert!(!before.to_string().contains("secret_leaked_at"));
    let http = crate::support::client();
    for _ in 0..2 {
        let report = http.post(format!("{}{REPORT}", server.url));
        let answer = report.json(&json!({"tokens": [secret]})).send().await;
        assert_eq!(answer.unwrap().status(), 202);
    }
    assert_eq!(app.refresh("nothing").await.status(), 400, "it is known");
    let listed = jeton.json(&["client", "list"]);
    let mine = |id: &str| {
        let all = listed.as_array().unwrap();
        all.iter().find(|c| c["client_id"] == id).cloned().unwrap()
    };
    assert!(mine(&app.client_id)["secret_leaked_at"].is_string());
    let others = listed.to_string().matches("secret_leaked_at").count();
    assert_eq!(others, 1, "{listed}");
    assert!(
        jeton
            .run(&["client", "list"])
            .stdout
            .contains("secret leaked")
    );
    let log = server.errors.text();
    assert_eq!(log.matches("was reported as leaked").count(), 1, "{log}");
    assert!(!log.contains(&secret));
}

/// What leaked is told of until it has ended: after a new secret and the overlap nothing is left to tell.
#[actix_web::test]
async fn a_secret_that_was_replaced_is_told_of_no_more() {
    let server = Server::with(&[("secret_overlap", "1h")]).await;
    let app = server.app(AppOptions::default());
    report(&server, &[app.client_secret.as_deref().unwrap()]).await;
    let leaked = || {
        server.write(|tx| {
            let (now, policy) = (tx.now, tx.policy);
            Ok(Client::leaked(&mut Rx::new(tx, now, policy))?.len())
        })
    };
    assert_eq!(leaked(), 1);
    server.write(|tx| {
        let client = Client::find(tx, &app.client_id)?.expect("the client");
        Ok(client.rotate_secret(tx).map(drop)?)
    });
    assert_eq!(leaked(), 1, "it still works");
    server.clock.advance(seconds(3600));
    assert_eq!(leaked(), 0);
    let entries = trail(&server, "client.secret_leaked");
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].client_id.as_deref(), Some(&*app.client_id));
}

/// What is switched off may be switched on again: a leaked token does not come back with it.
#[actix_web::test]
async fn a_disabled_owner_does_not_save_the_token() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let token = server.personal_token(&alice, "notes:read");
    server.write(|tx| Ok(alice.disable(tx)?));
    report(&server, &[&token]).await;
    server.write(|tx| Ok(alice.enable(tx)?));
    assert!(!notes.accepts(&token).await);
}

/// However often and by how many nodes at once a token is reported, it ended once. One that was over is not told of at all.
#[actix_web::test]
async fn a_token_that_ended_is_told_of_once() {
    let server = Server::start().await;
    server.notes();
    let (alice, other) = (server.user("alice"), server.another_node().await);
    let token = server.personal_token(&alice, "notes:read");
    let reports = (0..8).map(|number| {
        let (node, token) = ([&server, &other][number % 2], token.clone());
        async move { report(node, &[&token]).await }
    });
    futures_util::future::join_all(reports).await;
    report(&server, &[&token, &token]).await;
    assert_eq!(trail(&server, "token.leaked").len(), 1);
    assert_eq!(trail(&server, "token.revoked").len(), 1);
    let expired = server.personal_token(&alice, "notes:read");
    server.clock.advance(seconds(90 * 86_400));
    report(&server, &[&expired]).await;
    assert_eq!(trail(&server, "token.leaked").len(), 1);
}

/// What can't be carried out is not acknowledged.
#[actix_web::test]
async fn a_fault_is_not_acknowledged() {
    let server = Server::start().await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    for table in ["tokens", "audit_events"] {
        server.rename_table(table, "elsewhere");
        let answer = send(&server, &json!({"tokens": [token]})).await;
        assert_eq!(answer.status(), 503, "{table}");
        assert!(answer.headers().contains_key("retry-after"));
        server.rename_table("elsewhere", table);
        assert!(notes.accepts(&token).await, "{table}");
    }
    report(&server, &[&token]).await;
    assert!(!notes.accepts(&token).await);
}

/// A server that is killed as soon as it has answered has lost nothing of it.
#[actix_web::test]
async fn what_was_acknowledged_survives_kill_9() {
    let jeton = Jeton::with(&[("issuer", "http://jeton.example")]);
    let mut server = jeton.serve();
    let notes = jeton.notes(&server.url);
    jeton.user("alice", PASSWORD);
    let http = crate::support::client();
    for round in 0..3 {
        let token = jeton.token("alice", &format!("round {round}"));
        let token = token["token"].as_str().unwrap().to_owned();
        let path = |base: &str| format!("{base}{REPORT}");
        let report = http
            .post(path(&server.url))
            .json(&json!({"tokens": [token]}));
        assert_eq!(report.send().await.unwrap().status(), 202);
        server.kill();
        server = jeton.serve();
        let form = [("token", token.as_str())];
        let ask = http.post(format!("{}/oauth/introspect", server.url));
        let ask = ask.basic_auth(&notes.client_id, Some(&notes.client_secret));
        let told: Value = ask.form(&form).send().await.unwrap().json().await.unwrap();
        assert_eq!(told, json!({"active": false}), "{round}");
    }
    let all = jeton.json(&["token", "list", "--user", "alice"]);
    let all = all.as_array().expect("a list");
    assert!(all.iter().all(|token| token["state"] == "revoked"));
}
