//! TLS to PostgreSQL, as libpq does it: `sslmode=verify-full` and `sslrootcert` in the database URL.
//!
//! These tests know which database a run is on: SQLite has no server to talk to, so there they have
//! nothing to do and return at once. On PostgreSQL `bin/postgres` says in `JETON_TEST_POSTGRES_TLS` where the server is
//! by the name in its certificate, and in `JETON_TEST_POSTGRES_CA` which file has the CA that signed it.

use std::path::Path;
use std::process::Command;

use diesel::RunQueryDsl;
use diesel::sql_types::Bool;
use jeton::db::{Database, Fault, Location};

use crate::support::{Jeton, TestDatabase};

/// The server's URL by its name, and the file of its CA; `None` on SQLite.
fn server() -> Option<(String, String)> {
    if !TestDatabase::is_postgres() {
        return None;
    }
    let need = |name: &str| std::env::var(name).expect("bin/postgres sets it");
    Some((
        need("JETON_TEST_POSTGRES_TLS"),
        need("JETON_TEST_POSTGRES_CA"),
    ))
}

fn verified(url: &str, ca: &str) -> String {
    format!("{url}?sslmode=verify-full&sslrootcert={ca}")
}

fn open(url: String) -> Result<Database, Fault> {
    Database::open(&Location::Postgres(url), 1)
}

/// Why the server is not talked to, in the words that the operator reads.
fn refusal(url: String) -> String {
    let Err(fault) = open(url.clone()) else {
        panic!("{url} was connected to");
    };
    let ran = Jeton::with(&[("database_url", &url)]).run(&["migrate"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    let sentence = fault.to_string();
    let first = sentence.lines().next().unwrap_or_default().trim();
    assert!(ran.stderr.contains(first), "{} {sentence}", ran.stderr);
    sentence
}

#[test]
fn a_server_that_is_who_it_should_be_is_talked_to_by_tls() {
    let Some((url, ca)) = server() else { return };
    let database = open(verified(&url, &ca)).expect("the certificate is good");
    let encrypted = database.read(|conn| {
        let asked = "(SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())";
        Ok::<bool, Fault>(diesel::select(diesel::dsl::sql::<Bool>(asked)).get_result(conn)?)
    });
    assert!(encrypted.unwrap());
}

/// The certificate is for `localhost`; whoever answers at an address could be anybody.
#[test]
fn a_server_under_another_name_is_refused() {
    let Some((url, ca)) = server() else { return };
    let by_address = url.replace("@localhost:", "@127.0.0.1:");
    assert_ne!(by_address, url);
    let sentence = refusal(verified(&by_address, &ca));
    assert!(
        sentence.contains("does not match host name \"127.0.0.1\""),
        "{sentence}"
    );
}

#[test]
fn a_server_whose_certificate_another_ca_signed_is_refused() {
    let Some((url, _)) = server() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let other = another_ca(folder.path());
    let sentence = refusal(verified(&url, &other));
    assert!(sentence.contains("certificate verify failed"), "{sentence}");
}

#[test]
fn without_a_file_of_cas_nobody_is_trusted() {
    let Some((url, _)) = server() else { return };
    let sentence = refusal(verified(&url, "/nowhere/at/all.crt"));
    assert!(sentence.contains("root certificate file"), "{sentence}");
}

fn another_ca(folder: &Path) -> String {
    let path = |name: &str| format!("{}/{name}", folder.display());
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .args(["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=Another CA", "-keyout", &path("key"), "-out"])
        .arg(path("crt"))
        .output()
        .expect("bin/postgres needs openssl too");
    assert!(made.status.success(), "{made:?}");
    path("crt")
}
