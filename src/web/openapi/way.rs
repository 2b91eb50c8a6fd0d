//! How somebody gets through a door, and what those hear who don't.

use serde_json::{Value, json};

use crate::web::api::Code;
use crate::web::doors::Door;

/// The name of a security scheme in the document.
pub const SESSION: &str = "session";
const CSRF: &str = "csrf";
const TOKEN: &str = "token";
const SIGNATURE: &str = "githubSignature";
const KEY: &str = "githubKey";

/// One way through a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The session of a browser; what changes something takes the CSRF header too.
    Session,
    /// A bearer token, of this scope if one is named.
    Token(Option<&'static str>),
    /// GitHub's signature over the body.
    Github,
}

/// A door that the document tells of.
pub trait Described: Door {
    /// The ways through it; none for a door that is open.
    const WAYS: &'static [Way];

    /// Why somebody is refused there, who wants to change something or not.
    fn refusals(changes: bool) -> Vec<Code>;
}

impl Way {
    /// The security requirement of an operation that takes this way.
    pub(super) fn requirement(self, changes: bool) -> Value {
        match self {
            Way::Session if changes => json!({SESSION: [], CSRF: []}),
            Way::Session => json!({SESSION: []}),
            Way::Token(scope) => json!({TOKEN: scope.into_iter().collect::<Vec<_>>()}),
            Way::Github => json!({SIGNATURE: [], KEY: []}),
        }
    }
}

/// The security schemes that requirements name.
pub(super) fn schemes() -> Value {
    let header = |name: &str, description: &str| json!({"type": "apiKey", "in": "header", "name": name, "description": description});
    json!({
        SESSION: {
            "type": "apiKey", "in": "cookie", "name": "__Host-jeton",
            "description": "The cookie of somebody who has signed in at /sign-in. Over plain http, its name is `jeton`.",
        },
        CSRF: header("X-CSRF-Token", "`csrfToken` of /api/my-account/personal-access-tokens/options, of the same session."),
        TOKEN: {
            "type": "http", "scheme": "bearer",
            "description": "A personal access token, or an access token of an app or a service. The requirement names the scope that it takes.",
        },
        SIGNATURE: header("Github-Public-Key-Signature", "The ECDSA signature of GitHub's secret scanning over the body."),
        KEY: header("Github-Public-Key-Identifier", "Which of GitHub's keys it was made with."),
    })
}
