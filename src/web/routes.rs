//! Every URL, its handler, and who may knock. The door is read off the handler's first argument, so it can't be
//! forgotten here; a test knocks on all of them as a stranger.

mod api;

use std::rc::Rc;

use actix_cors::Cors;
use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use actix_web::middleware::Condition;
use actix_web::web::ServiceConfig;
use actix_web::{FromRequest, Handler, HttpRequest, Responder, guard, web};

use super::doors::{Behind, Door};
use super::endpoints::{authorize, forward_auth, health, introspect, metadata, revoke, token};
use super::errors;
use super::openapi::{Answer, Described, Description, Operation};
use super::pages::service_accounts as accounts;
use super::pages::{admin, apps, assets, consent, home, password, sign_in, step_up, tokens};
use crate::metrics::{Endpoint, Http};

pub const AUTHORIZE: &str = "/oauth/authorize";
pub const DECISION: &str = "/oauth/authorize/decision";
pub const TOKEN: &str = "/oauth/token";
pub const INTROSPECT: &str = "/oauth/introspect";
pub const REVOKE: &str = "/oauth/revoke";
pub const METADATA: &str = "/.well-known/oauth-authorization-server";
/// What a proxy asks, with the policy's name behind it.
pub const FORWARD_AUTH_PREFIX: &str = "/forward-auth/";
pub const FORWARD_AUTH: &str = "/forward-auth/{policy}";
/// The same, where the proxy puts the path of the request it asks about behind that.
pub const FORWARD_AUTH_PATH: &str = "/forward-auth/{policy}/{path:.*}";
pub const SIGN_IN: &str = "/sign-in";
pub const STEP_UP: &str = "/step-up";
pub const TOKENS: &str = "/settings/tokens";
pub const APPS: &str = "/settings/apps";
pub const SERVICE_ACCOUNTS: &str = "/settings/service-accounts";
pub const PASSWORD: &str = "/settings/password";
pub const ADMIN_TOKENS: &str = "/admin/tokens";
pub const ADMIN_CSV: &str = "/admin/tokens.csv";
pub const ADMIN_APPROVALS: &str = "/admin/approvals";
pub const ADMIN_POLICY: &str = "/admin/policy";
pub const ADMIN_REVOKE: &str = "/admin/tokens/revoke";

pub use api::LEAKED_TOKENS;

/// The route table.
pub fn all() -> Vec<Route> {
    [for_programs(), for_people(), for_keepers(), api::all()]
        .into_iter()
        .flatten()
        .collect()
}

/// For programs that speak OAuth, proxies, and the operator.
#[rustfmt::skip]
fn for_programs() -> Vec<Route> {
    vec![
        get(METADATA, metadata::get).for_any_origin(),
        get(AUTHORIZE, authorize::get),
        post(TOKEN, token::post).for_any_origin(),
        post(INTROSPECT, introspect::post),
        post(REVOKE, revoke::post).for_any_origin(),

        get(FORWARD_AUTH, forward_auth::answer).by_any_method(),
        get(FORWARD_AUTH_PATH, forward_auth::answer).by_any_method(),

        get("/healthz", health::alive),
        get("/readyz", health::ready),
    ]
}

/// Pages.
#[rustfmt::skip]
fn for_people() -> Vec<Route> {
    vec![
        get("/", home::get),
        get(SIGN_IN, sign_in::get),
        post(SIGN_IN, sign_in::post),
        post("/sign-out", sign_in::out),
        get(STEP_UP, step_up::get),
        post(STEP_UP, step_up::post),
        post(DECISION, consent::post),
        get(TOKENS, tokens::list::get),
        post(TOKENS, tokens::new::post),
        get("/settings/tokens/new", tokens::new::get),
        get("/settings/tokens/{token}", tokens::edit::get),
        post("/settings/tokens/{token}", tokens::edit::post),
        get("/settings/tokens/{token}/revoke", tokens::revoke::get),
        post("/settings/tokens/{token}/revoke", tokens::revoke::post),
        get("/settings/tokens/{token}/rotate", tokens::rotate::get),
        post("/settings/tokens/{token}/rotate", tokens::rotate::post),
        post("/settings/tokens/{token}/rotate/finish", tokens::rotate::finish),
        post("/settings/tokens/{token}/rotate/cancel", tokens::rotate::cancel),
        get(APPS, apps::list),
        get("/settings/apps/{client}/disconnect", apps::confirm),
        post("/settings/apps/{client}/disconnect", apps::disconnect),
        get(PASSWORD, password::get),
        post(PASSWORD, password::post),
        get(ADMIN_TOKENS, admin::list::get),
        get(ADMIN_CSV, admin::csv::get),
        get(ADMIN_REVOKE, admin::revoke::get),
        post(ADMIN_REVOKE, admin::revoke::post),
        get(ADMIN_APPROVALS, admin::approvals::get),
        post("/admin/approvals/{token}", admin::approvals::post),
        get(ADMIN_POLICY, admin::policy::get),
        post(ADMIN_POLICY, admin::policy::post),
        get("/static/{file}", assets::get),
    ]
}

/// Pages of service accounts, and of their tokens: by the handlers of people's own.
#[rustfmt::skip]
fn for_keepers() -> Vec<Route> {
    vec![
        get(SERVICE_ACCOUNTS, accounts::list::get),
        post(SERVICE_ACCOUNTS, accounts::list::post),
        get("/settings/service-accounts/{account}", accounts::account::get),
        post("/settings/service-accounts/{account}/disable", accounts::account::disable),
        post("/settings/service-accounts/{account}/enable", accounts::account::enable),
        post("/settings/service-accounts/{account}/keepers", accounts::account::add),
        post("/settings/service-accounts/{account}/keepers/{user}/remove", accounts::account::remove),
        get("/settings/service-accounts/{account}/tokens", tokens::list::get),
        post("/settings/service-accounts/{account}/tokens", tokens::new::post),
        get("/settings/service-accounts/{account}/tokens/new", tokens::new::get),
        get("/settings/service-accounts/{account}/tokens/{token}", tokens::edit::get),
        post("/settings/service-accounts/{account}/tokens/{token}", tokens::edit::post),
        get("/settings/service-accounts/{account}/tokens/{token}/revoke", tokens::revoke::get),
        post("/settings/service-accounts/{account}/tokens/{token}/revoke", tokens::revoke::post),
        get("/settings/service-accounts/{account}/tokens/{token}/rotate", tokens::rotate::get),
        post("/settings/service-accounts/{account}/tokens/{token}/rotate", tokens::rotate::post),
        post("/settings/service-accounts/{account}/tokens/{token}/rotate/finish", tokens::rotate::finish),
        post("/settings/service-accounts/{account}/tokens/{token}/rotate/cancel", tokens::rotate::cancel),
    ]
}

/// One line of the table.
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    /// Who may knock.
    pub door: &'static str,
    /// Whether every other method gets the same.
    pub any_method: bool,
    /// What the API's document says of it, if it is in there.
    pub description: Option<Description>,
    any_origin: bool,
    route: actix_web::Route,
}

impl Route {
    fn to<H, A>(method: Method, path: &'static str, handler: H) -> Self
    where
        H: Handler<A>,
        A: Behind + FromRequest + 'static,
        H::Output: Responder + 'static,
    {
        Self {
            door: A::Door::NAME,
            route: web::route().to(handler),
            any_method: false,
            description: None,
            any_origin: false,
            method,
            path,
        }
    }

    fn described<H, A>(method: Method, path: &'static str, handler: H, operation: Operation) -> Self
    where
        H: Handler<A>,
        A: Behind + FromRequest + 'static,
        A::Door: Described,
        H::Output: Answer + 'static,
    {
        let description = Description {
            operation,
            ways: A::Door::WAYS,
            refusals: A::Door::refusals,
            answers: H::Output::described,
        };
        Self {
            description: Some(description),
            ..Self::to(method, path, handler)
        }
    }

    /// Let scripts of any web page call this (CORS). It never looks at cookies.
    fn for_any_origin(self) -> Self {
        Self {
            any_origin: true,
            ..self
        }
    }

    /// Answer whatever method comes: it is that of the request a proxy asks about.
    fn by_any_method(self) -> Self {
        Self {
            any_method: true,
            ..self
        }
    }

    /// The route as it is mounted.
    fn guarded(self) -> actix_web::Route {
        match self.method {
            _ if self.any_method => self.route,
            // HEAD is GET without the body (RFC 9110 §9.3.2).
            Method::GET => {
                let get_or_head = guard::Any(guard::Get()).or(guard::Head());
                self.route.guard(get_or_head)
            }
            method => self.route.guard(guard::Method(method)),
        }
    }
}

macro_rules! methods {
    ($($name:ident $method:ident)*) => { $(
        fn $name<H, A>(path: &'static str, handler: H) -> Route
        where
            H: Handler<A>,
            A: Behind + FromRequest + 'static,
            H::Output: Responder + 'static,
        {
            Route::to(Method::$method, path, handler)
        }
    )* };
}
methods!(get GET post POST);

/// Mount the table: routes of one path stand together, and answer 405 to every other method.
pub fn mount(config: &mut ServiceConfig, counted: &Http) {
    let mut routes = all();
    while !routes.is_empty() {
        let path = routes[0].path;
        let (here, elsewhere) = routes.into_iter().partition(|route| route.path == path);
        routes = elsewhere;
        config.service(at(path, here, counted.endpoint(Some(path))));
    }
}

fn at(path: &'static str, routes: Vec<Route>, counted: Endpoint) -> impl HttpServiceFactory {
    let any_origin = routes.iter().any(|route| route.any_origin);
    let mut allowed: Vec<&str> = routes.iter().map(|route| route.method.as_str()).collect();
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    let allowed: Rc<str> = allowed.join(", ").into();
    let mut resource = web::resource(path).app_data(counted);
    for route in routes {
        resource = resource.route(route.guarded());
    }
    let other = move |req: HttpRequest| {
        let allowed = allowed.clone();
        async move { errors::other_method(&req, &allowed) }
    };
    let cors = Cors::default()
        .allow_any_origin()
        .send_wildcard()
        .allowed_methods([Method::GET, Method::POST])
        .allow_any_header()
        .max_age(3600);
    resource
        .default_service(web::to(other))
        .wrap(Condition::new(any_origin, cors))
}
