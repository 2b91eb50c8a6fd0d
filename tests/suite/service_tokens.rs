//! Tokens that services get for themselves (RFC 6749 §4.4): many at once are kept together, each as if it were alone.

use std::collections::HashSet;
use std::time::Duration;

use diesel::prelude::*;
use futures_util::future::{join, join_all};
use jeton::db::Fault;
use jeton::db::schema::{grants, tokens};
use jeton::domain::grant::{Because, Grant};
use jeton::domain::secret::{Brands, SecretKind};
use jeton::domain::service_token::ServiceToken;
use jeton::domain::tx::{Caller, Tx};
use jeton::domain::words::{Audience, Scope};

use crate::support::{App, AppOptions, Server, count, refused, seconds};

const MINUTES: [u64; 2] = [10, 20];

fn services(server: &Server) -> [App; 2] {
    ["Backup", "Report"]
        .into_iter()
        .zip(MINUTES)
        .map(|(name, minutes)| {
            server.app(AppOptions {
                name,
                access_token_ttl: Some(seconds(minutes * 60)),
                ..AppOptions::default()
            })
        })
        .collect::<Vec<_>>()
        .try_into()
        .unwrap_or_else(|_| panic!("there are two"))
}

/// Of a hundred at once, for two services and of two scopes, each is its own service's, with its own scope and life.
#[actix_web::test]
async fn s4_4_3_each_of_many_is_its_own() {
    let server = Server::start().await;
    let notes = server.notes();
    let services = services(&server);
    let scopes = ["notes:read", "notes:write"];
    let kinds = [(0, 0), (0, 1), (1, 0), (1, 1)];
    // The first of each kind makes its grant; the others come under that.
    for (service, scope) in kinds {
        services[service].own_token(scopes[scope]).await;
    }
    let all = (0..100).map(|number| {
        let (service, scope) = kinds[number % 4];
        let (service, scope, life) = (&services[service], scopes[scope], MINUTES[service] * 60);
        let notes = &notes;
        async move {
            let token = service.own_token(scope).await;
            assert_eq!(token.answer["scope"], scope, "{number}");
            assert_eq!(token.answer["expires_in"], life, "{number}");
            let told = notes.introspect(&token.access).await;
            assert_eq!(told["active"], true, "{number}");
            assert_eq!(told["client_id"], service.client_id.as_str(), "{number}");
            assert_eq!(told["scope"], scope, "{number}");
            let iat = told["iat"].as_u64().expect("a time");
            assert_eq!(told["exp"], iat + life, "{number}");
            told["jti"].as_str().expect("an id").to_owned()
        }
    });
    let ids: HashSet<String> = join_all(all).await.into_iter().collect();
    assert_eq!(ids.len(), 100);
    assert_eq!((count!(server, grants), count!(server, tokens)), (4, 104));
}

/// Kept together, each comes under the grant of its own service and scope; one without such a grant is handed back.
#[actix_web::test]
async fn s4_4_tokens_that_are_kept_together_come_under_their_own_grants() {
    let server = Server::start().await;
    let notes = server.notes();
    let services = services(&server);
    let token = |tx: &Tx, service: &App, scope: &str| ServiceToken {
        client_id: service.client_id.clone(),
        scope: Scope::parse(scope).expect("a scope"),
        audience: Audience::parse(&notes.uri).expect("an audience"),
        secret: tx.policy.brands.mint(SecretKind::AccessToken),
        expires_at: tx.now + seconds(60),
    };
    let kept = server.write(|tx| {
        let wanted = [
            (&services[0], "notes:read"),
            (&services[0], "notes:write"),
            (&services[1], "notes:read"),
            (&services[0], "notes:read"),
            (&services[1], "notes:write"),
        ];
        let tokens: Vec<_> = wanted.map(|(of, scope)| token(tx, of, scope)).into();
        for (of, scope) in &wanted[..3] {
            token(tx, of, scope).issue_first(tx)?;
        }
        let left = ServiceToken::issue_all(tx, tokens.clone())?;
        let left: Vec<bool> = left.iter().map(Option::is_some).collect();
        assert_eq!(left, [false, false, false, false, true]);
        Ok(tokens)
    });
    for (number, token) in kept.iter().enumerate() {
        let told = notes.introspect(token.secret.expose()).await;
        assert_eq!(told["active"], number < 4, "{number}");
        if number < 4 {
            assert_eq!(told["client_id"], token.client_id.as_str(), "{number}");
            assert_eq!(told["scope"], token.scope.as_str(), "{number}");
        }
    }
}

/// Two that come together before there is a grant make one: the second waits for the first's.
#[actix_web::test]
async fn s4_4_the_first_that_come_together_make_one_grant() {
    let server = Server::start().await;
    let notes = server.notes();
    let service = server.app(AppOptions::default());
    let first = |brands: &Brands| ServiceToken {
        client_id: service.client_id.clone(),
        scope: Scope::parse("notes:read").expect("a scope"),
        audience: Audience::parse(&notes.uri).expect("an audience"),
        secret: brands.mint(SecretKind::AccessToken),
        expires_at: server.clock.now() + seconds(60),
    };
    let brands = &server.app.policy().brands;
    let (one, other) = (first(brands), first(brands));
    let secrets = [one.secret.clone(), other.secret.clone()];
    let (commit, told) = std::sync::mpsc::channel::<()>();
    let slow = server.app.write(Caller::system(), move |tx| {
        one.issue_first(tx)?;
        let _ = told.recv();
        Ok::<_, Fault>(())
    });
    let quick = async {
        actix_web::rt::time::sleep(Duration::from_millis(200)).await;
        let release = async {
            actix_web::rt::time::sleep(Duration::from_millis(300)).await;
            drop(commit);
        };
        let issue = server.app.write(Caller::system(), move |tx| {
            Ok::<_, Fault>(other.issue_first(tx)?)
        });
        join(issue, release).await.0
    };
    let (slow, quick) = join(slow, quick).await;
    slow.expect("the first is kept");
    quick.expect("the second is kept");
    for secret in secrets {
        assert!(notes.accepts(secret.expose()).await);
    }
    assert_eq!(count!(server, grants), 1);
}

/// What an administrator ended stays ended: the service's next token comes under a new grant.
#[actix_web::test]
async fn s4_4_an_ended_grant_gives_way_to_a_new_one() {
    let server = Server::start().await;
    let notes = server.notes();
    let service = server.app(AppOptions::default());
    let before = service.own_token("notes:read").await;
    server.write(|tx| {
        let grant: Grant = grants::table
            .select(Grant::as_select())
            .get_result(&mut **tx)?;
        Ok(grant.revoke(tx, &Because::Asked(None))?)
    });
    let after = service.own_token("notes:read").await;
    assert!(!notes.accepts(&before.access).await);
    assert!(notes.accepts(&after.access).await);
}

/// One that is refused takes none of the others with it.
#[actix_web::test]
async fn s5_2_a_refusal_among_many_is_its_own() {
    let server = Server::start().await;
    let notes = server.notes();
    let service = server.app(AppOptions::default());
    let all = (0..40).map(|number| {
        let (service, notes) = (&service, &notes);
        async move {
            if number % 2 == 0 {
                let token = service.own_token("notes:read").await;
                assert!(notes.accepts(&token.access).await, "{number}");
            } else {
                let form = [
                    ("grant_type", "client_credentials"),
                    ("scope", "notes:admin"),
                ];
                refused(
                    service.token(&form).await,
                    400,
                    "invalid_scope",
                    "notes:admin",
                )
                .await;
            }
        }
    });
    join_all(all).await;
}

/// A token that could not be kept is in nobody's hands: the service is told to try again, and may.
#[actix_web::test]
async fn s5_2_a_token_that_is_not_kept_is_not_given() {
    let server = Server::start().await;
    server.notes();
    let service = server.app(AppOptions::default());
    service.own_token("notes:read").await;
    server.rename_table("tokens", "lost");
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", "notes:read"),
    ];
    let answers = join_all((0..20).map(|_| service.token(&form))).await;
    for answer in answers {
        assert_eq!(answer.status(), 503);
        let told = answer.text().await.expect("an answer");
        assert!(!told.contains("access_token"), "{told}");
    }
    server.rename_table("lost", "tokens");
    assert_eq!(count!(server, tokens), 1);
    service.own_token("notes:read").await;
}
