//! The bars, beside what was measured.

use std::fmt::Write as _;

use crate::Result;
use crate::args::Kind;
use crate::report::{Fact, Figures, Report};

/// What a bar says of a figure.
#[derive(Debug, Clone, Copy)]
enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

struct Bar {
    what: String,
    limit: Limit,
    unit: &'static str,
    /// None if this run has not measured it.
    measured: Option<f64>,
}

const RANDOM: [&str; 2] = ["PAT, random", "access token, random"];
const BOTH: [Kind; 2] = [Kind::Sqlite, Kind::Postgres];

/// The ratio to the bare handler that such figures have to reach.
pub fn bar_of(figures: &Figures) -> Option<f64> {
    let label = &figures.label;
    match (label.case.as_str(), label.database) {
        ("introspection", Kind::Sqlite) => Some(0.70),
        ("introspection", Kind::Postgres) => Some(0.65),
        ("issuance", Kind::Sqlite) => Some(0.30),
        ("issuance", Kind::Postgres) => Some(0.25),
        _ => None,
    }
    .filter(|_| label.case == "issuance" || has_bar(figures))
}

/// Whether this is introspection as the bars mean it: random over 1M tokens, on one node.
fn has_bar(figures: &Figures) -> bool {
    let label = &figures.label;
    label.tokens == 1_000_000 && label.nodes == 1 && RANDOM.contains(&label.of.as_str())
}

fn bars(report: &Report) -> Vec<Bar> {
    let mut bars = vec![];
    for database in BOTH {
        let name = database.name();
        let of = |row: &&Figures| row.label.database == database;
        let asked = || report.figures.iter().filter(of).filter(|row| has_bar(row));
        let bar = |what: &str, limit: Limit, unit: &'static str, measured: Option<f64>| Bar {
            what: format!("{what}, {name}"),
            limit,
            unit,
            measured,
        };
        bars.push(bar(
            "introspection, random over 1M tokens, of the bare handler's requests/s",
            Limit::AtLeast(if database == Kind::Sqlite { 0.70 } else { 0.65 }),
            "",
            least(asked().map(|row| row.of_bare)),
        ));
        bars.push(bar(
            "its p99, against the bare handler's",
            Limit::AtMost(2.0),
            "×",
            most(asked().map(|row| row.p99_of_bare)),
        ));
        bars.push(bar(
            "its rate over 5M tokens, against 10k",
            Limit::AtLeast(0.8),
            "",
            least(
                RANDOM
                    .iter()
                    .filter_map(|which| growth(report, database, which)),
            ),
        ));
        let issued = report.figures.iter().filter(of);
        let issued = issued.filter(|row| row.label.case == "issuance");
        bars.push(bar(
            "issuance by client_credentials, of the bare handler's requests/s",
            Limit::AtLeast(if database == Kind::Sqlite { 0.30 } else { 0.25 }),
            "",
            least(issued.map(|row| row.of_bare)),
        ));
        let fact = |case: &'static str, of: &'static str| {
            let facts = report.facts.iter();
            facts.filter(move |fact| {
                fact.label.database == database && fact.label.case == case && fact.label.of == of
            })
        };
        let big = |fact: &&Fact| fact.label.tokens == 5_000_000;
        let idle = fact("memory", "idle").map(|fact| fact.value);
        bars.push(bar(
            "resident memory, idle",
            Limit::AtMost(20.0),
            " MB",
            most(idle),
        ));
        let loaded = report
            .figures
            .iter()
            .filter(of)
            .filter(|row| row.label.case == "introspection" && row.label.tokens == 5_000_000);
        bars.push(bar(
            "resident memory, under load over 5M tokens",
            Limit::AtMost(60.0),
            " MB",
            most(loaded.map(|row| row.resident)),
        ));
        let start = fact("start", "to the first answer").filter(big);
        bars.push(bar(
            "start to the first answer, on 5M tokens",
            Limit::AtMost(100.0),
            " ms",
            most(start.map(|fact| fact.value)),
        ));
        for nodes in [1, 2] {
            let stale = fact("storm", "stale answers").filter(|fact| fact.label.nodes == nodes);
            let nodes = if nodes == 1 { "one node" } else { "two nodes" };
            bars.push(bar(
                &format!("stale answers in a storm of 10,000 revocations, {nodes}"),
                Limit::AtMost(0.0),
                "",
                most(stale.map(|fact| fact.value)),
            ));
        }
        let floods = report.facts.iter().filter(|fact| {
            fact.label.database == database
                && fact.label.case == "flood"
                && fact.label.of.ends_with("p99 against quiet")
        });
        bars.push(bar(
            "introspection p99 during a flood of wrong passwords, against quiet",
            Limit::AtMost(3.0),
            "×",
            most(floods.map(|fact| fact.value)),
        ));
    }
    bars
}

/// The rate over 5M tokens against that over 10k.
fn growth(report: &Report, database: Kind, which: &str) -> Option<f64> {
    let rate = |tokens: usize| {
        let mut rows = report.figures.iter().map(|row| (&row.label, row));
        let found = rows.find(|(label, _)| {
            label.case == "introspection"
                && label.of == which
                && label.database == database
                && label.tokens == tokens
                && label.nodes == 1
        });
        // By the ratio to the bare handler beside it: the two were not measured at the same time.
        found.map(|(_, row)| row.of_bare)
    };
    Some(rate(5_000_000)? / rate(10_000)?)
}

fn least(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.min_by(f64::total_cmp)
}

fn most(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.max_by(f64::total_cmp)
}

/// Bar, measured, met. Where a bar is for several figures, the worst of them counts.
pub fn table(report: &Report) -> Result<String> {
    let mut table = "| bar | | measured | met |\n| --- | ---: | ---: | --- |\n".to_owned();
    for bar in bars(report) {
        let (sign, limit, met) = match bar.limit {
            Limit::AtLeast(limit) => ("≥", limit, bar.measured.map(|seen| seen >= limit)),
            Limit::AtMost(limit) => ("≤", limit, bar.measured.map(|seen| seen <= limit)),
        };
        let digits = match bar.unit {
            "" if limit > 0.0 => 2,
            "×" => 1,
            _ => 0,
        };
        let measured = bar.measured.map_or("–".to_owned(), |seen| {
            format!("{seen:.digits$}{}", bar.unit)
        });
        let met = met.map_or("not measured", |met| if met { "yes" } else { "**no**" });
        let (what, unit) = (&bar.what, bar.unit);
        writeln!(
            table,
            "| {what} | {sign} {limit:.digits$}{unit} | {measured} | {met} |"
        )?;
    }
    Ok(table)
}
