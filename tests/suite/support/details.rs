//! Authorization details: a type that the notes have, and what is asked for of it.

use jeton::domain::authorization_details::{AuthorizationDetails, Definition};
use jeton::domain::grant::Via;
use jeton::domain::limits::Limits;
use jeton::domain::personal_token::{End, NewPersonalToken, PersonalToken};
use jeton::domain::resource::Catalogue;
use jeton::domain::tx::Caller;
use jeton::domain::user::User;
use jeton::domain::words::Scope;
use serde_json::{Value, json};

use super::{App, AppOptions, CodeFlow, ResourceServer, Server, seconds};

/// One object of the type [`repository`].
pub const ACME: &str = r#"[{"type":"repository","actions":["read"],"identifier":"acme/site"}]"#;

/// A type of the notes: actions, and one member of each simple kind.
pub fn repository() -> Value {
    json!({
        "type": "repository",
        "resource": "https://notes.example",
        "description": "Work on a repository",
        "actions": {"read": "Read its files", "push": "Change its files"},
        "schema": {
            "properties": {
                "identifier": {
                    "type": "string", "title": "Repository", "description": "Its owner and its name.",
                    "pattern": "^[a-z0-9-]+/[a-z0-9-]+$",
                },
                "depth": {"type": "integer", "minimum": 1},
                "archived": {"type": "boolean"},
                "branch_kind": {"enum": ["main", "release"]},
                "branches": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
                "limits": {"type": "object", "properties": {"mb": {"type": "integer"}}, "additionalProperties": false},
            },
            "required": ["identifier"],
        },
    })
}

impl Server {
    /// Register a type, or change it.
    pub fn details_type(&self, definition: Value) {
        let mut definition: Definition = serde_json::from_value(definition).expect("a definition");
        let put = self
            .app
            .write_blocking(&Caller::command_line(), |tx| definition.put(tx));
        put.expect("the type is registered");
    }

    /// The notes with repositories, and an app that may ask for both.
    pub fn repositories(&self) -> (ResourceServer, App) {
        let notes = self.notes();
        self.details_type(repository());
        let app = self.app(AppOptions {
            details_types: "repository",
            ..AppOptions::default()
        });
        (notes, app)
    }

    /// A personal access token with these details, and this scope besides.
    pub fn detailed_token(&self, owner: &User, scope: &str, details: &str) -> String {
        let scope = Scope::parse(scope).expect("the scope is well-formed");
        let objects = AuthorizationDetails::read(details).expect("the details are well-formed");
        let made = self.app.write_blocking(&Caller::command_line(), |tx| {
            let catalogue = Catalogue::load(tx)?;
            let details = AuthorizationDetails::check(&objects, &catalogue)?;
            let audience = catalogue.audience_of(&scope);
            let new = NewPersonalToken {
                name: "detailed".to_owned(),
                description: String::new(),
                audience: audience.joined_with(&details.audience(&catalogue)),
                authorization_details: Some(details),
                scope,
                end: End::At(tx.now + seconds(90 * 86_400)),
                limits: Limits::default(),
                reason: String::new(),
            };
            PersonalToken::create(tx, owner, new, Via::CommandLine)
        });
        made.expect("the token is made").1.expose().to_owned()
    }
}

impl CodeFlow {
    /// With these details, beside the scope.
    pub fn details(self, details: &str) -> Self {
        self.set("authorization_details", details)
    }
}
