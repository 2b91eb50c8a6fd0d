//! What a service is told of whom it deals with, and by which headers.

use std::fmt;

/// Something that is told of a token and its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    Subject,
    Username,
    Scopes,
    TokenId,
    ClientId,
    ExpiresAt,
}

/// The longest name a header may have.
const NAME_MAX: usize = 64;

/// Names of headers that mean something else to a proxy, or stand in our own answers.
const MEANT: [&str; 8] = [
    "x-accel-",
    "x-content-type-options",
    "x-frame-options",
    "x-http-method",
    "x-original-",
    "x-real-ip",
    "x-request-id",
    "x-sendfile",
];
/// The only name that begins so and means who somebody is.
const FORWARDED: (&str, &str) = ("x-forwarded-", "x-forwarded-user");

/// Why something can't be the names of the headers.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadHeader {
    #[error(
        "what can be told is subject, username, scopes, tokenId, clientId or expiresAt, not {0:?}"
    )]
    Fact(String),
    #[error(
        "a header's name is X-… or Remote-…, in letters, digits and dashes, and none that proxies use otherwise, not {0:?}"
    )]
    Name(String),
    #[error("the header {0} is there twice")]
    Twice(String),
}

impl Fact {
    pub const ALL: [Fact; 6] = [
        Fact::Subject,
        Fact::Username,
        Fact::Scopes,
        Fact::TokenId,
        Fact::ClientId,
        Fact::ExpiresAt,
    ];

    /// Its name among the settings of a policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Fact::Subject => "subject",
            Fact::Username => "username",
            Fact::Scopes => "scopes",
            Fact::TokenId => "tokenId",
            Fact::ClientId => "clientId",
            Fact::ExpiresAt => "expiresAt",
        }
    }

    fn header(self) -> &'static str {
        match self {
            Fact::Subject => "X-Auth-Subject",
            Fact::Username => "X-Auth-Username",
            Fact::Scopes => "X-Auth-Scopes",
            Fact::TokenId => "X-Auth-Token-Id",
            Fact::ClientId => "X-Auth-Client-Id",
            Fact::ExpiresAt => "X-Token-Expires-At",
        }
    }
}

/// A header's name for each fact, in the order of [`Fact::ALL`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers([String; 6]);

impl Headers {
    /// The usual names, but for those of these facts.
    pub fn of<'a>(other: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, BadHeader> {
        let mut headers = Self::default();
        for (word, name) in other {
            let fact = Fact::ALL.into_iter().find(|fact| fact.as_str() == word);
            let fact = fact.ok_or_else(|| BadHeader::Fact(word.to_owned()))?;
            if !is_free(name) {
                return Err(BadHeader::Name(name.to_owned()));
            }
            headers.0[fact as usize] = name.to_owned();
        }
        for (index, name) in headers.0.iter().enumerate() {
            if headers.0[..index]
                .iter()
                .any(|other| other.eq_ignore_ascii_case(name))
            {
                return Err(BadHeader::Twice(name.clone()));
            }
        }
        Ok(headers)
    }

    /// Read what [`Headers`] prints.
    pub fn parse(text: &str) -> Result<Self, BadHeader> {
        let pairs = text.split(' ').filter(|pair| !pair.is_empty());
        Self::of(pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))))
    }

    /// The header that tells this.
    pub fn name(&self, fact: Fact) -> &str {
        &self.0[fact as usize]
    }
}

impl Default for Headers {
    fn default() -> Self {
        Self(Fact::ALL.map(|fact| fact.header().to_owned()))
    }
}

/// `subject=X-Auth-Subject username=…`
impl fmt::Display for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = Fact::ALL.map(|fact| format!("{}={}", fact.as_str(), self.name(fact)));
        f.write_str(&pairs.join(" "))
    }
}

/// Whether a policy may use a header of this name.
fn is_free(name: &str) -> bool {
    let small = name.to_ascii_lowercase();
    let rest = small.strip_prefix("x-").or(small.strip_prefix("remote-"));
    let goes_on = |rest: &str| rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let fits = rest.is_some_and(|rest| !rest.is_empty() && goes_on(rest));
    let (forwarded, user) = FORWARDED;
    fits && name.len() <= NAME_MAX
        && !MEANT.iter().any(|meant| small.starts_with(meant))
        && (!small.starts_with(forwarded) || small == user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_printed_as_they_are_read() {
        let headers = Headers::of([("username", "X-WEBAUTH-USER"), ("subject", "Remote-User")]);
        let headers = headers.unwrap();
        assert_eq!(Headers::parse(&headers.to_string()), Ok(headers.clone()));
        assert_eq!(headers.name(Fact::Username), "X-WEBAUTH-USER");
        assert_eq!(headers.name(Fact::Subject), "Remote-User");
        assert_eq!(headers.name(Fact::ExpiresAt), "X-Token-Expires-At");
        assert!(Headers::of([("username", "X-Forwarded-User")]).is_ok());
    }

    #[test]
    fn a_header_that_means_something_else_is_refused() {
        let long = format!("X-{}", "a".repeat(63));
        for name in [
            "",
            "X-",
            "Set-Cookie",
            "Location",
            "Authorization",
            "Connection",
            "X_Auth",
            "X-Auth User",
            "X-Auth\r\nX",
            "X-Ä",
            "X-Accel-Redirect",
            "X-Forwarded-For",
            "x-forwarded-uri",
            "X-Original-URI",
            "X-Request-Id",
            "X-Frame-Options",
            "X-HTTP-Method-Override",
            &long,
        ] {
            let bad = Headers::of([("username", name)]);
            assert_eq!(bad, Err(BadHeader::Name(name.to_owned())));
        }
    }

    #[test]
    fn each_fact_has_a_header_of_its_own() {
        let twice = Headers::of([("username", "x-auth-subject")]);
        assert_eq!(twice, Err(BadHeader::Twice("x-auth-subject".to_owned())));
        let unknown = Headers::of([("email", "X-Email")]);
        assert_eq!(unknown, Err(BadHeader::Fact("email".to_owned())));
    }
}
