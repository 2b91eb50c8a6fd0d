//! `/api/tokens/identify`: what a token is that was found somewhere.

use jeton::domain::personal_token::{End, PersonalToken};
use jeton::domain::secret::{Brands, SecretKind};
use serde_json::{Value, json};

use crate::support::{AppOptions, Entry, START, Script, Server, seconds, trail};

const IDENTIFY: &str = "/api/tokens/identify";

async fn identify(by: &Script, token: &str) -> (u16, Value) {
    by.call("POST", IDENTIFY, json!({"token": token})).await
}

/// The last question that is recorded.
fn last(server: &Server) -> Entry {
    trail(server, "token.identified").pop().expect("a record")
}

/// Kind, id, owner, client and what it may do: all that helps to find who has lost it.
#[actix_web::test]
async fn a_personal_token_is_known_by_all_its_facts() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let token = server.personal_token(&alice, "notes:read");
    let manager = server.manager("pats:read").await;
    let (status, told) = identify(&manager, &token).await;
    assert_eq!(status, 200, "{told}");
    let known = server.write(|tx| Ok(PersonalToken::all_of(tx, alice.id)?.remove(0)));
    let end = known.token.expires_at.unwrap().millis();
    assert_eq!(
        told,
        json!({
            "kind": "pat",
            "id": known.token.id.to_string(),
            "hint": &token[..14],
            "state": "active",
            "owner": {"id": alice.id.to_string(), "username": "alice"},
            "client": {"id": "personal-access-token", "name": "Personal access tokens"},
            "name": "token 1",
            "scopes": ["notes:read"],
            "audience": [notes.uri],
            "createdAt": START.millis(),
            "expiresAt": end,
            "lastUsedAt": null,
            "revokedAt": null,
            "revokedBy": null,
            "revokeReason": null,
        })
    );
    let entry = last(&server);
    assert_eq!(entry.grant_id, Some(known.grant.id));
    assert_eq!(entry.detail(), &token[..14]);
    assert!(entry.actor.starts_with("client:"), "{entry:?}");
}

/// Each kind, and each state that a token can be in, with the reason where it has ended.
#[actix_web::test]
async fn each_kind_and_state_has_its_word() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let (alice, bob) = (server.user("alice"), server.user("bob"));
    let browser = server.signed_in(&alice).await;
    let spent = app.let_in(&browser, "notes:read").await;
    let live = crate::support::tokens(app.refresh(spent.refresh()).await).await;
    let taken = app.own_token("notes:read").await.access;
    app.revoke(&taken).await;
    let leaked = server.personal_token(&alice, "notes:read");
    let report = server.request("POST", "/api/leaked-tokens");
    report
        .json(&json!({"tokens": [leaked]}))
        .send()
        .await
        .unwrap();
    let soon = End::At(START + seconds(1));
    let expired = server.personal_token_until(&alice, "notes:read", soon);
    let bobs = server.personal_token(&bob, "notes:read");
    server.write(|tx| Ok(bob.disable(tx)?));
    server.clock.advance(seconds(1));
    let secret = app.client_secret.clone().expect("a secret");
    let manager = server.manager("pats:read").await;
    for (token, kind, state, reason) in [
        (spent.refresh(), "refresh", "spent", Value::Null),
        (live.refresh(), "refresh", "active", Value::Null),
        (&live.access, "access", "active", Value::Null),
        (&taken, "access", "revoked", json!("revoked by the app")),
        (&leaked, "pat", "revoked", json!("reported as leaked")),
        (&expired, "pat", "expired", Value::Null),
        (&bobs, "pat", "owner_disabled", Value::Null),
        (&secret, "client_secret", "active", Value::Null),
    ] {
        let (status, told) = identify(&manager, token).await;
        assert_eq!(status, 200, "{state} {kind}: {told}");
        assert_eq!(
            (&told["kind"], &told["state"]),
            (&json!(kind), &json!(state))
        );
        assert_eq!(told["revokeReason"], reason, "{state} {kind}");
        assert_eq!(
            told["revokedAt"].is_null(),
            reason.is_null(),
            "{state} {kind}"
        );
        assert!(!told.to_string().contains(token), "{told}");
    }
    server.disable_client(&app.client_id);
    for token in [&live.access, &secret] {
        let (_, told) = identify(&manager, token).await;
        assert_eq!(told["state"], "client_disabled", "{told}");
        assert_eq!(told["client"]["id"], app.client_id.as_str());
    }
    let service = trail(&server, "token.identified");
    assert_eq!(service.len(), 10, "each question is recorded");
}

/// To ask is not to use: the token's last use stays what it was.
#[actix_web::test]
async fn a_question_is_no_use_of_the_token() {
    let server = Server::start().await;
    server.notes();
    let alice = server.user("alice");
    let token = server.personal_token(&alice, "notes:read");
    let manager = server.manager("pats:read").await;
    for _ in 0..2 {
        let (_, told) = identify(&manager, &token).await;
        assert_eq!(told["lastUsedAt"], Value::Null);
        server.note_uses().await;
    }
}

/// Unknown is 404, no token of ours 422, and both are recorded.
#[actix_web::test]
async fn what_is_not_known_is_recorded_too() {
    let server = Server::start().await;
    let manager = server.manager("pats:read").await;
    let brand = |brand: &str| Brands::new(vec![brand.to_owned()]).expect("a brand");
    let unknown = brand("jeton")
        .mint(SecretKind::RefreshToken)
        .expose()
        .to_owned();
    let (status, told) = identify(&manager, &unknown).await;
    assert_eq!((status, &told["code"]), (404, &json!("entity.not_found")));
    assert_eq!(last(&server).detail(), &unknown[..13]);
    let foreign = brand("acme")
        .mint(SecretKind::RefreshToken)
        .expose()
        .to_owned();
    for (number, other) in ["", "x", &unknown[..50], &foreign, "\0"].iter().enumerate() {
        // Of records of one moment none is the last.
        server.clock.advance(seconds(1));
        let (status, told) = identify(&manager, other).await;
        assert_eq!((status, &told["code"]), (422, &json!("token.malformed")));
        assert_eq!(trail(&server, "token.identified").len(), number + 2);
        assert_eq!(last(&server).detail(), "no token");
    }
}

/// A body that is none is refused without repeating what may be a secret in it.
#[actix_web::test]
async fn a_bad_body_is_refused_and_not_repeated() {
    let server = Server::start().await;
    let manager = server.manager("pats:read").await;
    let secret = "jeton_pat_of_somebody";
    for body in [
        json!(secret),
        json!({secret: 1}),
        json!({"token": [secret]}),
    ] {
        let (status, told) = manager.call("POST", IDENTIFY, body).await;
        assert_eq!(status, 400, "{told}");
        assert!(!told.to_string().contains(secret), "{told}");
    }
}

/// An administrator at a browser may ask too; nobody else, and no scope but the one for it.
#[actix_web::test]
async fn who_may_ask() {
    let server = Server::start().await;
    server.notes();
    let (alice, root) = (server.user("alice"), server.admin("root"));
    let token = server.personal_token(&alice, "notes:read");
    let body = json!({"token": token});
    let browser = server.signed_in(&root).await;
    let (status, told) = browser.api("POST", IDENTIFY, Some(body.clone())).await;
    assert_eq!((status, &told["kind"]), (200, &json!("pat")));
    assert_eq!(last(&server).actor, format!("user:{}", root.id));
    let browser = server.signed_in(&alice).await;
    let (status, _) = browser.api("POST", IDENTIFY, Some(body.clone())).await;
    assert_eq!(status, 403);
    for scope in ["pats:write", "pats:revoke"] {
        let manager = server.manager(scope).await;
        assert_eq!(identify(&manager, &token).await.0, 403, "{scope}");
    }
    assert_eq!(identify(&server.script(&token), &token).await.0, 401);
    assert_eq!(trail(&server, "token.identified").len(), 1);
}
