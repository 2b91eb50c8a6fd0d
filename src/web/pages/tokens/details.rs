//! Authorization details in the form for a new token: a part for each type, drawn from its schema.

use serde_json::{Map, Value, json};

use super::wish::Wish;
use crate::domain::authorization_details::{
    AuthorizationDetails, Detail, DetailsType, Input, Member,
};
use crate::domain::resource::Catalogue;
use crate::web::pages::Errors;

/// The field whose ticks say which types are asked for; with a type and a member behind it, a part of one.
pub(super) const FIELD: &str = "details";

/// A member that every type may have.
const ACTIONS: &str = "actions";

/// A type that can be ticked, and what is under it.
pub(super) struct PickType {
    pub id: String,
    pub name: String,
    pub sentence: String,
    pub ticked: bool,
    pub actions: Vec<PickAction>,
    pub fields: Vec<PickField>,
}

pub(super) struct PickAction {
    /// What the boxes of all actions of the type are called.
    pub field: String,
    pub name: String,
    pub sentence: String,
    pub ticked: bool,
}

pub(super) struct PickField {
    pub id: String,
    pub field: String,
    pub label: String,
    /// What the schema says of it, and how it is written; or empty.
    pub hint: String,
    pub value: String,
    /// The values to choose from, each with what it is called; none for a text.
    pub choices: Vec<(String, String)>,
    /// Whether a text may have several lines.
    pub is_long: bool,
}

impl PickType {
    /// The types of one resource server, filled in as `wish` says.
    pub fn of(uri: &str, catalogue: &Catalogue, wish: &Wish) -> Vec<PickType> {
        let all = catalogue.details_types().enumerate();
        let theirs = all.filter(|(_, each)| each.resource() == uri);
        theirs
            .map(|(index, each)| Self::filled(index, each, wish))
            .collect()
    }

    fn filled(index: usize, each: &DetailsType, wish: &Wish) -> Self {
        let field = field(each, ACTIONS);
        let actions = each
            .definition
            .actions
            .iter()
            .map(|(name, sentence)| PickAction {
                ticked: wish.detail(&field).any(|ticked| ticked == name),
                field: field.clone(),
                name: name.clone(),
                sentence: sentence.clone(),
            });
        let members = each.members().into_iter().enumerate();
        let fields =
            members.map(|(at, member)| PickField::of(id(index, Some(at)), each, member, wish));
        Self {
            id: id(index, None),
            name: each.name().to_owned(),
            sentence: each.definition.description.clone(),
            ticked: is_ticked(each, wish),
            actions: actions.collect(),
            fields: fields.collect(),
        }
    }
}

impl PickField {
    fn of(id: String, each: &DetailsType, member: Member, wish: &Wish) -> Self {
        let field = field(each, &member.name);
        let how = match member.input {
            Input::Lines => "One in each line.",
            Input::Json => "As JSON.",
            _ => "",
        };
        let optional = if member.required { "" } else { " (optional)" };
        Self {
            id,
            label: format!("{}{optional}", member.label),
            hint: format!("{} {how}", member.hint).trim().to_owned(),
            value: wish.detail(&field).next().unwrap_or_default().to_owned(),
            is_long: matches!(member.input, Input::Lines | Input::Json),
            choices: match member.input {
                Input::Choice(values) => values
                    .into_iter()
                    .map(|value| (value.clone(), value))
                    .collect(),
                Input::Flag => [("true", "Yes"), ("false", "No")]
                    .map(|(value, label)| (value.to_owned(), label.to_owned()))
                    .to_vec(),
                _ => vec![],
            },
            field: field.clone(),
        }
    }
}

/// The details that the form asks for, if it does. What is wrong with them is added to `errors`, each at its field.
pub(super) fn asked(
    wish: &Wish,
    catalogue: &Catalogue,
    errors: &mut Errors,
) -> Option<AuthorizationDetails> {
    let before = errors.0.len();
    let mut objects: Vec<Detail> = vec![];
    for (index, each) in catalogue.details_types().enumerate() {
        if is_ticked(each, wish) {
            objects.push(object(index, each, wish, errors));
        } else if wish.says_more(&field(each, "")) {
            let sentence = &each.definition.description;
            let message = format!("{sentence}: tick this too, or empty what belongs to it.");
            errors.add(id(index, None), message);
        }
    }
    if objects.is_empty() || errors.0.len() > before {
        return None;
    }
    AuthorizationDetails::check(&objects, catalogue)
        .map_err(|invalid| errors.add("scope", invalid.to_string()))
        .ok()
}

/// One object as it is filled in.
fn object(index: usize, each: &DetailsType, wish: &Wish, errors: &mut Errors) -> Detail {
    let mut object = Map::from_iter([("type".to_owned(), json!(each.name()))]);
    let actions: Vec<&str> = wish.detail(&field(each, ACTIONS)).collect();
    if !actions.is_empty() {
        object.insert(ACTIONS.to_owned(), json!(actions));
    }
    let members = each.members();
    for (at, member) in members.iter().enumerate() {
        let field = field(each, &member.name);
        match member
            .input
            .read(wish.detail(&field).next().unwrap_or_default())
        {
            Ok(value) => object.extend(value.map(|value: Value| (member.name.clone(), value))),
            Err(message) => {
                errors.add(id(index, Some(at)), format!("{}: {message}", member.label));
            }
        }
    }
    for wrong in each.wrong(&object) {
        let at = members
            .iter()
            .position(|member| member.name == wrong.member);
        let id = id(index, at);
        let label = at.map_or(&each.definition.description, |at| &members[at].label);
        if errors.on(&id).is_none() {
            errors.add(id, format!("{label}: {}.", wrong.problem));
        }
    }
    object
}

fn is_ticked(each: &DetailsType, wish: &Wish) -> bool {
    wish.detail(FIELD).any(|name| name == each.name())
}

/// What the field of a member is called. The name of a type has no space in it.
fn field(each: &DetailsType, member: &str) -> String {
    format!("{FIELD} {} {member}", each.name())
}

/// Where the field of the type's member `at` this place stands on the page; what has none of its own is said at the type.
fn id(index: usize, at: Option<usize>) -> String {
    match at {
        Some(at) => format!("{FIELD}-{index}-{at}"),
        None => format!("{FIELD}-{index}"),
    }
}
