//! What is measured: a database full of tokens, made once and kept.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use jeton::app::App;
use jeton::clock::{Clock, Timestamp};
use jeton::config::Config;
use jeton::db::Conn;
use jeton::domain::client::{AuthMethod, Client, GrantType, NewClient};
use jeton::domain::forward_policy::{ForwardPolicy, Headers, Otherwise};
use jeton::domain::redirect_uri::RedirectUri;
use jeton::domain::resource::{NewScope, Resource};
use jeton::domain::secret::{Brands, Secret, SecretKind};
use jeton::domain::tx::{Caller, Tx};
use jeton::domain::words::{DetailsTypes, Scope};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::Result;
use crate::args::Kind;
use crate::filling::{Fate, Filling, Numbered, people};
use crate::process::say;
use crate::store::Store;

pub const ISSUER: &str = "http://jeton.example";
pub const API: &str = "https://notes.example";
pub const SCOPE: &str = "notes:read notes:write";
/// Tokens that wrk draws from, at the most.
const SAMPLE: usize = 200_000;
/// Changes with what is filled in, so that data of another making is not taken for it.
const MAKING: &str = "2";

/// All that has to be known of a database to ask about what is in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct House {
    pub name: String,
    pub tokens: usize,
    /// Every token's secret follows from this and its number.
    seed: String,
    /// When the expired tokens expired.
    expired_at: i64,
    /// How the API that introspects proves who it is.
    pub api: String,
    /// The app with the access tokens, and how it proves who it is.
    pub app: String,
    pub app_authorization: String,
    /// A service, which gets tokens for itself.
    pub service: String,
}

#[derive(QueryableByName)]
struct Kept {
    #[diesel(sql_type = Text)]
    house: String,
}

/// Which tokens are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    Personal,
    Access,
    Inactive,
}

impl House {
    /// The kept database of this size, or a new one.
    pub fn open(store: &Store, tokens: usize) -> Result<Self> {
        let alike = format!("bench_{tokens}_");
        let name = format!("{alike}{}", version(store.kind)?);
        let kept = store.names()?;
        if kept.contains(&name) {
            let mut conn = store.connect(&name)?;
            let kept = diesel::sql_query("SELECT house FROM bench").get_result::<Kept>(&mut conn);
            // Only what was filled to its end says what it is.
            if let Ok(Kept { house }) = kept {
                let mut house: House = serde_json::from_str(&house)?;
                house.freshen(&mut conn)?;
                return Ok(house);
            }
        }
        say(&format!(
            "Filling {} with {tokens} tokens",
            store.kind.name()
        ));
        // Those of another version are in nobody's use any more.
        for old in kept.iter().filter(|old| old.starts_with(&alike)) {
            store.remove(old)?;
        }
        store.make(&name)?;
        store.careless(true)?;
        let house = Self::make(store, name, tokens);
        store.careless(false)?;
        house
    }

    fn make(store: &Store, name: String, tokens: usize) -> Result<Self> {
        let brands = brands()?;
        let seed = brands.mint(SecretKind::ClientSecret);
        let now = Clock::System.now();
        let mut house = furnish(&store.url(&name), name, tokens)?;
        house.seed = seed.expose().to_owned();
        house.expired_at = now.millis();
        let mut conn = store.connect(&house.name)?;
        if let Conn::Sqlite(_) = conn {
            conn.batch_execute("PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000")?;
        }
        house.filling(&brands, &seed, now).fill(&mut conn, tokens)?;
        // As it would be in service: PostgreSQL does this by itself, and nobody does it to SQLite.
        conn.batch_execute(match conn {
            Conn::Sqlite(_) => "PRAGMA wal_checkpoint(TRUNCATE)",
            Conn::Postgres(_) => "VACUUM (ANALYZE)",
        })?;
        conn.batch_execute("CREATE TABLE bench (house TEXT NOT NULL)")?;
        house.keep(&mut conn)?;
        Ok(house)
    }

    /// What more is put into it.
    pub fn filling<'a>(
        &'a self,
        brands: &'a Brands,
        seed: &'a Secret,
        now: Timestamp,
    ) -> Filling<'a> {
        Filling {
            brands,
            seed,
            now,
            app: &self.app,
            scope: SCOPE,
            audience: API,
        }
    }

    /// A copy to write to, so that the kept data stays as it is.
    pub fn copy(&self, store: &Store) -> Result<Self> {
        let name = "bench_scratch".to_owned();
        store.copy(&self.name, &name)?;
        Ok(Self {
            name,
            ..self.clone()
        })
    }

    fn keep(&self, conn: &mut Conn) -> Result<()> {
        let house = serde_json::to_string(self)?;
        conn.batch_execute(&format!(
            "DELETE FROM bench; INSERT INTO bench (house) VALUES ('{house}')"
        ))?;
        Ok(())
    }

    /// See that the expired tokens expired lately: those of yesterday would be swept away while others are measured.
    fn freshen(&mut self, conn: &mut Conn) -> Result<()> {
        let (then, now) = (Timestamp::from_millis(self.expired_at), Clock::System.now());
        if now.since(then) > Duration::from_secs(6 * 60 * 60) {
            let (then, now) = (then.millis(), now.millis());
            conn.batch_execute(&format!(
                "UPDATE tokens SET expires_at = {now} WHERE expires_at = {then}"
            ))?;
            if let Conn::Postgres(_) = conn {
                conn.batch_execute("VACUUM (ANALYZE) tokens")?;
            }
            self.expired_at = now;
            self.keep(conn)?;
        }
        Ok(())
    }

    pub fn people(&self) -> usize {
        people(self.tokens)
    }

    pub fn numbered(&self, number: usize) -> Numbered {
        Numbered {
            number,
            people: self.people(),
        }
    }

    pub fn seed(&self) -> Result<Secret> {
        let seed = brands()?.read(&self.seed);
        Ok(seed.ok_or("the seed is no secret")?)
    }

    /// Secrets drawn uniformly from all of a sort: all of them if there are few.
    pub fn draw(&self, which: Draw) -> Result<Vec<String>> {
        let (brands, seed) = (brands()?, self.seed()?);
        let fits = |token: &Numbered| match which {
            Draw::Personal => token.is_personal() && token.fate() == Fate::Active,
            Draw::Access => !token.is_personal() && token.fate() == Fate::Active,
            Draw::Inactive => token.fate() != Fate::Active,
        };
        let mut random = StdRng::seed_from_u64(self.tokens as u64);
        let numbers = 0..self.tokens;
        let mut numbers: Vec<usize> = numbers
            .filter(|number| fits(&self.numbered(*number)))
            .collect();
        for at in 0..numbers.len().min(SAMPLE) {
            let other = random.random_range(at..numbers.len());
            numbers.swap(at, other);
        }
        numbers.truncate(SAMPLE);
        let secret = |number| self.numbered(number).secret(&brands, &seed);
        Ok(numbers
            .into_iter()
            .map(|number| secret(number).expose().to_owned())
            .collect())
    }
}

pub fn brands() -> Result<Brands> {
    Ok(Brands::new(vec!["jeton".to_owned()])?)
}

/// A server's app on this database, with default settings.
pub fn app(database: &str) -> Result<App> {
    let config = Config::read(None, |variable| match variable {
        "JETON_DATABASE_URL" => Some(database.to_owned()),
        "JETON_ISSUER" => Some(ISSUER.to_owned()),
        _ => None,
    })?;
    Ok(App::open(config, Clock::System)?)
}

/// The tables, an API that asks, a policy for proxies in front of it, an app and a service.
fn furnish(database: &str, name: String, tokens: usize) -> Result<House> {
    let app = app(database)?;
    let caller = Caller::command_line();
    let scopes = SCOPE.split(' ').map(|name| NewScope {
        name: name.to_owned(),
        description: "Read and write your notes".to_owned(),
        reserved: false,
    });
    let scopes: Vec<NewScope> = scopes.collect();
    let (_, api, api_secret) =
        app.write_blocking(&caller, |tx| Resource::create(tx, API, "Notes", &scopes))?;
    let mut policy = policy()?;
    app.write_blocking(&caller, |tx| policy.create(tx))?;
    let redirect_uri = RedirectUri::register("https://app.example/cb")?;
    let types = [GrantType::AuthorizationCode, GrantType::RefreshToken];
    let (client, client_secret) = app.write_blocking(&caller, |tx| {
        client(tx, "Backup Tool", &types, SCOPE, vec![redirect_uri])
    })?;
    let scope = format!("{SCOPE} pats:write");
    let types = [GrantType::ClientCredentials];
    let (service, service_secret) = app.write_blocking(&caller, |tx| {
        self::client(tx, "Nightly Job", &types, &scope, vec![])
    })?;
    Ok(House {
        name,
        tokens,
        seed: String::new(),
        expired_at: 0,
        api: basic(&api.id, api_secret.expose()),
        app_authorization: basic(&client.id, client_secret.expose()),
        app: client.id,
        service: basic(&service.id, service_secret.expose()),
    })
}

/// What a proxy lets through.
fn policy() -> Result<ForwardPolicy> {
    Ok(ForwardPolicy {
        name: "notes".to_owned(),
        audience: API.to_owned(),
        rules: vec![
            "PUT,POST /notes/* notes:write".parse()?,
            "GET /notes/* notes:read".parse()?,
        ],
        otherwise: Otherwise::Deny,
        headers: Headers::default(),
    })
}

fn client(
    tx: &mut Tx,
    name: &str,
    grant_types: &[GrantType],
    scope: &str,
    redirect_uris: Vec<RedirectUri>,
) -> std::result::Result<(Client, Secret), jeton::db::Fault> {
    use jeton::db::Fault;
    let new = NewClient {
        name: name.to_owned(),
        auth_method: AuthMethod::ClientSecret,
        grant_types: grant_types.to_vec(),
        scope: Scope::parse(scope).map_err(|_| Fault::Broken("a bad scope"))?,
        redirect_uris,
        access_token_ttl: None,
        introspect_any: false,
        authorization_details_types: DetailsTypes::default(),
    };
    let (client, secret) = Client::create(tx, new)?;
    Ok((client, secret.ok_or(Fault::Broken("no secret"))?))
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// What the tables are like, and what is filled in: kept data of another version is no use.
fn version(kind: Kind) -> Result<String> {
    let folder = match kind {
        Kind::Sqlite => "migrations/sqlite",
        Kind::Postgres => "migrations/postgres",
    };
    let mut files = vec![];
    for migration in fs::read_dir(folder)? {
        files.push(migration?.path().join("up.sql"));
    }
    files.sort();
    let mut hash = Sha256::new();
    hash.update(MAKING);
    for file in files {
        hash.update(fs::read(file)?);
    }
    let digits = jeton::domain::secret::hex(&hash.finalize());
    Ok(digits[..8].to_owned())
}
