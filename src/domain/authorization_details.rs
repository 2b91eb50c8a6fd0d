//! Authorization details: what somebody may do with named things, where a scope says too little (RFC 9396).

mod details_type;
mod member;
mod said;
mod strict;

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

pub use details_type::{Definition, DetailsType, Unfit, Wrong};
pub use member::{Input, Member};
pub use said::Said;
pub use strict::Strict;

use super::resource::Catalogue;
use super::words::{Audience, DetailsTypes};
use crate::db::column::column;

/// Objects that one grant has at most.
const OBJECTS_MAX: usize = 10;
/// Bytes that they have at most, written without spaces.
const BYTES_MAX: usize = 4096;

/// One object: its `type`, and what of that is allowed.
pub type Detail = Map<String, Value>;

/// What of named things is allowed: at least one object, each of a registered type and checked when it was asked for. Kept
/// as the JSON array that it is.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct AuthorizationDetails(String);

column!(AuthorizationDetails: Text, str as String, |details| details.0.as_str(), |text| Ok(AuthorizationDetails(text)));

/// What is wrong with details that are asked for (`invalid_authorization_details`, RFC 9396 §5).
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    #[error("authorization_details is a JSON array of objects, not this: {0}")]
    Malformed(String),
    #[error("authorization_details has at least one object")]
    Empty,
    #[error("authorization_details has at most {OBJECTS_MAX} objects")]
    TooMany,
    #[error("authorization_details has at most {BYTES_MAX} bytes")]
    TooLong,
    /// The object's place, its member, and what is wrong with that.
    #[error("authorization_details[{0}].{1}: {2}")]
    Object(usize, String, String),
}

impl AuthorizationDetails {
    /// Read the objects of a JSON array. What they mean is not looked at.
    pub fn read(text: &str) -> Result<Vec<Detail>, Invalid> {
        let malformed = |error: serde_json::Error| Invalid::Malformed(error.to_string());
        let objects: Vec<Strict<Detail>> = serde_json::from_str(text).map_err(malformed)?;
        Ok(objects.into_iter().map(|object| object.0).collect())
    }

    /// Check what is asked for against the types of the `catalogue`.
    pub fn check(objects: &[Detail], catalogue: &Catalogue) -> Result<Self, Invalid> {
        let details = Self::of(objects);
        if objects.is_empty() {
            return Err(Invalid::Empty);
        }
        if objects.len() > OBJECTS_MAX {
            return Err(Invalid::TooMany);
        }
        if details.0.len() > BYTES_MAX {
            return Err(Invalid::TooLong);
        }
        for (index, object) in objects.iter().enumerate() {
            let name = type_of(object);
            let known = catalogue.details_type(name).ok_or_else(|| {
                let problem = format!("there is no type {name:?} here");
                Invalid::Object(index, "type".to_owned(), problem)
            })?;
            if let Some(wrong) = known.wrong(object).into_iter().next() {
                return Err(Invalid::Object(index, wrong.member, wrong.problem));
            }
        }
        Ok(details)
    }

    fn of(objects: &[Detail]) -> Self {
        Self(serde_json::to_string(objects).expect("JSON can be written"))
    }

    /// Each object. Of a row that somebody has made unreadable by hand there is none.
    pub fn objects(&self) -> Vec<Detail> {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// Their types.
    pub fn types(&self) -> DetailsTypes {
        let objects = self.objects();
        let names: Vec<&str> = objects.iter().map(type_of).collect();
        names.into_iter().collect()
    }

    /// The resource servers whose types they are.
    pub fn audience(&self, catalogue: &Catalogue) -> Audience {
        let types = self.types();
        let known = types.iter().filter_map(|name| catalogue.details_type(name));
        known.map(|known| known.resource()).collect()
    }

    /// What of them the `catalogue` still defines: no object whose type is gone, and no action that its type has no more.
    pub fn defined_by(&self, catalogue: &Catalogue) -> Vec<Detail> {
        let objects = self.objects().into_iter();
        let left =
            objects.filter_map(|object| catalogue.details_type(type_of(&object))?.left_of(object));
        left.collect()
    }

    /// These with nothing but what the `catalogue` still defines, if anything is left.
    pub fn left_in(&self, catalogue: &Catalogue) -> Option<Self> {
        let left = self.defined_by(catalogue);
        (!left.is_empty()).then(|| Self::of(&left))
    }

    /// What is left of `own`, in its order, if nothing but `objects` stays, each of which is one of them with all of its actions
    /// or some; or else, in words, the first object that is more than that.
    pub fn narrowed(own: Option<&Self>, objects: &[Detail]) -> Result<Option<Self>, String> {
        let own = own.map(Self::objects).unwrap_or_default();
        let mut stays: Vec<Option<&Detail>> = vec![None; own.len()];
        for object in objects {
            let place = |is_it: &dyn Fn(&Detail) -> bool| {
                let mut places = own.iter().zip(&stays);
                places.position(|(whole, taken)| taken.is_none() && is_it(whole))
            };
            let whole = place(&|whole| whole == object);
            let whole = whole.or_else(|| place(&|whole| is_part(object, whole)));
            stays[whole.ok_or_else(|| said::brief(object))?] = Some(object);
        }
        let left: Vec<Detail> = stays.into_iter().flatten().cloned().collect();
        Ok((!left.is_empty()).then(|| Self::of(&left)))
    }

    /// Whether these are the same objects, in whatever order.
    pub fn are(&self, others: &[Detail]) -> bool {
        let sorted = |objects: &[Detail]| {
            let mut texts: Vec<String> = objects
                .iter()
                .map(|object| Self::of(std::slice::from_ref(object)).0)
                .collect();
            texts.sort_unstable();
            texts
        };
        sorted(&self.objects()) == sorted(others)
    }

    /// Each of them in a line, by its names: "repository: read, push; identifier acme/site".
    pub fn brief(&self) -> Vec<String> {
        self.objects().iter().map(said::brief).collect()
    }

    /// Each of them in words, as far as the `catalogue` still defines it.
    pub fn said(&self, catalogue: &Catalogue) -> Vec<Said> {
        let objects = self.objects().into_iter();
        objects
            .filter_map(|object| said_of(object, catalogue))
            .collect()
    }
}

impl Serialize for AuthorizationDetails {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.objects().serialize(serializer)
    }
}

/// An object in words, as far as the `catalogue` still defines it.
pub fn said_of(object: Detail, catalogue: &Catalogue) -> Option<Said> {
    let known = catalogue.details_type(type_of(&object))?;
    Some(known.said(&known.left_of(object)?))
}

/// Whether an object is this `part` of the `whole`: the same but for actions, of which it may have fewer.
fn is_part(part: &Detail, whole: &Detail) -> bool {
    let is_some_of = |some: &[Value], all: &[Value]| {
        !some.is_empty()
            && some.len() <= all.len()
            && some.iter().all(|action| all.contains(action))
    };
    let is_within = |(name, value): (&String, &Value)| match (value, whole.get(name)) {
        (Value::Array(some), Some(Value::Array(all))) if name == "actions" => is_some_of(some, all),
        (value, other) => other == Some(value),
    };
    part.len() == whole.len() && part.iter().all(is_within)
}

/// The name of an object's type; none is no name.
pub fn type_of(object: &Detail) -> &str {
    object
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrowed(own: &str, wanted: &str) -> Result<String, String> {
        let own = AuthorizationDetails::of(&AuthorizationDetails::read(own).unwrap());
        let wanted = AuthorizationDetails::read(wanted).unwrap();
        let left = AuthorizationDetails::narrowed(Some(&own), &wanted)?;
        Ok(left.map(|left| left.0).unwrap_or_default())
    }

    #[test]
    fn narrowing_takes_objects_and_actions_away() {
        let own = r#"[{"actions":["a","b"],"type":"x"},{"actions":["a"],"type":"x"},{"id":1,"type":"y"}]"#;
        for part in [
            own,
            r#"[{"id":1,"type":"y"}]"#,
            r#"[{"actions":["b"],"type":"x"}]"#,
            r#"[{"actions":["a"],"type":"x"},{"actions":["a"],"type":"x"}]"#,
        ] {
            assert_eq!(narrowed(own, part).as_deref(), Ok(part));
        }
        let turned = r#"[{"id":1,"type":"y"},{"actions":["a"],"type":"x"},{"actions":["a","b"],"type":"x"}]"#;
        assert_eq!(narrowed(own, turned).as_deref(), Ok(own), "in their order");
        assert_eq!(narrowed(own, "[]").as_deref(), Ok(""));
    }

    #[test]
    fn narrowing_gives_nothing() {
        let own = r#"[{"actions":["a","b"],"type":"x"},{"id":1,"type":"y"}]"#;
        for more in [
            r#"[{"actions":["a","b","c"],"type":"x"}]"#,
            r#"[{"actions":["c"],"type":"x"}]"#,
            r#"[{"actions":["a","a","b"],"type":"x"}]"#,
            r#"[{"actions":["a",7],"type":"x"}]"#,
            r#"[{"actions":[],"type":"x"}]"#,
            r#"[{"actions":"a","type":"x"}]"#,
            r#"[{"type":"x"}]"#,
            r#"[{"actions":["a"],"id":1,"type":"x"}]"#,
            r#"[{"actions":["a"],"type":"x"},{"actions":["b"],"type":"x"}]"#,
            r#"[{"actions":["a"],"id":1,"type":"y"}]"#,
            r#"[{"id":1,"type":"y"},{"id":1,"type":"y"}]"#,
            r#"[{"id":2,"type":"y"}]"#,
            r#"[{"type":"y"}]"#,
            r#"[{"id":1}]"#,
            "[{}]",
        ] {
            assert!(narrowed(own, more).is_err(), "{more}");
        }
        assert!(AuthorizationDetails::narrowed(None, &[Detail::new()]).is_err());
    }
}
