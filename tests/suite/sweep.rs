//! The sweeper: what is over is removed, what lives stays, whatever the day.

use diesel::prelude::*;
use jeton::db::schema::{
    audit_events, authorization_requests, client_secrets, grants, sessions, sign_in_failures,
    tokens,
};
use jeton::domain::client::Client;
use jeton::domain::grant::{Because, Grant};
use jeton::domain::personal_token::{End, PersonalToken};
use jeton::domain::secret::SecretKind;
use jeton::domain::token::{NewToken, Token, TokenKind};
use jeton::jobs::sweep::sweep;

use crate::support::{AppOptions, START, Server, count, seconds, tokens as got};

const DAY: u64 = 86_400;

async fn sweep_after(server: &Server, time: u64) {
    server.clock.advance(seconds(time));
    sweep(&server.app).await.expect("the sweep succeeds");
}

/// An access token goes a day after its end; the service's grant stays for the next one.
#[actix_web::test]
async fn an_access_token_goes_a_day_after_its_end() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    app.own_token("notes:read").await;
    sweep_after(&server, 3600 + DAY - 1).await;
    assert_eq!(count!(server, tokens), 1);
    sweep_after(&server, 2).await;
    assert_eq!((count!(server, tokens), count!(server, grants)), (0, 1));
    let again = app.own_token("notes:read").await;
    assert_eq!(again.answer["scope"], "notes:read");
    assert_eq!(count!(server, grants), 1);
}

/// An app's grant goes with its last token. That its person let it in is not forgotten.
#[actix_web::test]
async fn the_grant_of_an_app_goes_with_its_last_token() {
    let server = Server::with(&[("refresh_token_ttl", "2d")]).await;
    server.notes();
    let app = server.app(AppOptions::default());
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    let tokens = app.let_in(&browser, "notes:read").await;
    sweep_after(&server, DAY + 3601).await;
    assert_eq!((count!(server, tokens), count!(server, grants)), (1, 1));
    assert_eq!(app.refresh(tokens.refresh()).await.status(), 200);
    sweep_after(&server, 4 * DAY).await;
    assert_eq!((count!(server, tokens), count!(server, grants)), (0, 0));
    let flow = app.asks("notes:read");
    let code = app.code(&browser, &flow).await;
    got(app.redeem(&flow, &code).await).await;
}

/// Ended personal access tokens are shown for a while (expired 30 days, revoked 90), then purged with a record.
#[actix_web::test]
async fn ended_personal_tokens_are_shown_for_a_while() {
    let server = Server::start().await;
    server.notes();
    let alice = server.user("alice");
    let end = End::At(START + seconds(DAY));
    server.personal_token_until(&alice, "notes:read", end);
    server.personal_token_until(&alice, "notes:write", End::Never);
    server.personal_token_until(&alice, "notes:read", End::Never);
    let named = |server: &Server| -> Vec<String> {
        let all = server.write(|tx| Ok(PersonalToken::all_of(tx, alice.id)?));
        let mut names: Vec<String> = all.iter().map(|token| token.name().to_owned()).collect();
        names.sort();
        names
    };
    server.write(|tx| {
        let token = PersonalToken::named(tx, alice.id, "token 2", START)?.expect("the second");
        Ok(token.revoke(tx, &Because::Asked(None))?)
    });
    sweep_after(&server, 31 * DAY - 1).await;
    assert_eq!(named(&server).len(), 3);
    sweep_after(&server, 2).await;
    assert_eq!(named(&server), ["token 2", "token 3"]);
    sweep_after(&server, 59 * DAY - 2).await;
    assert_eq!(named(&server).len(), 2);
    sweep_after(&server, 2).await;
    assert_eq!(named(&server), ["token 3"]);
    let purged: Vec<Option<String>> = server.write(|tx| {
        let of_purges = audit_events::table.filter(audit_events::event.eq("token.purged"));
        let names = of_purges
            .order(audit_events::id)
            .select(audit_events::detail);
        Ok(names.load(&mut **tx)?)
    });
    assert_eq!(purged, [Some("token 1".into()), Some("token 2".into())]);
    sweep_after(&server, 3650 * DAY).await;
    assert_eq!(
        named(&server),
        ["token 3"],
        "one that never ends never goes"
    );
}

/// Sessions, requests of yesterday, forgotten failures and old secrets go too.
#[actix_web::test]
async fn what_else_is_over_goes_too() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    assert_eq!(
        browser.get(&app.asks("notes:read").path()).await.status,
        200
    );
    server.browser().sign_in("alice", "wrong").await;
    server.write(|tx| {
        let client = Client::find(tx, &app.client_id)?.expect("the app");
        Ok(client.rotate_secret(tx)?)
    });
    let secrets = count!(server, client_secrets);
    sweep_after(&server, 3599).await;
    assert_eq!(count!(server, sign_in_failures), 3);
    sweep_after(&server, 2).await;
    assert_eq!(count!(server, sign_in_failures), 0);
    assert_eq!(count!(server, authorization_requests), 1);
    assert_eq!(count!(server, client_secrets), secrets);
    sweep_after(&server, DAY - 3600).await;
    assert_eq!(count!(server, authorization_requests), 0);
    assert_eq!(count!(server, client_secrets), secrets - 1);
    assert_eq!(count!(server, sessions), 1);
    sweep_after(&server, 13 * DAY).await;
    assert_eq!(count!(server, sessions), 0);
}

/// However many are over, all go; and two nodes that sweep at once do not stand in each other's way.
#[actix_web::test]
async fn all_of_many_go() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let kept = app.own_token("notes:read").await;
    server.write(|tx| {
        let grants: Vec<Grant> = grants::table.select(Grant::as_select()).load(&mut **tx)?;
        for _ in 0..1200 {
            let secret = tx.policy.brands.mint(SecretKind::AccessToken);
            let end = Some(tx.now + seconds(1));
            let new = NewToken {
                secret: &secret,
                grant_id: grants[0].id,
                kind: TokenKind::Access,
                expires_at: end,
                scope: None,
                audience: None,
            };
            Token::issue(tx, new)?;
        }
        Ok(())
    });
    assert_eq!(count!(server, tokens), 1201);
    let other = server.another_node().await;
    server.clock.advance(seconds(DAY + 2));
    let both = [server.app.clone(), other.app.clone()]
        .map(|app| actix_web::rt::spawn(async move { sweep(&app).await }));
    for swept in both {
        swept.await.expect("no panic").expect("no fault");
    }
    sweep_after(&server, 0).await;
    assert_eq!(count!(server, tokens), 1, "{:?}", kept.answer["expires_in"]);
}
