//! Types of authorization details: what may be allowed of the things of one resource server, and how that is said.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use diesel::prelude::*;
use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::LocationSegment;
use jsonschema::{PatternOptions, ValidationError, Validator};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Detail, Member};
use crate::clock::Timestamp;
use crate::db::schema::{authorization_details_types as types, resources};
use crate::db::{Conn, Fault};
use crate::domain::audit::{Event, What};
use crate::domain::id::Id;
use crate::domain::resource::Catalogue;
use crate::domain::tx::Tx;
use crate::domain::words::{DetailsTypeName, DetailsTypes, ScopeToken, Word};

/// Bytes of a schema, of all actions with their sentences, and of a description.
const TEXT_MAX: usize = 8 * 1024;
/// Validators try each branch of a schema more than once: what is nested costs many times what stands in a row.
const DEPTH_MAX: usize = 12;
/// Bytes that a compiled pattern takes: with the length of the details it bounds the time that matching takes.
const PATTERN_MAX: usize = 256 * 1024;

/// A member that is the same for every type (RFC 9396 §2.2), so that no schema describes it.
const COMMON: [&str; 3] = ["type", "actions", "locations"];

/// What refers to a schema elsewhere: then validating might never end, or read what is not ours.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

/// A type as an administrator writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AuthorizationDetailsTypeDefinition")]
pub struct Definition {
    #[serde(rename = "type")]
    pub name: String,
    /// The URI of the resource server that the details are for.
    pub resource: String,
    /// What the type is for, to who is asked to allow it.
    pub description: String,
    /// Each action with its sentence. Where there are any, an object has at least one.
    #[serde(default)]
    pub actions: BTreeMap<String, String>,
    /// A JSON Schema of the further members. What is not among its `properties` is refused.
    #[serde(default)]
    pub schema: Map<String, Value>,
}

/// A type that is registered.
#[derive(Debug)]
pub struct DetailsType {
    pub definition: Definition,
    pub created_at: Timestamp,
    /// Compiled when it is needed first. `None` if somebody has made the schema unusable by hand.
    validator: OnceLock<Option<Validator>>,
}

/// What is wrong with one member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub member: String,
    pub problem: String,
}

/// Why a type can't be registered.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error(
        "a type's name is 1 to 64 characters of printable ASCII without spaces, quotes and backslashes, not {0:?}"
    )]
    Name(String),
    #[error("there is no resource {0}")]
    Resource(String),
    #[error("a type needs one line that says what it is for")]
    Description,
    #[error(
        "an action is a word of printable ASCII with one line that says what it allows, not {0:?}"
    )]
    Action(String),
    #[error("a type's schema, its actions and its description have at most {TEXT_MAX} bytes each")]
    TooLong,
    #[error("the schema can't be used: {0}")]
    Schema(String),
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusal!(Unfit);

/// A row as it is written.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = types, primary_key(name))]
struct Kept {
    name: String,
    resource_id: Id,
    description: String,
    actions: String,
    schema: String,
}

impl DetailsType {
    /// All of them with the ids of their resource servers, by name. One that somebody has made unreadable by hand is left
    /// out: nothing is allowed by it.
    pub fn all(conn: &mut Conn) -> QueryResult<Vec<(Id, DetailsType)>> {
        type Row = (Id, String, String, String, String, String, Timestamp);
        let rows: Vec<Row> = types::table
            .inner_join(resources::table)
            .order(types::name)
            .select((
                types::resource_id,
                resources::uri,
                types::name,
                types::description,
                types::actions,
                types::schema,
                types::created_at,
            ))
            .load(conn)?;
        let read = rows.into_iter().filter_map(|row| {
            let (resource_id, resource, name, description, actions, schema, created_at) = row;
            let texts = (
                serde_json::from_str(&actions),
                serde_json::from_str(&schema),
            );
            let (Ok(actions), Ok(schema)) = texts else {
                tracing::error!(name, "a type of authorization details can't be read");
                return None;
            };
            let definition = Definition {
                name,
                resource,
                description,
                actions,
                schema,
            };
            let known = DetailsType {
                definition,
                created_at,
                validator: OnceLock::new(),
            };
            Some((resource_id, known))
        });
        Ok(read.collect())
    }

    /// Remove the type of this name: nothing is allowed by it any more. Whether there was one.
    pub fn remove(tx: &mut Tx, name: &str) -> QueryResult<bool> {
        if !DetailsTypeName::is_valid(name) {
            return Ok(false);
        }
        let removed = diesel::delete(types::table.find(name)).execute(&mut **tx)?;
        if removed > 0 {
            tx.record(Event::new(What::DetailsTypeRemoved).detail(name))?;
        }
        Ok(removed > 0)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    /// The URI of its resource server.
    pub fn resource(&self) -> &str {
        &self.definition.resource
    }

    /// The further members of its objects.
    pub fn members(&self) -> Vec<Member> {
        Member::all(&self.definition.schema)
    }

    /// All that is wrong with an object of this type.
    pub fn wrong(&self, object: &Detail) -> Vec<Wrong> {
        let mut wrong: Vec<Wrong> = self.wrong_actions(object).into_iter().collect();
        if let Some(locations) = object.get("locations") {
            let ours = Value::from(vec![self.resource()]);
            if *locations != ours {
                wrong.push(Wrong::of(
                    "locations",
                    format!("this type is for {ours} alone"),
                ));
            }
        }
        let known = self
            .definition
            .schema
            .get("properties")
            .and_then(Value::as_object);
        let mut further = object.clone();
        further.retain(|name, _| !COMMON.contains(&name.as_str()));
        for name in further
            .keys()
            .filter(|name| known.is_none_or(|known| !known.contains_key(*name)))
        {
            wrong.push(Wrong::of(
                name,
                format!("the type {} has no such member", self.name()),
            ));
        }
        let further = Value::Object(further);
        match self
            .validator
            .get_or_init(|| compile(&self.definition.schema).ok())
        {
            Some(validator) => wrong.extend(validator.iter_errors(&further).map(Wrong::found)),
            None => wrong.push(Wrong::of("type", "this type can't be used".to_owned())),
        }
        let hidden = super::said::hidden(object);
        wrong.extend(
            hidden.map(|name| Wrong::of(name, "it has a character that can't be seen".into())),
        );
        wrong
    }

    fn wrong_actions(&self, object: &Detail) -> Option<Wrong> {
        let defined = &self.definition.actions;
        let Some(actions) = object.get("actions") else {
            let needed = !defined.is_empty();
            return needed.then(|| Wrong::of("actions", "at least one is needed".to_owned()));
        };
        let texts = actions.as_array().filter(|actions| !actions.is_empty());
        let Some(texts) = texts else {
            return Some(Wrong::of(
                "actions",
                "this is an array of at least one action".to_owned(),
            ));
        };
        let is_known = |action: &Value| {
            action
                .as_str()
                .is_some_and(|name| defined.contains_key(name))
        };
        let unknown = texts.iter().find(|action| !is_known(action))?;
        let problem = format!("the type {} has no action {unknown}", self.name());
        Some(Wrong::of("actions", problem))
    }

    /// What of an object that was allowed once this type still defines: its actions, or nothing if it has none of them.
    pub fn left_of(&self, mut object: Detail) -> Option<Detail> {
        let defined = &self.definition.actions;
        if let Some(Value::Array(actions)) = object.get_mut("actions") {
            actions.retain(|action| {
                action
                    .as_str()
                    .is_some_and(|name| defined.contains_key(name))
            });
        }
        let needs = !defined.is_empty() || object.contains_key("actions");
        (!needs || !actions_of(&object).is_empty()).then_some(object)
    }
}

impl Definition {
    /// Keep this type in the place of the one of its name, or as a new one; whether it is new. The resource becomes what it is
    /// registered as.
    pub fn put(&mut self, tx: &mut Tx) -> Result<bool, Unfit> {
        let kept = self.checked(tx)?;
        let (alike, now) = (types::table.find(&self.name), tx.now);
        let is_new = diesel::update(alike).set(&kept).execute(&mut **tx)? == 0;
        if is_new {
            diesel::insert_into(types::table)
                .values((&kept, types::created_at.eq(now)))
                .execute(&mut **tx)?;
        }
        let what = match is_new {
            true => What::DetailsTypeCreated,
            false => What::DetailsTypeChanged,
        };
        tx.record(Event::new(what).detail(&self.name))?;
        Ok(is_new)
    }

    /// The row it is kept in, if it can be.
    fn checked(&mut self, conn: &mut Conn) -> Result<Kept, Unfit> {
        let is_line = |text: &str| !text.trim().is_empty() && !text.contains(char::is_control);
        if DetailsTypes::of([self.name.as_str()]).is_err() {
            return Err(Unfit::Name(self.name.clone()));
        }
        if !is_line(&self.description) {
            return Err(Unfit::Description);
        }
        let mut actions = self.actions.iter();
        if let Some((name, _)) =
            actions.find(|(name, line)| !ScopeToken::is_valid(name) || !is_line(line))
        {
            return Err(Unfit::Action(name.clone()));
        }
        let (actions, schema) = (text(&self.actions), text(&self.schema));
        if actions.len().max(schema.len()).max(self.description.len()) > TEXT_MAX {
            return Err(Unfit::TooLong);
        }
        compile(&self.schema).map_err(Unfit::Schema)?;
        let catalogue = Catalogue::load(conn)?;
        let resource = catalogue.resource(&self.resource);
        let resource = resource.ok_or_else(|| Unfit::Resource(self.resource.clone()))?;
        self.resource = resource.uri.clone();
        Ok(Kept {
            name: self.name.clone(),
            resource_id: resource.id,
            description: self.description.clone(),
            actions,
            schema,
        })
    }
}

impl Wrong {
    fn of(member: &str, problem: String) -> Self {
        Self {
            member: member.to_owned(),
            problem,
        }
    }

    fn found(error: ValidationError) -> Self {
        if let ValidationErrorKind::Required { property } = error.kind() {
            let member = property.as_str().unwrap_or_default();
            return Self::of(member, "this is missing".to_owned());
        }
        let member = match error.instance_path().segments().next() {
            Some(LocationSegment::Property(name)) => name.into_owned(),
            _ => "type".to_owned(),
        };
        Self::of(&member, error.to_string())
    }
}

/// The actions of an object.
pub(super) fn actions_of(object: &Detail) -> Vec<&str> {
    let actions = object.get("actions").and_then(Value::as_array);
    actions
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("JSON can be written")
}

/// Make a validator of a schema, if validating by it takes a time that is bounded by its size and by that of the details.
fn compile(schema: &Map<String, Value>) -> Result<Validator, String> {
    if schema.get("type").is_some_and(|kind| kind != "object") {
        return Err("it is for an object".to_owned());
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let mut names = properties.into_iter().flat_map(Map::keys);
    if let Some(name) = names.find(|name| COMMON.contains(&name.as_str())) {
        return Err(format!(
            "{name} is a member of every type, and not of the schema"
        ));
    }
    // No object has other members: one that had to would never be.
    let required = schema.get("required").and_then(Value::as_array);
    let is_known = |name: &str| properties.is_some_and(|known| known.contains_key(name));
    let mut names = required.into_iter().flatten().filter_map(Value::as_str);
    if let Some(name) = names.find(|name| !is_known(name)) {
        return Err(format!(
            "{name} is required, and not among the schema's properties"
        ));
    }
    let schema = Value::Object(schema.clone());
    check_bounded(&schema, DEPTH_MAX)?;
    let patterns = PatternOptions::regex().size_limit(PATTERN_MAX);
    let options = jsonschema::draft202012::options().with_pattern_options(patterns);
    options
        .offline()
        .build(&schema)
        .map_err(|error| error.to_string())
}

fn check_bounded(schema: &Value, depth: usize) -> Result<(), String> {
    let inner: Vec<&Value> = match schema {
        Value::Object(members) => {
            if let Some(name) = REFERENCES.iter().find(|name| members.contains_key(**name)) {
                return Err(format!("it may not have {name}"));
            }
            members.values().collect()
        }
        Value::Array(items) => items.iter().collect(),
        _ => vec![],
    };
    match depth.checked_sub(1) {
        Some(depth) => inner
            .into_iter()
            .try_for_each(|inner| check_bounded(inner, depth)),
        None if inner.is_empty() => Ok(()),
        None => Err(format!("it is nested more than {DEPTH_MAX} deep")),
    }
}
