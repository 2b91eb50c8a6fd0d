//! What it costs a proxy to ask about a request.

use std::fs;

use super::{FORM, FORWARD_AUTH, Ground, stop};
use crate::Result;
use crate::contest::{Contestant, Supply, compete};
use crate::house::Draw;
use crate::http::{self, Answer};
use crate::node::Node;
use crate::process::say;
use crate::report::{Figures, Label};

/// Of how many tokens it is seen that their answers are right.
const CHECKED: usize = 100;
const OF: &str = "PAT, random";

pub fn run(ground: Ground, count: usize) -> Result<Vec<Figures>> {
    let (store, house) = (ground.store, ground.house);
    let nodes = ground.serve(count, &[])?;
    let label = |case: &str| Label {
        case: case.to_owned(),
        of: OF.to_owned(),
        database: store.kind,
        tokens: house.tokens,
        nodes: count,
    };
    say(&label("forward-auth").to_string());
    let tokens = house.draw(Draw::Personal)?;
    let lines: Vec<String> = tokens.iter().map(|it| format!("Bearer {it}")).collect();
    let file = ground.folder.join("forward-auth");
    fs::write(&file, lines.join("\n"))?;
    let answer = check(&nodes, &lines)?;
    let bare = ground.bare(&answer, "", FORWARD_AUTH)?;
    let contestant = |case, nodes, store| Contestant {
        label: label(case),
        nodes,
        store,
        path: FORWARD_AUTH,
        authorization: String::new(),
        content_type: FORM,
        supply: Supply::Drawn(file.clone()),
        bare: 0,
        beside: None,
    };
    let contestants = [
        contestant("bare handler", vec![&bare; count], None),
        contestant("forward-auth", nodes.iter().collect(), Some(store)),
    ];
    let figures = compete(ground.args, ground.folder, &contestants)?;
    drop(contestants);
    stop(nodes)?;
    Ok(figures)
}

/// See that the answers are right on every node; one of them.
fn check(nodes: &[Node], lines: &[String]) -> Result<Answer> {
    let mut last = Err("there is nothing to ask about".into());
    for node in nodes {
        for line in lines.iter().take(CHECKED) {
            let answer = http::question(&node.url(FORWARD_AUTH), line)?;
            let told = |(name, _): &(String, String)| name == "x-auth-subject";
            if answer.status != 200 || !answer.headers.iter().any(told) {
                return Err(format!("the answer is {}: {}", answer.status, answer.body).into());
            }
            last = Ok(answer);
        }
    }
    last
}
