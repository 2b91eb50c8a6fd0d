//! `src/db/schema.rs` is kept by hand and used for both databases: here it is compared with the tables that the
//! migrations make.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jeton::db::{Database, Location};

use crate::support::TestDatabase;
use crate::support::tables::{
    Table, connect, indexes, references, revert_all, tables, unique_keys,
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The tables of `src/db/schema.rs`, by their names.
fn written() -> Vec<Table> {
    let text = fs::read_to_string(Path::new(ROOT).join("src/db/schema.rs")).expect("it is there");
    let mut tables: Vec<Table> = text
        .split("diesel::table! {")
        .skip(1)
        .map(|table| {
            let mut lines = table
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty() && !line.starts_with("//"));
            let head = lines.next().expect("a table begins with its name");
            let (name, key) = head.split_once(" (").expect("name and primary key");
            let key = key.trim_end_matches(") {").split(", ");
            let columns = lines.map_while(|line| line.strip_suffix(',')?.split_once(" -> "));
            Table {
                name: name.to_owned(),
                primary_key: key.map(str::to_owned).collect(),
                columns: columns
                    .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
                    .collect(),
            }
        })
        .collect();
    tables.sort();
    tables
}

/// A database as the migrations leave it.
fn migrated() -> (TestDatabase, Location) {
    let database = TestDatabase::new();
    let location = database.location();
    migrate(&location);
    (database, location)
}

fn migrate(location: &Location) -> usize {
    let database = Database::open(location, 1).expect("the database opens");
    database.migrate().expect("the tables can be made")
}

#[test]
fn the_schema_is_what_the_migrations_make() {
    let (_database, location) = migrated();
    let (written, live) = (written(), tables(&mut connect(&location)));
    assert!(written.len() >= 12, "{} tables", written.len());
    let names = |tables: &[Table]| -> Vec<String> {
        tables.iter().map(|table| table.name.clone()).collect()
    };
    assert_eq!(names(&written), names(&live));
    for (written, live) in written.iter().zip(&live) {
        assert_eq!(written, live, "{}", written.name);
    }
}

/// diesel's schema has no word for these, so they are said here, once for both databases.
#[test]
fn what_is_unique_and_what_belongs_to_what_is_the_same_on_both() {
    let (_database, location) = migrated();
    let conn = &mut connect(&location);
    let set = |items: &[&str]| -> BTreeSet<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    };
    assert_eq!(
        unique_keys(conn),
        set(&[
            "users (username)",
            "resources (uri)",
            "tokens (id)",
            "authorization_requests (code_hash)",
            "audit_events (seq)",
        ])
    );
    assert_eq!(
        indexes(conn),
        set(&[
            "service_accounts_of_keeper",
            "sessions_of_user",
            "client_secrets_of_client",
            "resources_of_client",
            "grants_ending_unused",
            "grants_of_user",
            "grants_pending",
            "tokens_current",
            "tokens_overlap",
            "grants_revoked",
            "tokens_of_grant",
            "tokens_by_end",
            "audit_events_of_grant",
            "audit_events_unsealed",
            "audit_events_by_event",
            "audit_events_by_actor",
            "audit_events_of_client",
            "audit_events_at_address",
            "audit_events_of_user",
            "audit_events_of_token",
            "mails_due",
            "mails_by_time",
            "reminders_of_user",
            "reminders_by_time",
            "personal_tokens_by_end",
            "grants_personal",
            "tokens_personal_by_end",
        ])
    );
    assert_eq!(
        references(conn),
        set(&[
            "service_account_keepers.service_account_id -> users.id CASCADE",
            "service_account_keepers.user_id -> users.id CASCADE",
            "sessions.user_id -> users.id CASCADE",
            "client_secrets.client_id -> clients.id CASCADE",
            "resources.client_id -> clients.id NO ACTION",
            "scopes.resource_id -> resources.id CASCADE",
            "grants.user_id -> users.id NO ACTION",
            "grants.client_id -> clients.id NO ACTION",
            "grant_networks.grant_id -> grants.id CASCADE",
            "tokens.grant_id -> grants.id CASCADE",
            "authorization_requests.client_id -> clients.id NO ACTION",
            "authorization_requests.user_id -> users.id CASCADE",
            "consents.user_id -> users.id CASCADE",
            "consents.client_id -> clients.id CASCADE",
            "forward_auth_policies.resource_id -> resources.id CASCADE",
            "authorization_details_types.resource_id -> resources.id CASCADE",
            "mails.user_id -> users.id CASCADE",
            "reminders.user_id -> users.id CASCADE",
        ])
    );
}

#[test]
fn every_migration_can_be_undone_and_done_again() {
    let (_database, location) = migrated();
    let before = tables(&mut connect(&location));
    let undone = revert_all(&mut connect(&location));
    assert!(!undone.is_empty());
    assert_eq!(tables(&mut connect(&location)), []);
    assert_eq!(migrate(&location), undone.len());
    assert_eq!(tables(&mut connect(&location)), before);
    assert_eq!(migrate(&location), 0);
}

/// A migration that one database has and the other has not would be found out by whoever changes over.
#[test]
fn both_databases_have_the_same_migrations() {
    let names = |database: &str| -> BTreeSet<String> {
        let folder = Path::new(ROOT).join("migrations").join(database);
        fs::read_dir(folder)
            .expect("the migrations are there")
            .map(|entry| {
                let path = entry.expect("a folder can be read").path();
                for file in ["up.sql", "down.sql"] {
                    assert!(path.join(file).is_file(), "{}: {file}", path.display());
                }
                let name = path.file_name().expect("a name");
                name.to_str().expect("a plain name").to_owned()
            })
            .collect()
    };
    let sqlite = names("sqlite");
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite, names("postgres"));
}
