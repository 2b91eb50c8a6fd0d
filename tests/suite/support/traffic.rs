//! Clients that get tokens, give them back and ask about them, all at once, and that keep account of what they were told.
//! What they are told wrong ends the test; that they are told nothing is counted.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::rt::task::JoinHandle;
use actix_web::rt::{spawn, time::sleep};
use jeton::domain::secret::random_bytes;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use super::{Jeton, ResourceServer, server::client};

/// How many clients there are. Half of them get access tokens, half personal ones.
const CLIENTS: usize = 6;

/// Who has no answer after this long has found a server that hangs.
pub const NEVER: Duration = Duration::from_secs(10);

/// Longer than anything that is waited for takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the server's settings have to be for it: one issuer for all nodes, and room for many tokens.
pub const BUSY: [(&str, &str); 2] = [("issuer", "http://jeton.example"), ("pat_per_user", "512")];

/// Where it is asked about tokens.
const INTROSPECT: &str = "/oauth/introspect";

/// How often it is looked whether something has come about.
const GLANCE: Duration = Duration::from_millis(5);

/// Wait until something has come about.
pub async fn until(what: &str, come_about: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !come_about().await {
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        sleep(GLANCE).await;
    }
}

/// A number below `bound`, by chance.
pub fn chance(bound: usize) -> usize {
    random_bytes::<8>()
        .iter()
        .fold(0, |number: usize, byte| (number << 7) ^ usize::from(*byte))
        % bound
}

/// What the holder of a token was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Told {
    /// It was given to them, and they keep it.
    Given,
    /// Nothing, since they asked to give it back.
    Nothing,
    /// It is taken back.
    TakenBack,
}

struct Held {
    token: String,
    told: Cell<Told>,
}

/// How it went at one node.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    /// Answers that were as they should be.
    pub answers: usize,
    /// 503, try again.
    pub refusals: usize,
    /// Those of them that were questions about a token.
    pub unknown: usize,
    /// Connections that were refused, on which nothing was sent.
    pub closed_doors: usize,
    /// Requests that were sent and not answered to the end.
    pub lost: usize,
    /// The longest that anybody waited for any of it.
    pub slowest: Duration,
}

/// The clients of one database, and the nodes they go to in turn.
pub struct Traffic {
    state: Rc<State>,
    clients: Vec<JoinHandle<()>>,
}

struct State {
    notes: ResourceServer,
    service: (String, String),
    people: Vec<String>,
    http: reqwest::Client,
    nodes: RefCell<Vec<String>>,
    manager: RefCell<Option<String>>,
    held: RefCell<Vec<Rc<Held>>>,
    tallies: RefCell<BTreeMap<String, Tally>>,
    serial: Cell<usize>,
    over: Cell<bool>,
}

impl Traffic {
    /// Register what the clients need. No server has to run.
    pub fn new(jeton: &Jeton) -> Self {
        let notes = jeton.notes("");
        let scope = "--scope=notes:read pats:write";
        let service = jeton.json(&["client", "create", "--name=Nightly Job", scope]);
        let text = |made: &Value, name: &str| made[name].as_str().expect("a text").to_owned();
        let people = (0..CLIENTS / 2).map(|number| {
            let made = jeton.user(&format!("person{number}"), super::PASSWORD);
            text(&made, "id")
        });
        let state = State {
            notes,
            service: (text(&service, "client_id"), text(&service, "client_secret")),
            people: people.collect(),
            http: client(),
            nodes: RefCell::default(),
            manager: RefCell::default(),
            held: RefCell::default(),
            tallies: RefCell::default(),
            serial: Cell::default(),
            over: Cell::default(),
        };
        Self {
            state: Rc::new(state),
            clients: vec![],
        }
    }

    /// Send the clients to these nodes, from now on.
    pub fn goes_to(&mut self, nodes: &[&str]) {
        *self.state.nodes.borrow_mut() = nodes.iter().map(|url| (*url).to_owned()).collect();
        self.state.over.set(false);
        if self.clients.is_empty() {
            let client = |index| spawn(self.state.clone().be_a_client(index));
            self.clients = (0..CLIENTS).map(client).collect();
        }
    }

    /// How it went at a node since the clients began.
    pub fn at(&self, node: &str) -> Tally {
        let tallies = self.state.tallies.borrow();
        tallies.get(node).copied().unwrap_or_default()
    }

    /// Wait until this is true of what was told at a node.
    pub async fn until(&self, node: &str, what: &str, come_about: impl Fn(Tally) -> bool) {
        let dead = || self.clients.iter().any(JoinHandle::is_finished);
        until(what, async || {
            assert!(!dead(), "a client was told something wrong, see above");
            come_about(self.at(node))
        })
        .await;
    }

    /// Wait until a node has given so many more good answers.
    pub async fn answered(&self, node: &str, more: usize) {
        let before = self.at(node).answers;
        let enough = |tally: Tally| tally.answers >= before + more;
        self.until(node, "good answers", enough).await;
    }

    /// Wait until a node has refused so many more requests for now.
    pub async fn refused(&self, node: &str, more: usize) {
        let before = self.at(node).refusals;
        let enough = |tally: Tally| tally.refusals >= before + more;
        self.until(node, "refusals", enough).await;
    }

    /// End it, when every client has had its last answer.
    pub async fn end(&mut self) {
        self.state.over.set(true);
        for client in self.clients.drain(..) {
            client.await.expect("no client was told something wrong");
        }
    }

    /// Whether all that the clients were told is true, as a node says now; how many tokens that was. One in eight will be
    /// asked about again.
    pub async fn is_all_true(&self, node: &str) -> usize {
        let all = self.state.held.take();
        let asked = Rc::new(all);
        let askers = (0..CLIENTS).map(|index| {
            let (state, asked, node) = (self.state.clone(), asked.clone(), node.to_owned());
            spawn(async move {
                for held in asked.iter().skip(index).step_by(CLIENTS) {
                    let request = state.http.post(format!("{node}{INTROSPECT}"));
                    let request = state.question(request, &held.token);
                    let answer = request.timeout(NEVER).send().await;
                    let answer = answer.expect("the server answers");
                    let answer = super::json(answer, 200).await;
                    match held.told.get() {
                        Told::Given => assert_eq!(answer["active"], true, "a token is lost"),
                        Told::TakenBack => {
                            assert_eq!(answer["active"], false, "a revocation is lost");
                        }
                        Told::Nothing => {}
                    }
                }
            })
        });
        for asker in askers.collect::<Vec<_>>() {
            asker.await.expect("what the clients were told is true");
        }
        let again = asked.iter().step_by(8).cloned();
        self.state.held.borrow_mut().extend(again);
        asked.len()
    }
}

impl State {
    async fn be_a_client(self: Rc<Self>, index: usize) {
        for turn in index.. {
            if self.over.get() {
                return;
            }
            let given = match index % 2 {
                0 => self.get_access_token("notes:read").await,
                _ => self.get_personal_token(&self.people[index / 2]).await,
            };
            if let Some(token) = given {
                let told = Cell::new(Told::Given);
                let held = Rc::new(Held { token, told });
                self.held.borrow_mut().push(held.clone());
                if turn % 2 == 0 {
                    self.give_back(&held).await;
                }
            }
            self.ask_about_some().await;
        }
    }

    async fn get_access_token(&self, scope: &str) -> Option<String> {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        let (id, secret) = &self.service;
        let answer = self.send("/oauth/token", 200, |request| {
            request.basic_auth(id, Some(secret)).form(&form)
        });
        Some(answer.await?["access_token"].as_str()?.to_owned())
    }

    async fn get_personal_token(&self, person: &str) -> Option<String> {
        let known = self.manager.borrow().clone();
        let manager = match known {
            Some(token) => token,
            None => self.get_access_token("pats:write").await?,
        };
        *self.manager.borrow_mut() = Some(manager.clone());
        let serial = self.serial.get();
        self.serial.set(serial + 1);
        let new = json!({"name": format!("token {serial}"), "scopes": ["notes:read"]});
        let path = format!("/api/users/{person}/personal-access-tokens");
        let answer = self.send(&path, 201, |request| {
            request.bearer_auth(&manager).json(&new)
        });
        Some(answer.await?["value"].as_str()?.to_owned())
    }

    /// From the question on, nothing is known of the token until the answer is there.
    async fn give_back(&self, held: &Held) {
        held.told.set(Told::Nothing);
        let form = [("token", &held.token)];
        let (id, secret) = &self.service;
        let answer = self.send("/oauth/revoke", 200, |request| {
            request.basic_auth(id, Some(secret)).form(&form)
        });
        if answer.await.is_some() {
            held.told.set(Told::TakenBack);
        }
    }

    async fn ask_about_some(&self) {
        let held = match self.held.borrow().as_slice() {
            [] => None,
            all => Some(all[chance(all.len())].clone()),
        };
        let Some(held) = held else { return };
        let before = held.told.get();
        let question = |request| self.question(request, &held.token);
        let Some(answer) = self.send(INTROSPECT, 200, question).await else {
            return;
        };
        // Somebody may have asked to give it back in between.
        match (before, held.told.get()) {
            (_, Told::Given) => assert_eq!(answer["active"], true, "a good token is inactive"),
            (Told::TakenBack, _) => assert_eq!(answer["active"], false, "a dead token is active"),
            _ => {}
        }
    }

    fn question(&self, request: RequestBuilder, token: &str) -> RequestBuilder {
        let (id, secret) = (&self.notes.client_id, &self.notes.client_secret);
        let request = request.basic_auth(id, Some(secret));
        request.form(&[("token", token)])
    }

    /// Send a request to a node that lets anybody in. `None` if it was refused for now, or never answered.
    async fn send(
        &self,
        path: &str,
        good: u16,
        fill: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Option<Value> {
        let nodes = self.nodes.borrow().clone();
        let first = chance(nodes.len());
        for node in nodes.iter().cycle().skip(first).take(nodes.len()) {
            let request = fill(self.http.post(format!("{node}{path}")));
            let began = Instant::now();
            let answer = read(request.timeout(NEVER)).await;
            let mut tallies = self.tallies.borrow_mut();
            let tally = tallies.entry(node.clone()).or_default();
            tally.slowest = tally.slowest.max(began.elapsed());
            match answer {
                Err(error) if error.is_timeout() => panic!("no answer in {NEVER:?}: {error}"),
                Err(error) if error.is_connect() => tally.closed_doors += 1,
                Err(error) => {
                    tally.lost += 1;
                    eprintln!("lost: {error:?}");
                    return None;
                }
                Ok((503, retry_after, body)) => {
                    assert_eq!(retry_after.as_deref(), Some("1"), "{body}");
                    assert!(!body.contains("active"), "{body}");
                    tally.refusals += 1;
                    tally.unknown += usize::from(path == INTROSPECT);
                    return None;
                }
                Ok((status, _, body)) => {
                    assert_eq!(status, good, "{path}: {body}");
                    tally.answers += 1;
                    return Some(serde_json::from_str(&body).unwrap_or(Value::Null));
                }
            }
        }
        sleep(GLANCE).await;
        None
    }
}

/// Status, `Retry-After` and body of an answer, if it comes and is whole.
async fn read(request: RequestBuilder) -> reqwest::Result<(u16, Option<String>, String)> {
    let answer: Response = request.send().await?;
    let status = answer.status().as_u16();
    let header = answer.headers().get("retry-after");
    let retry_after = header.and_then(|value| value.to_str().ok().map(str::to_owned));
    Ok((status, retry_after, answer.text().await?))
}
