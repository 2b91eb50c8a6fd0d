//! What it costs to make something that lasts: tokens for services, new tokens for refresh tokens, personal access tokens.

use std::cell::Cell;
use std::fs;

use diesel::prelude::*;
use jeton::clock::Clock;
use jeton::db::schema::users;
use jeton::domain::id::Id;

use super::{FORM, Ground, TOKEN, stop};
use crate::Result;
use crate::args::Case;
use crate::contest::{Contestant, Supply, compete};
use crate::filling::is_disabled;
use crate::house::{ISSUER, brands};
use crate::http::{self, Answer};
use crate::node::Node;
use crate::process::say;
use crate::report::{Figures, Label};

/// Personal access tokens that one person gets, well below what the settings allow.
const EACH: usize = 50;

/// Makes so many lines.
type Fresh<'a> = Box<dyn Fn(usize) -> Result<Vec<String>> + 'a>;

/// What is sent to make something.
struct Making<'a> {
    case: &'static str,
    of: &'static str,
    path: &'static str,
    /// The same as a route of actix-web's.
    route: &'static str,
    authorization: String,
    content_type: &'static str,
    needs: &'static str,
    /// New lines, if none may be sent twice; otherwise the one that is.
    fresh: Option<Fresh<'a>>,
    line: String,
}

/// On a copy, which is thrown away.
pub fn run(ground: Ground) -> Result<Vec<Figures>> {
    let copy = ground.house.copy(ground.store)?;
    let ground = Ground {
        house: &copy,
        ..ground
    };
    let nodes = ground.serve(1, &[])?;
    let url = |path: &str| nodes[0].url(path);
    let mut figures = vec![];
    let people = Cell::new(copy.people());
    if ground.args.wants(Case::Issuance) {
        figures.extend(measure(ground, &nodes[0], client_credentials(ground))?);
    }
    if ground.args.wants(Case::Refresh) {
        figures.extend(measure(ground, &nodes[0], refresh(ground)?)?);
    }
    if ground.args.wants(Case::Creation) {
        let manager = manager(&url(TOKEN), &copy.service)?;
        figures.extend(measure(
            ground,
            &nodes[0],
            creation(ground, manager, &people),
        )?);
    }
    stop(nodes)?;
    ground.store.remove(&copy.name)?;
    Ok(figures)
}

fn client_credentials(ground: Ground) -> Making {
    Making {
        case: "issuance",
        of: "client_credentials",
        path: TOKEN,
        route: TOKEN,
        authorization: ground.house.service.clone(),
        content_type: FORM,
        needs: "grant_type",
        fresh: None,
        line: "grant_type=client_credentials&scope=notes%3Aread".to_owned(),
    }
}

/// Each request rotates a refresh token of its own.
fn refresh(ground: Ground) -> Result<Making> {
    let (store, house) = (ground.store, ground.house);
    let live = users::table.filter(users::disabled_at.is_null());
    let owners: Vec<Id> = live
        .select(users::id)
        .load(&mut store.connect(&house.name)?)?;
    let fresh = move |count: usize| {
        let (brands, seed) = (brands()?, house.seed()?);
        let filling = house.filling(&brands, &seed, Clock::System.now());
        let owners: Vec<Id> = owners.iter().cycle().take(count).copied().collect();
        let made = filling.refresh_tokens(&mut store.connect(&house.name)?, &owners)?;
        let line = |secret: &jeton::domain::secret::Secret| {
            format!("grant_type=refresh_token&refresh_token={}", secret.expose())
        };
        Ok(made.iter().map(line).collect())
    };
    Ok(Making {
        case: "refresh",
        of: "rotation",
        path: TOKEN,
        route: TOKEN,
        authorization: house.app_authorization.clone(),
        content_type: FORM,
        needs: "refresh_token",
        fresh: Some(Box::new(fresh)),
        line: String::new(),
    })
}

/// Each request makes a personal access token, for people who come with each round.
fn creation<'a>(ground: Ground<'a>, manager: String, people: &'a Cell<usize>) -> Making<'a> {
    let (store, house) = (ground.store, ground.house);
    let fresh = move |count: usize| {
        let (brands, seed) = (brands()?, house.seed()?);
        let filling = house.filling(&brands, &seed, Clock::System.now());
        let first = people.get();
        let last = first + 2 + count * 30 / 29 / EACH;
        people.set(last);
        let ids = filling.people(&mut store.connect(&house.name)?, first..last)?;
        let live = ids.iter().zip(first..last);
        let live = live.filter(|(_, number)| !is_disabled(*number));
        let live: Vec<&Id> = live.map(|(id, _)| id).collect();
        let line = |number: usize| {
            format!(
                "/api/users/{}/personal-access-tokens {{\"name\":\"token {number}\",\"scopes\":[\"notes:read\"]}}",
                live[number % live.len()]
            )
        };
        Ok((0..count).map(line).collect())
    };
    Making {
        case: "creation",
        of: "PAT by the API",
        path: "/",
        route: "/api/users/{user}/personal-access-tokens",
        authorization: manager,
        content_type: "application/json",
        needs: "name",
        fresh: Some(Box::new(fresh)),
        line: String::new(),
    }
}

/// The access token of one who may make tokens for anybody.
fn manager(url: &str, service: &str) -> Result<String> {
    let body = format!("grant_type=client_credentials&scope=pats%3Awrite&resource={ISSUER}/api");
    let answer = http::post(url, service, FORM, &body)?;
    let json: serde_json::Value = serde_json::from_str(&answer.body)?;
    let token = json["access_token"].as_str();
    Ok(format!(
        "Bearer {}",
        token.ok_or("the manager got no token")?
    ))
}

fn measure(ground: Ground, node: &Node, making: Making) -> Result<Vec<Figures>> {
    let label = |case: &str| Label {
        case: case.to_owned(),
        of: making.of.to_owned(),
        database: ground.store.kind,
        tokens: ground.house.tokens,
        nodes: 1,
    };
    say(&label(making.case).to_string());
    let one = match &making.fresh {
        Some(fresh) => fresh(1)?.pop().ok_or("there is no line")?,
        None => making.line.clone(),
    };
    let answer = making.send(node, &one)?;
    let bare = ground.bare(&answer, making.needs, making.route)?;
    let drawn = ground.folder.join("one");
    fs::write(&drawn, &one)?;
    let lines = ground.folder.join("fresh");
    let supply = match &making.fresh {
        Some(fresh) => Supply::Fresh(Box::new(|count| {
            fs::write(&lines, fresh(count)?.join("\n"))?;
            Ok(lines.clone())
        })),
        None => Supply::Drawn(drawn.clone()),
    };
    let bare = Contestant {
        label: label("bare handler"),
        nodes: vec![&bare],
        store: None,
        path: making.path,
        authorization: making.authorization.clone(),
        content_type: making.content_type,
        supply: Supply::Drawn(drawn),
        bare: 0,
        beside: None,
    };
    let server = Contestant {
        label: label(making.case),
        nodes: vec![node],
        store: Some(ground.store),
        path: making.path,
        authorization: making.authorization.clone(),
        content_type: making.content_type,
        supply,
        bare: 0,
        beside: None,
    };
    compete(ground.args, ground.folder, &[bare, server])
}

impl Making<'_> {
    /// Send one line, as wrk will send the others.
    fn send(&self, node: &Node, line: &str) -> Result<Answer> {
        let (path, body) = match line.starts_with('/') {
            true => line.split_once(' ').ok_or("a line without a body")?,
            false => (self.path, line),
        };
        let url = node.url(path);
        let answer = http::post(&url, &self.authorization, self.content_type, body)?;
        match answer.status {
            200..300 => Ok(answer),
            status => Err(format!("the answer is {status}: {}", answer.body).into()),
        }
    }
}
