//! What one rule of a policy is for, and what it takes.

use std::fmt;
use std::str::FromStr;

use super::path::{Path, Pattern};
use crate::domain::words::Scope;

/// The longest name a method may have.
const METHOD_MAX: usize = 32;

/// Which requests a rule is for, and the scopes it takes, all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    methods: Vec<String>,
    pattern: Pattern,
    scope: Scope,
}

/// Why something is no rule.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadRule {
    #[error("a rule is written 'GET,HEAD /notes/* notes:read', not {0:?}")]
    Form(String),
    #[error("a method is capital letters, such as GET, not {0:?}")]
    Method(String),
    #[error(
        "a rule's path is /notes for one, /notes/* for all below it too, without //, dots and encoded signs, not {0:?}"
    )]
    Path(String),
    #[error("a scope is printable ASCII without spaces, quotes and backslashes, not {0:?}")]
    Scope(String),
}

/// Whether this is a method as requests have them: capital letters (and dashes), for what is spelt otherwise may be taken
/// for another by some service.
pub fn is_method(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_ascii_uppercase());
    let goes_on = text.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    begins && goes_on && text.len() <= METHOD_MAX
}

impl Rule {
    /// A rule for these methods, or for any if there are none, and for the paths of this pattern.
    pub fn new(methods: &[&str], path: &str, scope: Scope) -> Result<Self, BadRule> {
        if let Some(bad) = methods.iter().find(|method| !is_method(method)) {
            return Err(BadRule::Method((*bad).to_owned()));
        }
        Ok(Self {
            methods: methods.iter().map(|&method| method.to_owned()).collect(),
            pattern: Pattern::parse(path).ok_or_else(|| BadRule::Path(path.to_owned()))?,
            scope,
        })
    }

    /// Whether it is for such a request.
    pub fn is_for(&self, method: &str, path: &Path) -> bool {
        let any = self.methods.is_empty();
        (any || self.methods.iter().any(|mine| mine == method)) && self.pattern.matches(path)
    }

    /// The methods it is for; none for any.
    pub fn methods(&self) -> &[String] {
        &self.methods
    }

    /// The paths it is for, as they were written.
    pub fn path(&self) -> &str {
        self.pattern.as_str()
    }

    /// The scopes it takes.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
}

/// `GET,HEAD /notes/* notes:read`, with a star for any method.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = match self.methods.as_slice() {
            [] => "*".to_owned(),
            methods => methods.join(","),
        };
        write!(f, "{methods} {}", self.path())?;
        self.scope.iter().try_for_each(|word| write!(f, " {word}"))
    }
}

impl FromStr for Rule {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        let mut words = text.split(' ').filter(|word| !word.is_empty());
        let (Some(methods), Some(path)) = (words.next(), words.next()) else {
            return Err(BadRule::Form(text.to_owned()));
        };
        let methods: Vec<&str> = match methods {
            "*" => vec![],
            methods => methods.split(',').collect(),
        };
        Rule::new(&methods, path, Scope::of(words).map_err(BadRule::Scope)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_printed_as_it_is_read() {
        for text in ["* /*", "GET / notes:read", "GET,M-SEARCH /b%C3%BC/* a:b c"] {
            let rule: Rule = text.parse().unwrap();
            assert_eq!(rule.to_string(), text);
        }
        let spaced: Rule = " GET  /a   b a ".parse().unwrap();
        assert_eq!(spaced.to_string(), "GET /a a b");
    }

    #[test]
    fn what_is_no_rule_says_why() {
        let bad = |text: &str| text.parse::<Rule>().unwrap_err();
        for text in ["", "GET", "/notes"] {
            assert_eq!(bad(text), BadRule::Form(text.to_owned()));
        }
        for (text, method) in [
            ("get /a", "get"),
            ("GET, /a", ""),
            ("GET,* /a", "*"),
            ("-A /a", "-A"),
            ("G\nT /a", "G\nT"),
        ] {
            assert_eq!(bad(text), BadRule::Method(method.to_owned()));
        }
        for (text, path) in [("* a", "a"), ("GET /a/../b", "/a/../b"), ("* /a\n", "/a\n")] {
            assert_eq!(bad(text), BadRule::Path(path.to_owned()));
        }
        assert_eq!(bad("* /a a\"b"), BadRule::Scope("a\"b".to_owned()));
    }
}
