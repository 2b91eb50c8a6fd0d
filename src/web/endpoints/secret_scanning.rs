//! `GET /.well-known/secret-scanning`

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use serde_json::{Value, json};

use crate::domain::scan::{ANY_BRAND, pattern};
use crate::domain::secret::{BASE62, CHECK, SecretKind};
use crate::web::api::leaked_tokens::MOST;
use crate::web::doors::Public;
use crate::web::routes::LEAKED_TOKENS;

/// Tell whoever looks for leaked secrets what ours look like, and where to report them.
pub async fn get(Public(app): Public) -> HttpResponse {
    let brands: Vec<&str> = app.policy().brands.iter().collect();
    let ours = match brands.as_slice() {
        [brand] => (*brand).to_owned(),
        brands => format!("(?:{})", brands.join("|")),
    };
    let long_lived = || {
        SecretKind::ALL
            .into_iter()
            .filter(|kind| kind.is_long_lived())
    };
    let types: Vec<Value> = SecretKind::ALL
        .into_iter()
        .map(|kind| {
            json!({
                "type": kind.as_str(),
                "name": kind.name(),
                "long_lived": kind.is_long_lived(),
            })
        })
        .collect();
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .json(json!({
            "issuer": app.issuer(),
            "brands": brands,
            "types": types,
            "patterns": {
                "all": pattern(&ours, SecretKind::ALL.into_iter()),
                "long_lived": pattern(&ours, long_lived()),
                "any_brand": pattern(ANY_BRAND, SecretKind::ALL.into_iter()),
                "any_brand_long_lived": pattern(ANY_BRAND, long_lived()),
            },
            "checksum": {
                "algorithm": "CRC-32/ISO-HDLC",
                "covers": "all characters before it, brand and type included",
                "alphabet": String::from_utf8_lossy(BASE62),
                "order": "most significant digit first",
                "digits": CHECK,
                "padding": "0",
            },
            "report": {
                "url": format!("{}{LEAKED_TOKENS}", app.issuer()),
                "method": "POST",
                "body": "{\"tokens\": [\"…\"], \"url\": \"where they were found\"}",
                "tokens_at_most": MOST,
            },
        }))
}
