//! `GET /api/openapi.json`

use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, ContentType};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde_json::json;

use crate::web::doors::Public;
use crate::web::openapi::{self, Answer, Operation, Schemas, Success};

/// The API's document, as it is sent.
pub struct Document;

impl Responder for Document {
    type Body = &'static str;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse<Self::Body> {
        static WRITTEN: LazyLock<String> = LazyLock::new(|| openapi::document().to_string());
        HttpResponse::Ok()
            .insert_header(ContentType::json())
            .insert_header((CACHE_CONTROL, "public, max-age=300"))
            .message_body(WRITTEN.as_str())
            .expect("a text is a body")
    }
}

impl Answer for Document {
    fn described(_: &mut Schemas) -> Vec<Success> {
        let schema = json!({"type": "object", "required": ["openapi", "info", "paths"]});
        vec![Success::of(
            200,
            "This document.",
            "application/json",
            schema,
        )]
    }
}

pub const GET: Operation = Operation::new(
    "getOpenApi",
    "Tell what this API takes and answers, in OpenAPI 3.1",
);

/// What this API takes and answers.
pub async fn get(_: Public) -> Document {
    Document
}
