//! Answers whose types say what is in them, so that the document can't say otherwise.

use actix_web::body::BoxBody;
use actix_web::http::header::LOCATION;
use actix_web::{CustomizeResponder, HttpRequest, HttpResponse, Responder, web};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::schemas::Schemas;

/// What a handler answers when it does not refuse.
pub trait Answer: Responder {
    /// The answers there are, each with its own status.
    fn described(schemas: &mut Schemas) -> Vec<Success>;
}

/// An answer, as the document says it.
pub struct Success {
    pub status: u16,
    pub description: &'static str,
    /// Its media type and the schema of its body, if it has one.
    pub content: Option<(&'static str, Value)>,
    /// Whether `Location` says where it is that was made.
    pub located: bool,
}

impl Success {
    /// A body of JSON.
    pub fn json<T: JsonSchema>(
        status: u16,
        description: &'static str,
        schemas: &mut Schemas,
    ) -> Self {
        let schema = schemas.answer::<T>();
        Self::of(status, description, "application/json", schema)
    }

    /// A body of this media type.
    pub fn of(status: u16, description: &'static str, media: &'static str, schema: Value) -> Self {
        Self {
            content: Some((media, schema)),
            ..Self::empty(status, description)
        }
    }

    pub(super) fn said(self) -> Value {
        let mut said = json!({"description": self.description});
        if let Some((media, schema)) = self.content {
            said["content"] = json!({media: {"schema": schema}});
        }
        if self.located {
            let schema = json!({"type": "string", "format": "uri-reference"});
            said["headers"] =
                json!({"Location": {"description": "Where it is.", "schema": schema}});
        }
        said
    }

    /// No body.
    pub fn empty(status: u16, description: &'static str) -> Self {
        Self {
            status,
            description,
            content: None,
            located: false,
        }
    }
}

impl<T: Answer, E: Into<actix_web::Error>> Answer for Result<T, E> {
    fn described(schemas: &mut Schemas) -> Vec<Success> {
        T::described(schemas)
    }
}

impl<T: Serialize + JsonSchema> Answer for web::Json<T> {
    fn described(schemas: &mut Schemas) -> Vec<Success> {
        vec![Success::json::<T>(200, "What was asked for.", schemas)]
    }
}

impl<T: Answer> Answer for CustomizeResponder<T> {
    fn described(schemas: &mut Schemas) -> Vec<Success> {
        T::described(schemas)
    }
}

/// 201: this was made, and is to be found there.
pub struct Created<T> {
    pub body: T,
    pub location: String,
}

impl<T: Serialize> Responder for Created<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Created()
            .insert_header((LOCATION, self.location))
            .json(self.body)
    }
}

impl<T: Serialize + JsonSchema> Answer for Created<T> {
    fn described(schemas: &mut Schemas) -> Vec<Success> {
        vec![Success {
            located: true,
            ..Success::json::<T>(201, "What was made.", schemas)
        }]
    }
}

/// 204: it is done, and there is nothing to say.
pub struct NoContent;

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

impl Answer for NoContent {
    fn described(_: &mut Schemas) -> Vec<Success> {
        vec![Success::empty(204, "It is done.")]
    }
}

/// 202: what was sent is taken, and nothing is told of it.
pub struct Accepted;

impl Responder for Accepted {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Accepted().finish()
    }
}

impl Answer for Accepted {
    fn described(_: &mut Schemas) -> Vec<Success> {
        vec![Success::empty(202, "It is taken, whatever it was.")]
    }
}

/// 201 if this was made, 200 if it took the place of another.
pub struct Put<T> {
    pub body: T,
    pub is_new: bool,
}

impl<T: Serialize> Responder for Put<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = match self.is_new {
            true => HttpResponse::Created(),
            false => HttpResponse::Ok(),
        };
        response.json(self.body)
    }
}

impl<T: Serialize + JsonSchema> Answer for Put<T> {
    fn described(schemas: &mut Schemas) -> Vec<Success> {
        vec![
            Success::json::<T>(200, "What is in the place of another now.", schemas),
            Success::json::<T>(201, "What was made.", schemas),
        ]
    }
}
