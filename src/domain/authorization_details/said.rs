//! Authorization details in words, for who has to agree to them and for who looks at what was agreed.

use serde::de::IgnoredAny;
use serde_json::Value;

use super::{Detail, DetailsType};
use crate::domain::plain::plain;

/// One object in words.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Said {
    /// The name of its type.
    pub name: String,
    /// What the type is for.
    pub sentence: String,
    /// The sentence of each action.
    pub actions: Vec<String>,
    /// Every other member: what it is called, and its value.
    pub members: Vec<(String, String)>,
}

impl DetailsType {
    /// An object of this type in words.
    pub fn said(&self, object: &Detail) -> Said {
        let actions = super::details_type::actions_of(object);
        let known = actions
            .iter()
            .filter_map(|name| self.definition.actions.get(*name));
        let members = self.members();
        let labelled = members.iter().filter_map(|member| {
            let value = object.get(&member.name)?;
            Some((plain(&member.label), shown(value)))
        });
        let is_unlabelled = |name: &str| {
            !["type", "actions"].contains(&name) && members.iter().all(|member| member.name != name)
        };
        let others = object
            .iter()
            .filter(|(name, _)| is_unlabelled(name))
            .map(|(name, value)| (plain(name), shown(value)));
        Said {
            name: self.definition.name.clone(),
            sentence: self.definition.description.clone(),
            actions: known.cloned().collect(),
            members: labelled.chain(others).collect(),
        }
    }
}

/// An object in one line, by its names.
pub(super) fn brief(object: &Detail) -> String {
    let actions = super::details_type::actions_of(object).join(", ");
    let others = object
        .iter()
        .filter(|(name, _)| !["type", "actions"].contains(&name.as_str()));
    let others = others.map(|(name, value)| format!("{name} {}", shown(value)));
    let parts = std::iter::once(actions).chain(others);
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    let name = super::type_of(object);
    match parts.is_empty() {
        true => name.to_owned(),
        false => plain(&format!("{name}: {}", parts.join("; "))),
    }
}

/// A value as people read it: no two values read alike. A text stands as it is, unless it would read like another value or
/// like what stands beside it; then it is in quotes.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if is_clear(text) => plain(text),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(items) if items.len() > 1 && items.iter().all(Value::is_string) => {
            let quoted: Vec<String> = items.iter().map(Value::to_string).collect();
            plain(&quoted.join(", "))
        }
        other => plain(&other.to_string()),
    }
}

fn is_clear(text: &str) -> bool {
    let is_json = || serde_json::from_str::<IgnoredAny>(text).is_ok();
    let is_other = || text.is_empty() || ["yes", "no"].contains(&text) || is_json();
    let is_like_more = text.contains(['"', ';']) || text.contains(". ");
    text.trim() == text && !is_like_more && !is_other()
}

/// The members of an object that can't be read as they are: something in them would not be seen.
pub(super) fn hidden(object: &Detail) -> impl Iterator<Item = &str> {
    let hidden = object.iter().filter(|(_, value)| hides(value));
    hidden.map(|(name, _)| name.as_str())
}

fn hides(value: &Value) -> bool {
    let changes = |text: &str| plain(text) != text;
    match value {
        Value::String(text) => changes(text),
        Value::Array(items) => items.iter().any(hides),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| changes(name) || hides(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_that_differ_read_differently() {
        assert_eq!(shown(&json!("acme/site, and more")), "acme/site, and more");
        assert_eq!(shown(&json!(true)), "yes");
        let alike = [
            [json!(["a", "b"]), json!("a, b")],
            [json!(["a, b"]), json!(["a", "b"])],
            [json!(["a", "b"]), json!("\"a\", \"b\"")],
            [json!(["1", "2"]), json!([1, 2])],
            [json!([1, 2]), json!("1, 2")],
            [json!(["a"]), json!("a")],
            [json!(["a"]), json!("[\"a\"]")],
            [json!([]), json!("")],
            [json!([]), json!([""])],
            [json!({}), json!("{}")],
            [json!(null), json!("null")],
            [json!(true), json!("yes")],
            [json!(false), json!("no")],
            [json!(5), json!("5")],
            [json!("a"), json!(" a")],
            [json!("a"), json!("\"a\"")],
        ];
        for [one, other] in alike {
            assert_ne!(shown(&one), shown(&other), "{one} {other}");
            assert_ne!(shown(&one), "", "{one}");
        }
        let object = |value: Value| brief(json!({"type": "t", "a": value}).as_object().unwrap());
        assert_eq!(object(json!("x; b y")), "t: a \"x; b y\"");
        assert_eq!(object(json!("x. t: b")), "t: a \"x. t: b\"");
    }
}
