//! JSON Schemas of what is read and written, taken from the types that do it.

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value};

/// The schemas of the document. What answers have is kept under its name, and referred to; bodies are written out where
/// they are taken, since one type may be read otherwise than it is written.
pub struct Schemas {
    answers: SchemaGenerator,
    bodies: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.meta_schema = None;
            settings.definitions_path = "/components/schemas".into();
        });
        let bodies = settings.clone().for_deserialize();
        Self {
            answers: settings.for_serialize().into_generator(),
            bodies: bodies
                .with(|settings| settings.inline_subschemas = true)
                .into_generator(),
        }
    }

    /// The schema of a `T` as it is written.
    pub fn answer<T: JsonSchema>(&mut self) -> Value {
        self.answers.subschema_for::<T>().to_value()
    }

    /// The schema of a `T` as it is read.
    pub fn body<T: JsonSchema>(&mut self) -> Value {
        self.bodies.subschema_for::<T>().to_value()
    }

    /// All that were named.
    pub fn named(mut self) -> Map<String, Value> {
        self.answers.take_definitions(true)
    }
}
