//! JSON in which no member of an object comes twice: which of two would count is left open (RFC 8259 §4), so that what a
//! person is asked could be another thing than what a resource server reads.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A value, or an object, that was read so.
#[derive(Debug, Clone)]
pub struct Strict<T>(pub T);

impl<'de> Deserialize<'de> for Strict<Value> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reader.deserialize(deserializer).map(Strict)
    }
}

impl<'de> Deserialize<'de> for Strict<Map<String, Value>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Reader.deserialize(deserializer)? {
            Value::Object(object) => Ok(Strict(object)),
            _ => Err(D::Error::custom("expected an object")),
        }
    }
}

struct Reader;

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number is too large"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = vec![];
        while let Some(item) = items.next_element_seed(Reader)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(Reader)?;
            if object.insert(name.clone(), value).is_some() {
                return Err(A::Error::custom(format!("the member {name:?} came twice")));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_comes_twice_is_refused_at_any_depth() {
        let read = |text| serde_json::from_str::<Strict<Value>>(text);
        let text = r#"{"a":[{"b":1,"c":null}],"b":-2.5,"d":"x","e":true}"#;
        assert_eq!(read(text).unwrap().0.to_string(), text);
        for twice in [r#"{"a":1,"a":1}"#, r#"[{"x":{"a":1,"b":2,"\u0061":3}}]"#] {
            assert!(read(twice).is_err(), "{twice}");
        }
        assert!(read(&"[".repeat(200)).is_err());
        assert!(serde_json::from_str::<Strict<Map<String, Value>>>("[]").is_err());
    }
}
