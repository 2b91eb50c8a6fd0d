//! `GET /.well-known/oauth-authorization-server`

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use serde_json::json;

use crate::domain::authorization_details::DetailsType;
use crate::domain::client::GrantType;
use crate::domain::resource::Catalogue;
use crate::oauth::Error;
use crate::web::doors::Public;
use crate::web::routes;

/// Tell clients where everything is and what this server can do (RFC 8414 §2).
pub async fn get(Public(app): Public) -> Result<HttpResponse, Error> {
    let catalogue = app.query(|rx| Catalogue::load(rx)).await?;
    let mut scopes: Vec<&str> = catalogue
        .iter()
        .flat_map(|(_, scopes)| scopes)
        .filter(|scope| !scope.reserved)
        .map(|scope| scope.name.as_str())
        .collect();
    scopes.sort_unstable();
    scopes.dedup();
    let details_types: Vec<&str> = catalogue.details_types().map(DetailsType::name).collect();
    let issuer = app.issuer();
    let at = |path: &str| format!("{issuer}{path}");
    let with_secret = ["client_secret_basic", "client_secret_post"];
    let or_none = ["client_secret_basic", "client_secret_post", "none"];
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .json(json!({
            "issuer": issuer,
            "authorization_endpoint": at(routes::AUTHORIZE),
            "token_endpoint": at(routes::TOKEN),
            "introspection_endpoint": at(routes::INTROSPECT),
            "revocation_endpoint": at(routes::REVOKE),
            "scopes_supported": scopes,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": GrantType::ALL.map(GrantType::as_str),
            "token_endpoint_auth_methods_supported": or_none,
            "introspection_endpoint_auth_methods_supported": with_secret,
            "revocation_endpoint_auth_methods_supported": or_none,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "authorization_details_types_supported": details_types,
        })))
}
