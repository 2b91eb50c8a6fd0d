//! Tokens that are over, more than could be asked for one by one.

use diesel::connection::SimpleConnection;
use jeton::db::{Conn, Location};

use super::{START, Server, tables};

/// So many access tokens of each service there is, which ended when the test began. Nobody knows their secrets.
pub fn leave_expired(server: &Server, count: usize) {
    let location: Location = server.database_url().parse().expect("its URL is good");
    let end = START.millis();
    let rest = format!("id, 'access', '', {end}, {end}");
    let into = "INSERT INTO tokens (hash, id, grant_id, kind, hint, created_at, expires_at)";
    let services = "grants WHERE origin = 'client_credentials'";
    let put_in = match tables::connect(&location) {
        Conn::Sqlite(mut conn) => conn.batch_execute(&format!(
            "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
             {into} SELECT randomblob(32), randomblob(16), {rest} FROM n, {services}"
        )),
        Conn::Postgres(mut conn) => conn.batch_execute(&format!(
            "{into} SELECT sha256(uuid_send(gen_random_uuid())), uuid_send(gen_random_uuid()), {rest} \
             FROM generate_series(1, {count}), {services}"
        )),
    };
    put_in.expect("the database takes them");
}
