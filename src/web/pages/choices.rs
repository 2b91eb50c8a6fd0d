//! What people tick of what an app asks for, or of what a token has.

use crate::domain::authorization_details::{AuthorizationDetails, Detail, Invalid, Said, said_of};
use crate::domain::resource::Catalogue;
use crate::oauth::Params;

/// One permission that can be ticked.
pub struct ScopeChoice {
    pub value: String,
    pub name: String,
    /// "Read your notes"
    pub sentence: String,
    /// Kept for administrators: shown in the warning colour.
    pub reserved: bool,
    pub ticked: bool,
    /// Why it can't be chosen.
    pub disabled: Option<String>,
}

/// One object of authorization details (RFC 9396) that can be ticked.
pub struct DetailsChoice {
    pub id: String,
    /// The object itself, as JSON.
    pub value: String,
    /// It in words, as far as it is still defined.
    pub said: Option<Said>,
    pub ticked: bool,
}

impl DetailsChoice {
    /// The form's field.
    pub const FIELD: &str = "authorization_details";

    /// One for each object of `details`.
    pub fn all(details: Option<&AuthorizationDetails>, catalogue: &Catalogue) -> Vec<Self> {
        let objects = details
            .map(AuthorizationDetails::objects)
            .unwrap_or_default();
        let choice = |(place, object): (usize, Detail)| Self {
            id: format!("details-{place}"),
            value: serde_json::to_string(&object).expect("JSON can be written"),
            said: said_of(object, catalogue),
            ticked: true,
        };
        objects.into_iter().enumerate().map(choice).collect()
    }

    /// The objects that were ticked in a form.
    pub fn ticked(form: &Params) -> Result<Vec<Detail>, Invalid> {
        let objects: Vec<&str> = form.all(Self::FIELD).collect();
        AuthorizationDetails::read(&format!("[{}]", objects.join(",")))
    }
}
