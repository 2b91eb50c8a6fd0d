//! The routes of the JSON API. With each handler stands what the API's document says of it, so that none can be without.

use actix_web::http::Method;
use actix_web::{FromRequest, Handler};

use super::Route;
use crate::web::api::{
    all_tokens, audit, authorization_details_types as details_types, decoys, forward_auth_policies,
    identify, incidents, leaked_tokens, my_tokens, openapi, own_token, policies, rotation,
    secret_scanning as found, service_accounts, user_tokens,
};
use crate::web::doors::Behind;
use crate::web::endpoints::secret_scanning;
use crate::web::openapi::{Answer, Described, Operation};

const USER_TOKENS: &str = "/api/users/{user}/personal-access-tokens";
const USER_TOKEN: &str = "/api/users/{user}/personal-access-tokens/{token}";
const MY_TOKENS: &str = "/api/my-account/personal-access-tokens";
const MY_TOKEN: &str = "/api/my-account/personal-access-tokens/{token}";
const SERVICE_TOKENS: &str = "/api/my-account/service-accounts/{account}/tokens";
const SERVICE_TOKEN: &str = "/api/my-account/service-accounts/{account}/tokens/{token}";
const SERVICES: &str = "/api/service-accounts";
const SERVICE: &str = "/api/service-accounts/{account}";
const TOKEN_POLICY: &str = "/api/policies/personal-access-tokens";
const ALL_TOKENS: &str = "/api/personal-access-tokens";
const ANY_TOKEN: &str = "/api/personal-access-tokens/{token}";
const OWN_TOKEN: &str = "/api/personal-access-tokens/self";
const POLICIES: &str = "/api/forward-auth-policies";
const POLICY: &str = "/api/forward-auth-policies/{policy}";
const DETAILS_TYPES: &str = "/api/authorization-details-types";
const DETAILS_TYPE: &str = "/api/authorization-details-types/{type}";
const DECOYS: &str = "/api/decoy-tokens";
/// Where leaked tokens are reported.
pub const LEAKED_TOKENS: &str = "/api/leaked-tokens";

/// Them all.
pub(super) fn all() -> Vec<Route> {
    [for_anybody(), for_scripts(), for_keepers(), for_managers()]
        .into_iter()
        .flatten()
        .collect()
}

/// The document itself; and for whoever finds secrets where they should not be.
#[rustfmt::skip]
fn for_anybody() -> Vec<Route> {
    vec![
        get("/api/openapi.json", openapi::get, openapi::GET).for_any_origin(),
        get("/.well-known/secret-scanning", secret_scanning::get, secret_scanning::GET).for_any_origin(),
        post(LEAKED_TOKENS, leaked_tokens::post, leaked_tokens::POST),
        post("/api/secret-scanning/github", found::github, found::GITHUB),
    ]
}

/// A token about itself, and people's own tokens for a front end.
#[rustfmt::skip]
fn for_scripts() -> Vec<Route> {
    vec![
        get(OWN_TOKEN, own_token::show, own_token::SHOW),
        post("/api/personal-access-tokens/self/rotate", rotation::rotate_own, rotation::ROTATE_OWN),
        post("/api/personal-access-tokens/self/rotate/finish", rotation::finish_own, rotation::FINISH_OWN),
        delete(OWN_TOKEN, own_token::revoke, own_token::REVOKE),
        get("/api/my-account/personal-access-tokens/options", my_tokens::options, my_tokens::OPTIONS),
        get(MY_TOKENS, my_tokens::list, my_tokens::LIST),
        post(MY_TOKENS, my_tokens::create, my_tokens::CREATE),
        get(MY_TOKEN, my_tokens::show, my_tokens::SHOW),
        patch(MY_TOKEN, my_tokens::change, my_tokens::CHANGE),
        delete(MY_TOKEN, my_tokens::revoke, my_tokens::REVOKE),
        post("/api/my-account/personal-access-tokens/{token}/rotate", rotation::rotate_mine, rotation::ROTATE_MINE),
        post("/api/my-account/personal-access-tokens/{token}/rotate/finish", rotation::finish_mine, rotation::FINISH_MINE),
        post("/api/my-account/personal-access-tokens/{token}/rotate/cancel", rotation::cancel_mine, rotation::CANCEL_MINE),
        get("/api/my-account/personal-access-tokens/{token}/events", audit::of_mine, audit::OF_MINE),
    ]
}

/// Service accounts that a person keeps, and their tokens: by the handlers of people's own.
#[rustfmt::skip]
fn for_keepers() -> Vec<Route> {
    vec![
        get("/api/my-account/service-accounts", service_accounts::mine, service_accounts::MINE),
        get("/api/my-account/service-accounts/{account}/tokens/options", my_tokens::options, my_tokens::OPTIONS.kept("getServiceAccountTokenOptions", "What a form for a token of a service account that I keep needs")),
        get(SERVICE_TOKENS, my_tokens::list, my_tokens::LIST.kept("listServiceAccountTokens", "List the tokens of a service account that I keep, ended ones too, newest first")),
        post(SERVICE_TOKENS, my_tokens::create, my_tokens::CREATE.kept("createServiceAccountToken", "Make a token for a service account that I keep; its `value` is in this answer and no other")),
        get(SERVICE_TOKEN, my_tokens::show, my_tokens::SHOW.kept("getServiceAccountToken", "Show a token of a service account that I keep")),
        patch(SERVICE_TOKEN, my_tokens::change, my_tokens::CHANGE.kept("changeServiceAccountToken", "Rename, describe, narrow or shorten a token of a service account that I keep")),
        delete(SERVICE_TOKEN, my_tokens::revoke, my_tokens::REVOKE.kept("revokeServiceAccountToken", "End a token of a service account that I keep; a second time changes nothing")),
        post("/api/my-account/service-accounts/{account}/tokens/{token}/rotate", rotation::rotate_mine, rotation::ROTATE_MINE.kept("rotateServiceAccountToken", "Give a token of a service account that I keep a successor, whose `value` is in this answer and no other")),
        post("/api/my-account/service-accounts/{account}/tokens/{token}/rotate/finish", rotation::finish_mine, rotation::FINISH_MINE.kept("finishServiceAccountRotation", "End the old one of two tokens of a service account that I keep now")),
        post("/api/my-account/service-accounts/{account}/tokens/{token}/rotate/cancel", rotation::cancel_mine, rotation::CANCEL_MINE.kept("cancelServiceAccountRotation", "Drop the new one of two tokens of a service account that I keep, which nobody has used")),
        get("/api/my-account/service-accounts/{account}/tokens/{token}/events", audit::of_mine, audit::OF_MINE.kept("listEventsOfServiceAccountToken", "List what happened to a token of a service account that I keep, newest first")),
    ]
}

/// Everybody's tokens, and the rules.
#[rustfmt::skip]
fn for_managers() -> Vec<Route> {
    vec![
        get(ALL_TOKENS, all_tokens::list, all_tokens::LIST),
        post("/api/personal-access-tokens/revoke", all_tokens::revoke_many, all_tokens::REVOKE_MANY),
        get(ANY_TOKEN, all_tokens::show, all_tokens::SHOW),
        patch(ANY_TOKEN, all_tokens::change, all_tokens::CHANGE),
        delete(ANY_TOKEN, all_tokens::revoke, all_tokens::REVOKE),
        post("/api/personal-access-tokens/{token}/rotate", rotation::rotate_any, rotation::ROTATE_ANY),
        post("/api/personal-access-tokens/{token}/rotate/finish", rotation::finish_any, rotation::FINISH_ANY),
        post("/api/personal-access-tokens/{token}/rotate/cancel", rotation::cancel_any, rotation::CANCEL_ANY),
        post("/api/personal-access-tokens/{token}/approve", policies::approve, policies::APPROVE),
        post("/api/personal-access-tokens/{token}/refuse", policies::refuse, policies::REFUSE),
        get("/api/personal-access-tokens/{token}/events", audit::of_token, audit::OF_TOKEN),
        get(USER_TOKENS, user_tokens::list, user_tokens::LIST),
        post(USER_TOKENS, user_tokens::create, user_tokens::CREATE),
        patch(USER_TOKENS, user_tokens::rename, user_tokens::RENAME),
        post("/api/users/{user}/personal-access-tokens/delete", user_tokens::delete_by_name, user_tokens::DELETE_BY_NAME),
        get(USER_TOKEN, user_tokens::show, user_tokens::SHOW),
        patch(USER_TOKEN, user_tokens::change, user_tokens::CHANGE),
        delete(USER_TOKEN, user_tokens::revoke, user_tokens::REVOKE),
        get(SERVICES, service_accounts::list, service_accounts::LIST),
        post(SERVICES, service_accounts::create, service_accounts::CREATE),
        get(SERVICE, service_accounts::show, service_accounts::SHOW),
        patch(SERVICE, service_accounts::change, service_accounts::CHANGE),
        delete(SERVICE, service_accounts::disable, service_accounts::DISABLE),
        put("/api/service-accounts/{account}/keepers", service_accounts::set_keepers, service_accounts::SET_KEEPERS),
        post("/api/users/{user}/tokens/revoke-all", incidents::of_user, incidents::OF_USER),
        post("/api/tokens/revoke-all", incidents::of_everybody, incidents::OF_EVERYBODY),
        post("/api/tokens/identify", identify::post, identify::POST),
        get(DECOYS, decoys::list, decoys::LIST),
        post(DECOYS, decoys::create, decoys::CREATE),
        delete("/api/decoy-tokens/{token}", decoys::remove, decoys::REMOVE),
        get(TOKEN_POLICY, policies::show, policies::SHOW),
        put(TOKEN_POLICY, policies::decide, policies::DECIDE),
        post("/api/policies/personal-access-tokens/preview", policies::preview, policies::PREVIEW),
        get(POLICIES, forward_auth_policies::list, forward_auth_policies::LIST),
        get(POLICY, forward_auth_policies::show, forward_auth_policies::SHOW),
        put(POLICY, forward_auth_policies::put, forward_auth_policies::PUT),
        delete(POLICY, forward_auth_policies::remove, forward_auth_policies::REMOVE),
        get(DETAILS_TYPES, details_types::list, details_types::LIST),
        get(DETAILS_TYPE, details_types::show, details_types::SHOW),
        put(DETAILS_TYPE, details_types::put, details_types::PUT),
        delete(DETAILS_TYPE, details_types::remove, details_types::REMOVE),
        get("/api/audit", audit::list, audit::LIST),
        get("/api/audit/export", audit::export, audit::EXPORT),
    ]
}

macro_rules! methods {
    ($($name:ident $method:ident)*) => { $(
        fn $name<H, A>(path: &'static str, handler: H, operation: Operation) -> Route
        where
            H: Handler<A>,
            A: Behind + FromRequest + 'static,
            A::Door: Described,
            H::Output: Answer + 'static,
        {
            Route::described(Method::$method, path, handler, operation)
        }
    )* };
}
methods!(get GET post POST put PUT patch PATCH delete DELETE);
