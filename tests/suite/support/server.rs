//! A running server, and short ways to furnish it.

use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::LazyLock;

use actix_web::dev::ServerHandle;
use diesel::prelude::*;
use jeton::app;
use jeton::clock::{Clock, Timestamp};
use jeton::config::{Config, SETTINGS};
use jeton::db::Fault;
use jeton::db::schema::users;
use jeton::domain::client::Client;
use jeton::domain::grant::Via;
use jeton::domain::limits::Limits;
use jeton::domain::password::Password;
use jeton::domain::personal_token::{End, NewPersonalToken, PersonalToken};
use jeton::domain::resource::{Catalogue, NewScope, Resource};
use jeton::domain::service_account::ServiceAccount;
use jeton::domain::tx::{Caller, Tx};
use jeton::domain::user::User;
use jeton::domain::words::{Audience, Scope};
use jeton::web;
use serde_json::Value;

use super::{App, AppOptions, Browser, ResourceServer, TestDatabase};

/// When every test begins, in milliseconds: half a second past, so that a test that mistakes rounding fails.
pub const START: Timestamp = Timestamp::from_millis(1_800_000_000_500);

/// Every person's password, hashed once for all tests.
pub const PASSWORD: &str = "correct horse battery staple";
static PASSWORD_HASH: LazyLock<String> = LazyLock::new(|| Password::new(PASSWORD.into()).hash());

/// One node. Stopped when dropped; its database goes with the last node on it.
pub struct Server {
    /// The issuer and base URL.
    pub url: String,
    pub app: app::App,
    pub clock: Clock,
    pub http: reqwest::Client,
    database: Rc<TestDatabase>,
    settings: Vec<(String, String)>,
    handle: ServerHandle,
}

impl Server {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A server with these settings, by the names of the settings table.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Self::node(
            Rc::new(TestDatabase::new()),
            Clock::held_at(START),
            settings,
            None,
        )
        .await
    }

    /// Another node on the same database, with the same clock and under the same issuer: what a load balancer would
    /// send half of the requests to.
    pub async fn another_node(&self) -> Self {
        let (database, clock) = (self.database.clone(), self.clock.clone());
        Self::node(database, clock, self.settings.clone(), Some(&self.url)).await
    }

    async fn node(
        database: Rc<TestDatabase>,
        clock: Clock,
        settings: Vec<(String, String)>,
        issuer: Option<&str>,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let config = config(&database, &settings, issuer).listening_on(address);
        let app = app::App::open(config, clock.clone()).expect("the server opens its database");
        app.take_address().expect("the server takes up its address");
        let server = web::serve(app.clone(), listener, 2, web::Leaving::default())
            .expect("the server starts");
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            url: base(address),
            app,
            clock,
            http: client(),
            database,
            settings,
            handle,
        }
    }

    pub fn database_url(&self) -> String {
        self.database.url()
    }

    /// All that the database holds, as bytes to search.
    pub fn dump(&self) -> Vec<u8> {
        self.database.dump()
    }

    /// Take a table away from the server, or give it back: every question that needs it fails meanwhile.
    pub fn rename_table(&self, from: &str, to: &str) {
        let rename = format!("ALTER TABLE {from} RENAME TO {to}");
        self.write(|tx| Ok(diesel::sql_query(rename).execute(&mut **tx)?));
    }

    /// Change something behind the server's back, as the operator on the command line does.
    pub fn write<T>(&self, work: impl FnOnce(&mut Tx) -> Result<T, Fault>) -> T {
        self.app
            .write_blocking(&Caller::command_line(), work)
            .expect("the operator's change succeeds")
    }

    /// A person with an account.
    pub fn user(&self, name: &str) -> User {
        self.person(name, false)
    }

    pub fn admin(&self, name: &str) -> User {
        self.person(name, true)
    }

    fn person(&self, name: &str, is_admin: bool) -> User {
        let made = self.app.write_blocking(&Caller::command_line(), |tx| {
            User::create(tx, name, None, is_admin, Some(&PASSWORD_HASH))
        });
        made.expect("the account is made")
    }

    /// A service account with these keepers.
    pub fn service_account(&self, name: &str, keepers: &[&User]) -> User {
        let keepers: Vec<User> = keepers.iter().map(|keeper| (*keeper).clone()).collect();
        let made = self.app.write_blocking(&Caller::command_line(), |tx| {
            ServiceAccount::create(tx, name, "", &keepers)
        });
        made.expect("the service account is made").user
    }

    /// Make somebody an administrator, or one no longer.
    pub fn set_admin(&self, user: &User, is_admin: bool) {
        self.write(|tx| {
            diesel::update(users::table.find(user.id))
                .set(users::is_admin.eq(is_admin))
                .execute(&mut **tx)?;
            Ok(())
        });
    }

    /// Switch a client off, whatever it is.
    pub fn disable_client(&self, id: &str) {
        self.write(|tx| Ok(find_client(tx, id)?.disable(tx)?));
    }

    pub fn enable_client(&self, id: &str) {
        self.write(|tx| Ok(find_client(tx, id)?.enable(tx)?));
    }

    /// A browser in which nobody has signed in.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// A browser elsewhere. The server has to trust a proxy at 127.0.0.1.
    pub fn browser_at(&self, address: &str) -> Browser {
        Browser::from(&self.url, address)
    }

    /// `user`, signed in at a browser of their own.
    pub async fn signed_in(&self, user: &User) -> Browser {
        let browser = self.browser();
        let page = browser.sign_in(&user.username, PASSWORD).await;
        assert_eq!(page.status, 303, "{}", page.body);
        browser
    }

    /// A resource server whose scopes' sentences are made up; a scope that begins with `!` is kept for administrators.
    pub fn resource(&self, uri: &str, scopes: &[&str]) -> ResourceServer {
        let scopes: Vec<NewScope> = scopes
            .iter()
            .map(|name| {
                let bare = name.trim_start_matches('!');
                NewScope {
                    name: bare.to_owned(),
                    description: format!("Do what {bare} is for"),
                    reserved: bare != *name,
                }
            })
            .collect();
        let made = self.app.write_blocking(&Caller::command_line(), |tx| {
            Resource::create(tx, uri, "Notes", &scopes)
        });
        let (resource, client, secret) = made.expect("the resource server is registered");
        ResourceServer::new(&self.url, resource.uri, client.id, secret.expose())
    }

    /// `https://notes.example` with `notes:read`, `notes:write` and, for administrators, `notes:admin`.
    pub fn notes(&self) -> ResourceServer {
        self.resource(
            "https://notes.example",
            &["notes:read", "notes:write", "!notes:admin"],
        )
    }

    /// An app, registered as [`AppOptions`] say.
    pub fn app(&self, options: AppOptions) -> App {
        App::register(self, options)
    }

    /// A personal access token for 90 days, for every resource that defines the scope.
    pub fn personal_token(&self, owner: &User, scope: &str) -> String {
        self.personal_token_until(
            owner,
            scope,
            End::At(self.clock.now() + super::seconds(90 * 86_400)),
        )
    }

    pub fn personal_token_until(&self, owner: &User, scope: &str, end: End) -> String {
        let scope = Scope::parse(scope).expect("the scope is well-formed");
        let made = self.app.write_blocking(&Caller::command_line(), |tx| {
            let audience: Audience = Catalogue::load(tx)?.audience_of(&scope);
            let name = format!("token {}", PersonalToken::all_of(tx, owner.id)?.len() + 1);
            let new = NewPersonalToken {
                name,
                description: String::new(),
                scope,
                audience,
                authorization_details: None,
                end,
                limits: Limits::default(),
                reason: String::new(),
            };
            PersonalToken::create(tx, owner, new, Via::CommandLine)
        });
        made.expect("the token is made").1.expose().to_owned()
    }

    /// Write down now which tokens were used, as the server does every few seconds.
    pub async fn note_uses(&self) {
        let written = jeton::jobs::last_used::flush(&self.app, true).await;
        written.expect("the uses are written");
    }

    /// Send a request of any kind to a path.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.request("GET", path)
    }

    /// Send a form, as it stands.
    pub fn post(&self, path: &str, form: &[(&str, &str)]) -> reqwest::RequestBuilder {
        self.request("POST", path).form(form)
    }

    /// Send a body of form type, to the letter.
    pub fn post_raw(&self, path: &str, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        self.request("POST", path)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Dropping the future is enough: the server lives on this test's runtime, which ends with it.
        drop(self.handle.stop(false));
    }
}

fn find_client(tx: &mut Tx, id: &str) -> Result<Client, Fault> {
    Client::find(tx, id)?.ok_or(Fault::Broken("there is no such client"))
}

fn base(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// A client that follows nothing and keeps no cookies: a test sees each answer as it is.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client can be made")
}

fn config(database: &TestDatabase, settings: &[(String, String)], issuer: Option<&str>) -> Config {
    for (name, _) in settings {
        assert!(
            SETTINGS.iter().any(|setting| setting.name == name),
            "there is no setting {name}"
        );
    }
    let file: String = settings
        .iter()
        .map(|(name, value)| format!("{name} = {value:?}\n"))
        .collect();
    let read = Config::read(Some(("the test".into(), file)), |variable| match variable {
        "JETON_DATABASE_URL" => Some(database.url()),
        "JETON_ISSUER" => issuer.map(str::to_owned),
        _ => None,
    });
    read.expect("the test's settings are good")
}

/// The JSON of an answer that has to have this status.
pub async fn json(answer: reqwest::Response, status: u16) -> Value {
    let (got, body) = (
        answer.status().as_u16(),
        answer.text().await.expect("a body"),
    );
    assert_eq!(got, status, "{body}");
    serde_json::from_str(&body).unwrap_or_else(|_| panic!("not JSON: {body}"))
}
