//! What a database itself says of its tables, in the words of `diesel::table!`, so that both can be compared.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text};
use diesel::{SqliteConnection, sql_query};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use jeton::db::{Conn, Location};

use super::postgres;

/// A table as it is.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Table {
    pub name: String,
    /// Name and type, such as `Nullable<BigInt>`, in their order.
    pub columns: Vec<(String, String)>,
    pub primary_key: Vec<String>,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    required: bool,
    /// Its place in the primary key, from 1; 0 for none.
    #[diesel(sql_type = Integer)]
    key: i32,
}

pub fn connect(location: &Location) -> Conn {
    match location {
        Location::Sqlite(path) => {
            let path = path.to_str().expect("a plain path");
            Conn::Sqlite(SqliteConnection::establish(path).expect("the file opens"))
        }
        Location::Postgres(url) => Conn::Postgres(postgres(url).expect("the test server answers")),
    }
}

macro_rules! rows {
    ($conn:expr, sqlite: $sqlite:expr, postgres: $postgres:expr) => {
        match $conn {
            Conn::Sqlite(conn) => sql_query($sqlite).load(conn),
            Conn::Postgres(conn) => sql_query($postgres).load(conn),
        }
        .expect("the database tells about its tables")
    };
}

/// All tables but the one in which diesel notes the migrations.
pub fn tables(conn: &mut Conn) -> Vec<Table> {
    let names: Vec<Name> = rows!(
        conn,
        sqlite: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_\\_%' ESCAPE '\\' ORDER BY name",
        postgres: "SELECT tablename::text AS name FROM pg_tables \
            WHERE schemaname = 'public' AND tablename NOT LIKE '\\_\\_%' ORDER BY tablename"
    );
    names
        .into_iter()
        .map(|table| {
            let columns = columns(conn, &table.name);
            let mut key: Vec<&Column> = columns.iter().filter(|column| column.key > 0).collect();
            key.sort_by_key(|column| column.key);
            let primary_key = key.into_iter().map(|column| column.name.clone()).collect();
            Table {
                name: table.name,
                columns: columns
                    .iter()
                    .map(|column| (column.name.clone(), diesel_type(column)))
                    .collect(),
                primary_key,
            }
        })
        .collect()
}

fn columns(conn: &mut Conn, table: &str) -> Vec<Column> {
    rows!(
        conn,
        sqlite: format!(
            "SELECT name, lower(type) AS kind, \"notnull\" AS required, pk AS key \
             FROM pragma_table_info('{table}') ORDER BY cid"
        ),
        postgres: format!(
            "SELECT attname::text AS name, format_type(atttypid, atttypmod) AS kind, attnotnull AS required, \
               coalesce(array_position(indkey::int2[], attnum) + 1, 0) AS key \
             FROM pg_attribute LEFT JOIN pg_index ON indrelid = attrelid AND indisprimary \
             WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
    )
}

fn diesel_type(column: &Column) -> String {
    let bare = match column.kind.as_str() {
        "blob" | "bytea" => "Binary",
        "text" => "Text",
        "boolean" => "Bool",
        "bigint" => "BigInt",
        "integer" => "Integer",
        other => panic!("diesel's word for {other} is not known"),
    };
    if column.required {
        bare.to_owned()
    } else {
        format!("Nullable<{bare}>")
    }
}

/// What has to be unique besides primary keys, each as `users (username)`.
pub fn unique_keys(conn: &mut Conn) -> BTreeSet<String> {
    named(rows!(
        conn,
        sqlite: "SELECT t.name || ' (' || group_concat(c.name, ', ') || ')' AS name FROM sqlite_schema t, \
            pragma_index_list(t.name) i, pragma_index_info(i.name) c \
            WHERE t.type = 'table' AND i.\"unique\" AND i.origin <> 'pk' AND NOT i.partial GROUP BY t.name, i.name",
        postgres: "SELECT conrelid::regclass || ' (' || (SELECT string_agg(attname, ', ' ORDER BY attnum) \
            FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY(indkey)) || ')' AS name \
            FROM pg_index JOIN pg_constraint ON conindid = indexrelid AND conrelid = indrelid \
            WHERE indisunique AND NOT indisprimary AND connamespace = 'public'::regnamespace"
    ))
}

/// What is looked up quickly besides, each as `sessions_of_user`.
pub fn indexes(conn: &mut Conn) -> BTreeSet<String> {
    named(rows!(
        conn,
        sqlite: "SELECT name FROM sqlite_schema WHERE type = 'index' AND (sql NOT LIKE 'CREATE UNIQUE %' OR sql LIKE '% WHERE %')",
        postgres: "SELECT indexrelid::regclass::text AS name FROM pg_index JOIN pg_class c ON c.oid = indrelid \
            WHERE relnamespace = 'public'::regnamespace \
            AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))"
    ))
}

/// What belongs to what, each as `sessions.user_id -> users.id CASCADE`.
pub fn references(conn: &mut Conn) -> BTreeSet<String> {
    named(rows!(
        conn,
        sqlite: "SELECT t.name || '.' || k.\"from\" || ' -> ' || k.\"table\" || '.' || k.\"to\" || ' ' || k.on_delete AS name \
            FROM sqlite_schema t, pragma_foreign_key_list(t.name) k WHERE t.type = 'table'",
        postgres: "SELECT conrelid::regclass || '.' || a.attname || ' -> ' || confrelid::regclass || '.' || b.attname || \
            CASE confdeltype WHEN 'c' THEN ' CASCADE' WHEN 'a' THEN ' NO ACTION' ELSE ' ?' END AS name \
            FROM pg_constraint JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = conkey[1] \
            JOIN pg_attribute b ON b.attrelid = confrelid AND b.attnum = confkey[1] WHERE contype = 'f'"
    ))
}

fn named(rows: Vec<Name>) -> BTreeSet<String> {
    rows.into_iter().map(|row| row.name).collect()
}

/// Undo all migrations, by their `down.sql`; the names of those that were undone.
pub fn revert_all(conn: &mut Conn) -> Vec<String> {
    let folder = |database: &str| {
        let path = format!("{}/migrations/{database}", env!("CARGO_MANIFEST_DIR"));
        FileBasedMigrations::from_path(path).expect("the migrations are there")
    };
    let reverted = match conn {
        Conn::Sqlite(conn) => conn.revert_all_migrations(folder("sqlite")),
        Conn::Postgres(conn) => conn.revert_all_migrations(folder("postgres")),
    };
    let reverted = reverted.expect("every migration can be undone");
    reverted.iter().map(ToString::to_string).collect()
}

/// How many migrations there are.
pub fn migrations() -> usize {
    let folder = format!("{}/migrations/sqlite", env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(folder).expect("the migrations are there");
    entries.count()
}
