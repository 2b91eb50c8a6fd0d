//! A database for one test, on the machine the run was told to use, gone when the test ends.

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{
    Connection, ConnectionResult, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection,
    sql_query,
};
use jeton::db::Location;
use jeton::domain::secret::random_bytes;

/// Keep it as long as the server that uses it.
pub struct TestDatabase {
    location: Location,
    _folder: Option<tempfile::TempDir>,
    admin_url: Option<String>,
    name: String,
}

impl TestDatabase {
    /// An empty database.
    pub fn new() -> Self {
        if !Self::is_postgres() {
            return Self::on_sqlite(random_name());
        }
        let server = std::env::var("JETON_TEST_POSTGRES")
            .expect("JETON_TEST_POSTGRES has the URL of a server; bin/postgres sets it");
        Self::at(&server)
    }

    /// Whether this run is on PostgreSQL. For faults that only one of the databases can have, and for no other test.
    pub fn is_postgres() -> bool {
        match std::env::var("JETON_TEST_DATABASE").as_deref() {
            Ok("postgres") => true,
            Ok("sqlite") | Err(_) => false,
            Ok(other) => panic!("JETON_TEST_DATABASE is {other:?}, neither sqlite nor postgres"),
        }
    }

    fn on_sqlite(name: String) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        Self {
            location: Location::Sqlite(folder.path().join("jeton.db")),
            _folder: Some(folder),
            admin_url: None,
            name,
        }
    }

    /// An empty database on this PostgreSQL server.
    pub fn at(server: &str) -> Self {
        Self::on_postgres(random_name(), server.to_owned())
    }

    fn on_postgres(name: String, admin_url: String) -> Self {
        let mut admin = postgres(&admin_url).expect("the test server answers");
        admin
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .expect("a database can be made");
        let (server, _) = admin_url
            .rsplit_once('/')
            .expect("the URL names a database");
        Self {
            location: Location::Postgres(format!("{server}/{name}")),
            _folder: None,
            admin_url: Some(admin_url),
            name,
        }
    }

    pub fn location(&self) -> Location {
        self.location.clone()
    }

    /// As the setting `database_url` has it.
    pub fn url(&self) -> String {
        match &self.location {
            Location::Sqlite(path) => format!("sqlite://{}", path.display()),
            Location::Postgres(url) => url.clone(),
        }
    }

    /// All that it holds, as bytes to search: the SQLite file with its log, or every row of every table.
    pub fn dump(&self) -> Vec<u8> {
        match &self.location {
            Location::Sqlite(path) => {
                let mut log = path.clone().into_os_string();
                log.push("-wal");
                let mut bytes = std::fs::read(path).expect("the file can be read");
                bytes.extend(std::fs::read(log).unwrap_or_default());
                bytes
            }
            Location::Postgres(url) => {
                let mut conn = postgres(url).expect("the database answers");
                // So that text in a binary column is seen as text.
                conn.batch_execute("SET bytea_output = 'escape'")
                    .expect("a setting");
                let tables: Vec<Line> = sql_query(
                    "SELECT tablename AS line FROM pg_tables WHERE schemaname = 'public'",
                )
                .load(&mut conn)
                .expect("the tables can be listed");
                let rows = tables.iter().flat_map(|table| {
                    let rows: Vec<Line> =
                        sql_query(format!("SELECT t::text AS line FROM {} t", table.line))
                            .load(&mut conn)
                            .expect("the rows can be read");
                    rows
                });
                rows.flat_map(|row| row.line.into_bytes()).collect()
            }
        }
    }

    /// Take the database away from whoever has it open. A file that is deleted lives on for them: its tables go.
    pub fn destroy(&self) {
        match &self.location {
            Location::Sqlite(path) => {
                let path = path.to_str().expect("a plain path");
                let mut file = SqliteConnection::establish(path).expect("the file opens");
                let tables = "SELECT 'DROP TABLE ' || name FROM sqlite_schema WHERE type = 'table'";
                let drops: Vec<String> = diesel::dsl::sql::<diesel::sql_types::Text>(tables)
                    .load(&mut file)
                    .expect("the file can be read");
                let drops = format!("PRAGMA foreign_keys = OFF; {}", drops.join("; "));
                file.batch_execute(&drops).expect("the tables can go");
            }
            Location::Postgres(_) => self.drop_on_server(),
        }
    }

    fn drop_on_server(&self) {
        if let Some(url) = &self.admin_url
            && let Ok(mut admin) = postgres(url)
        {
            let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
            let _ = admin.batch_execute(&drop);
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        self.drop_on_server();
    }
}

/// A connection beside the server's own.
pub fn postgres(url: &str) -> ConnectionResult<PgConnection> {
    // As the server does: else libpq has OpenSSL clean up at exit, and a thread that ends later crashes the process.
    openssl_sys::init();
    PgConnection::establish(url)
}

fn random_name() -> String {
    let random = random_bytes::<8>();
    let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("jeton_{hex}")
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}
