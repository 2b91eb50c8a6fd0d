//! A database that fails: no answer is then better than a wrong one.

use crate::support::{AppOptions, Log, Server, refused};

/// A storage that fails is never an answer: neither a token nor a verdict on one (§5.2, RFC 7662 §2.2, RFC 7009 §2.2.1).
/// Nothing is used up, and the log has no secret.
#[actix_web::test]
async fn s5_2_a_failing_storage_gives_nothing_away_and_uses_nothing_up() {
    let log = Log::listen();
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    let got = app.let_in(&browser, "notes:read").await;
    let personal = server.personal_token(&alice, "notes:read");
    let secret = app.client_secret.clone().expect("a secret");

    for table in ["tokens", "grants", "registry", "audit_events"] {
        let flow = app.asks("notes:read");
        let code = app.code(&browser, &flow).await;
        let fresh = app.let_in(&browser, "notes:read").await;
        server.rename_table(table, "elsewhere");
        let mut answers = vec![
            ("a code", app.redeem(&flow, &code).await),
            ("revocation", app.revoke(fresh.refresh()).await),
        ];
        if table != "audit_events" {
            answers.push(("a refresh", app.refresh(fresh.refresh()).await));
            answers.push(("introspection", notes.ask(&[("token", &got.access)]).await));
            answers.push((
                "of a personal token",
                notes.ask(&[("token", &personal)]).await,
            ));
        }
        for (case, answer) in answers {
            let case = format!("{case} without {table}");
            assert_eq!(answer.headers()["retry-after"], "1", "{case}");
            refused(answer, 503, "server_error", &case).await;
        }
        server.rename_table("elsewhere", table);
        assert!(
            notes.accepts(&fresh.access).await,
            "{table}: nothing was revoked"
        );
        assert_eq!(
            app.redeem(&flow, &code).await.status(),
            200,
            "{table}: the code"
        );
        assert_eq!(
            app.refresh(fresh.refresh()).await.status(),
            200,
            "{table}: the refresh token"
        );
        for secret in [&code, &flow.verifier, &fresh.access, fresh.refresh()] {
            assert!(
                !log.text().contains(secret),
                "{table}: a secret is in the log"
            );
        }
    }
    let log = log.text();
    assert!(
        log.contains("server_error") || log.contains("a request failed"),
        "it was logged"
    );
    for secret in [&secret, &got.access, &personal, &notes.client_secret] {
        assert!(!log.contains(secret.as_str()), "a secret is in the log");
    }
}
