//! A contest: servers and the bare handler beside them are sent the same, in turn, round after round.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::args::Args;
use crate::guesser::Guesser;
use crate::node::{Node, settled, used};
use crate::process;
use crate::report::{Figures, Label};
use crate::store::Store;
use crate::wrk::{self, CONNECTIONS, Load, Seen, THREADS, finish};

/// One who is measured.
pub struct Contestant<'a> {
    pub label: Label,
    pub nodes: Vec<&'a Node>,
    /// None for a bare handler.
    pub store: Option<&'a Store>,
    pub path: &'static str,
    pub authorization: String,
    pub content_type: &'static str,
    pub supply: Supply<'a>,
    /// Which of the contestants it is measured against: its bare handler.
    pub bare: usize,
    /// Who guesses passwords at the first node meanwhile.
    pub beside: Option<&'a Guesser>,
}

/// What is sent.
pub enum Supply<'a> {
    /// Lines of this file, drawn at random.
    Drawn(PathBuf),
    /// New lines for each round, each sent once: so many are asked for.
    Fresh(Box<dyn Fn(usize) -> Result<PathBuf> + 'a>),
}

/// What was seen of one contestant in one round.
#[derive(Debug, Clone, Copy)]
struct Round {
    seen: Seen,
    /// Microseconds of a core for each request.
    cpu: f64,
    database_cpu: f64,
    resident: f64,
    anonymous: f64,
}

/// How many lines a second the first round gets of what is sent once; later ones get twice what any has needed.
const FIRST: f64 = 20_000.0;
/// A round that stood still tells nothing of what the next one needs.
const LEAST: f64 = 2_000.0;

/// Run all rounds; the figures of each contestant.
pub fn compete(args: &Args, folder: &Path, contestants: &[Contestant]) -> Result<Vec<Figures>> {
    let mut rounds: Vec<Vec<Round>> = contestants.iter().map(|_| vec![]).collect();
    for number in 0..=args.rounds {
        for (contestant, rounds) in contestants.iter().zip(&mut rounds) {
            let most = rounds.iter().map(|round| 2.0 * round.seen.rate);
            let needed = most.reduce(f64::max).map_or(FIRST, |most| most.max(LEAST));
            let lines = (needed * f64::from(args.seconds)) as usize;
            let round = contestant.round(args, folder, lines);
            rounds.push(round.map_err(|error| format!("{}: {error}", contestant.label))?);
        }
        process::say(&format!("  round {number} of {}", args.rounds));
    }
    // The first is for warming up.
    for rounds in &mut rounds {
        rounds.remove(0);
    }
    let figures = contestants.iter().zip(&rounds).map(|(contestant, own)| {
        let bare = &rounds[contestant.bare];
        let against = |of: fn(&Round) -> f64| {
            median(own.iter().zip(bare).map(|(own, bare)| of(own) / of(bare)))
        };
        let of = |of: fn(&Round) -> f64| median(own.iter().map(of));
        Figures {
            label: contestant.label.clone(),
            rate: of(|round| round.seen.rate),
            of_bare: against(|round| round.seen.rate),
            p50: of(|round| round.seen.p50),
            p99: of(|round| round.seen.p99),
            p99_of_bare: against(|round| round.seen.p99),
            cpu: of(|round| round.cpu),
            database_cpu: of(|round| round.database_cpu),
            resident: own.iter().map(|round| round.resident).fold(0.0, f64::max),
            anonymous: own.iter().map(|round| round.anonymous).fold(0.0, f64::max),
        }
    });
    Ok(figures.collect())
}

impl Contestant<'_> {
    fn round(&self, args: &Args, folder: &Path, lines: usize) -> Result<Round> {
        let (file, once) = match &self.supply {
            Supply::Drawn(file) => (file.clone(), false),
            Supply::Fresh(make) => (make(lines)?, true),
        };
        let before = used(&self.nodes, self.store)?;
        let share = self.nodes.len();
        let mut under_way = vec![];
        for node in &self.nodes {
            let load = Load {
                url: &node.url(self.path),
                authorization: &self.authorization,
                content_type: self.content_type,
                lines: &file,
                once,
                threads: THREADS.div_ceil(share),
                connections: CONNECTIONS / share,
                seconds: args.seconds,
            };
            under_way.push(load.start(folder)?);
        }
        let guessing = self.beside.map(|guesser| {
            let at_work = guesser.start(self.nodes[0].url("/sign-in"));
            (guesser, at_work)
        });
        let seen: Vec<Result<Seen>> = under_way.into_iter().map(finish).collect();
        if let Some((guesser, at_work)) = guessing {
            guesser.stop(at_work)?;
        }
        let seen: Vec<Seen> = seen.into_iter().collect::<Result<_>>()?;
        let seen = wrk::together(&seen);
        if seen.requests < 1.0 {
            return Err("nothing was answered in a round".into());
        }
        if once && seen.requests >= lines as f64 {
            return Err("wrk had no more lines to send".into());
        }
        let (mut resident, mut anonymous) = (0.0, 0.0);
        for node in &self.nodes {
            let memory = process::memory(node.process.0)?;
            resident = f64::max(resident, memory.0);
            anonymous = f64::max(anonymous, memory.1);
        }
        let after = settled(&self.nodes, self.store)?;
        Ok(Round {
            seen,
            cpu: (after.cpu - before.cpu) * 1e3 / seen.requests,
            database_cpu: (after.database_cpu - before.database_cpu) * 1e3 / seen.requests,
            resident,
            anonymous,
        })
    }
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
