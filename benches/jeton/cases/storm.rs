//! Whether a revoked token is inactive for every question that is asked after the revocation was acknowledged, on every
//! node, while thousands are revoked and much is asked.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;

use super::{FORM, Ground, INTROSPECT, stop};
use crate::Result;
use crate::contest::median;
use crate::house::{Draw, House};
use crate::http;
use crate::node::Node;
use crate::process::say;
use crate::report::{Fact, Label};
use crate::wrk::{CONNECTIONS, Load, THREADS, finish, together};

/// Half of them personal access tokens, half access tokens.
const REVOCATIONS: usize = 10_000;
/// How many revoke and look at a time.
const REVOKERS: usize = 16;
/// Asked about meanwhile: the revoked ones, and as many that stay.
const ASKED: usize = 2 * REVOCATIONS;
const REVOKE: &str = "/oauth/revoke";

/// One who revokes and looks.
struct Storm {
    house: House,
    /// Where the tokens are revoked, and where it is looked.
    here: String,
    there: String,
    tokens: Vec<(Draw, String)>,
    next: AtomicUsize,
    stale: AtomicUsize,
}

/// On a copy, since what is revoked stays so.
pub fn run(ground: Ground, count: usize) -> Result<Vec<Fact>> {
    let copy = ground.house.copy(ground.store)?;
    let ground = Ground {
        house: &copy,
        ..ground
    };
    let label = |of: &str| Label {
        case: "storm".to_owned(),
        of: of.to_owned(),
        database: ground.store.kind,
        tokens: copy.tokens,
        nodes: count,
    };
    say(&label("revocations").to_string());
    let nodes = ground.serve(count, &[])?;
    let mut tokens = vec![];
    let mut asked = vec![];
    for draw in [Draw::Personal, Draw::Access] {
        let drawn = copy.draw(draw)?;
        let revoked = drawn.iter().take(REVOCATIONS / 2);
        tokens.extend(revoked.map(|token| (draw, token.clone())));
        let some = drawn.iter().take(ASKED / 2);
        asked.extend(some.map(|token| format!("token={token}")));
    }
    let file = ground.folder.join("storm");
    fs::write(&file, asked.join("\n"))?;
    let revocations = tokens.len();
    let last = nodes.last().ok_or("no node")?;
    let storm = Arc::new(Storm {
        house: copy.clone(),
        here: nodes[0].url(""),
        there: last.url(""),
        tokens,
        next: AtomicUsize::new(0),
        stale: AtomicUsize::new(0),
    });
    let raging = Arc::clone(&storm);
    let raging =
        std::thread::spawn(move || http::wait(raging.rage()).map_err(|error| error.to_string()));
    let mut seen = vec![];
    while !raging.is_finished() {
        seen.push(ask(ground, &nodes, &file)?);
    }
    raging.join().map_err(|_| "the storm panicked")??;
    let fact = |of: &str, value: f64, unit: &str| Fact {
        label: label(of),
        value,
        unit: unit.to_owned(),
    };
    let facts = vec![
        fact("revocations", revocations as f64, ""),
        fact(
            "stale answers",
            storm.stale.load(Ordering::Relaxed) as f64,
            "",
        ),
        fact(
            "introspections a second meanwhile",
            median(seen.iter().map(|seen| seen.rate)),
            "",
        ),
        fact(
            "p99 meanwhile",
            median(seen.iter().map(|seen| seen.p99)),
            "ms",
        ),
    ];
    stop(nodes)?;
    ground.store.remove(&copy.name)?;
    Ok(facts)
}

/// Ask all nodes for two seconds.
fn ask(ground: Ground, nodes: &[Node], file: &std::path::Path) -> Result<crate::wrk::Seen> {
    let mut under_way = vec![];
    for node in nodes {
        let load = Load {
            url: &node.url(INTROSPECT),
            authorization: &ground.house.api,
            content_type: FORM,
            lines: file,
            once: false,
            threads: THREADS.div_ceil(nodes.len()),
            connections: CONNECTIONS / nodes.len(),
            seconds: 2,
        };
        under_way.push(load.start(ground.folder)?);
    }
    let seen: Vec<_> = under_way.into_iter().map(finish).collect();
    let seen: Vec<_> = seen.into_iter().collect::<Result<_>>()?;
    Ok(together(&seen))
}

impl Storm {
    /// Revoke them all, and look after each; at the end look once more at all of them, on both nodes.
    async fn rage(&self) -> Result<()> {
        for done in join_all((0..REVOKERS).map(|_| self.revoke_some())).await {
            done?;
        }
        self.next.store(0, Ordering::Relaxed);
        for done in join_all((0..REVOKERS).map(|_| self.look_again())).await {
            done?;
        }
        Ok(())
    }

    fn take(&self) -> Option<&(Draw, String)> {
        self.tokens.get(self.next.fetch_add(1, Ordering::Relaxed))
    }

    async fn revoke_some(&self) -> Result<()> {
        let client = http::client()?;
        while let Some((draw, token)) = self.take() {
            // Asked about before, so that whoever keeps answers has kept this one.
            if !self.is_active(&client, &self.there, token).await? {
                return Err("a token was inactive before it was revoked".into());
            }
            let mut request = client
                .post(format!("{}{REVOKE}", self.here))
                .header("Content-Type", FORM)
                .body(format!("token={token}"));
            if *draw == Draw::Access {
                request = request.header("Authorization", &self.house.app_authorization);
            }
            let answer = http::answer(request).await?;
            if answer.status != 200 {
                return Err(format!("a revocation was answered {}", answer.status).into());
            }
            if self.is_active(&client, &self.there, token).await? {
                self.stale.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    async fn look_again(&self) -> Result<()> {
        let client = http::client()?;
        while let Some((_, token)) = self.take() {
            for node in [&self.here, &self.there] {
                if self.is_active(&client, node, token).await? {
                    self.stale.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    }

    async fn is_active(&self, client: &reqwest::Client, node: &str, token: &str) -> Result<bool> {
        let request = client
            .post(format!("{node}{INTROSPECT}"))
            .header("Authorization", &self.house.api)
            .header("Content-Type", FORM)
            .body(format!("token={token}"));
        let answer = http::answer(request).await?;
        match (answer.status, answer.body.as_str()) {
            (200, "{\"active\":false}") => Ok(false),
            (200, body) if body.starts_with("{\"active\":true,") => Ok(true),
            (status, _) => Err(format!("an introspection was answered {status}").into()),
        }
    }
}
