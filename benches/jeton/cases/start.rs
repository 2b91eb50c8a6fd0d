//! How long it takes from nothing to the first good answer, and how much memory a server has that is asked nothing.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{FORM, Ground, INTROSPECT};
use crate::Result;
use crate::args::Case;
use crate::contest::median;
use crate::house::Draw;
use crate::node::Node;
use crate::process::{self, say};
use crate::report::{Fact, Label};

const TIMES: usize = 10;
/// How long a server is left alone before its memory is looked at.
const IDLE: Duration = Duration::from_secs(3);

/// On a database with no table in it yet, which the server makes first.
pub fn on_empty(ground: Ground) -> Result<Vec<Fact>> {
    let name = "bench_empty";
    let store = ground.store;
    say(&format!("start, empty {}", store.kind.name()));
    let mut times = vec![];
    for _ in 0..TIMES {
        store.make(name)?;
        let asked = "GET /readyz HTTP/1.1\r\nHost: jeton\r\n\r\n";
        let (time, node) = started(ground, &store.url(name), asked)?;
        times.push(time);
        node.stop()?;
    }
    store.remove(name)?;
    let mut fact = fact(ground, "start", "to the first answer", "ms", times);
    fact.label.tokens = 0;
    Ok(vec![fact])
}

pub fn run(ground: Ground) -> Result<Vec<Fact>> {
    let house = ground.house;
    let tokens = house.draw(Draw::Personal)?;
    let body = format!("token={}", tokens.first().ok_or("no token")?);
    let asked = format!(
        "POST {INTROSPECT} HTTP/1.1\r\nHost: jeton\r\nAuthorization: {}\r\nContent-Type: {FORM}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        house.api,
        body.len(),
    );
    ground.store.warm(&house.name)?;
    let url = ground.store.url(&house.name);
    let mut facts = vec![];
    if ground.args.wants(Case::Start) {
        say(&format!("start, {}", ground.store.kind.name()));
        let mut times = vec![];
        for _ in 0..TIMES {
            let (time, node) = started(ground, &url, &asked)?;
            times.push(time);
            node.stop()?;
        }
        facts.push(fact(ground, "start", "to the first answer", "ms", times));
    }
    if ground.args.wants(Case::Memory) {
        let (_, node) = started(ground, &url, &asked)?;
        std::thread::sleep(IDLE);
        let (resident, anonymous) = process::memory(node.process.0)?;
        facts.push(fact(ground, "memory", "idle", "MB", vec![resident]));
        facts.push(fact(
            ground,
            "memory",
            "idle, anonymous",
            "MB",
            vec![anonymous],
        ));
        node.stop()?;
    }
    Ok(facts)
}

fn fact(ground: Ground, case: &str, of: &str, unit: &str, values: Vec<f64>) -> Fact {
    Fact {
        label: Label {
            case: case.to_owned(),
            of: of.to_owned(),
            database: ground.store.kind,
            tokens: ground.house.tokens,
            nodes: 1,
        },
        value: median(values.into_iter()),
        unit: unit.to_owned(),
    }
}

/// Start a server; the milliseconds until it has answered a request well.
fn started(ground: Ground, url: &str, asked: &str) -> Result<(f64, Node)> {
    let began = Instant::now();
    let node = Node::serve(url, ground.folder, &[])?;
    let mut stream = loop {
        match TcpStream::connect(("127.0.0.1", node.port)) {
            Ok(stream) => break stream,
            Err(error) if began.elapsed() > Duration::from_secs(60) => return Err(error.into()),
            Err(_) => std::thread::sleep(Duration::from_micros(200)),
        }
    };
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(asked.as_bytes())?;
    let mut answer = [0; 2048];
    let read = stream.read(&mut answer)?;
    let took = began.elapsed();
    if !answer[..read].starts_with(b"HTTP/1.1 200") {
        let said = String::from_utf8_lossy(&answer[..read]).into_owned();
        return Err(format!("the first answer is {said}").into());
    }
    Ok((took.as_secs_f64() * 1e3, node))
}
