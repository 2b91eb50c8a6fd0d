//! What Jeton costs: its requests a second beside those of an actix-web handler that only reads the same request and
//! writes the same answer, and what else docs/performance.md tells of. `bin/bench` runs it.
//!
//! The two are measured in turn, in the same run, by the same wrk: what one machine does at one moment says little, the
//! ratio says what Jeton adds. All traffic stays on 127.0.0.1.

mod args;
mod bare;
mod bars;
mod cases;
mod contest;
mod document;
mod filling;
mod guesser;
mod house;
mod http;
mod insert;
mod node;
mod plot;
mod process;
mod report;
mod store;
mod wrk;

use std::fs;
use std::path::Path;

use args::{Args, Case, Kind};
use cases::{Ground, flood, forward_auth, introspection, start, storm, writing};
use house::House;
use report::{Fact, Figures, Report};
use store::Store;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// For logs, and for what wrk sends.
const WORK: &str = "target/bench/work";
/// Cases that write do so on a copy of the largest database up to this size.
const COPIED: usize = 1_000_000;

fn main() -> Result<()> {
    let given: Vec<String> = std::env::args().collect();
    if let [_, "bare", port, answer] = given.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return bare::serve(port.parse()?, answer);
    }
    let args = Args::read();
    if args.document {
        return document::write();
    }
    process::end_all_on_signal();
    let folder = Path::new(WORK);
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    wrk::prepare(folder)?;
    let mut report = Report::new(&args)?;
    for kind in args.databases() {
        measure(&args, folder, kind, &mut report)?;
    }
    println!("{}", report.markdown()?);
    match report.failures.len() {
        0 => Ok(()),
        count => Err(format!("{count} cases could not be measured").into()),
    }
}

fn measure(args: &Args, folder: &Path, kind: Kind, report: &mut Report) -> Result<()> {
    let store = Store::open(kind, args.fresh)?;
    report.databases.push(store.described()?);
    let mut houses = vec![];
    for &tokens in &args.tokens {
        houses.push(House::open(&store, tokens)?);
    }
    for house in &houses {
        let ground = Ground {
            args,
            folder,
            store: &store,
            house,
        };
        for &nodes in &args.nodes {
            if args.wants(Case::Introspection) {
                report.take(introspection::run(ground, nodes), no_facts)?;
            }
            if args.wants(Case::ForwardAuth) {
                report.take(forward_auth::run(ground, nodes), no_facts)?;
            }
        }
        if args.wants(Case::Start) || args.wants(Case::Memory) {
            report.take(start::run(ground), facts)?;
        }
    }
    let copied = houses.iter().rfind(|house| house.tokens <= COPIED);
    let Some(house) = copied.or(houses.first()) else {
        return Ok(());
    };
    let ground = Ground {
        args,
        folder,
        store: &store,
        house,
    };
    let writes = [Case::Issuance, Case::Refresh, Case::Creation];
    if writes.into_iter().any(|case| args.wants(case)) {
        report.take(writing::run(ground), no_facts)?;
    }
    if args.wants(Case::Start) {
        report.take(start::on_empty(ground), facts)?;
    }
    if args.wants(Case::Flood) {
        report.take(flood::run(ground), facts)?;
    }
    for &nodes in &args.nodes {
        if args.wants(Case::Storm) {
            report.take(storm::run(ground, nodes), facts)?;
        }
    }
    Ok(())
}

fn facts(facts: Vec<Fact>) -> (Vec<Figures>, Vec<Fact>) {
    (vec![], facts)
}

fn no_facts(figures: Vec<Figures>) -> (Vec<Figures>, Vec<Fact>) {
    (figures, vec![])
}

impl Report {
    /// Add what a case has brought, and write the report as far as it goes. A case that fails leaves the others alone.
    fn take<T>(
        &mut self,
        outcome: Result<T>,
        split: impl FnOnce(T) -> (Vec<Figures>, Vec<Fact>),
    ) -> Result<()> {
        match outcome {
            Ok(brought) => {
                let (figures, facts) = split(brought);
                self.figures.extend(figures);
                self.facts.extend(facts);
            }
            Err(error) => {
                process::say(&format!("  failed: {error}"));
                self.failures.push(error.to_string());
            }
        }
        self.write()
    }
}
