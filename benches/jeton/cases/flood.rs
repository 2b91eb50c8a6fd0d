//! Whether introspection goes on as before while somebody guesses passwords.

use std::fs;

use super::{FORM, Ground, INTROSPECT, stop};
use crate::Result;
use crate::contest::{Contestant, Supply, compete};
use crate::guesser::{From, Guesser};
use crate::house::Draw;
use crate::process::say;
use crate::report::{Fact, Figures, Label};

/// The guesser's addresses are believed, so that there can be many.
const SETTINGS: [(&str, &str); 1] = [("JETON_TRUSTED_PROXIES", "127.0.0.1")];

const KINDS: [(&str, Option<From>); 3] = [
    ("quiet", None),
    ("flood from many addresses", Some(From::Everywhere)),
    ("flood from one address", Some(From::OneAddress)),
];

/// On a copy, since failures are written.
pub fn run(ground: Ground) -> Result<Vec<Fact>> {
    let copy = ground.house.copy(ground.store)?;
    let ground = Ground {
        house: &copy,
        ..ground
    };
    let label = |of: &str| Label {
        case: "flood".to_owned(),
        of: of.to_owned(),
        database: ground.store.kind,
        tokens: copy.tokens,
        nodes: 1,
    };
    say(&label("passwords").to_string());
    let nodes = ground.serve(1, &SETTINGS)?;
    let tokens = copy.draw(Draw::Personal)?;
    let bodies: Vec<String> = tokens
        .iter()
        .map(|token| format!("token={token}"))
        .collect();
    let file = ground.folder.join("flood");
    fs::write(&file, bodies.join("\n"))?;
    let guessers: Vec<Option<Guesser>> = KINDS
        .iter()
        .map(|(_, from)| from.map(Guesser::new))
        .collect();
    let contestants = KINDS
        .iter()
        .zip(&guessers)
        .map(|((of, _), guesser)| Contestant {
            label: label(of),
            nodes: vec![&nodes[0]],
            store: Some(ground.store),
            path: INTROSPECT,
            authorization: copy.api.clone(),
            content_type: FORM,
            supply: Supply::Drawn(file.clone()),
            // Measured against the quiet rounds.
            bare: 0,
            beside: guesser.as_ref(),
        });
    let contestants: Vec<Contestant> = contestants.collect();
    let figures = compete(ground.args, ground.folder, &contestants)?;
    drop(contestants);
    stop(nodes)?;
    ground.store.remove(&copy.name)?;
    let mut facts = vec![];
    for (figures, guesser) in figures.iter().zip(&guessers) {
        facts.extend(told(figures, guesser.as_ref()));
    }
    Ok(facts)
}

fn told(figures: &Figures, guesser: Option<&Guesser>) -> Vec<Fact> {
    let fact = |what: &str, value: f64, unit: &str| Fact {
        label: Label {
            of: format!("{}: {what}", figures.label.of),
            ..figures.label.clone()
        },
        value,
        unit: unit.to_owned(),
    };
    let mut facts = vec![
        fact("introspections a second", figures.rate, ""),
        fact("p99", figures.p99, "ms"),
    ];
    if let Some(guesser) = guesser {
        facts.push(fact("p99 against quiet", figures.p99_of_bare, "×"));
        for (status, count) in guesser.answered.borrow().iter() {
            let what = match status {
                401 => "guesses hashed and refused",
                429 => "guesses braked",
                503 => "guesses sent away, too many at once",
                _ => "guesses answered otherwise",
            };
            facts.push(fact(what, *count as f64, ""));
        }
    }
    facts
}
