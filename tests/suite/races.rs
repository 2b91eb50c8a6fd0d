//! What happens once happens once, however many ask for it at the same time and on however many nodes.

use std::collections::BTreeSet;
use std::future::Future;
use std::rc::Rc;
use std::sync::Barrier;

use diesel::prelude::*;
use jeton::app;
use jeton::clock::Clock;
use jeton::config::Config;
use jeton::db::Fault;
use jeton::db::schema::{grants, tokens};
use jeton::domain::service_account::{self, ServiceAccount};
use jeton::domain::token::TokenKind;
use jeton::domain::tx::Caller;
use jeton::domain::user::{self, User};
use serde_json::Value;

use crate::support::{App, AppOptions, START, Server, TestDatabase, json, query, refused};

const CROWD: usize = 50;

/// The outcomes of as many of these as make a crowd, all under way at once.
async fn at_once<T: 'static, F: Future<Output = T> + 'static>(each: impl Fn(usize) -> F) -> Vec<T> {
    let started: Vec<_> = (0..CROWD)
        .map(|index| actix_web::rt::spawn(each(index)))
        .collect();
    let mut outcomes = vec![];
    for task in started {
        outcomes.push(task.await.expect("no request panicked"));
    }
    outcomes
}

/// An app as each of these nodes sees it.
fn at_each(app: &App, nodes: &[&Server]) -> Vec<App> {
    nodes.iter().map(|node| app.at(node)).collect()
}

fn refresh_rows(server: &Server) -> i64 {
    let count = server.app.read_blocking(|rx| {
        let refresh = tokens::table.filter(tokens::kind.eq(TokenKind::Refresh));
        Ok::<_, Fault>(refresh.count().get_result(&mut **rx)?)
    });
    count.expect("the tokens are counted")
}

/// One code, sent fifty times at once to `nodes`: one answer has tokens, and as the rest were replays, they are dead.
async fn one_code_gives_tokens_once(nodes: &[&Server]) {
    let server = nodes[0];
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let flow = app.asks("notes:read");
    let code = app
        .code(&server.signed_in(&server.user("alice")).await, &flow)
        .await;
    let apps = at_each(&app, nodes);

    let answers = at_once(|index| {
        let (app, flow, code) = (apps[index % apps.len()].clone(), flow.clone(), code.clone());
        async move { app.redeem(&flow, &code).await }
    })
    .await;

    let mut given: Vec<Value> = vec![];
    for answer in answers {
        match answer.status().as_u16() {
            200 => given.push(json(answer, 200).await),
            _ => drop(refused(answer, 400, "invalid_grant", "a replay").await),
        }
    }
    assert_eq!(given.len(), 1);
    let (access, refresh) = (&given[0]["access_token"], &given[0]["refresh_token"]);
    for node in nodes {
        assert!(!notes.at(node).accepts(access.as_str().unwrap()).await);
        let answer = app.at(node).refresh(refresh.as_str().unwrap()).await;
        refused(answer, 400, "invalid_grant", "the family has ended").await;
    }
    let made = server
        .app
        .read_blocking(|rx| Ok::<_, Fault>(grants::table.count().get_result::<i64>(&mut **rx)?));
    assert_eq!(made.expect("the grants are counted"), 1);
}

/// "The client MUST NOT use the authorization code more than once." (RFC 6749 §4.1.2)
#[actix_web::test]
async fn a_code_is_redeemed_once() {
    one_code_gives_tokens_once(&[&Server::start().await]).await;
}

#[actix_web::test]
async fn a_code_is_redeemed_once_on_two_nodes() {
    let one = Server::start().await;
    let other = one.another_node().await;
    one_code_gives_tokens_once(&[&one, &other]).await;
}

/// One refresh token, sent fifty times at once to `nodes`: all get the same successor, and it works.
async fn one_refresh_token_has_one_successor(nodes: &[&Server]) {
    let server = nodes[0];
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let alice = server.signed_in(&server.user("alice")).await;
    let first = app.let_in(&alice, "notes:read").await;
    let before = refresh_rows(server);
    let apps = at_each(&app, nodes);

    let answers = at_once(|index| {
        let (app, token) = (apps[index % apps.len()].clone(), first.refresh().to_owned());
        async move { app.refresh(&token).await }
    })
    .await;

    let mut successors = BTreeSet::new();
    for answer in answers {
        let answer = json(answer, 200).await;
        let text = |name: &str| answer[name].as_str().expect("a token").to_owned();
        successors.insert((text("access_token"), text("refresh_token")));
    }
    assert_eq!(successors.len(), 1, "{successors:?}");
    assert_eq!(refresh_rows(server), before + 1);
    let (access, refresh) = successors.first().expect("there is one");
    for node in nodes {
        assert!(notes.at(node).accepts(access).await);
    }
    assert_eq!(app.refresh(refresh).await.status(), 200, "the family lives");
}

/// Of an app with many threads each may refresh: that is no theft (RFC 9700 §4.14.2).
#[actix_web::test]
async fn a_refresh_token_has_one_successor() {
    one_refresh_token_has_one_successor(&[&Server::start().await]).await;
}

#[actix_web::test]
async fn a_refresh_token_has_one_successor_on_two_nodes() {
    let one = Server::start().await;
    let other = one.another_node().await;
    one_refresh_token_has_one_successor(&[&one, &other]).await;
}

/// A button that is pressed fifty times is one answer: one code, and it works. Half of the presses reach another node.
#[actix_web::test]
async fn a_decision_is_made_once() {
    let server = Server::start().await;
    let other = server.another_node().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let alice = Rc::new(server.signed_in(&server.user("alice")).await);
    for round in 0..4 {
        let flow = app.asks("notes:read").set("prompt", "consent");
        let page = alice.get(&flow.path()).await;
        let (csrf, request) = (page.input("csrf"), page.input("request"));

        let pages = at_once(|index| {
            let (alice, csrf, request) = (alice.clone(), csrf.clone(), request.clone());
            let node = [&server.url, &other.url][index % 2];
            let decision = format!("{node}/oauth/authorize/decision");
            async move {
                let form = [
                    ("request", request.as_str()),
                    ("scope", "notes:read"),
                    ("decision", "allow"),
                ];
                alice.submit_with(&csrf, &decision, &form).await
            }
        })
        .await;

        let (sent, refused): (Vec<_>, Vec<_>) = pages.iter().partition(|page| page.status == 303);
        assert_eq!(sent.len(), 1, "one answer counts in round {round}");
        assert!(refused.iter().all(|page| page.status == 400));
        let code = &query(sent[0].location())["code"];
        assert_eq!(app.redeem(&flow, code).await.status(), 200);
    }
}

/// A name is one account's: of people and service accounts that are made of it at once one is, and the others hear why not.
#[actix_web::test]
async fn a_name_is_given_once() {
    let server = Server::start().await;
    let keeper = [server.user("alice")];
    for round in 0..20 {
        let (name, start) = (&format!("ci-{round}"), &Barrier::new(4));
        let made: usize = std::thread::scope(|scope| {
            let person = || {
                start.wait();
                let made = server.app.write_blocking(&Caller::command_line(), |tx| {
                    User::create(tx, name, None, false, None)
                });
                match made {
                    Ok(_) => 1,
                    Err(user::Unfit::Taken(_)) => 0,
                    Err(other) => panic!("{other:?}"),
                }
            };
            let service = || {
                start.wait();
                let made = server.app.write_blocking(&Caller::command_line(), |tx| {
                    ServiceAccount::create(tx, name, "", &keeper)
                });
                match made {
                    Ok(_) => 1,
                    Err(service_account::Unfit::Taken) => 0,
                    Err(other) => panic!("{other:?}"),
                }
            };
            let started = [
                scope.spawn(person),
                scope.spawn(person),
                scope.spawn(service),
                scope.spawn(service),
            ];
            started.map(|one| one.join().unwrap()).iter().sum()
        });
        assert_eq!(made, 1, "round {round}");
    }
}

/// Nodes that are started together on an empty database make its tables once, and all of them live.
#[test]
fn nodes_that_start_together_all_live() {
    for round in 0..5 {
        let database = TestDatabase::new();
        let url = database.url();
        let names: Vec<String> = std::thread::scope(|scope| {
            let start = |name: &'static str| {
                let config = Config::read(None, |variable| match variable {
                    "JETON_DATABASE_URL" => Some(url.clone()),
                    "JETON_DATABASE_CONNECTIONS" => Some("2".to_owned()),
                    _ => None,
                });
                let config = config.expect("the settings are good");
                scope.spawn(move || {
                    let node = app::App::open(config, Clock::held_at(START)).expect(name);
                    node.take_address().expect(name);
                    let made = node.write_blocking(&Caller::command_line(), |tx| {
                        User::create(tx, name, None, false, None)
                    });
                    made.expect(name);
                    node
                })
            };
            let nodes: Vec<_> = ["alice", "bob", "carol", "dave"].map(start).into();
            let nodes: Vec<_> = nodes.into_iter().map(|node| node.join().unwrap()).collect();
            let all = nodes[0].read_blocking(|conn| Ok::<_, Fault>(User::all(conn)?));
            let all = all.expect("the accounts are there");
            all.into_iter().map(|user| user.username).collect()
        });
        assert_eq!(names, ["alice", "bob", "carol", "dave"], "round {round}");
    }
}
