//! Form and query parameters as OAuth reads them (RFC 6749 §3.1, §3.2, Appendix B).

use percent_encoding::percent_decode_str;

use super::error::InvalidRequest;

/// The one parameter that may come more than once (RFC 8707 §2).
const REPEATABLE: &str = "resource";

/// Decoded `application/x-www-form-urlencoded` parameters, in their order. A parameter without a value counts as
/// absent (RFC 6749 §3.1).
#[derive(Clone, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Decode a body or a query. What is not UTF-8, or has a NUL in it, is refused before it can reach a database.
    pub fn decode(encoded: &[u8]) -> Result<Self, InvalidRequest> {
        let encoded = std::str::from_utf8(encoded).map_err(|_| InvalidRequest::Encoding)?;
        let mut pairs = vec![];
        for pair in encoded.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if !value.is_empty() {
                pairs.push((name, value));
            }
        }
        Ok(Self(pairs))
    }

    /// The parameters, if none but `resource` came twice (RFC 6749 §3.2).
    pub fn each_once(self) -> Result<Self, InvalidRequest> {
        match self.repeated() {
            Some(name) => Err(InvalidRequest::Repeated(name.to_owned())),
            None => Ok(self),
        }
    }

    /// A parameter that came twice and must not.
    pub fn repeated(&self) -> Option<&str> {
        let mut names: Vec<&str> = self.names().filter(|name| *name != REPEATABLE).collect();
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
        twice.map(|pair| pair[0])
    }

    /// The name of every parameter, as often as it came.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// How often a parameter came.
    pub fn count(&self, name: &str) -> usize {
        self.all(name).count()
    }

    /// The first value of a parameter, if it came with one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(each, _)| each == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that has to be there.
    pub fn need(&self, name: &'static str) -> Result<&str, InvalidRequest> {
        self.get(name).ok_or(InvalidRequest::Missing(name))
    }

    /// Every value of a parameter, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(each, _)| each == name);
        named.map(|(_, value)| value.as_str())
    }
}

/// Names only: values may be secrets.
impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// Decode one form value: `+` is a space, `%` introduces a byte.
pub fn decode(encoded: &str) -> Result<String, InvalidRequest> {
    let is_plain = !encoded.bytes().any(|byte| matches!(byte, b'+' | b'%'));
    let decoded = if is_plain {
        encoded.to_owned()
    } else {
        let spaced = encoded.replace('+', " ");
        let decoded = percent_decode_str(&spaced).decode_utf8();
        decoded.map_err(|_| InvalidRequest::Encoding)?.into_owned()
    };
    if decoded.contains('\0') {
        return Err(InvalidRequest::Encoding);
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_value_is_an_absent_parameter() {
        let params = Params::decode(b"a=&b=1&c").unwrap();
        assert_eq!(
            (params.get("a"), params.get("b"), params.get("c")),
            (None, Some("1"), None)
        );
    }

    #[test]
    fn only_resource_may_come_twice() {
        assert!(
            Params::decode(b"resource=x&resource=y")
                .unwrap()
                .each_once()
                .is_ok()
        );
        assert!(
            Params::decode(b"scope=x&scope=x")
                .unwrap()
                .each_once()
                .is_err()
        );
    }

    #[test]
    fn what_is_not_text_is_refused() {
        for bad in [b"a=%ff".as_slice(), b"a=%00", b"a=\xff", b"%00=a"] {
            assert!(Params::decode(bad).is_err());
        }
        assert_eq!(
            Params::decode(b"a=%C3%A9+%2B").unwrap().get("a"),
            Some("é +")
        );
    }
}
