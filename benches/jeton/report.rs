//! What came of it: tables for people, JSON for programs.

use std::fmt::{self, Write as _};
use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::args::{Args, Kind};
use crate::bars;
use crate::plot;
use crate::wrk::{CONNECTIONS, THREADS};

const FOLDER: &str = "target/bench";
pub const JSON: &str = "target/bench/report.json";
pub const SVG: &str = "target/bench/report.svg";

/// Everything of one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    pub command: String,
    pub date: String,
    pub machine: String,
    pub version: String,
    pub databases: Vec<String>,
    /// How each figure came about.
    pub method: String,
    pub figures: Vec<Figures>,
    pub facts: Vec<Fact>,
    /// Cases that could not be measured, and why.
    pub failures: Vec<String>,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    pub case: String,
    pub of: String,
    pub database: Kind,
    pub tokens: usize,
    pub nodes: usize,
}

/// Medians of the rounds; of the memory the most.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figures {
    #[serde(flatten)]
    pub label: Label,
    pub rate: f64,
    pub of_bare: f64,
    pub p50: f64,
    pub p99: f64,
    pub p99_of_bare: f64,
    pub cpu: f64,
    pub database_cpu: f64,
    pub resident: f64,
    pub anonymous: f64,
}

/// What a column says of figures: its name, its digits, and which it is.
type Column = (&'static str, usize, fn(&Figures) -> f64);

/// A figure that stands alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fact {
    #[serde(flatten)]
    pub label: Label,
    pub value: f64,
    pub unit: String,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes = if self.nodes > 1 { "nodes" } else { "node" };
        let (case, of, tokens) = (&self.case, &self.of, thousands(self.tokens));
        let database = self.database.name();
        write!(
            f,
            "{case}, {of}, {database}, {tokens}, {} {nodes}",
            self.nodes
        )
    }
}

impl Label {
    /// The same, whatever the number of tokens.
    fn of_any_size(&self) -> Self {
        Self {
            tokens: 0,
            ..self.clone()
        }
    }
}

/// 10k, 1M.
pub fn thousands(number: usize) -> String {
    match number {
        n if n >= 1_000_000 && n % 1_000_000 == 0 => format!("{}M", n / 1_000_000),
        n if n >= 1_000 && n % 1_000 == 0 => format!("{}k", n / 1_000),
        n => n.to_string(),
    }
}

impl Report {
    pub fn new(args: &Args) -> Result<Self> {
        let command: Vec<String> = std::env::args().skip(1).collect();
        let command = command.iter().filter(|word| *word != "--bench");
        let command = command.fold("bin/bench".to_owned(), |all, word| all + " " + word);
        Ok(Self {
            command,
            date: chrono::Utc::now().format("%Y-%m-%d").to_string(),
            machine: machine()?,
            version: version()?,
            databases: vec![],
            method: format!(
                "{} rounds of {} s after one to warm up, wrk -t{THREADS} -c{CONNECTIONS}",
                args.rounds, args.seconds
            ),
            figures: vec![],
            facts: vec![],
            failures: vec![],
        })
    }

    pub fn read() -> Result<Self> {
        let text = fs::read_to_string(JSON)
            .map_err(|error| format!("{JSON}: {error}; run bin/bench first"))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Write it down as far as it is known.
    pub fn write(&self) -> Result<()> {
        fs::create_dir_all(FOLDER)?;
        fs::write(JSON, serde_json::to_string_pretty(self)? + "\n")?;
        fs::write(SVG, plot::draw(self)?)?;
        Ok(())
    }

    /// All of it in Markdown.
    pub fn markdown(&self) -> Result<String> {
        let mut text = format!(
            "`{}` on {}, {}, {}.\n{}.\n",
            self.command, self.date, self.machine, self.version, self.method
        );
        for database in &self.databases {
            writeln!(text, "{database}.")?;
        }
        writeln!(text, "\n{}", bars::table(self)?)?;
        if !self.figures.is_empty() {
            writeln!(text, "{}", self.requests()?)?;
            writeln!(text, "{}", self.growth()?)?;
        }
        if !self.facts.is_empty() {
            writeln!(text, "{}", self.other()?)?;
        }
        for failure in &self.failures {
            writeln!(text, "Not measured: {failure}\n")?;
        }
        Ok(text.trim_end().to_owned() + "\n")
    }

    fn requests(&self) -> Result<String> {
        let mut table = "| case | of | database | tokens | nodes | requests/s | of bare | p50 ms | p99 ms | \
                         of bare's | CPU µs | database's | RSS MB | anonymous |\n\
                         | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
            .to_owned();
        for row in &self.figures {
            let label = &row.label;
            writeln!(
                table,
                "| {} | {} | {} | {} | {} | {:.0} | {:.2} | {:.1} | {:.1} | {:.1}× | {:.1} | {:.1} | {:.0} | {:.0} |",
                label.case,
                label.of,
                label.database.name(),
                thousands(label.tokens),
                label.nodes,
                row.rate,
                row.of_bare,
                row.p50,
                row.p99,
                row.p99_of_bare,
                row.cpu,
                row.database_cpu,
                row.resident,
                row.anonymous,
            )?;
        }
        Ok(table)
    }

    /// How each figure of introspection changes with the number of tokens.
    fn growth(&self) -> Result<String> {
        let asked = self.figures.iter();
        let asked: Vec<&Figures> = asked
            .filter(|row| row.label.case == "introspection")
            .collect();
        let mut sizes: Vec<usize> = asked.iter().map(|row| row.label.tokens).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let mut kinds: Vec<Label> = vec![];
        for row in &asked {
            let kind = row.label.of_any_size();
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        if sizes.len() < 2 {
            return Ok(String::new());
        }
        let figures: [Column; 3] = [
            ("of bare", 2, |row| row.of_bare),
            ("p99 ms", 1, |row| row.p99),
            ("CPU µs with the database's", 1, |row| {
                row.cpu + row.database_cpu
            }),
        ];
        let mut table = "| introspection of | database | nodes |".to_owned();
        let mut rule = "| --- | --- | ---: |".to_owned();
        for (name, ..) in figures {
            for size in &sizes {
                write!(table, " {name}, {} |", thousands(*size))?;
                rule += " ---: |";
            }
        }
        writeln!(table, "\n{rule}")?;
        for kind in kinds {
            write!(
                table,
                "| {} | {} | {} |",
                kind.of,
                kind.database.name(),
                kind.nodes
            )?;
            for (_, digits, figure) in figures {
                for &tokens in &sizes {
                    let mut rows = asked.iter();
                    let row = rows
                        .find(|row| row.label.tokens == tokens && row.label.of_any_size() == kind);
                    let figure = row.map(|row| format!("{:.digits$}", figure(row)));
                    write!(table, " {} |", figure.unwrap_or("–".to_owned()))?;
                }
            }
            writeln!(table)?;
        }
        Ok(table)
    }

    fn other(&self) -> Result<String> {
        let mut table = "| case | what | database | tokens | nodes | |\n\
                         | --- | --- | --- | ---: | ---: | ---: |\n"
            .to_owned();
        for fact in &self.facts {
            let label = &fact.label;
            writeln!(
                table,
                "| {} | {} | {} | {} | {} | {} |",
                label.case,
                label.of,
                label.database.name(),
                thousands(label.tokens),
                label.nodes,
                fact.said(),
            )?;
        }
        Ok(table)
    }
}

impl Fact {
    fn said(&self) -> String {
        let digits = usize::from(self.value.fract() != 0.0 && self.value < 1_000.0);
        let number = format!("{:.digits$}", self.value);
        match self.unit.as_str() {
            "" => number,
            "×" => number + "×",
            unit => format!("{number} {unit}"),
        }
    }
}

/// What it ran on.
fn machine() -> Result<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("a processor", |model| {
        model.trim_start_matches([' ', '\t', ':'])
    });
    let cores = std::thread::available_parallelism()?;
    let memory = fs::read_to_string("/proc/meminfo")?;
    let memory = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = memory.and_then(|memory| memory.trim().strip_suffix(" kB"));
    let gigabytes = kilobytes.ok_or("no memory")?.parse::<f64>()? / (1024.0 * 1024.0);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    Ok(format!(
        "{cores} cores of {model}, {gigabytes:.0} GB, Linux {}",
        kernel.trim()
    ))
}

/// Which Jeton it was.
fn version() -> Result<String> {
    let commit = Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .output();
    let commit = commit.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let version = env!("CARGO_PKG_VERSION");
    Ok(match commit.ok().filter(|commit| !commit.is_empty()) {
        Some(commit) => format!("Jeton {version} ({commit})"),
        None => format!("Jeton {version}"),
    })
}
