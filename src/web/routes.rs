//! Every URL, its handler, and who may knock. The door is read off the handler's first argument, so it can't be
//! forgotten here; a test knocks on all of them as a stranger.

use std::rc::Rc;

use actix_cors::Cors;
use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use actix_web::middleware::Condition;
use actix_web::web::ServiceConfig;
use actix_web::{FromRequest, Handler, HttpRequest, Responder, guard, web};

use super::api::{
    all_tokens, audit, decoys, forward_auth_policies, identify, incidents, leaked_tokens,
    my_tokens, own_token, policies, rotation, secret_scanning as found, user_tokens,
};
use super::doors::{Behind, Door};
use super::endpoints::{
    authorize, forward_auth, health, introspect, metadata, revoke, secret_scanning, token,
};
use super::errors;
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
pub const PASSWORD: &str = "/settings/password";
pub const ADMIN_TOKENS: &str = "/admin/tokens";
pub const ADMIN_CSV: &str = "/admin/tokens.csv";
pub const ADMIN_REVOKE: &str = "/admin/tokens/revoke";

const USER_TOKENS: &str = "/api/users/{user}/personal-access-tokens";
const USER_TOKEN: &str = "/api/users/{user}/personal-access-tokens/{token}";
const MY_TOKENS: &str = "/api/my-account/personal-access-tokens";
const MY_TOKEN: &str = "/api/my-account/personal-access-tokens/{token}";
const TOKEN_POLICY: &str = "/api/policies/personal-access-tokens";
const ALL_TOKENS: &str = "/api/personal-access-tokens";
const ANY_TOKEN: &str = "/api/personal-access-tokens/{token}";
const OWN_TOKEN: &str = "/api/personal-access-tokens/self";
const POLICIES: &str = "/api/forward-auth-policies";
const POLICY: &str = "/api/forward-auth-policies/{policy}";
pub const LEAKED_TOKENS: &str = "/api/leaked-tokens";
const DECOYS: &str = "/api/decoy-tokens";

/// The route table.
pub fn all() -> Vec<Route> {
    [for_programs(), for_people(), for_scripts(), for_managers()]
        .into_iter()
        .flatten()
        .collect()
}

/// For programs that speak OAuth, proxies, whoever finds secrets where they should not be, and the operator.
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

        get("/.well-known/secret-scanning", secret_scanning::get).for_any_origin(),
        post(LEAKED_TOKENS, leaked_tokens::post),
        post("/api/secret-scanning/github", found::github),

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
        get("/static/{file}", assets::get),
    ]
}

/// A token about itself, and people's own tokens for a front end.
#[rustfmt::skip]
fn for_scripts() -> Vec<Route> {
    vec![
        get(OWN_TOKEN, own_token::show),
        post("/api/personal-access-tokens/self/rotate", rotation::rotate_own),
        post("/api/personal-access-tokens/self/rotate/finish", rotation::finish_own),
        delete(OWN_TOKEN, own_token::revoke),
        get("/api/my-account/personal-access-tokens/options", my_tokens::options),
        get(MY_TOKENS, my_tokens::list),
        post(MY_TOKENS, my_tokens::create),
        get(MY_TOKEN, my_tokens::show),
        patch(MY_TOKEN, my_tokens::change),
        delete(MY_TOKEN, my_tokens::revoke),
        post("/api/my-account/personal-access-tokens/{token}/rotate", rotation::rotate_mine),
        post("/api/my-account/personal-access-tokens/{token}/rotate/finish", rotation::finish_mine),
        post("/api/my-account/personal-access-tokens/{token}/rotate/cancel", rotation::cancel_mine),
        get("/api/my-account/personal-access-tokens/{token}/events", audit::of_mine),
    ]
}

/// Everybody's tokens, and the rules.
#[rustfmt::skip]
fn for_managers() -> Vec<Route> {
    vec![
        get(ALL_TOKENS, all_tokens::list),
        post("/api/personal-access-tokens/revoke", all_tokens::revoke_many),
        get(ANY_TOKEN, all_tokens::show),
        patch(ANY_TOKEN, all_tokens::change),
        delete(ANY_TOKEN, all_tokens::revoke),
        post("/api/personal-access-tokens/{token}/rotate", rotation::rotate_any),
        post("/api/personal-access-tokens/{token}/rotate/finish", rotation::finish_any),
        post("/api/personal-access-tokens/{token}/rotate/cancel", rotation::cancel_any),
        post("/api/personal-access-tokens/{token}/approve", policies::approve),
        get("/api/personal-access-tokens/{token}/events", audit::of_token),
        get(USER_TOKENS, user_tokens::list),
        post(USER_TOKENS, user_tokens::create),
        patch(USER_TOKENS, user_tokens::rename),
        post("/api/users/{user}/personal-access-tokens/delete", user_tokens::delete_by_name),
        get(USER_TOKEN, user_tokens::show),
        patch(USER_TOKEN, user_tokens::change),
        delete(USER_TOKEN, user_tokens::revoke),
        post("/api/users/{user}/tokens/revoke-all", incidents::of_user),
        post("/api/tokens/revoke-all", incidents::of_everybody),
        post("/api/tokens/identify", identify::post),
        get(DECOYS, decoys::list),
        post(DECOYS, decoys::create),
        delete("/api/decoy-tokens/{token}", decoys::remove),
        get(TOKEN_POLICY, policies::show),
        put(TOKEN_POLICY, policies::decide),
        post("/api/policies/personal-access-tokens/preview", policies::preview),
        get(POLICIES, forward_auth_policies::list),
        get(POLICY, forward_auth_policies::show),
        put(POLICY, forward_auth_policies::put),
        delete(POLICY, forward_auth_policies::remove),
        get("/api/audit", audit::list),
        get("/api/audit/export", audit::export),
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
            any_origin: false,
            method,
            path,
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
methods!(get GET post POST put PUT patch PATCH delete DELETE);

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
