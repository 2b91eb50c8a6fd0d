//! What is measured: a database full of tokens.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jeton::app::App;
use jeton::clock::Clock;
use jeton::config::Config;
use jeton::db::Fault;
use jeton::domain::client::{AuthMethod, Client, GrantType, NewClient, PERSONAL_ACCESS_TOKEN};
use jeton::domain::grant::{Grant, NewGrant, Origin, Via};
use jeton::domain::redirect_uri::RedirectUri;
use jeton::domain::resource::{NewScope, Resource};
use jeton::domain::token::{NewToken, Token, TokenKind};
use jeton::domain::tx::{Caller, Tx};
use jeton::domain::user::User;
use jeton::domain::words::{Audience, Scope};

use crate::{API, PEOPLE, READ, Result, TOKENS};

/// A database with people, their tokens, and an API that asks.
pub struct House {
    pub authorization: String,
    pub personal: Vec<String>,
    pub access: Vec<String>,
}

pub fn furnish(database: &str) -> Result<House> {
    let config = Config::read(None, |variable| {
        (variable == "JETON_DATABASE_URL").then(|| database.to_owned())
    })?;
    let app = App::open(config, Clock::System)?;
    let caller = Caller::command_line();
    let scopes = [NewScope {
        name: READ.to_owned(),
        description: "Read your notes".to_owned(),
        reserved: false,
    }];
    let (_, api, secret) =
        app.write_blocking(&caller, |tx| Resource::create(tx, API, "Notes", &scopes))?;
    let people = app.write_blocking(&caller, |tx| {
        let person = |number| User::create(tx, &format!("person{number}"), None, false, None);
        (0..PEOPLE)
            .map(person)
            .collect::<std::result::Result<Vec<_>, _>>()
    })?;
    let redirect_uri = RedirectUri::register("https://app.example/cb")?;
    let (personal, access) = app.write_blocking(&caller, |tx| {
        let client = NewClient {
            name: "Backup Tool".to_owned(),
            auth_method: AuthMethod::ClientSecret,
            grant_types: vec![GrantType::AuthorizationCode],
            scope: Scope::parse(READ).expect("a good scope"),
            redirect_uris: vec![redirect_uri],
            access_token_ttl: None,
            introspect_any: false,
        };
        let (client, _) = Client::create(tx, client)?;
        let personal = issue(tx, &people, PERSONAL_ACCESS_TOKEN, Origin::Personal)?;
        let access = issue(tx, &people, &client.id, Origin::AuthorizationCode)?;
        Ok::<_, Fault>((personal, access))
    })?;
    let pair = STANDARD.encode(format!("{}:{}", api.id, secret.expose()));
    Ok(House {
        authorization: format!("Basic {pair}"),
        personal,
        access,
    })
}

/// Tokens with a grant each, without the checks that making one by one goes through.
fn issue(
    tx: &mut Tx,
    people: &[User],
    client: &str,
    origin: Origin,
) -> std::result::Result<Vec<String>, Fault> {
    let scope = Scope::parse(READ).map_err(|_| Fault::Broken("a bad scope"))?;
    let audience = Audience::of([API]).map_err(|_| Fault::Broken("a bad audience"))?;
    let kind = match origin {
        Origin::Personal => TokenKind::Personal,
        _ => TokenKind::Access,
    };
    let end = tx.now + Duration::from_secs(86_400);
    (0..TOKENS)
        .map(|number| {
            let name = format!("token {number}");
            let new = NewGrant {
                user_id: Some(people[number % people.len()].id),
                client_id: client,
                origin,
                scope: &scope,
                audience: &audience,
                name: (origin == Origin::Personal).then_some(name.as_str()),
                description: None,
                via: Via::CommandLine,
                auth_time: None,
            };
            let grant = Grant::create(tx, new)?;
            let secret = tx.policy.brands.mint(kind.secret_kind());
            let new = NewToken {
                grant: &grant,
                kind,
                expires_at: Some(end),
                scope: None,
                audience: None,
            };
            Token::issue(tx, &secret, new)?;
            Ok(secret.expose().to_owned())
        })
        .collect()
}
