//! Tokens that are over, more than could be asked for one by one.

use diesel::connection::SimpleConnection;
use jeton::db::{Conn, Location};

use jeton::domain::user::User;

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

/// So many personal access tokens of somebody, named `many 1`, `many 2` and so on, the first the oldest. Nobody knows their
/// secrets.
pub fn leave_personal(server: &Server, owner: &User, count: usize) {
    let location: Location = server.database_url().parse().expect("its URL is good");
    let owner: String = owner
        .id
        .as_bytes()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let (now, end) = (
        server.clock.now().millis(),
        START.millis() + 90 * 86_400_000,
    );
    let grants = "INSERT INTO grants (id, user_id, client_id, origin, scope, audience, name, description, \
                  created_at, created_by, created_via)";
    let rest = "'personal-access-token', 'personal', 'notes:read', 'https://notes.example', 'many ' || i, ''";
    let tokens = "INSERT INTO tokens (hash, id, grant_id, kind, hint, created_at, expires_at)";
    let made = format!("{now} - {count} + i");
    let of_many = "FROM grants WHERE name LIKE 'many %'";
    let put_in = match tables::connect(&location) {
        Conn::Sqlite(mut conn) => conn.batch_execute(&format!(
            "BEGIN; \
             WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
             {grants} SELECT randomblob(16), x'{owner}', {rest}, {made}, 'command line', 'cli' FROM n; \
             {tokens} SELECT randomblob(32), randomblob(16), id, 'pat', 'jeton_pat_many', created_at, {end} + created_at \
             {of_many}; COMMIT"
        )),
        Conn::Postgres(mut conn) => conn.batch_execute(&format!(
            "{grants} SELECT uuid_send(gen_random_uuid()), '\\x{owner}', {rest}, {made}, 'command line', 'cli' \
             FROM generate_series(1, {count}) i; \
             {tokens} SELECT sha256(uuid_send(gen_random_uuid())), uuid_send(gen_random_uuid()), id, 'pat', 'jeton_pat_many', \
             created_at, {end} + created_at {of_many}; ANALYZE"
        )),
    };
    put_in.expect("the database takes them");
}
