//! The further members of a type, as a form can ask for them.

use serde_json::{Map, Value};

/// One member of the objects of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    /// What people call it: its `title`, or its name.
    pub label: String,
    /// Its `description`, or empty.
    pub hint: String,
    pub input: Input,
    pub required: bool,
}

/// How a person gives a member its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    Text,
    Number,
    /// One of these texts.
    Choice(Vec<String>),
    /// Yes or no.
    Flag,
    /// Texts, one in each line.
    Lines,
    /// Whatever it is, as JSON.
    Json,
}

impl Member {
    /// All that a schema knows, what has to be there first.
    pub(super) fn all(schema: &Map<String, Value>) -> Vec<Member> {
        let required = |name: &str| {
            let names = schema.get("required").and_then(Value::as_array);
            names.is_some_and(|names| names.iter().any(|each| each == name))
        };
        let properties = schema.get("properties").and_then(Value::as_object);
        let members = properties
            .into_iter()
            .flatten()
            .map(|(name, schema)| Member {
                name: name.clone(),
                label: text(schema, "title").unwrap_or(name).to_owned(),
                hint: text(schema, "description").unwrap_or_default().to_owned(),
                input: Input::of(schema),
                required: required(name),
            });
        let mut members: Vec<Member> = members.collect();
        members.sort_by_key(|member| !member.required);
        members
    }
}

impl Input {
    fn of(schema: &Value) -> Self {
        if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
            let texts: Option<Vec<String>> = choices
                .iter()
                .map(|each| Some(each.as_str()?.to_owned()))
                .collect();
            return texts.map_or(Input::Json, Input::Choice);
        }
        match text(schema, "type") {
            Some("string") => Input::Text,
            Some("integer" | "number") => Input::Number,
            Some("boolean") => Input::Flag,
            Some("array")
                if schema.get("items").and_then(|items| text(items, "type")) == Some("string") =>
            {
                Input::Lines
            }
            _ => Input::Json,
        }
    }

    /// The value that a person means by `written`; `None` for none, and a sentence if it can't be read. What is written but
    /// is not what the schema takes is left to that to say.
    pub fn read(&self, written: &str) -> Result<Option<Value>, String> {
        let written = written.trim();
        if written.is_empty() {
            return Ok(None);
        }
        let plainly = || Value::from(written);
        Ok(Some(match self {
            Input::Text | Input::Choice(_) => plainly(),
            Input::Number => {
                serde_json::from_str(written).map_or_else(|_| plainly(), Value::Number)
            }
            Input::Flag => written.parse().map_or_else(|_| plainly(), Value::Bool),
            Input::Lines => {
                let lines = written
                    .lines()
                    .map(str::trim)
                    .filter(|line| !line.is_empty());
                lines.map(Value::from).collect()
            }
            Input::Json => {
                let value: super::Strict<Value> = serde_json::from_str(written)
                    .map_err(|error| format!("This is not JSON: {error}."))?;
                value.0
            }
        }))
    }
}

fn text<'a>(schema: &'a Value, member: &str) -> Option<&'a str> {
    schema.get(member)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn input(schema: Value) -> Input {
        Input::of(&schema)
    }

    #[test]
    fn simple_members_get_plain_inputs_and_all_others_json() {
        assert_eq!(input(json!({"type": "string"})), Input::Text);
        assert_eq!(input(json!({"type": "integer"})), Input::Number);
        assert_eq!(input(json!({"type": "boolean"})), Input::Flag);
        assert_eq!(
            input(json!({"enum": ["a", "b"]})),
            Input::Choice(vec!["a".into(), "b".into()])
        );
        assert_eq!(
            input(json!({"type": "array", "items": {"type": "string"}})),
            Input::Lines
        );
        for deeper in [
            json!({"enum": [1]}),
            json!({"type": "object"}),
            json!({"type": "array"}),
            json!(true),
        ] {
            assert_eq!(input(deeper), Input::Json);
        }
    }

    #[test]
    fn what_is_written_becomes_a_value_or_stays_as_it_is_for_the_schema_to_refuse() {
        let read = |input: Input, written: &str| input.read(written).unwrap();
        assert_eq!(read(Input::Text, "  "), None);
        assert_eq!(read(Input::Text, " 12 "), Some(json!("12")));
        assert_eq!(read(Input::Number, "12"), Some(json!(12)));
        assert_eq!(read(Input::Number, "twelve"), Some(json!("twelve")));
        assert_eq!(read(Input::Flag, "false"), Some(json!(false)));
        assert_eq!(read(Input::Lines, "a\r\n\r\n b "), Some(json!(["a", "b"])));
        assert_eq!(read(Input::Json, "{\"a\": [1]}"), Some(json!({"a": [1]})));
        for bad in ["{", "{\"a\":1,\"a\":2}"] {
            assert!(Input::Json.read(bad).is_err(), "{bad}");
        }
    }
}
