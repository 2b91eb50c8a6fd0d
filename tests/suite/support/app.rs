//! An app: what sends people to the authorization endpoint and comes to the token endpoint.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jeton::domain::client::{AuthMethod, Client, GrantType, NewClient};
use jeton::domain::redirect_uri::RedirectUri;
use jeton::domain::tx::Caller;
use jeton::domain::words::{DetailsTypes, Scope};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::server::json;
use super::{Browser, Page, Server, query};

/// How an app is registered. The default is a confidential app at `https://app.example/cb` with every grant type that
/// may ask for `notes:read` and `notes:write`.
#[derive(Clone)]
pub struct AppOptions {
    pub name: &'static str,
    pub auth_method: AuthMethod,
    pub grants: Vec<GrantType>,
    pub scope: &'static str,
    pub redirect_uris: Vec<&'static str>,
    pub access_token_ttl: Option<std::time::Duration>,
    /// The types of authorization details that it may ask for.
    pub details_types: &'static str,
}

impl Default for AppOptions {
    fn default() -> Self {
        Self {
            name: "Backup Tool",
            auth_method: AuthMethod::ClientSecret,
            grants: GrantType::ALL.to_vec(),
            scope: "notes:read notes:write",
            redirect_uris: vec!["https://app.example/cb"],
            access_token_ttl: None,
            details_types: "",
        }
    }
}

impl AppOptions {
    /// A public app on the person's own computer.
    pub fn public() -> Self {
        Self {
            auth_method: AuthMethod::None,
            grants: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            redirect_uris: vec!["http://127.0.0.1/cb"],
            ..Self::default()
        }
    }
}

#[derive(Clone)]
pub struct App {
    pub client_id: String,
    pub client_secret: Option<String>,
    pub redirect_uri: String,
    url: String,
    http: reqwest::Client,
}

/// The tokens an app got.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: Option<String>,
    pub answer: Value,
}

impl Tokens {
    pub fn refresh(&self) -> &str {
        self.refresh
            .as_deref()
            .expect("the answer has a refresh token")
    }
}

/// What an app sends with an authorization request. The default is all that is needed and nothing more.
#[derive(Clone)]
pub struct CodeFlow {
    pub params: Vec<(String, String)>,
    pub verifier: String,
}

impl CodeFlow {
    pub fn new(app: &App, scope: &str) -> Self {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let pairs = [
            ("response_type", "code"),
            ("client_id", &app.client_id),
            ("redirect_uri", &app.redirect_uri),
            ("scope", scope),
            ("state", "af0ifjsldkj"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let params = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            params: params.to_vec(),
            verifier,
        }
    }

    /// Set a parameter, or change it.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.and(name, value)
    }

    /// Add a parameter, even if it is there already.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.params.retain(|(each, _)| each != name);
        self
    }

    /// Path and query of the authorization endpoint.
    pub fn path(&self) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.params.iter().map(|(name, value)| (name, value)))
            .finish();
        format!("/oauth/authorize?{query}")
    }
}

impl App {
    pub(super) fn register(server: &Server, options: AppOptions) -> Self {
        let redirect_uris: Vec<RedirectUri> = options
            .redirect_uris
            .iter()
            .map(|uri| RedirectUri::register(uri).expect("the redirect URI is good"))
            .collect();
        let redirect_uri = redirect_uris.first().map(|uri| uri.as_str().to_owned());
        let new = NewClient {
            name: options.name.to_owned(),
            auth_method: options.auth_method,
            grant_types: options.grants,
            scope: Scope::parse(options.scope).expect("the scope is well-formed"),
            redirect_uris,
            access_token_ttl: options.access_token_ttl,
            introspect_any: false,
            authorization_details_types: DetailsTypes::parse(options.details_types)
                .expect("the types are well-formed"),
        };
        let made = server.app.write_blocking(&Caller::command_line(), |tx| {
            Client::create(tx, new).map_err(jeton::db::Fault::from)
        });
        let (client, secret) = made.expect("the app is registered");
        Self {
            client_id: client.id,
            client_secret: secret.map(|secret| secret.expose().to_owned()),
            redirect_uri: redirect_uri.unwrap_or_default(),
            url: server.url.clone(),
            http: server.http.clone(),
        }
    }

    /// An app that was registered some other way.
    pub fn known(
        url: &str,
        client_id: String,
        client_secret: Option<String>,
        redirect_uri: &str,
    ) -> Self {
        Self {
            client_id,
            client_secret,
            redirect_uri: redirect_uri.to_owned(),
            url: url.to_owned(),
            http: super::server::client(),
        }
    }

    /// The same app, at another node.
    pub fn at(&self, node: &Server) -> Self {
        Self {
            url: node.url.clone(),
            ..self.clone()
        }
    }

    /// The same app, with another secret.
    pub fn with_secret(&self, secret: &str) -> Self {
        Self {
            client_secret: Some(secret.to_owned()),
            ..self.clone()
        }
    }

    /// An authorization request for this scope.
    pub fn asks(&self, scope: &str) -> CodeFlow {
        CodeFlow::new(self, scope)
    }

    /// A form to an endpoint, with this app's credentials: Basic if it has a secret, else its name in the body.
    pub fn form(&self, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        let request = self.http.post(format!("{}{path}", self.url));
        match &self.client_secret {
            Some(secret) => request.basic_auth(&self.client_id, Some(secret)).form(form),
            None => {
                let mut form = form.to_vec();
                form.push(("client_id", &self.client_id));
                request.form(&form)
            }
        }
    }

    /// The answer of the token endpoint to this form.
    pub async fn token(&self, form: &[(&str, &str)]) -> Response {
        self.form("/oauth/token", form)
            .send()
            .await
            .expect("the server answers")
    }

    /// The person at `browser` allows all that is asked; the code that comes of it.
    pub async fn code(&self, browser: &Browser, flow: &CodeFlow) -> String {
        let page = browser.get(&flow.path()).await;
        let redirect = match page.status {
            303 => page,
            _ => self.allow(browser, &page).await,
        };
        let answer = query(redirect.location());
        answer
            .get("code")
            .unwrap_or_else(|| panic!("no code in {}", redirect.location()))
            .clone()
    }

    /// Say yes on a consent page, to all that is ticked.
    pub async fn allow(&self, browser: &Browser, page: &Page) -> Page {
        let (scopes, details) = (page.offered(), page.offered_details());
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let page = browser
            .decide_on_details(page, "allow", &scopes, &details)
            .await;
        assert_eq!(page.status, 303, "{}", page.body);
        page
    }

    /// Redeem a code as it should be done.
    pub async fn redeem(&self, flow: &CodeFlow, code: &str) -> Response {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &flow.verifier),
        ])
        .await
    }

    /// The whole code flow: the person at `browser` allows all of `scope`.
    pub async fn let_in(&self, browser: &Browser, scope: &str) -> Tokens {
        let flow = self.asks(scope);
        let code = self.code(browser, &flow).await;
        tokens(self.redeem(&flow, &code).await).await
    }

    pub async fn refresh(&self, refresh_token: &str) -> Response {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ])
        .await
    }

    /// Tokens for the app itself.
    pub async fn own_token(&self, scope: &str) -> Tokens {
        tokens(
            self.token(&[("grant_type", "client_credentials"), ("scope", scope)])
                .await,
        )
        .await
    }

    pub async fn revoke(&self, token: &str) -> Response {
        self.form("/oauth/revoke", &[("token", token)])
            .send()
            .await
            .expect("the server answers")
    }
}

/// The tokens of an answer that has to be good.
pub async fn tokens(answer: Response) -> Tokens {
    let answer = json(answer, 200).await;
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    Tokens {
        access: text("access_token").expect("an access token"),
        refresh: text("refresh_token"),
        answer,
    }
}
