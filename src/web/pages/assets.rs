//! The stylesheet, the script and the icon. They are part of the binary.

use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use sha2::{Digest, Sha256};

use super::Error;
use crate::domain::secret::hex;
use crate::web::doors::Public;

const CSS: &str = include_str!("../../../static/jeton.css");
const JS: &str = include_str!("../../../static/jeton.js");
const ICON: &str = include_str!("../../../static/icon.svg");

/// Changes with any of them: pages name it in their URLs, so that browsers may keep them for ever.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let digest = Sha256::new()
            .chain_update(CSS)
            .chain_update(JS)
            .chain_update(ICON)
            .finalize();
        hex(&digest[..6])
    });
    &VERSION
}

/// One of them.
pub async fn get(_: Public, file: web::Path<String>) -> Result<HttpResponse, Error> {
    let (kind, body) = match file.as_str() {
        "jeton.css" => ("text/css; charset=utf-8", CSS),
        "jeton.js" => ("text/javascript; charset=utf-8", JS),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return Err(Error::NotFound),
    };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(body))
}
