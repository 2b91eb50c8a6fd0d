//! What it costs to ask about a token.

use std::fs;
use std::path::PathBuf;

use super::{FORM, Ground, INTROSPECT, stop};
use crate::Result;
use crate::contest::{Contestant, Supply, compete};
use crate::house::{Draw, House};
use crate::http::{self, Answer};
use crate::node::Node;
use crate::process::say;
use crate::report::{Figures, Label};

/// So few tokens that everything about them is at hand.
const HOT: usize = 1_000;
/// Of how many tokens it is seen that their answers are right.
const CHECKED: usize = 100;

/// Which tokens are asked about.
struct Set {
    what: &'static str,
    draw: Draw,
    only: usize,
    /// Whether it is measured in haste, and on several nodes, too.
    always: bool,
}

const fn set(what: &'static str, draw: Draw, only: usize, always: bool) -> Set {
    Set {
        what,
        draw,
        only,
        always,
    }
}

const SETS: [Set; 5] = [
    set("PAT, random", Draw::Personal, usize::MAX, true),
    set("access token, random", Draw::Access, usize::MAX, true),
    set("PAT, hot", Draw::Personal, HOT, false),
    set("access token, hot", Draw::Access, HOT, false),
    set("inactive, random", Draw::Inactive, usize::MAX, false),
];

/// A set, ready to be sent, and a bare handler that answers as it is answered.
struct Ready {
    set: &'static Set,
    file: PathBuf,
    bare: Node,
}

pub fn run(ground: Ground, count: usize) -> Result<Vec<Figures>> {
    let (store, house) = (ground.store, ground.house);
    let nodes = ground.serve(count, &[])?;
    let label = |case: &str, of: &str| Label {
        case: case.to_owned(),
        of: of.to_owned(),
        database: store.kind,
        tokens: house.tokens,
        nodes: count,
    };
    say(&label("introspection", "all").to_string());
    let mut ready = vec![];
    let all = count == 1 && !ground.args.quick;
    for set in SETS.iter().filter(|set| all || set.always) {
        ready.push(prepare(ground, set, &nodes)?);
    }
    let mut contestants = vec![];
    // What is answered decides: one bare handler for what is active, one for what is not.
    let active = ready.iter().find(|ready| ready.set.draw != Draw::Inactive);
    let inactive = ready.iter().find(|ready| ready.set.draw == Draw::Inactive);
    for ready in active.into_iter().chain(inactive) {
        contestants.push(Contestant {
            label: label("bare handler", ready.set.what),
            nodes: vec![&ready.bare; count],
            store: None,
            path: INTROSPECT,
            authorization: house.api.clone(),
            content_type: FORM,
            supply: Supply::Drawn(ready.file.clone()),
            bare: contestants.len(),
            beside: None,
        });
    }
    for ready in &ready {
        contestants.push(Contestant {
            label: label("introspection", ready.set.what),
            nodes: nodes.iter().collect(),
            store: Some(store),
            path: INTROSPECT,
            authorization: house.api.clone(),
            content_type: FORM,
            supply: Supply::Drawn(ready.file.clone()),
            bare: usize::from(ready.set.draw == Draw::Inactive),
            beside: None,
        });
    }
    let figures = compete(ground.args, ground.folder, &contestants)?;
    drop(contestants);
    stop(nodes)?;
    Ok(figures)
}

fn prepare(ground: Ground, set: &'static Set, nodes: &[Node]) -> Result<Ready> {
    let mut tokens = ground.house.draw(set.draw)?;
    tokens.truncate(set.only);
    let bodies: Vec<String> = tokens
        .iter()
        .map(|token| format!("token={token}"))
        .collect();
    let file = ground.folder.join(set.what.replace([' ', ','], "-"));
    fs::write(&file, bodies.join("\n"))?;
    let answer = check(nodes, ground.house, &bodies, set.draw != Draw::Inactive)?;
    let bare = ground.bare(&answer, "token", INTROSPECT)?;
    Ok(Ready { set, file, bare })
}

/// See that the answers are right on every node; one of them.
fn check(nodes: &[Node], house: &House, bodies: &[String], active: bool) -> Result<Answer> {
    let mut last = Err("there is nothing to ask about".into());
    for node in nodes {
        for body in bodies.iter().take(CHECKED) {
            let answer = http::post(&node.url(INTROSPECT), &house.api, FORM, body)?;
            let expected = format!("{{\"active\":{active}");
            if answer.status != 200 || !answer.body.starts_with(&expected) {
                return Err(format!("the answer is {}: {}", answer.status, answer.body).into());
            }
            last = Ok(answer);
        }
    }
    last
}
