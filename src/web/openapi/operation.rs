//! What the document says of a handler that its types don't: written beside the handler, as a constant.

use schemars::{JsonSchema, Schema, json_schema};
use serde_json::Value;

use super::schemas::Schemas;
use crate::web::api::Code;

/// A handler, as its users know it.
#[derive(Clone, Copy)]
pub struct Operation {
    /// Its `operationId`: what a generated client calls it. Stable.
    pub id: &'static str,
    /// What it does, as a sentence without a full stop.
    pub summary: &'static str,
    pub(super) query: &'static [Parameter],
    pub(super) body: Option<Body>,
    pub(super) refusals: &'static [Code],
}

/// A body that a handler takes.
#[derive(Clone, Copy)]
pub(super) struct Body {
    pub media: &'static str,
    pub schema: fn(&mut Schemas) -> Value,
    pub required: bool,
}

/// A parameter of a query.
#[derive(Clone, Copy)]
pub struct Parameter {
    pub name: &'static str,
    pub description: &'static str,
    pub kind: Kind,
}

/// What a parameter takes.
#[derive(Clone, Copy)]
pub enum Kind {
    Id,
    /// Milliseconds since 1970.
    Moment,
    /// An integer from the first to the second.
    Number(u64, u64),
    /// The same, or a date, with or without a time of day.
    Date,
    Text,
    Flag,
    OneOf(fn() -> Vec<&'static str>),
}

impl Operation {
    /// A handler that takes nothing and refuses nothing but what its door and its path do.
    pub const fn new(id: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            summary,
            query: &[],
            body: None,
            refusals: &[],
        }
    }

    /// The same about a token of a service account, which a keeper sees as one of theirs.
    pub const fn kept(self, id: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            summary,
            ..self
        }
    }

    /// It takes a `T` as JSON.
    pub const fn takes<T: JsonSchema>(self) -> Self {
        self.with(Body {
            media: "application/json",
            schema: Schemas::body::<T>,
            required: true,
        })
    }

    /// It takes a `T` as JSON, or no body at all.
    pub const fn may_take<T: JsonSchema>(self) -> Self {
        self.with(Body {
            media: "application/json",
            schema: Schemas::body::<T>,
            required: false,
        })
    }

    const fn with(self, body: Body) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }

    /// Its query may have these.
    pub const fn asks(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    /// It refuses for these reasons, besides those of its door, its path, its query and its body.
    pub const fn refuses(self, refusals: &'static [Code]) -> Self {
        Self { refusals, ..self }
    }
}

impl Parameter {
    pub const fn new(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self {
            name,
            description,
            kind,
        }
    }
}

impl Kind {
    pub fn schema(self) -> Schema {
        match self {
            Kind::Id => json_schema!({"type": "string", "format": "uuid"}),
            Kind::Moment => json_schema!({"type": "integer", "format": "int64"}),
            Kind::Date => {
                json_schema!({"type": ["integer", "string"], "examples": [1_800_000_000_000_i64, "2027-01-31", "2027-01-31T08:00:00Z"]})
            }
            Kind::Number(least, most) => {
                json_schema!({"type": "integer", "minimum": least, "maximum": most})
            }
            Kind::Text => json_schema!({"type": "string"}),
            Kind::Flag => json_schema!({"type": "boolean"}),
            Kind::OneOf(words) => json_schema!({"type": "string", "enum": words()}),
        }
    }
}
