//! What is asked of one run.

use clap::{Parser, ValueEnum};
use serde::{Deserialize, Serialize};

/// Measures Jeton beside a bare actix-web handler. `bin/bench` runs it.
#[derive(Debug, Parser)]
#[command(name = "bin/bench")]
pub struct Args {
    /// Only these cases.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub only: Vec<Case>,
    /// Only this database.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub database: Vec<Kind>,
    /// How many tokens the databases have.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 1_000_000, 5_000_000])]
    pub tokens: Vec<usize>,
    /// How many servers share the database.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2])]
    pub nodes: Vec<usize>,
    /// Rounds that count; one more comes first, to warm up.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// How long a round is.
    #[arg(long, default_value_t = 5)]
    pub seconds: u32,
    /// Something in a few minutes: introspection, random over 10k and 1M tokens, SQLite, 3 rounds of 2 seconds.
    #[arg(long)]
    pub quick: bool,
    /// Make the kept data anew.
    #[arg(long)]
    pub fresh: bool,
    /// Measure nothing: write the last report into docs/performance.md.
    #[arg(long)]
    pub document: bool,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Case {
    Introspection,
    Issuance,
    Refresh,
    Creation,
    Start,
    Memory,
    Flood,
    Storm,
    ForwardAuth,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum Kind {
    #[serde(rename = "SQLite")]
    Sqlite,
    #[serde(rename = "PostgreSQL")]
    Postgres,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Sqlite => "SQLite",
            Kind::Postgres => "PostgreSQL",
        }
    }
}

impl Args {
    pub fn read() -> Self {
        let mut args = Self::parse();
        if args.quick {
            args.only = vec![Case::Introspection];
            args.database = vec![Kind::Sqlite];
            args.tokens = vec![10_000, 1_000_000];
            args.nodes = vec![1];
            (args.rounds, args.seconds) = (3, 2);
        }
        args.tokens.sort_unstable();
        args
    }

    pub fn wants(&self, case: Case) -> bool {
        self.only.is_empty() || self.only.contains(&case)
    }

    pub fn databases(&self) -> Vec<Kind> {
        let asked = |kind: &Kind| self.database.is_empty() || self.database.contains(kind);
        [Kind::Sqlite, Kind::Postgres]
            .into_iter()
            .filter(asked)
            .collect()
    }
}
