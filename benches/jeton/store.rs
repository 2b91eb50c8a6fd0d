//! Where the databases are: SQLite files in a folder, or databases of a PostgreSQL server of our own.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use diesel::{PgConnection, SqliteConnection};
use jeton::db::Conn;

use crate::Result;
use crate::args::Kind;
use crate::process::{self, Process};

pub struct Store {
    pub kind: Kind,
    /// Of SQLite's files.
    folder: PathBuf,
    server: Option<Server>,
}

/// A PostgreSQL server that keeps what it acknowledged.
struct Server {
    url: String,
    /// The process whose children are its backends.
    postmaster: u32,
    _keeper: Process,
}

#[derive(QueryableByName)]
struct Said {
    #[diesel(sql_type = Text)]
    said: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Integer)]
    number: i32,
}

impl Store {
    pub fn open(kind: Kind, fresh: bool) -> Result<Self> {
        let folder = PathBuf::from("target/bench-data");
        if fresh && kind == Kind::Sqlite && folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let server = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(Server::start(fresh)?),
        };
        let store = Self {
            kind,
            folder,
            server,
        };
        // An earlier run may have been ended while it filled something in.
        store.careless(false)?;
        Ok(store)
    }

    /// The URL of a database, as the settings have it.
    pub fn url(&self, name: &str) -> String {
        match &self.server {
            None => format!("sqlite://{}", self.file(name).display()),
            Some(server) => server.database(name),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.db"))
    }

    /// All databases there are.
    pub fn names(&self) -> Result<Vec<String>> {
        let Some(server) = &self.server else {
            let mut names = vec![];
            for file in fs::read_dir(&self.folder)? {
                let file = file?.file_name().to_string_lossy().into_owned();
                names.extend(file.strip_suffix(".db").map(str::to_owned));
            }
            return Ok(names);
        };
        let all = diesel::sql_query("SELECT datname::text AS said FROM pg_database");
        let all = all.load::<Said>(&mut server.connect()?)?;
        Ok(all.into_iter().map(|name| name.said).collect())
    }

    /// An empty database.
    pub fn make(&self, name: &str) -> Result<()> {
        self.remove(name)?;
        match &self.server {
            // The server makes the file itself.
            None => Ok(()),
            Some(server) => server.run(&format!("CREATE DATABASE {name}")),
        }
    }

    pub fn remove(&self, name: &str) -> Result<()> {
        match &self.server {
            None => {
                for end in ["", "-wal", "-shm"] {
                    let file = format!("{}{end}", self.file(name).display());
                    match fs::remove_file(file) {
                        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                            return Err(error.into());
                        }
                        _ => {}
                    }
                }
                Ok(())
            }
            Some(server) => server.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")),
        }
    }

    /// Make a copy of a database that nobody has open.
    pub fn copy(&self, from: &str, to: &str) -> Result<()> {
        self.remove(to)?;
        match &self.server {
            None => {
                self.connect(from)?
                    .batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
                fs::copy(self.file(from), self.file(to))?;
                Ok(())
            }
            Some(server) => {
                server.run(&format!("CREATE DATABASE {to} TEMPLATE {from}"))?;
                server.run("CHECKPOINT")
            }
        }
    }

    /// Have a database in the system's page cache, whatever the machine has done meanwhile.
    pub fn warm(&self, name: &str) -> Result<()> {
        match &self.server {
            None => {
                let mut file = fs::File::open(self.file(name))?;
                io::copy(&mut file, &mut io::sink())?;
            }
            Some(_) => self.connect(name)?.batch_execute(
                "CREATE EXTENSION IF NOT EXISTS pg_prewarm; \
                 SELECT sum(pg_prewarm(oid, 'read')) FROM pg_class \
                 WHERE relkind IN ('r', 'i') AND relpersistence = 'p'",
            )?,
        }
        Ok(())
    }

    pub fn connect(&self, name: &str) -> Result<Conn> {
        Ok(match &self.server {
            None => {
                let path = self.file(name).display().to_string();
                let mut conn = SqliteConnection::establish(&path)?;
                conn.batch_execute("PRAGMA busy_timeout = 60000")?;
                Conn::Sqlite(conn)
            }
            Some(server) => Conn::Postgres(PgConnection::establish(&server.database(name))?),
        })
    }

    /// Milliseconds of a core that the database's own processes have used: SQLite has none.
    pub fn cpu(&self) -> Result<f64> {
        match &self.server {
            None => Ok(0.0),
            Some(server) => process::family_cpu(server.postmaster),
        }
    }

    /// What the figures depend on: version and settings.
    pub fn described(&self) -> Result<String> {
        let Some(server) = &self.server else {
            let mut conn = SqliteConnection::establish(":memory:")?;
            let version = diesel::sql_query("SELECT sqlite_version() AS said");
            let version = version.get_result::<Said>(&mut conn)?.said;
            return Ok(format!("SQLite {version}, WAL, synchronous = FULL"));
        };
        let mut said = format!("PostgreSQL {}", server.setting("server_version")?);
        for name in ["fsync", "synchronous_commit", "shared_buffers"] {
            said += &format!(", {name} = {}", server.setting(name)?);
        }
        Ok(said + ", all else as initdb has it")
    }

    /// While much is filled in, let the database forget it at a power cut: it would only be filled in again.
    pub fn careless(&self, careless: bool) -> Result<()> {
        let Some(server) = &self.server else {
            return Ok(());
        };
        let settings: &[&str] = match careless {
            true => &[
                "SET fsync = off",
                "SET full_page_writes = off",
                "SET autovacuum = off",
                "SET max_wal_size = '4GB'",
                "SET checkpoint_timeout = '1h'",
            ],
            false => &["RESET ALL"],
        };
        for setting in settings {
            server.run(&format!("ALTER SYSTEM {setting}"))?;
        }
        server.run("SELECT pg_reload_conf()")?;
        let expected = if careless { "off" } else { "on" };
        while server.setting("fsync")? != expected {
            std::thread::sleep(Duration::from_millis(50));
        }
        if !careless {
            Command::new("sync").status()?;
            server.run("CHECKPOINT")?;
        }
        Ok(())
    }
}

impl Server {
    /// Start it in a folder that its user can reach, and that is kept. It ends when nobody holds its keeper's input.
    fn start(fresh: bool) -> Result<Self> {
        let folder = std::env::temp_dir().join("jeton-bench-postgres");
        if fresh && folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let mut keeper = Command::new("bin/postgres")
            .arg("--durable")
            .arg(&folder)
            .args(["sh", "-c", "echo $JETON_TEST_POSTGRES; read -r _"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut url = String::new();
        let out = keeper.stdout.take().ok_or("no output")?;
        let keeper = Process::hold(keeper)?;
        BufReader::new(out).read_line(&mut url)?;
        let mut server = Self {
            url: url.trim().to_owned(),
            postmaster: 0,
            _keeper: keeper,
        };
        let backend = diesel::sql_query("SELECT pg_backend_pid() AS number");
        let mut conn = server.connect()?;
        let backend = backend.get_result::<Number>(&mut conn)?.number;
        server.postmaster = process::parent_of(backend.try_into()?)?;
        Ok(server)
    }

    fn connect(&self) -> Result<PgConnection> {
        Ok(PgConnection::establish(&self.url)?)
    }

    fn run(&self, sql: &str) -> Result<()> {
        Ok(self.connect()?.batch_execute(sql)?)
    }

    fn setting(&self, name: &str) -> Result<String> {
        let sql = format!("SELECT current_setting('{name}') AS said");
        let said = diesel::sql_query(sql).get_result::<Said>(&mut self.connect()?)?;
        Ok(said.said)
    }

    fn database(&self, name: &str) -> String {
        let server = self.url.rsplit_once('/').map_or("", |(server, _)| server);
        format!("{server}/{name}")
    }
}
