//! Authorization details in words, for who has to agree to them and for who looks at what was agreed.

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

/// A value as people read it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => plain(text),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_array() && !item.is_object()) =>
        {
            let items: Vec<String> = items.iter().map(shown).collect();
            items.join(", ")
        }
        deeper => plain(&deeper.to_string()),
    }
}
