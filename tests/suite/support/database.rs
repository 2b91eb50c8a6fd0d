//! A database for one test, on the machine the run was told to use, gone when the test ends.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
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
        let random: String = random_bytes::<8>()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let name = format!("jeton_{random}");
        match std::env::var("JETON_TEST_DATABASE").as_deref() {
            Ok("postgres") => Self::on_postgres(name),
            Ok("sqlite") | Err(_) => Self::on_sqlite(name),
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

    fn on_postgres(name: String) -> Self {
        let admin_url = std::env::var("JETON_TEST_POSTGRES")
            .expect("JETON_TEST_POSTGRES has the URL of a server; bin/postgres sets it");
        let mut admin = PgConnection::establish(&admin_url).expect("the test server answers");
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
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some(url) = &self.admin_url
            && let Ok(mut admin) = PgConnection::establish(url)
        {
            let _ = admin.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}
