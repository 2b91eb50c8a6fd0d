//! Client secrets and everything else that opens something: how they are rotated, and that none is kept in the clear.

use jeton::domain::client::Client;
use jeton::domain::secret::SecretKind;

use crate::support::{App, AppOptions, PASSWORD, Server, refused, seconds, tokens};

const DAY: u64 = 86_400;

/// The app with a new secret, while the old value keeps the old one.
fn rotated(server: &Server, app: &App) -> App {
    let secret = server.write(|tx| {
        let client = Client::find(tx, &app.client_id)?.expect("the app is registered");
        let (secret, until) = client.rotate_secret(tx)?;
        assert_eq!(until, tx.now + seconds(DAY));
        Ok(secret)
    });
    app.with_secret(secret.expose())
}

async fn is_known(app: &App) -> bool {
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", "notes:read"),
    ];
    let answer = app.token(&form).await;
    match answer.status().as_u16() {
        200 => true,
        _ => {
            refused(answer, 401, "invalid_client", "an ended secret").await;
            false
        }
    }
}

/// A secret is changed without a gap: old and new work side by side, until the overlap is over.
#[actix_web::test]
async fn two_secrets_work_until_the_overlap_is_over() {
    let server = Server::start().await;
    server.notes();
    let old = server.app(AppOptions::default());
    let new = rotated(&server, &old);
    server.clock.advance(seconds(DAY - 1));
    assert!(is_known(&old).await && is_known(&new).await);
    server.clock.advance(seconds(1));
    assert!(!is_known(&old).await, "the older one ends");
    assert!(is_known(&new).await);
    server.clock.advance(seconds(1000 * DAY));
    assert!(is_known(&new).await, "the newer one stays");
}

/// Two are live at the most: a second rotation ends the oldest at once.
#[actix_web::test]
async fn a_third_secret_ends_the_first() {
    let server = Server::start().await;
    server.notes();
    let first = server.app(AppOptions::default());
    let second = rotated(&server, &first);
    server.clock.advance(seconds(1));
    let third = rotated(&server, &second);
    assert!(!is_known(&first).await);
    assert!(is_known(&second).await && is_known(&third).await);
}

/// Tokens are the client's, not the secret's: a rotation touches none.
#[actix_web::test]
async fn a_rotation_ends_no_token() {
    let server = Server::start().await;
    let notes = server.notes();
    let old = server.app(AppOptions::default());
    let alice = server.signed_in(&server.user("alice")).await;
    let got = old.let_in(&alice, "notes:read").await;
    let new = rotated(&server, &old);
    server.clock.advance(seconds(DAY));
    assert_eq!(new.refresh(got.refresh()).await.status(), 200);
    let own = new.own_token("notes:read").await;
    assert!(notes.accepts(&own.access).await);
}

/// A secret proves its own client, and only as a secret: a token of the client is none.
#[actix_web::test]
async fn only_a_client_secret_is_a_client_secret() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let own = app.own_token("notes:read").await.access;
    let made_up = server.app.policy().brands.mint(SecretKind::ClientSecret);
    for secret in [&own, &app.client_id, &made_up.expose().to_owned()] {
        assert!(!is_known(&app.with_secret(secret)).await);
    }
}

/// A client that is switched off is nobody, and none of its tokens is good; switched on again it is as before.
#[actix_web::test]
async fn a_disabled_client_is_nobody() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let own = app.own_token("notes:read").await.access;
    let client = server.write(|tx| {
        let client = Client::find(tx, &app.client_id)?.expect("the app is registered");
        client.disable(tx)?;
        Ok(client)
    });
    assert!(!is_known(&app).await);
    refused(app.revoke(&own).await, 401, "invalid_client", "revocation").await;
    assert!(!notes.accepts(&own).await);
    server.write(|tx| Ok(client.enable(tx)?));
    assert!(is_known(&app).await && notes.accepts(&own).await);
}

/// Whether `needle` is somewhere in `hay`.
fn contains(hay: &[u8], needle: &str) -> bool {
    hay.windows(needle.len())
        .any(|window| window == needle.as_bytes())
}

/// Whoever reads the database can use nothing in it: of every secret there is a digest, and the four characters by
/// which people tell tokens apart.
#[actix_web::test]
async fn nothing_that_opens_something_is_in_the_database() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let newer = rotated(&server, &app);
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    let flow = app.asks("notes:read");
    let waiting = app.code(&browser, &flow).await;
    let redeemed = app.code(&browser, &flow).await;
    let first = tokens(app.redeem(&flow, &redeemed).await).await;
    let second = tokens(app.refresh(first.refresh()).await).await;
    let own = app.own_token("notes:read").await;
    let personal = server.personal_token(&alice, "notes:read");
    assert_eq!(app.revoke(&own.access).await.status(), 200);
    let session = browser.cookies();
    let (_, session) = session.rsplit_once('=').expect("a session cookie");

    let dump = server.dump();
    for there in ["alice", app.client_id.as_str(), &personal[..14]] {
        assert!(
            contains(&dump, there),
            "{there} should be found: the search works"
        );
    }
    for (case, secret) in [
        ("a client secret", app.client_secret.as_deref().unwrap()),
        (
            "a rotated client secret",
            newer.client_secret.as_deref().unwrap(),
        ),
        ("a resource server's secret", &notes.client_secret),
        ("a code", &waiting),
        ("a redeemed code", &redeemed),
        ("an access token", &first.access),
        ("a refreshed access token", &second.access),
        ("a spent refresh token", first.refresh()),
        ("a refresh token", second.refresh()),
        ("a revoked token", &own.access),
        ("a personal access token", &personal),
    ] {
        let body = secret.rsplit('_').next().expect("the last part");
        // The hint is four characters; beyond it there must be nothing.
        assert!(!contains(&dump, &body[4..]), "{case} is in the database");
        assert!(
            !contains(&dump, &body[..8]),
            "more than the hint of {case} is in the database"
        );
    }
    for (case, secret) in [
        ("the session", session),
        ("the password", PASSWORD),
        ("the verifier", &flow.verifier),
    ] {
        assert!(!contains(&dump, secret), "{case} is in the database");
    }
}
