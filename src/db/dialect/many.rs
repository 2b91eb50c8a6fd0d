//! What there is most of, and each database takes many of at once in its own way.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text};

use crate::clock::Timestamp;
use crate::db::schema::{audit_events, grants, tokens};
use crate::db::{Conn, Prepared};

/// A new row of `tokens`.
#[derive(Insertable)]
#[diesel(table_name = tokens, treat_none_as_default_value = false)]
pub struct TokenRow<'a> {
    pub hash: &'a [u8],
    pub id: &'a [u8],
    pub grant_id: &'a [u8],
    pub kind: &'a str,
    pub hint: &'a str,
    pub scope: Option<&'a str>,
    pub audience: Option<&'a str>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// Insert tokens, the rows that there are most of. SQLite does it one by one, with a statement that is kept ready;
/// PostgreSQL takes many by one COPY.
pub fn insert_tokens(conn: &mut Conn, rows: &[TokenRow]) -> QueryResult<()> {
    macro_rules! insert {
        ($conn:expr, $row:expr) => {
            diesel::insert_into(tokens::table)
                .values($row)
                .execute($conn)
                .map(drop)
        };
    }
    match (conn, rows) {
        (Conn::Sqlite(conn), rows) => rows.iter().try_for_each(|row| insert!(conn, row)),
        (Conn::Postgres(_), []) => Ok(()),
        (Conn::Postgres(conn), [row]) => insert!(conn, row),
        (Conn::Postgres(conn), rows) => diesel::copy_from(tokens::table)
            .from_insertable(rows)
            .execute(conn)
            .map(drop),
    }
}

/// The use of a grant that is to be noted.
pub struct GrantUse<'a> {
    pub grant_id: &'a [u8],
    pub at: Timestamp,
    pub from: Option<&'a str>,
}

/// Note when and from where grants were last used; a later use that another node has noted stays.
pub fn note_uses(conn: &mut Conn, uses: &[GrantUse]) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(conn) => uses.iter().try_for_each(|one| {
            let earlier = grants::last_used_at
                .is_null()
                .or(grants::last_used_at.lt(one.at));
            let grant = grants::table.find(one.grant_id).filter(earlier);
            let noted = (
                grants::last_used_at.eq(one.at),
                grants::last_used_from.eq(one.from),
            );
            Prepared(diesel::update(grant).set(noted))
                .execute(conn)
                .map(drop)
        }),
        Conn::Postgres(conn) => {
            let ids: Vec<&[u8]> = uses.iter().map(|one| one.grant_id).collect();
            let times: Vec<Timestamp> = uses.iter().map(|one| one.at).collect();
            let places: Vec<Option<&str>> = uses.iter().map(|one| one.from).collect();
            // Held in one order first: two nodes that note the same would wait for each other.
            let update = diesel::sql_query(
                "WITH held AS MATERIALIZED \
                     (SELECT id FROM grants WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE) \
                 UPDATE grants SET last_used_at = use.at, last_used_from = use.place \
                 FROM unnest($1, $2, $3) AS use (grant_id, at, place) \
                     JOIN held ON held.id = use.grant_id \
                 WHERE grants.id = use.grant_id \
                     AND (last_used_at IS NULL OR last_used_at < use.at)",
            )
            .bind::<Array<Binary>, _>(ids)
            .bind::<Array<BigInt>, _>(times)
            .bind::<Array<Nullable<Text>>, _>(places);
            update.execute(conn).map(drop)
        }
    }
}

/// The place of an event in the chain that seals the audit trail.
pub struct EventSeal<'a> {
    pub id: &'a [u8],
    pub seq: i64,
    pub hash: &'a [u8],
}

/// Seal events that are not sealed yet; how many there were.
pub fn seal_events(conn: &mut Conn, seals: &[EventSeal]) -> QueryResult<usize> {
    match conn {
        Conn::Sqlite(conn) => seals.iter().try_fold(0, |sealed, one| {
            let event = audit_events::table.find(one.id);
            let seal = (
                audit_events::seq.eq(one.seq),
                audit_events::hash.eq(one.hash),
            );
            let seal = diesel::update(event.filter(audit_events::seq.is_null())).set(seal);
            Ok(sealed + Prepared(seal).execute(conn)?)
        }),
        Conn::Postgres(conn) => {
            let ids: Vec<&[u8]> = seals.iter().map(|one| one.id).collect();
            let seqs: Vec<i64> = seals.iter().map(|one| one.seq).collect();
            let hashes: Vec<&[u8]> = seals.iter().map(|one| one.hash).collect();
            let update = diesel::sql_query(
                "UPDATE audit_events SET seq = seal.seq, hash = seal.hash \
                 FROM unnest($1, $2, $3) AS seal (id, seq, hash) \
                 WHERE audit_events.id = seal.id AND audit_events.seq IS NULL",
            )
            .bind::<Array<Binary>, _>(ids)
            .bind::<Array<BigInt>, _>(seqs)
            .bind::<Array<Binary>, _>(hashes);
            update.execute(conn)
        }
    }
}
