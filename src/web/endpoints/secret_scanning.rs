//! `GET /.well-known/secret-scanning`

use actix_web::Responder;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Json;
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::scan::{ANY_BRAND, pattern};
use crate::domain::secret::{BASE62, CHECK, SecretKind};
use crate::web::api::leaked_tokens::MOST;
use crate::web::doors::Public;
use crate::web::openapi::{Answer, Operation};
use crate::web::routes::LEAKED_TOKENS;

/// What secrets look like, and where to report them.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SecretScanning")]
pub struct Scanning {
    issuer: String,
    /// What secrets begin with.
    brands: Vec<String>,
    types: Vec<TypeView>,
    patterns: Patterns,
    checksum: Checksum,
    report: Report,
}

#[derive(Clone, Serialize, JsonSchema)]
#[schemars(rename = "SecretType")]
struct TypeView {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    long_lived: bool,
}

/// Regular expressions.
#[derive(Serialize, JsonSchema)]
struct Patterns {
    all: String,
    long_lived: String,
    any_brand: String,
    any_brand_long_lived: String,
}

/// The last characters of a secret.
#[derive(Serialize, JsonSchema)]
struct Checksum {
    algorithm: &'static str,
    covers: &'static str,
    alphabet: String,
    order: &'static str,
    digits: usize,
    padding: &'static str,
}

/// How to report one.
#[derive(Serialize, JsonSchema)]
struct Report {
    url: String,
    method: &'static str,
    body: &'static str,
    tokens_at_most: usize,
}

pub const GET: Operation = Operation::new(
    "getSecretScanning",
    "Tell what secrets look like, and where to report them",
);

/// Tell whoever looks for leaked secrets what ours look like, and where to report them.
pub async fn get(Public(app): Public) -> impl Answer {
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
    let types = SecretKind::ALL.map(|kind| TypeView {
        kind: kind.as_str(),
        name: kind.name(),
        long_lived: kind.is_long_lived(),
    });
    let body = Scanning {
        issuer: app.issuer().to_owned(),
        types: types.to_vec(),
        patterns: Patterns {
            all: pattern(&ours, SecretKind::ALL.into_iter()),
            long_lived: pattern(&ours, long_lived()),
            any_brand: pattern(ANY_BRAND, SecretKind::ALL.into_iter()),
            any_brand_long_lived: pattern(ANY_BRAND, long_lived()),
        },
        checksum: Checksum {
            algorithm: "CRC-32/ISO-HDLC",
            covers: "all characters before it, brand and type included",
            alphabet: String::from_utf8_lossy(BASE62).into_owned(),
            order: "most significant digit first",
            digits: CHECK,
            padding: "0",
        },
        report: Report {
            url: format!("{}{LEAKED_TOKENS}", app.issuer()),
            method: "POST",
            body: "{\"tokens\": [\"…\"], \"url\": \"where they were found\"}",
            tokens_at_most: MOST,
        },
        brands: brands.into_iter().map(str::to_owned).collect(),
    };
    Json(body)
        .customize()
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
}
