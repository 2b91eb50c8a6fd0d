//! What is told to Prometheus of what there is: connections, tokens, bytes, and what the sweeper took away.

use diesel::prelude::*;
use jeton::db::Fault;
use jeton::db::schema::{grants, tokens as all};
use jeton::domain::bearer::Bearer;
use jeton::domain::census::{State, census_of};
use jeton::domain::grant::{Because, Grant};
use jeton::domain::id::Id;
use jeton::domain::personal_token::End;
use jeton::domain::secret::Digest;
use jeton::domain::token::TokenKind;
use jeton::domain::tx::Rx;
use jeton::jobs::census;
use jeton::jobs::sweep::sweep;

use crate::support::{AppOptions, Exposition, Server, Watch, seconds, tokens};

/// A connection is idle until somebody uses it.
#[actix_web::test]
async fn the_pools_tell_who_uses_them() {
    let server = Server::start().await;
    let used = |purpose: &str| {
        let seen = Exposition::of(&server);
        let of = |name: &str| seen.value(&format!("{name}{{purpose=\"{purpose}\"}}"));
        of("jeton_database_connections") - of("jeton_database_connections_idle")
    };
    assert_eq!((used("read"), used("write")), (0.0, 0.0));
    let reading = server
        .app
        .read_blocking(|_| Ok::<_, Fault>((used("read"), used("write"))));
    assert_eq!(reading.unwrap(), (1.0, 0.0));
    let writing = server.write(|_| Ok((used("read"), used("write"))));
    assert_eq!(writing, (0.0, 1.0));
    let seen = Exposition::of(&server);
    assert!(seen.value("jeton_database_connections{purpose=\"read\"}") >= 1.0);
}

/// The census tells of what kind the tokens are, what became of them, and how large the database is.
#[actix_web::test]
async fn tokens_are_told_by_kind_and_state() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    let first = app.let_in(&browser, "notes:read").await;
    let second = tokens(app.refresh(first.refresh()).await).await;
    app.revoke(&second.access).await;
    server.personal_token(&alice, "notes:read");
    server.personal_token_until(&alice, "notes:read", End::Never);
    let ended = server.personal_token(&alice, "notes:read");
    server.write(|tx| {
        let bearer = Bearer::find(tx, Digest::of(&ended))?.expect("the third");
        let grant = Grant::find(tx, bearer.grant.id)?.expect("its grant");
        Ok(grant.revoke(tx, &Because::Asked(None))?)
    });
    server.clock.advance(seconds(3600));
    census::count(&server.app).await.unwrap();
    let seen = Exposition::of(&server);
    let cells = seen
        .values
        .iter()
        .filter(|(series, count)| series.starts_with("jeton_tokens{") && **count > 0.0);
    let cells: Vec<(&str, f64)> = cells
        .map(|(series, count)| (series.as_str(), *count))
        .collect();
    assert_eq!(
        cells,
        [
            (r#"jeton_tokens{kind="access",state="expired"}"#, 1.0),
            (r#"jeton_tokens{kind="access",state="revoked"}"#, 1.0),
            (r#"jeton_tokens{kind="pat",state="live"}"#, 2.0),
            (r#"jeton_tokens{kind="pat",state="revoked"}"#, 1.0),
            (r#"jeton_tokens{kind="refresh",state="live"}"#, 1.0),
            (r#"jeton_tokens{kind="refresh",state="spent"}"#, 1.0),
        ]
    );
    assert!(seen.value("jeton_database_size_bytes") > 100_000.0);
}

/// Of many tokens a sample tells how many there are. Their digests are these in every run, so the estimate is too.
#[actix_web::test]
async fn many_tokens_are_counted_by_a_sample() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    app.own_token("notes:read").await;
    let (few, many) = server.write(|tx| {
        let grant: Id = grants::table.select(grants::id).get_result(&mut **tx)?;
        for number in 0..4000 {
            let kind = TokenKind::ALL[number % 4];
            diesel::insert_into(all::table)
                .values((
                    all::hash.eq(Digest::of(&format!("token {number}"))),
                    all::id.eq(Id::fixed(number as u128)),
                    all::grant_id.eq(grant),
                    all::kind.eq(kind),
                    all::hint.eq("jeton"),
                    all::created_at.eq(tx.now),
                ))
                .execute(&mut **tx)?;
        }
        let (now, policy) = (tx.now, tx.policy);
        let rx = &mut Rx::new(tx, now, policy);
        Ok((census_of(rx, 100)?, census_of(rx, 1_000_000)?))
    });
    for kind in TokenKind::ALL {
        let own = i64::from(kind == TokenKind::Access);
        assert_eq!(many[&(kind, State::Live)], 1000 + own, "all are read");
        let estimate = few[&(kind, State::Live)];
        assert_eq!(estimate % 16, 0, "a sixteenth is read");
        assert!((700..1300).contains(&estimate), "{estimate}");
        assert_eq!(few[&(kind, State::Revoked)], 0);
    }
}

/// What the sweeper takes away is counted by its noun, and is no longer among the tokens.
#[actix_web::test]
async fn swept_rows_are_counted() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    app.own_token("notes:read").await;
    server.clock.advance(seconds(3600 + 86_400 + 1));
    let mut watch = Watch::on(&server);
    for swept in [1.0, 0.0] {
        sweep(&server.app).await.unwrap();
        let moved = [("jeton_swept_rows_total{noun=\"tokens\"}", swept)];
        watch.saw("a sweep", if swept > 0.0 { &moved } else { &[] });
    }
    census::count(&server.app).await.unwrap();
    let gone = "jeton_tokens{kind=\"access\",state=\"expired\"}";
    assert_eq!(Exposition::of(&server).value(gone), 0.0);
}
