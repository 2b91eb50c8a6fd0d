//! Servers: nodes of Jeton on a database, and the bare handler beside them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Result;
use crate::bare::Bare;
use crate::house::ISSUER;
use crate::process::{self, Process, free_port};
use crate::store::Store;

/// A server that listens.
pub struct Node {
    pub process: Process,
    pub port: u16,
    /// A file of this node's own: its log, or what it answers.
    file: PathBuf,
}

impl Node {
    /// `jeton serve` with default settings, but for where it listens and is reached and what it serves. Its log goes to a
    /// file, as it would be kept.
    pub fn serve(database: &str, folder: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        let port = free_port()?;
        let file = folder.join(format!("{port}.log"));
        let mut serve = Command::new(env!("CARGO_BIN_EXE_jeton"));
        for (name, _) in std::env::vars() {
            if name.starts_with("JETON_") {
                serve.env_remove(name);
            }
        }
        serve
            .arg("serve")
            .env("JETON_DATABASE_URL", database)
            .env("JETON_ISSUER", ISSUER)
            .env("JETON_LISTEN", format!("127.0.0.1:{port}"))
            .envs(settings.iter().copied())
            .stderr(File::create(&file)?);
        Ok(Self {
            process: Process::start(&mut serve)?,
            port,
            file,
        })
    }

    pub fn bare(bare: &Bare, folder: &Path) -> Result<Self> {
        let port = free_port()?;
        let file = folder.join(format!("{port}.json"));
        fs::write(&file, serde_json::to_string(bare)?)?;
        let mut serve = Command::new(std::env::current_exe()?);
        serve.arg("bare").arg(port.to_string()).arg(&file);
        let process = Process::start(&mut serve)?;
        let node = Self {
            process,
            port,
            file,
        };
        node.listening()
    }

    /// Wait until it listens.
    pub fn listening(self) -> Result<Self> {
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if began.elapsed() > Duration::from_secs(60) || !self.process.lives() {
                return Err("a server did not start".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(self)
    }

    /// Ask it to stop, which writes what it still has to write. Nobody reads the log of one that did as it should.
    pub fn stop(self) -> Result<()> {
        self.process.stop()?;
        Ok(fs::remove_file(self.file)?)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

/// What is used by some nodes and the database behind them.
#[derive(Debug, Clone, Copy)]
pub struct Use {
    pub cpu: f64,
    pub database_cpu: f64,
}

pub fn used(nodes: &[&Node], store: Option<&Store>) -> Result<Use> {
    // Two shares of the load may be for one process.
    let mut processes: Vec<u32> = nodes.iter().map(|node| node.process.0).collect();
    processes.dedup();
    let mut cpu = 0.0;
    for id in processes {
        cpu += process::cpu(id)?;
    }
    Ok(Use {
        cpu,
        database_cpu: store.map_or(Ok(0.0), Store::cpu)?,
    })
}

/// How long a server may put off what a request leaves it to do: the uses of tokens are written every five seconds.
const LATER: Duration = Duration::from_millis(5_500);

/// Wait until servers and database do next to nothing any more: what a round leaves them to do is part of its cost, and
/// must not disturb the next.
pub fn settled(nodes: &[&Node], store: Option<&Store>) -> Result<Use> {
    let began = Instant::now();
    if store.is_some() {
        std::thread::sleep(LATER);
    }
    let mut before = used(nodes, store)?;
    loop {
        std::thread::sleep(Duration::from_millis(300));
        let now = used(nodes, store)?;
        let busy = now.cpu + now.database_cpu - before.cpu - before.database_cpu;
        if busy <= 20.0 || began.elapsed() > Duration::from_secs(20) {
            return Ok(now);
        }
        before = now;
    }
}
